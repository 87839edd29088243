/**
 * Judges what came out of a sandbox before anything of it counts. The runner has enforced the same rules, but it shares
 * a process with the skill: whoever broke out of WebAssembly could answer anything.
 */
import { z } from 'zod'
import { actsOf } from '../acts.ts'
import { answerSchema, type CallOutcome, type Change, changeSchema, type SkillCall } from '../call.ts'
import { skillError } from '../errors.ts'
import type { Permission } from '../permissions.ts'
import {
  entrySize,
  MAX_ANNOUNCEMENTS,
  MAX_COMMANDS,
  MAX_LOG_LINES,
  MAX_PERSONAL_BYTES,
  MAX_REQUESTS,
  MAX_TIMERS,
  type ReachingOut,
} from './hostcalls.ts'
import type { Budget } from './protocol.ts'

/** A sandbox's word about a call, whatever it claims. */
const saysSchema = z.discriminatedUnion('answer', [
  z.object({ answer: z.literal('answered'), output: z.string().max(32_768), changes: z.array(z.unknown()) }),
  z.object({ answer: z.literal('failed'), fault: z.string(), message: z.string().max(400) }),
])

/** Made once: to make a schema takes longer than to check an answer with it. */
const changesSchema = z.array(changeSchema)

/** Faults a sandbox may report about a skill; the others are the node's own verdicts. */
const REPORTED = ['skill-trapped', 'skill-budget', 'skill-timeout', 'skill-answer', 'skill-refused'] as const

const NEEDS: Readonly<Record<Change['change'], Permission | undefined>> = {
  put: 'storage',
  delete: 'storage',
  'timer-set': 'timers',
  'timer-cancel': 'timers',
  announce: 'speak',
  log: undefined,
  'personal-put': 'personal',
  'personal-delete': 'personal',
  device: 'devices',
  http: 'http',
  language: 'language',
  question: 'question',
  publish: 'topics',
  card: 'cards',
}

export interface Grant {
  readonly permissions: readonly Permission[]
  readonly budget: Budget
  /** Topics it may say something on. */
  readonly publishes?: readonly string[]
}

export function verifyAnswer(body: unknown, skill: string, call: SkillCall, grant: Grant): CallOutcome {
  const refuse = (why: string): CallOutcome => ({
    ok: false,
    error: skillError('skill-answer', `The skill ${skill} answered wrongly: ${why}`),
  })
  /** The runner would never have said it: it is the runner's no more. */
  const broken = (why: string): CallOutcome => ({
    ok: false,
    error: skillError('skill-escape', `The process of the skill ${skill} broke the rules: ${why}`),
  })
  const says = saysSchema.safeParse(body)
  if (!says.success) return broken('not in the form agreed upon')
  if (says.data.answer === 'failed') {
    const fault =
      REPORTED.find((known) => known === (says.data as { fault: string }).fault) ?? 'skill-trapped'
    return { ok: false, error: skillError(fault, `The skill ${skill} failed: ${says.data.message}`) }
  }
  if (says.data.changes.length > grant.budget.host_calls + MAX_LOG_LINES)
    return broken('more changes than host calls')
  const changes = changesSchema.safeParse(says.data.changes)
  if (!changes.success) {
    // Only the words of what reaches out are the skill's own; all else was judged where it asked.
    const told = says.data.changes
    const ill = new Set(changes.error.issues.map(({ path: [index] }) => kindOf(told, index)))
    const own = [...ill].every((kind) => REACHING_OUT.has(kind))
    return own
      ? refuse(`what it wants done is not in the form agreed upon: ${[...ill].join(', ')}`)
      : broken('a change that does not exist')
  }
  const rule = brokenRule(changes.data, call, grant)
  if (rule !== undefined) return broken(rule)
  const answer = answerSchema.safeParse(parseJson(says.data.output))
  if (!answer.success) return refuse('its output is not an answer')
  const acts = actsOf(changes.data, call.devices)
  const judged = acts.length === 0 ? {} : { acts }
  return { ok: true, result: { answer: answer.data, changes: changes.data, ...judged } }
}

