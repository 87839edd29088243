/** A package in pieces that fit the store, and back. Pure. */
import type { Entry, EntryChange } from '../../actors/index.ts'
import { assert } from '../../host/index.ts'
import { MAX_PACKAGE_BYTES } from '../package/index.ts'

/** As base64 in JSON it fits a value of the store, 64 KiB, and two fit a transaction. */
const PIECE_BYTES = 45 * 1024
/** Pieces of one transaction. */
const PIECES_AT_ONCE = 2
/** Packages of one household together: they lie in the log of whoever added them, beside all else it writes. */
export const MAX_ALL_PACKAGES_BYTES = 16 * 1024 * 1024

assert((PIECE_BYTES * 4) / 3 + 1_024 < 64 * 1024, 'a piece fits a value')
assert(MAX_PACKAGE_BYTES * 2 <= MAX_ALL_PACKAGES_BYTES, 'a skill and its next version fit')

const count = (bytes: number): number => Math.ceil(bytes / PIECE_BYTES)
const keyOf = (digest: string, index: number): string => `${digest}/${String(index).padStart(4, '0')}`

/** What `list` is asked for. */
export const prefixOf = (digest: string): string => `${digest}/`

/** To be written in this order, each a transaction. */
export function piecesOf(digest: string, bytes: Uint8Array): readonly (readonly EntryChange[])[] {
  const changes = Array.from({ length: count(bytes.length) }, (_, index): EntryChange => {
    const piece = bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)
    return { change: 'put', key: keyOf(digest, index), value: Buffer.from(piece).toString('base64') }
  })
  return inTurns(changes)
}

export const forget = (entries: readonly Entry[]): readonly (readonly EntryChange[])[] =>
  inTurns(
    entries.map(({ key }) => ({ change: 'delete', key })),
    256,
  )

function inTurns(
  changes: readonly EntryChange[],
  most = PIECES_AT_ONCE,
): readonly (readonly EntryChange[])[] {
  const turns: EntryChange[][] = []
  for (let at = 0; at < changes.length; at += most) turns.push(changes.slice(at, at + most))
  return turns
}

/** Undefined while some are missing, and for ever when they are not of this length: the package's own digest decides then. */
export function joined(digest: string, bytes: number, entries: readonly Entry[]): Uint8Array | undefined {
  const byKey = new Map(entries.map(({ key, value }) => [key, value]))
  const pieces: Buffer[] = []
  for (let index = 0; index < count(bytes); index += 1) {
    const value = byKey.get(keyOf(digest, index))
    if (typeof value !== 'string') return undefined
    pieces.push(Buffer.from(value, 'base64'))
  }
  const whole = Buffer.concat(pieces)
  return whole.length === bytes ? whole : undefined
}
