/**
 * What members say to each other, on the control stream. The schema comes first, the type is inferred from it. Whom a message
 * comes from is not in it: the encrypted stream knows. Fields a later version adds are ignored, message types it adds
 * are dropped and counted, so that neighbouring versions understand each other.
 *
 * Versions, append only:
 * 1 — heartbeat, ping, probe-request, ack, sync.
 */
import { z } from 'zod'
import type { NodeId } from '../../host/index.ts'
import { HEARSAY_JUMP, MAX_ID_LENGTH, PAGE_ENTRIES, SETTINGS } from './config.ts'

const id = z
  .string()
  .min(1)
  .max(MAX_ID_LENGTH)
  .regex(/^[A-Za-z0-9_-]+$/)
  .transform((value) => value as NodeId)

/** Far from the largest safe integer, so that adding to it is exact. */
const incarnation = z
  .int()
  .min(0)
  .max(2 ** 52 - HEARSAY_JUMP)
/** Tells one life of a node's process from another; drawn at its start. */
const boot = z.int().min(0).max(0xffff_ffff)
const seq = z
  .int()
  .min(1)
  .max(Number.MAX_SAFE_INTEGER - 1)
const probe = z.int().min(0).max(0xffff_ffff)
const status = z.enum(['alive', 'suspect', 'dead', 'left'])

/** One member as the sender knows it. */
const entry = z.object({
  id,
  boot,
  incarnation,
  status,
  /** Who accuses it, when that is not the sender. */
  by: id.optional(),
})

/** In every message: which life of the sender speaks, in which order, and its incarnation. */
const header = { boot, seq, incarnation }

/** To every neighbour every 250 ms, and at once as the answer to one whose view must be put right. */
const heartbeat = z.object({
  type: z.literal('heartbeat'),
  ...header,
  /** Fingerprint of the members the sender holds alive or suspect. Differing for long, both send a sync. */
  digest: z.int().min(-0x8000_0000).max(0x7fff_ffff),
  /** The sender is on its way out: it has left, and is not to be suspected. */
  leaving: z.boolean().optional(),
  /** What the sender knows against the receiver, who refutes it by a higher incarnation. */
  you: z.object({ boot, incarnation, status }).optional(),
  /** Changes passed on, least told first. */
  news: z.array(entry).max(SETTINGS.news_per_message.range[1]),
})

/** To a member that has been silent. It answers `ack`, with the same origin. */
const ping = z.object({
  type: z.literal('ping'),
  ...header,
  probe,
  /** Who wants to know, when another pings for it. */
  origin: id.optional(),
})

/** To a helper: ping `target` for me, I do not hear it. */
const probeRequest = z.object({ type: z.literal('probe-request'), ...header, probe, target: id })

/** The answer to a ping. With an origin it is passed on to it by the helper, who says whom it heard. */
const ack = z.object({
  type: z.literal('ack'),
  ...header,
  probe,
  origin: id.optional(),
  about: id.optional(),
})

/** A page of everything known, to a member whose digest differs and to one that has just connected. */
const sync = z.object({ type: z.literal('sync'), ...header, entries: z.array(entry).max(PAGE_ENTRIES) })

const message = z.discriminatedUnion('type', [heartbeat, ping, probeRequest, ack, sync])

export type MemberEntry = Readonly<z.infer<typeof entry>>
export type MemberStatus = z.infer<typeof status>
export type MembershipMessage = Readonly<z.infer<typeof message>>
export type Heartbeat = Extract<MembershipMessage, { type: 'heartbeat' }>
export type Claim = NonNullable<Heartbeat['you']>

export const MESSAGE_TYPES: readonly string[] = message.options.map(({ shape }) => shape.type.value)

export type Decoded =
  | { readonly ok: true; readonly message: MembershipMessage }
  | { readonly ok: false; readonly why: 'unknown-type' | 'malformed' | 'too-many' }

/** Longest list any message may carry; looked at before a schema walks it. */
const MOST_ENTRIES = Math.max(PAGE_ENTRIES, SETTINGS.news_per_message.range[1])

/** Any value to a message or the reason why not; never throws. Lists are counted before they are looked into. */
export function decodeMembership(value: unknown): Decoded {
  if (typeof value !== 'object' || value === null) return { ok: false, why: 'malformed' }
  const { type, news, entries } = value as { type?: unknown; news?: unknown; entries?: unknown }
  if (typeof type !== 'string') return { ok: false, why: 'malformed' }
  if (!MESSAGE_TYPES.includes(type)) return { ok: false, why: 'unknown-type' }
  if (tooMany(news) || tooMany(entries)) return { ok: false, why: 'too-many' }
  const decoded = message.safeParse(value)
  return decoded.success ? { ok: true, message: decoded.data } : { ok: false, why: 'malformed' }
}

const tooMany = (list: unknown): boolean => Array.isArray(list) && list.length > MOST_ENTRIES
