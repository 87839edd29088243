/**
 * Wiping: an order, signed by the node whose person gave it, that everything kept before it is to go. Each order begins an era. A node keeps
 * the last order it carried out and shows it to every peer; what was kept in an earlier era is never taken from anybody, so a node that was
 * away, or a copy of a disk, brings nothing back: it is shown the order, and carries it out.
 *
 * E1 Of two orders the one that counts more orders before it is the later; of equals, as when both sides of a cut give one, the greater id.
 * E2 An order binds who belonged to the household when it was given. Who came later takes the era over and keeps its own.
 * E3 An order counts when a node that is or was of the household signed it. A lying member can have everything wiped that a member can delete.
 *
 * Pure.
 */
import { z } from 'zod'
import { decodeFrame, type NodeId } from '../host/index.ts'
import { MAX_ORIGINS } from './sync/bounds.ts'
import { frameOf } from './sync/frames.ts'
import type { Signatures } from './sync/index.ts'

const node = z.string().regex(/^[0-9A-Za-z._-]{1,64}$/) as unknown as z.ZodType<NodeId>
/** 16 hex digits. */
const id = z.string().regex(/^[0-9a-f]{16}$/)

const order = z.strictObject({
  /** Orders so far, this one included, as far as its giver knew. */
  count: z.int().min(1).max(0xffff_ffff),
  id,
  by: node,
  /** Milliseconds since 1970, for people. */
  at: z.int().min(0).max(8.64e15),
  /** Whom it binds. */
  members: z.array(node).max(MAX_ORIGINS),
  /** Ed25519 by `by`, hex. */
  signature: z.string().regex(/^[0-9a-f]{128}$/),
})
export type WipeOrder = Readonly<z.infer<typeof order>>

const kept = z.strictObject({
  order,
  /** Who carries it out. A node that was given a new identity since begins in the first era: its household is another. */
  node,
  /** Everything that was kept before is gone here. */
  done: z.boolean(),
})
export type KeptOrder = Readonly<z.infer<typeof kept>>

/** The order a node carried out last, or none. */
export type Era = WipeOrder | undefined

const DOMAIN = 'loqa wipe order v1\0'

const signedPart = ({ count, id, by, at, members }: Omit<WipeOrder, 'signature'>): Uint8Array =>
  Buffer.from(DOMAIN + JSON.stringify([count, id, by, at, members]), 'utf8')

/** The order that follows `era`. */
export function giveOrder(
  era: Era,
  given: Pick<WipeOrder, 'id' | 'by' | 'at' | 'members'>,
  { sign }: Pick<Signatures, 'sign'>,
): WipeOrder {
  const unsigned = { count: (era?.count ?? 0) + 1, ...given }
  return { ...unsigned, signature: Buffer.from(sign(signedPart(unsigned))).toString('hex') }
}

/** E3. `isMember`: is or was of the household. */
export const isGenuine = (
  wipe: WipeOrder,
  { verify }: Pick<Signatures, 'verify'>,
  isMember: (node: NodeId) => boolean,
): boolean => isMember(wipe.by) && verify(wipe.by, signedPart(wipe), Buffer.from(wipe.signature, 'hex'))

/** E1. Negative: `a` is earlier. */
export function compareEras(a: Era, b: Era): number {
  const counts = (a?.count ?? 0) - (b?.count ?? 0)
  if (counts !== 0) return counts
  const [left, right] = [a?.id ?? '', b?.id ?? '']
  return left === right ? 0 : left < right ? -1 : 1
}

/** E2. */
export const binds = ({ members }: WipeOrder, node: NodeId): boolean => members.includes(node)

const TYPE = 'wipe.era'

/** What a node shows each peer first. */
export const encodeEra = (self: NodeId, era: Era): Uint8Array => frameOf(self, TYPE, { order: era ?? null })

const shown = z.strictObject({ order: order.nullable() })

/** Undefined: a frame of something else, or none at all. Never throws. */
export function decodeEra(frame: Uint8Array): { readonly era: Era } | undefined {
  try {
    const { type, body } = decodeFrame(frame)
    const parsed = type === TYPE ? shown.safeParse(body) : undefined
    return parsed?.success ? { era: parsed.data.order ?? undefined } : undefined
  } catch {
    return undefined
  }
}

/** The file's content, or undefined when it is none: then nothing was ever wiped here, as far as anybody can tell. */
export function readKeptOrder(text: string): KeptOrder | undefined {
  try {
    const parsed = kept.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
