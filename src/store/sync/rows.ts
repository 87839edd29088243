/**
 * A change as `crsql_changes` shows it: one cell of one row, as one site last wrote it, or the row's coming and going.
 *
 * How two of them are weighed (cr-sqlite, "merge_insert"): the greater causal length of the row wins; an even one is a deletion and takes
 * every cell with it. Within one life of the row each cell is weighed alone: the greater `col_version`, then the greater value (integers
 * above texts above blobs above null). No clock has a say, and of equal values each replica keeps the one it has.
 *
 * A change that is inserted gets the receiver's next number, or its own `db_version` if that is greater, and the receiver goes on from there
 * (measured with @vlcn.io/wa-sqlite 0.22.0; `test/contract/cr-sqlite.test.ts`). So one writer near the end of its numbers would take everybody
 * there. The log knows where a change belongs, and the database need not: changes of others are inserted under the lowest number, and each
 * node counts its own transactions and no more.
 */

/** Columns are never REAL: floats lose precision on the way, and then replicas differ. Integers beyond 2⁵³ are bigint, others numbers. */
export type ChangeValue = null | number | bigint | string | Uint8Array

/** `cid` of a row's coming and going: no cell. */
export const SENTINEL = '-1'

export interface ChangeRow {
  readonly table: string
  /** The packed primary key (`packed-key.ts`). */
  readonly pk: Uint8Array
  /** Column, or SENTINEL. */
  readonly cid: string
  readonly val: ChangeValue
  /** How often this cell was written in this life of the row, from 1; 0 of a cell that outlived a life it missed the end of. */
  readonly col_version: number
  /** The writing site's transactions, from 1. */
  readonly db_version: number
  /** 16 bytes. */
  readonly site_id: Uint8Array
  /** Lives and deaths of the row, from 1: odd lives, even is deleted. */
  readonly cl: number
  /** Place within the transaction, from 0. */
  readonly seq: number
}

/** The change as it is given to `crsql_changes`. */
export const asInserted = (row: ChangeRow): ChangeRow => ({ ...row, db_version: 1 })

export const isDeletion = ({ cl }: ChangeRow): boolean => cl % 2 === 0
