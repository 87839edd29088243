/**
 * What two nodes say to each other about a move, and those who send to the actor to both. Every message names the address and the epoch
 * that is offered: one move. All may be lost, come twice or late, in any order.
 *
 * Versions, append only:
 * 1 — offer, chunk, got, accept, refuse, resume, resumed, abort, forward, forwarded, close, closed, switched, after.
 */
import { z } from 'zod'
import { encodeValue, limits, ValueSequence } from '../../host/index.ts'
import { CHUNK_BYTES, MAX_BUNDLE_BYTES, MAX_CHUNKS } from './bounds.ts'
import { nodeSchema, parcelSchema } from './bundle.ts'

export const MIGRATION_VERSION = 1

const address = z
  .string()
  .max(270)
  .regex(/^loqa:\/[A-Za-z0-9_.:~-]{1,128}\/[A-Za-z0-9_.:~-]{1,128}$/)
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const move = {
  address,
  epoch: z
    .int()
    .min(1)
    .max(2 ** 50),
}
const mark = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

export const REFUSALS = [
  'busy',
  'stale',
  'unknown-kind',
  'version',
  'too-large',
  'malformed',
  'unknown-move',
] as const
export type Refusal = (typeof REFUSALS)[number]

/** What the source passes on, in order. */
const passed = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('told'), node: nodeSchema, parcel: parcelSchema }),
  /** Nothing of that node comes this way any more. */
  z.strictObject({ what: z.literal('switched'), node: nodeSchema, mark }),
])

export const moveSchema = z.discriminatedUnion('type', [
  /** Source: it is frozen; this is how much there is. The target refuses, or says `got`. */
  z.strictObject({
    type: z.literal('offer'),
    ...move,
    kind: z.string().min(1).max(128),
    version: z.int().min(1).max(0xffff_ffff),
    bytes: z.int().min(1).max(MAX_BUNDLE_BYTES),
    chunks: z.int().min(1).max(MAX_CHUNKS),
  }),
  z.strictObject({
    type: z.literal('chunk'),
    ...move,
    index: z
      .int()
      .min(0)
      .max(MAX_CHUNKS - 1),
    bytes: z.instanceof(Uint8Array).refine(({ length }) => length >= 1 && length <= CHUNK_BYTES),
  }),
  /** Target: all chunks before this one are there. */
  z.strictObject({ type: z.literal('got'), ...move, next: z.int().min(0).max(MAX_CHUNKS) }),
  /** Target: it is whole and understood, and starts at `resume`. Until then it is nothing. */
  z.strictObject({ type: z.literal('accept'), ...move }),
  /** Target: it does not run it, and will not. The source goes on as if nothing had been. */
  z.strictObject({ type: z.literal('refuse'), ...move, why: z.enum(REFUSALS) }),
  /** Source: it is the target's now. Said until `resumed`. */
  z.strictObject({ type: z.literal('resume'), ...move }),
  /** Target: it runs. The source drops its copy and passes on what came meanwhile. */
  z.strictObject({ type: z.literal('resumed'), ...move }),
  /** Source: forget it. */
  z.strictObject({ type: z.literal('abort'), ...move }),
  /** Source: came for the actor after it froze. Numbered from 0; handled in that order, each once. */
  z.strictObject({ type: z.literal('forward'), ...move, number: count, passed }),
  /** Target: all before this number are there. */
  z.strictObject({ type: z.literal('forwarded'), ...move, next: count }),
  /** Source: that many there were, and no more come. */
  z.strictObject({ type: z.literal('close'), ...move, count }),
  z.strictObject({ type: z.literal('closed'), ...move }),
  /** A sender, the old way: its further messages go to the new place. Passed on. */
  z.strictObject({ type: z.literal('switched'), ...move, mark }),
  /** A sender, the new way: what comes now is to be handled after what went the old way, whose end is `switched` with this mark. */
  z.strictObject({ type: z.literal('after'), ...move, mark }),
])
export type MoveMessage = Readonly<z.infer<typeof moveSchema>>
export type Passed = Readonly<z.infer<typeof passed>>
export type MessageOf<Type extends MoveMessage['type']> = Extract<MoveMessage, { type: Type }>

/** Most words of a move are short; what is larger is written again into more room. */
const FIRST_BYTES = 1_024

/** A frame's worth; undefined when a forwarded message is no plain data or too large. */
export function encodeMove(message: MoveMessage): Uint8Array | undefined {
  const most = limits.MAX_FRAME_BYTES
  const first = message.type === 'chunk' ? message.bytes.length + FIRST_BYTES : FIRST_BYTES
  for (let size = first; ; size = Math.min(size * 16, most)) {
    const into = Buffer.allocUnsafe(size)
    into[0] = MIGRATION_VERSION
    try {
      const end = encodeValue(message, into, 1, size)
      if (end >= 0) return into.subarray(0, end)
    } catch {
      return undefined
    }
    if (size >= most) return undefined
  }
}

/** One frame; undefined for anything that is not exactly one message. Never throws. */
export function decodeMove(bytes: Uint8Array): MoveMessage | undefined {
  if (bytes.length > limits.MAX_FRAME_BYTES || bytes[0] !== MIGRATION_VERSION) return undefined
  const values = new ValueSequence(bytes, 1, limits.MAX_FRAME_ITEMS)
  const read = values.next()
  if (read === 'broken' || read === 'unacceptable' || !values.atEnd) return undefined
  const checked = moveSchema.safeParse(read.value)
  return checked.success ? checked.data : undefined
}
