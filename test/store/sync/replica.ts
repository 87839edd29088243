/**
 * A small model of cr-sqlite: rows with a causal length, cells with versions, merged as the extension merges them. What it is compared
 * with stands in `test/contract/replica.test.ts`. A replica's rows are what one database holds; it knows nothing of logs or peers.
 */
import { type ChangeRow, type ChangeValue, isDeletion, SENTINEL } from '../../../src/store/sync/index.ts'

interface Written {
  readonly site_id: Uint8Array
  readonly db_version: number
  readonly seq: number
}

interface Cell extends Written {
  readonly val: ChangeValue
  readonly col_version: number
}

interface Row {
  readonly table: string
  readonly pk: Uint8Array
  readonly cl: number
  /** Who brought it into its present life or death; a row that never died has none. */
  readonly sentinel: Written | undefined
  readonly cells: ReadonlyMap<string, Cell>
}

/** A local operation: cells to set (the row comes to life when it has to), or the row's deletion. */
export interface Operation {
  readonly table: string
  readonly pk: Uint8Array
  readonly set?: Readonly<Record<string, ChangeValue>>
}

const keyOf = (table: string, pk: Uint8Array): string => `${table}:${Buffer.from(pk).toString('hex')}`

export class Replica {
  readonly #rows: Map<string, Row>
  site: Uint8Array
  /** Transactions so far, those that merged others' changes among them. */
  db_version: number

  constructor(site: Uint8Array, db_version = 0, rows: ReadonlyMap<string, Row> = new Map()) {
    this.site = site
    this.db_version = db_version
    this.#rows = new Map(rows)
  }

  /** Rows are never changed in place, so a copy is cheap. */
  copy(): Replica {
    return new Replica(this.site, this.db_version, this.#rows)
  }

  /** One transaction; its changes, in order. Deleting what is not there is none. */
  write(operations: readonly Operation[]): readonly ChangeRow[] {
    const db_version = this.db_version + 1
    const changes: ChangeRow[] = []
    const touch = (row: Row, cid: string, cell: Cell | undefined): void => {
      const { table, pk, cl } = row
      const { val, col_version, seq } = cell ?? { val: null, col_version: cl, seq: row.sentinel!.seq }
      changes.push({ table, pk, cid, val, col_version, db_version, site_id: this.site, cl, seq })
    }
    for (const { table, pk, set } of operations) {
      const key = keyOf(table, pk)
      const written = (): Written => ({ site_id: this.site, db_version, seq: changes.length })
      let row = this.#rows.get(key) ?? { table, pk, cl: 0, sentinel: undefined, cells: new Map() }
      const lives = row.cl % 2 === 1
      if (set === undefined && !lives) continue
      if (set === undefined || !lives) {
        const cl = row.cl + 1
        row = { table, pk, cl, sentinel: cl > 1 ? written() : undefined, cells: new Map() }
        if (cl > 1) touch(row, SENTINEL, undefined)
      }
      for (const [cid, val] of Object.entries(set ?? {})) {
        const col_version = (row.cells.get(cid)?.col_version ?? 0) + 1
        const cell = { val, col_version, ...written() }
        row = { ...row, cells: new Map(row.cells).set(cid, cell) }
        touch(row, cid, cell)
      }
      this.#rows.set(key, row)
    }
    if (changes.length > 0) this.db_version = db_version
    return lastOfEach(changes)
  }

  /** Changes of others, in one transaction. */
  merge(changes: readonly ChangeRow[]): void {
    if (changes.length > 0) this.db_version += 1
    for (const change of changes) this.#merge(change)
  }

  #merge(change: ChangeRow): void {
    const { table, pk, cid, val, col_version, db_version, site_id, cl, seq } = change
    const key = keyOf(table, pk)
    const row = this.#rows.get(key)
    const known = row?.cl ?? 0
    if (cl < known) return
    const written: Written = { site_id, db_version, seq }
    if (cl > known) {
      const sentinel = cl > 1 ? written : undefined
      this.#rows.set(key, { table, pk, cl, sentinel, cells: new Map() })
    }
    if (cid === SENTINEL || isDeletion(change)) return
    const living = this.#rows.get(key)!
    const cell: Cell = { val, col_version, ...written }
    const before = living.cells.get(cid)
    if (before !== undefined && compareCells(cell, before) <= 0) return
    this.#rows.set(key, { ...living, cells: new Map(living.cells).set(cid, cell) })
  }

