/**
 * Where an actor is. Two forms, both plain strings so that they travel in messages:
 * - `loqa://<node>/<path>` — a fixed actor at its place in one node's supervision tree;
 * - `loqa:/<kind>/<key>` — a placed actor (session, skill, replica, timer …) wherever it runs now.
 */
import type { NodeId } from '../host/index.ts'
import { InvalidInputError } from '../host/index.ts'

declare const addressMark: unique symbol
export type Address = string & { readonly [addressMark]: true }

/**
 * An address and the life it was taken from. A restart keeps the incarnation (same identity, fresh state); a new
 * actor that later takes the same address gets a higher one, and messages for the older are dead letters.
 */
export interface Ref {
  readonly address: Address
  readonly incarnation: number
}

export const addressOf = (target: Address | Ref): Address =>
  typeof target === 'string' ? target : target.address

/** One text for one address, or for one life at it: what maps go by. */
export const keyOf = (target: Address | Ref): string =>
  typeof target === 'string' ? target : `${target.address}#${target.incarnation}`

export type ParsedAddress =
  | { readonly form: 'fixed'; readonly node: NodeId; readonly path: readonly string[] }
  | { readonly form: 'placed'; readonly kind: string; readonly key: string }

const SEGMENT = /^[A-Za-z0-9_.:~-]{1,128}$/

export const fixedAddress = (node: NodeId, path: string): Address => `loqa://${node}/${path}` as Address
export const placedAddress = (kind: string, key: string): Address => `loqa:/${kind}/${key}` as Address

/** Whether a text can be one part of an address: a kind, a key, a step of a path. */
export const isSegment = (text: string): boolean => SEGMENT.test(text)

/** Errors: `InvalidInputError` for anything that is not exactly one of the two forms. */
export function parseAddress(text: string): ParsedAddress {
  const fixed = /^loqa:\/\/([^/]+)\/(.+)$/.exec(text)
  if (fixed) {
    const path = fixed[2]!.split('/')
    if (SEGMENT.test(fixed[1]!) && path.length <= 16 && path.every((part) => SEGMENT.test(part))) {
      return { form: 'fixed', node: fixed[1] as NodeId, path }
    }
  }
  const placed = /^loqa:\/([^/]+)\/([^/]+)$/.exec(text)
  if (placed && SEGMENT.test(placed[1]!) && SEGMENT.test(placed[2]!)) {
    return { form: 'placed', kind: placed[1]!, key: placed[2]! }
  }
  throw new InvalidInputError(
    `${JSON.stringify(text.slice(0, 80))} is not an actor address`,
    'Use loqa://<node>/<path> or loqa:/<kind>/<key>.',
  )
}
