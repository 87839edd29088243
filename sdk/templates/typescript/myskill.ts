import { count, type Invocation, log, say, storage } from 'loqa'

/** Carries out an intent of skill.yaml. */
export function handle({ verb, slots }: Invocation) {
  const pet = String(slots.pet)
  const trips = Number(storage.get(`${pet}/trips`) ?? 0)
  const isOut = storage.get(`${pet}/out`) !== undefined

  if (verb === 'where') return say(isOut ? `The ${pet} is out.` : `The ${pet} is home.`)
  if (verb === 'home') {
    storage.remove(`${pet}/out`)
    return say(`Welcome home, ${pet}.`)
  }
  storage.put(`${pet}/out`, 'yes')
  storage.put(`${pet}/trips`, String(trips + 1))
  log.info(`${pet}: trip ${trips + 1}`)
  return say(`Good. The ${pet} went out ${count(trips + 1, 'time')}.`)
}