  known(
    table: string,
    pk: Uint8Array,
    cid: string,
  ): { cl: number; col_version: number | undefined } | undefined {
    const row = this.#rows.get(keyOf(table, pk))
    return row === undefined ? undefined : { cl: row.cl, col_version: row.cells.get(cid)?.col_version }
  }

  /** All that counts, or what of it one site wrote, in the order it was written. */
  changes(site?: Uint8Array): readonly ChangeRow[] {
    const changes: ChangeRow[] = []
    const isWanted = ({ site_id }: Written): boolean =>
      site === undefined || Buffer.compare(site_id, site) === 0
    for (const { table, pk, cl, sentinel, cells } of this.#rows.values()) {
      if (sentinel !== undefined && isWanted(sentinel)) {
        changes.push({ table, pk, cid: SENTINEL, val: null, col_version: cl, cl, ...sentinel })
      }
      for (const [cid, cell] of cells) if (isWanted(cell)) changes.push({ table, pk, cid, cl, ...cell })
    }
    return changes.sort((a, b) => a.db_version - b.db_version || a.seq - b.seq)
  }

  /** Whether this change counts here, or one that beats it does. */
  covers({ table, pk, cid, cl, val, col_version }: ChangeRow): boolean {
    const row = this.#rows.get(keyOf(table, pk))
    if (row === undefined || row.cl < cl) return false
    if (row.cl > cl || cid === SENTINEL) return true
    const cell = row.cells.get(cid)
    return cell !== undefined && compareCells({ val, col_version }, cell) <= 0
  }

  /** Equal for replicas that show the same rows and will go on merging alike. Cells of version 0 lose against any: they do not count. */
  digest(): string {
    const lines = [...this.#rows].map(([key, { cl, cells }]) => {
      const counted = [...cells].filter(([, { col_version }]) => col_version > 0)
      const shown = counted.sort(([a], [b]) => (a < b ? -1 : 1))
      return `${key} ${cl} ${shown.map(([cid, { val, col_version }]) => `${cid}=${show(val)}@${col_version}`).join()}`
    })
    return lines.sort().join('\n')
  }
}

const show = (value: ChangeValue): string =>
  value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : `${typeof value}:${value}`

/** What a transaction wrote twice it tells once, as it was in the end. */
function lastOfEach(changes: readonly ChangeRow[]): readonly ChangeRow[] {
  const last = new Map<string, ChangeRow>()
  for (const change of changes) {
    const row = keyOf(change.table, change.pk)
    // A row's death or new life takes the cells of the life before with it.
    if (change.cid === SENTINEL)
      for (const key of last.keys()) if (key.startsWith(`${row} `)) last.delete(key)
    last.delete(`${row} ${change.cid}`)
    last.set(`${row} ${change.cid}`, change)
  }
  return [...last.values()]
}

type Weighed = Pick<Cell, 'col_version' | 'val'>

/** Above 0 when `a` wins: version, then value. Of equal ones each replica keeps its own: whose it is differs, what it shows does not. */
const compareCells = (a: Weighed, b: Weighed): number =>
  a.col_version - b.col_version || compareValues(a.val, b.val)

/** Null is least, then blobs, texts, integers; texts by their bytes (cr-sqlite's `compare_values.rs`). */
function compareValues(a: ChangeValue, b: ChangeValue): number {
  const rank = (value: ChangeValue): number =>
    value === null ? 0 : value instanceof Uint8Array ? 1 : typeof value === 'string' ? 2 : 3
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (a === null || b === null) return 0
  if (rank(a) === 3) return a < b ? -1 : a > b ? 1 : 0
  return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string))
}
