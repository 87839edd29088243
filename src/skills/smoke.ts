/**
 * What a new version of a skill is tried with before it is used: one call for each of its intents, with the slots of the
 * first sentence that means it. Nothing a call changes counts before the hub applied it, so these calls are real ones. Pure.
 */
import type { Invocation, SkillCall } from './call.ts'
import type { Grammar, IntentDefinition, SlotValue } from './intents/index.ts'
import type { SkillManifest } from './manifest/index.ts'

/** One call takes well under a millisecond; a skill with more intents is tried with its first ones. */
export const MAX_SMOKE_CALLS = 16

export interface Present {
  readonly wall_ms: number
  readonly offset_min: number
}

/** `grammar` has the sentences of this version. */
export function smokeCalls(manifest: SkillManifest, grammar: Grammar, time: Present): SkillCall[] {
  return Object.keys(manifest.intents)
    .slice(0, MAX_SMOKE_CALLS)
    .map((intent) => ({
      entry: 'handle',
      input: JSON.stringify(invocationOf(intent, slotsOf(grammar, intent))),
      storage: {},
      timers: {},
      time,
      seed: 1,
    }))
}

const invocationOf = (intent: string, slots: Invocation['slots']): Invocation => ({
  ...{ intent, slots, room: 'kitchen', session: 'trial', confirmed: true },
})

/** What the first sentence fills, and what the intent cannot do without. */
function slotsOf(grammar: Grammar, intent: string): Record<string, SlotValue> {
  const definition = grammar.intents.get(intent)
  const sentence = grammar.patterns.find((pattern) => pattern.intent === intent && !pattern.negative)
  const slots: Record<string, SlotValue> = {}
  for (const token of sentence?.tokens ?? []) {
    if (token.kind === 'slot') slots[token.name] = exampleOf(grammar, token.type, definition, token.name)
  }
  for (const [name, { type, optional }] of definition?.slots ?? []) {
    if (!optional) slots[name] ??= exampleOf(grammar, type, definition, name)
  }
  return slots
}

function exampleOf(
  grammar: Grammar,
  type: string,
  definition: IntentDefinition | undefined,
  slot: string,
): SlotValue {
  if (type === 'number') return 2
  if (type === 'duration') return 300
  if (type === 'moment') return '+1 08:00?'
  const value = grammar.types.get(type)?.[0]?.value ?? 'something'
  return definition?.slots.get(slot)?.many === true ? [value] : value
}
