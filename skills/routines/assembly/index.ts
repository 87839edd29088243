/** Several things at one word. What belongs to each is a setting, written as steps with commas between them. */
import { config, devices, Invocation, joinWords, numberWords, say, sentence } from '../../../sdk/assemblyscript'

/** Steps of one routine; each may mean every device of the house. */
const MOST_STEPS: i32 = 12
/** What a person comes in by is never opened by a routine. */
const WAYS_IN: string[] = ['garage', 'door', 'gate']

export function handle(): i32 {
  const invocation = Invocation.read()
  const intent = invocation.intent
  if (intent == 'routines.tell') return tell(invocation.text('routine'))
  const all = devices.list()
  if (all.length == 0) return say('I know of no devices yet.')
  if (intent == 'scene.night') return run(all, 'night', 'Good night.', invocation.room)
  if (intent == 'scene.morning') return run(all, 'morning', 'Good morning.', invocation.room)
  if (intent == 'scene.leave') return run(all, 'leave', 'Goodbye.', invocation.room)
  if (intent == 'scene.home') return run(all, 'home', 'Welcome home.', invocation.room)
  return say('I know no such routine.')
}

/** The household's choice, or what its manifest has. */
function stepsOf(routine: string): string[] {
  let text = config.text(routine)
  if (text.length == 0) {
    if (routine == 'night') text = 'lights off, switches off, lock doors, close covers, heating 17'
    else if (routine == 'morning') text = 'heating 20, open blinds'
    else if (routine == 'leave') text = 'lights off, switches off, lock doors, heating 16'
    else text = 'lights on here, heating 20'
  }
  const steps: string[] = []
  const parts = text.split(',')
  for (let i = 0; i < min(parts.length, MOST_STEPS); i++) {
    const step = parts[i].trim().toLowerCase()
    if (step.length > 0) steps.push(step)
  }
  return steps
}

function tell(routine: string): i32 {
  return say(sentence(joinWords(stepsOf(routine))) + '.')
}

function run(all: devices.Device[], routine: string, greeting: string, room: string): i32 {
  const steps = stepsOf(routine)
  const said: string[] = []
  for (let i = 0; i < steps.length; i++) {
    const done = step(all, steps[i], room)
    if (done.length > 0) said.push(done)
  }
  return say(said.length == 0 ? greeting : greeting + ' ' + sentence(joinWords(said)) + '.')
}

/** What was done, in words; empty when there is nothing it could be done with. */
function step(all: devices.Device[], words: string, room: string): string {
  if (words == 'lights off') return each(all, 'light', 'off', '') ? 'the lights are off' : ''
  if (words == 'lights on') return each(all, 'light', 'on', '') ? 'the lights are on' : ''
  if (words == 'lights on here') return each(all, 'light', 'on', room) ? 'the light is on' : ''
  if (words == 'switches off') return each(all, 'switch', 'off', '') ? 'everything else is off' : ''
  if (words == 'lock doors') return each(all, 'lock', 'lock', '') ? 'the doors are locked' : ''
  if (words == 'close covers') return each(all, 'cover', 'close', '') ? 'the covers are closing' : ''
  if (words == 'open blinds') return each(all, 'cover', 'open', '') ? 'the blinds are opening' : ''
  if (words.startsWith('scene ')) return scene(all, words.substring(6).trim())
  if (words.startsWith('heating ')) return heating(all, parseFloat(words.substring(8)))
  return ''
}

function each(all: devices.Device[], kind: string, command: string, room: string): bool {
  let told = false
  for (let i = 0; i < all.length; i++) {
    const device = all[i]
    if (device.kind != kind || !isThere(device) || (room.length > 0 && device.room != room.toLowerCase())) continue
    if (kind == 'cover' && command == 'open' && isWayIn(device)) continue
    devices.command(device.id, command)
    told = true
  }
  return told
}

function isThere(device: devices.Device): bool {
  return !device.has('available') || device.is('available')
}

function isWayIn(device: devices.Device): bool {
  const name = device.name.toLowerCase()
  for (let i = 0; i < WAYS_IN.length; i++) {
    if (name.includes(WAYS_IN[i]) || device.text('device_class').includes(WAYS_IN[i])) return true
  }
  return false
}

function scene(all: devices.Device[], name: string): string {
  for (let i = 0; i < all.length; i++) {
    if (all[i].kind != 'scene' || all[i].name.toLowerCase() != name || !isThere(all[i])) continue
    devices.command(all[i].id, 'start')
    return 'the scene ' + name + ' has started'
  }
  return ''
}

function heating(all: devices.Device[], degrees: f64): string {
  if (isNaN(degrees)) return ''
  let told = false
  for (let i = 0; i < all.length; i++) {
    const device = all[i]
    if (device.kind != 'climate' || !isThere(device)) continue
    if (degrees < device.number('min', 5) || degrees > device.number('max', 35)) continue
    devices.commandNumber(device.id, 'set_temperature', degrees)
    told = true
  }
  return told ? 'the heating is set to ' + numberWords(i32(degrees)) + ' degrees' : ''
}
