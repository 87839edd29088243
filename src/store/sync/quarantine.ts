/**
 * Rows whose version leaps far above what is known of their cell. One member alone cannot make its value win for ever that way; but a cell
 * that others go on writing above the leap has really come that far, for whatever reason, and then it is believed. Nothing here is the
 * only copy: the batches stay in their writers' logs.
 *
 * Pure data: oldest first, at most MAX_QUARANTINED; a writer holds one row a cell.
 */
import { MAX_QUARANTINED, MAX_VERSION_JUMP } from './bounds.ts'
import { type ChangeRow, SENTINEL } from './rows.ts'

export type Quarantine = readonly ChangeRow[]

export const EMPTY_QUARANTINE: Quarantine = []

export interface Held {
  readonly quarantine: Quarantine
  /** Now believed, to be inserted: this row and those of other members it agrees with. */
  readonly released: readonly ChangeRow[]
}

/** `sameWriter` tells whether two sites are of one node: its own lives cannot vouch for each other. */
export function holdRow(
  quarantine: Quarantine,
  row: ChangeRow,
  sameWriter: (site: Uint8Array, other: Uint8Array) => boolean,
): Held {
  const others = quarantine.filter((held) => isOfCell(held, row) && !sameWriter(held.site_id, row.site_id))
  const agreeing = others.filter((held) => isNear(held, row))
  if (agreeing.length > 0) {
    const released = [...agreeing, row]
    return { quarantine: quarantine.filter((held) => !agreeing.includes(held)), released }
  }
  const kept = quarantine.filter(
    (held) => !(isOfCell(held, row) && sameWriter(held.site_id, row.site_id) && !isAbove(held, row)),
  )
  if (kept.some((held) => isOfCell(held, row) && sameWriter(held.site_id, row.site_id))) {
    return { quarantine, released: [] }
  }
  return { quarantine: [...kept, row].slice(-MAX_QUARANTINED), released: [] }
}

const isOfCell = (a: ChangeRow, b: ChangeRow): boolean =>
  a.table === b.table && a.cid === b.cid && Buffer.compare(a.pk, b.pk) === 0

const isAbove = (a: ChangeRow, b: ChangeRow): boolean =>
  a.cl > b.cl || (a.cl === b.cl && a.col_version > b.col_version)

/** One builds on the other, give or take what may be missed. */
const isNear = (a: ChangeRow, b: ChangeRow): boolean =>
  Math.abs(a.cl - b.cl) <= MAX_VERSION_JUMP &&
  (a.cid === SENTINEL || Math.abs(a.col_version - b.col_version) <= MAX_VERSION_JUMP)
