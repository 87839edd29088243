/**
 * What two nodes say to each other about their logs, on the bulk stream. Decoded at the edge: size and counts first, then the schema.
 *
 * Versions, append only:
 * 1 — heads, pull, batches, busy.
 */
import { z } from 'zod'
import type { NodeId } from '../../host/index.ts'
import {
  MAX_ANSWER_BATCHES,
  MAX_ANSWER_BYTES,
  MAX_BATCH_BYTES,
  MAX_DB_VERSION,
  MAX_EDITION,
  MAX_LIFE,
  MAX_ORIGINS,
} from './bounds.ts'

const node = z.string().regex(/^[0-9A-Za-z._-]{1,64}$/) as unknown as z.ZodType<NodeId>
const life = z.int().min(0).max(MAX_LIFE)
const version = z.int().min(0).max(MAX_DB_VERSION)
const edition = z.int().min(0).max(MAX_EDITION)
/** Names a pull between its sender and its answer; counts up. */
const number = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

const head = z.strictObject({ node, life, version, edition })

/** The sender holds these logs up to there, durably: all of them to a new peer and from time to time, else what has changed. */
const heads = z.strictObject({ type: z.literal('heads'), heads: z.array(head).max(MAX_ORIGINS) })

/** The receiver is to answer with what it has of this log above a version, of this edition or later. */
const pull = z.strictObject({ type: z.literal('pull'), number, node, life, above: version, edition })

/** The answer: batches in order, as they were signed. None: the sender has no more. */
const batches = z.strictObject({
  type: z.literal('batches'),
  number,
  batches: z.array(z.instanceof(Uint8Array) as z.ZodType<Uint8Array>).max(MAX_ANSWER_BATCHES),
})

/** The other answer: not now. */
const busy = z.strictObject({ type: z.literal('busy'), number })

const message = z.discriminatedUnion('type', [heads, pull, batches, busy])

export type Head = Readonly<z.infer<typeof head>>
export type SyncMessage = Readonly<z.infer<typeof message>>
export type Pulling = Extract<SyncMessage, { type: 'pull' }>
export type Batches = Extract<SyncMessage, { type: 'batches' }>

const TYPES: readonly string[] = message.options.map(({ shape }) => shape.type.value)

export type Decoded =
  | { readonly ok: true; readonly message: SyncMessage }
  | { readonly ok: false; readonly why: 'unknown-type' | 'malformed' | 'too-large' }

/** Any value to a message or the reason why not; never throws. */
export function decodeSync(value: unknown): Decoded {
  if (typeof value !== 'object' || value === null) return { ok: false, why: 'malformed' }
  const { type, heads: told, batches: given } = value as Record<string, unknown>
  if (typeof type !== 'string') return { ok: false, why: 'malformed' }
  if (!TYPES.includes(type)) return { ok: false, why: 'unknown-type' }
  if (Array.isArray(told)) {
    if (told.length > MAX_ORIGINS) return { ok: false, why: 'too-large' }
    // To the schema bytes are an object with as many keys as bytes, and it looks at each.
    if (told.some((head) => head instanceof Uint8Array)) return { ok: false, why: 'malformed' }
  }
  if (Array.isArray(given) && isTooLarge(given)) return { ok: false, why: 'too-large' }
  const decoded = message.safeParse(value)
  return decoded.success ? { ok: true, message: decoded.data } : { ok: false, why: 'malformed' }
}

function isTooLarge(given: readonly unknown[]): boolean {
  if (given.length > MAX_ANSWER_BATCHES) return true
  let bytes = 0
  for (const batch of given) {
    if (!(batch instanceof Uint8Array)) continue
    if (batch.length > MAX_BATCH_BYTES) return true
    bytes += batch.length
  }
  return bytes > MAX_ANSWER_BYTES
}
