/**
 * One call into a skill, as data: everything the skill may know goes in, everything it wants changed comes out. The
 * skill runs synchronously on a copy of its state, so a call is a pure function of these bytes: it can be repeated,
 * simulated and killed half way, and nothing of it counts until the node has checked and applied the changes together.
 */
import { z } from 'zod'
import type { SkillErrorShape } from './errors.ts'
import { type Device, HTTP_METHODS } from './host-ports.ts'
import type { Act } from './risk.ts'

/**
 * Exported functions of a skill module: `handle` carries out an intent, `due` is told that a timer rang, `heard` what came of
 * something that took time. Nothing in a sandbox ever waits: what takes time is a change, and its result a call of its own.
 */
export const ENTRY_POINTS = ['handle', 'due', 'heard'] as const
export type EntryPoint = (typeof ENTRY_POINTS)[number]

export interface SkillCall {
  readonly entry: EntryPoint
  /** JSON: an `Invocation` for `handle`, a `DueTimer` for `due`, a `Heard` for `heard`. */
  readonly input: string
  /** The skill's whole storage. */
  readonly storage: Readonly<Record<string, string>>
  /** Pending timers and the time each has left, ms, never negative. */
  readonly timers: Readonly<Record<string, number>>
  readonly time: CallTime
  /** Seeds the skill's random numbers: the same call draws the same ones. */
  readonly seed: number
  /** The house's devices; only for a skill that was granted them. */
  readonly devices?: readonly Device[]
  /** What the skill keeps of the person who speaks; absent when nobody said who that is. */
  readonly personal?: Readonly<Record<string, string>>
  /** The household's choices for the skill's settings, defaults filled in. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
}

/** The time of the call as the skill sees it; it stands still while the skill runs. */
export interface CallTime {
  /** Milliseconds since 1970 UTC. */
  readonly wall_ms: number
  /** Minutes that local time is ahead of UTC at that moment. */
  readonly offset_min: number
}

/** What `handle` is given, as JSON. */
export interface Invocation {
  readonly intent: string
  readonly slots: Readonly<Record<string, unknown>>
  readonly room: string
  readonly session: string
  readonly confirmed: boolean
}

/** What `due` is given, as JSON. */
export interface DueTimer {
  readonly timer: string
  /** How long ago it was due, ms; large when the node was down. */
  readonly late_ms: number
  /** It fell due while the node was not running. */
  readonly missed: boolean
}

/** What a `heard` is about. */
export const HEARD_OF = ['http', 'language', 'question', 'topic', 'device', 'approval'] as const
export type HeardOf = (typeof HEARD_OF)[number]

/** What `heard` is given, as JSON. */
export interface Heard {
  /** As the skill named it in its change; the topic's name for `topic`. */
  readonly id: string
  readonly of: HeardOf
  readonly ok: boolean
  /** http: `{ status, headers, body }`; language: `{ text }`; question: `{ yes }`; topic: `{ data, from }`. */
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
  /** Where what led to it was asked for; empty when it was asked for nowhere. */
  readonly room: string
  readonly session: string
}

const key = z.string().min(1).max(128)
const speech = z.string().min(1).max(1_000)
/** Words with dots between them, as in a manifest: `weather.changed`. */
const topicName = z
  .string()
  .max(120)
  .regex(/^[a-z][a-z0-9_-]{0,31}(\.[a-z0-9_-]{1,32}){0,7}$/)
/** Headers of one request. */
const isFew = (headers: object): boolean => Object.keys(headers).length <= 16

/** A change a skill asked for, in the order it asked. */
export const changeSchema = z.discriminatedUnion('change', [
  z.strictObject({ change: z.literal('put'), key, value: z.string().max(16_384) }),
  z.strictObject({ change: z.literal('delete'), key }),
  z.strictObject({ change: z.literal('timer-set'), timer: key, delay_ms: z.int().min(0).max(604_800_000) }),
  z.strictObject({ change: z.literal('timer-cancel'), timer: key }),
  z.strictObject({
    change: z.literal('announce'),
    speech,
    room: z.string().max(128),
    session: z.string().max(128),
  }),
  z.strictObject({
    change: z.literal('log'),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string().max(512),
  }),
  // — of the person who speaks —
  z.strictObject({ change: z.literal('personal-put'), key, value: z.string().max(16_384) }),
  z.strictObject({ change: z.literal('personal-delete'), key }),
  // — what reaches out of the node's own state; results come back through `heard` —
  z.strictObject({
    change: z.literal('device'),
    device: key,
    command: z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/),
    value: z.union([z.string().max(256), z.number(), z.boolean()]).exactOptional(),
  }),
  z.strictObject({
    change: z.literal('http'),
    id: key,
    method: z.enum(HTTP_METHODS),
    url: z.string().min(1).max(2_048),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), z.string().max(1_024)).refine(isFew),
    body: z.string().max(16_384).exactOptional(),
  }),
  z.strictObject({
    change: z.literal('language'),
    id: key,
    prompt: z.string().min(1).max(8_192),
    max_tokens: z.int().min(1).max(1_024),
  }),
  /** A question asked aloud without having been asked; yes, no or silence is heard. */
  z.strictObject({
    change: z.literal('question'),
    id: key,
    speech,
    room: z.string().max(128),
    session: z.string().max(128),
  }),
  z.strictObject({ change: z.literal('publish'), topic: topicName, data: z.string().max(4_096) }),
  z.strictObject({
    change: z.literal('card'),
    card: z.record(z.string().max(64), z.unknown()),
    room: z.string().max(128),
  }),
])
export type Change = z.infer<typeof changeSchema>

/** The skill's own words, the JSON it outputs. `due` may leave everything out. */
export const answerSchema = z.strictObject({
  speech: z.string().max(1_000).default(''),
  follow_up: z
    .union([
      z.strictObject({ slot: z.string().min(1).max(64) }),
      z.strictObject({ confirm: z.literal(true) }),
    ])
    .optional(),
  card: z.record(z.string().max(64), z.unknown()).optional(),
})
export type SkillAnswer = z.infer<typeof answerSchema>

/** A call that worked: checked, ready to apply. */
export interface CallResult {
  readonly answer: SkillAnswer
  readonly changes: readonly Change[]
  /** Those of them that are not harmless; the node judged that, not the skill. */
  readonly acts?: readonly Act[]
}

export type CallOutcome =
  | { readonly ok: true; readonly result: CallResult }
  | { readonly ok: false; readonly error: SkillErrorShape }
