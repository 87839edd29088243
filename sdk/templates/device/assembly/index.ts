import { count, devices, Invocation, joinWords, say, sentence } from 'loqa'

/** Carries out an intent of skill.yaml. */
export function handle(): i32 {
  const invocation = Invocation.read()
  const all = devices.list()
  const names: string[] = []
  for (let i = 0; i < all.length; i++) {
    const device = all[i]
    if (device.kind != 'light' || !device.is('on')) continue
    names.push('the ' + device.name)
    if (invocation.verb == 'off') devices.command(device.id, 'off')
  }
  if (names.length == 0) return say('Everything is off.')
  if (invocation.verb == 'off') return say('I turned off ' + count(names.length, 'light') + '.')
  return say(sentence(joinWords(names)) + (names.length == 1 ? ' is on.' : ' are on.'))
}
