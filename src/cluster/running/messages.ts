/**
 * What the running clusters of two nodes say to each other on the control stream of a link. The first frame of each side is a
 * `hello`; until it was judged nothing else is listened to, and nothing else is said. Frames are the envelopes of `host/codec.ts`
 * without the length, which the link carries.
 *
 * Versions, append only:
 * 1 — hello, accepted, refused, life, membership, household, places, sheet, ping, pong.
 */
import { z } from 'zod'
import { decodeFrame, type Envelope, encodeFrame, type NodeId } from '../../host/index.ts'
import { MAX_MEMBERS } from '../household/bounds.ts'
import { type MemberMessage, memberSchema } from '../household/messages.ts'
import { certificateSchema, nameSchema, nodeIdSchema, timeSchema } from '../household/records.ts'
import { type Decoded, decodeMembership, type MembershipMessage } from '../membership/messages.ts'
import { sheetSchema } from './sheets.ts'

export const CONTROL_VERSION = 1
export const OLDEST_CONTROL_VERSION = 1
/** Links two nodes may have at once while they sort out which to keep: one dialled by each, and as many dying ones. */
export const MAX_LINKS_PER_PEER = 4
/** Addresses of one node that are passed on: two families on a few interfaces. */
export const MAX_PLACES = 8

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
/** Names a link between two nodes; drawn by the side that dialled. */
const linkId = z.int().min(0).max(0xffff_ffff)
const port = z.int().min(0).max(65_535)
const boot = z.string().regex(/^[0-9a-f]{16}$/)
const place = z.strictObject({
  host: z.string().regex(/^[0-9A-Za-z.:%_-]{1,255}$/),
  port: z.int().min(1).max(65_535),
})

/** First on each link, from both sides; who dialled speaks first. Fields a later version adds are ignored. */
export const helloSchema = z.object({
  /** Versions of these messages: what this node speaks, and the oldest it understands. */
  speaks: count,
  understands: count,
  link: linkId,
  /** Counts what the sender did with links, and which ones to the receiver it holds: tells links that died on one side only. */
  at: count,
  holding: z.array(linkId).max(MAX_LINKS_PER_PEER),
  /** Starts of the sender's data directory, and a number drawn at this one: tells copies of a node from restarts. */
  starts: count,
  boot,
  certificate: certificateSchema,
  time: timeSchema,
  name: nameSchema,
  room: z.string().min(1).max(64),
  /** Where it listens, at the address it comes from. */
  port,
  enrolment_port: port,
})
export type Hello = z.infer<typeof helloSchema>

const bodies = {
  hello: helloSchema,
  /** The sender has judged the receiver's hello, and goes on with this link. */
  accepted: z.strictObject({ at: count }),
  /** Why the sender closes the link: for people. */
  refused: z.strictObject({ code: z.string().regex(/^[a-z-]{1,40}$/), message: z.string().max(300) }),
  /** Another process lives under the receiver's id: one of the two gives way. */
  life: z.strictObject({ node: nodeIdSchema, starts: count, boot, address: z.string().max(300) }),
  /** Where members were reached, so that others may dial them too. Nothing but a hint: the key decides. */
  places: z.strictObject({
    nodes: z
      .array(z.strictObject({ node: nodeIdSchema, places: z.array(place).max(MAX_PLACES) }))
      .max(MAX_MEMBERS),
  }),
  /** What the sender can do: low-rate metadata; the highest version of a life counts. */
  sheet: sheetSchema,
  /** To be answered at once by a pong of the same number: the round trip. */
  ping: z.strictObject({ number: count }),
  pong: z.strictObject({ number: count }),
} as const

type Bodies = { readonly [Kind in keyof typeof bodies]: z.infer<(typeof bodies)[Kind]> }
export type ControlMessage =
  | { readonly [Kind in keyof Bodies]: { readonly type: Kind } & Bodies[Kind] }[keyof Bodies]
  | { readonly type: 'membership'; readonly message: MembershipMessage }
  | { readonly type: 'household'; readonly message: MemberMessage }

export type DecodedControl =
  | { readonly ok: true; readonly message: ControlMessage }
  | { readonly ok: false; readonly why: 'unknown-type' | 'malformed' }

const PREFIX = 'cluster.'
const LENGTH_BYTES = 4

/** Errors: `FrameError('oversized')`. */
export function encodeControl(from: NodeId, message: ControlMessage): Uint8Array {
  const { type, ...rest } = message
  const body = 'message' in rest && type !== 'refused' ? rest.message : rest
  const envelope: Envelope = {
    trace_id: 'cluster',
    session_id: null,
    actor_id: `loqa://${from}/cluster`,
    capability_tier: 'fast',
    privacy_scope: 'ephemeral',
    type: `${PREFIX}${type}`,
    body,
  }
  return encodeFrame(envelope).subarray(LENGTH_BYTES)
}

/** One frame as the link gave it; never throws. */
export function decodeControl(frame: Uint8Array): DecodedControl {
  let envelope: Envelope
  try {
    envelope = decodeFrame(frame)
  } catch {
    return { ok: false, why: 'malformed' }
  }
  if (!envelope.type.startsWith(PREFIX)) return { ok: false, why: 'unknown-type' }
  return decodeBody(envelope.type.slice(PREFIX.length), envelope.body)
}

function decodeBody(type: string, body: unknown): DecodedControl {
  if (type === 'membership') {
    const decoded: Decoded = decodeMembership(body)
    if (decoded.ok) return { ok: true, message: { type, message: decoded.message } }
    return { ok: false, why: decoded.why === 'unknown-type' ? 'unknown-type' : 'malformed' }
  }
  if (type === 'household') {
    const parsed = memberSchema.safeParse(body)
    return parsed.success
      ? { ok: true, message: { type, message: parsed.data } }
      : { ok: false, why: 'malformed' }
  }
  if (!Object.hasOwn(bodies, type)) return { ok: false, why: 'unknown-type' }
  const parsed = bodies[type as keyof typeof bodies].safeParse(body)
  return parsed.success
    ? { ok: true, message: { type, ...parsed.data } as ControlMessage }
    : { ok: false, why: 'malformed' }
}
