import { count, type Invocation, log, say, sentence, storage } from 'loqa'

/** Carries out an intent of skill.yaml. */
export function handle({ verb, slots }: Invocation) {
  const visitor = String(slots.visitor)
  const before = Number(storage.get(visitor) ?? 0)
  if (verb === 'count') return say(`${sentence(count(before, visitor))} so far.`)

  storage.put(visitor, String(before + 1))
  log.info(`${visitor} number ${before + 1}`)
  return say(`That makes ${count(before + 1, visitor)}.`)
}