const REACHING_OUT: ReadonlySet<unknown> = new Set<ReachingOut>([
  ...(['device', 'http', 'language', 'question', 'publish', 'card'] as const),
])

function kindOf(changes: readonly unknown[], index: unknown): unknown {
  const change = changes[index as number]
  return typeof change === 'object' && change !== null && 'change' in change ? change.change : undefined
}

/** Replays the changes on the state the call came with. */
function brokenRule(changes: readonly Change[], call: SkillCall, grant: Grant): string | undefined {
  const storage = new Map(Object.entries(call.storage))
  const timers = new Set(Object.keys(call.timers))
  const personal = new Map(Object.entries(call.personal ?? {}))
  const times = new Map<Change['change'], number>()
  for (const change of changes) {
    const needed = NEEDS[change.change]
    if (needed !== undefined && !grant.permissions.includes(needed)) return `${needed} was not granted`
    const foreign = outOfReach(change, call, grant)
    if (foreign !== undefined) return foreign
    if (change.change === 'put') storage.set(change.key, change.value)
    else if (change.change === 'delete') storage.delete(change.key)
    else if (change.change === 'timer-set') timers.add(change.timer)
    else if (change.change === 'timer-cancel') timers.delete(change.timer)
    else if (change.change === 'personal-put') personal.set(change.key, change.value)
    else if (change.change === 'personal-delete') personal.delete(change.key)
    else times.set(change.change, (times.get(change.change) ?? 0) + 1)
    if (change.change.startsWith('personal-') && call.personal === undefined)
      return 'nobody is known to speak'
  }
  const asked = changes.length - (times.get('log') ?? 0)
  if (asked > grant.budget.host_calls) return 'more changes than host calls'
  const stored = sizeOf(storage)
  // A budget made smaller by a new version must not lock a skill out of its old state: it may shrink, not grow.
  const before = Object.entries(call.storage).reduce((sum, [key, value]) => sum + entrySize(key, value), 0)
  if (stored > Math.max(grant.budget.storage_kb * 1024, before)) return 'its storage is used up'
  if (timers.size > Math.max(MAX_TIMERS, Object.keys(call.timers).length)) return 'too many timers'
  if (sizeOf(personal) > Math.max(MAX_PERSONAL_BYTES, sizeOf(new Map(Object.entries(call.personal ?? {}))))) {
    return 'what it keeps of one person is too much'
  }
  for (const [change, count] of times) {
    const { most, words } = MOST[change as keyof typeof MOST]
    if (count > most) return `too many ${words}`
  }
  return undefined
}

function outOfReach(change: Change, call: SkillCall, grant: Grant): string | undefined {
  if (change.change === 'publish' && grant.publishes?.includes(change.topic) !== true) {
    return `the topic ${change.topic} was not granted`
  }
  if (change.change === 'device' && call.devices?.some(({ id }) => id === change.device) !== true) {
    return 'it commands a device it was not told of'
  }
  return undefined
}

/** Of each kind in one call. */
const MOST = {
  announce: { most: MAX_ANNOUNCEMENTS, words: 'announcements' },
  log: { most: MAX_LOG_LINES, words: 'log lines' },
  device: { most: MAX_COMMANDS, words: 'commands to devices' },
  http: { most: MAX_REQUESTS, words: 'requests' },
  language: { most: MAX_REQUESTS, words: 'prompts' },
  question: { most: MAX_REQUESTS, words: 'questions' },
  publish: { most: MAX_REQUESTS, words: 'messages' },
  card: { most: MAX_REQUESTS, words: 'cards' },
} as const

const sizeOf = (entries: ReadonlyMap<string, string>): number =>
  [...entries].reduce((sum, [key, value]) => sum + entrySize(key, value), 0)

function parseJson(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
