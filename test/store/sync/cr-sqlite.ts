/** The real extension in memory, as far as a test of merging needs it: run SQL, changes out, changes in. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type ChangeRow, type ChangeValue, SENTINEL } from '../../../src/store/sync/index.ts'

/** What is used of the Emscripten module. 64-bit results: low half returned, high half in `getTempRet0`. */
interface Module {
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): number
  _sqlite3_malloc(bytes: number): number
  getTempRet0(): number
  _sqlite3_open_v2(name: number, result: number, flags: number, vfs: number): number
  _sqlite3_errmsg(database: number): number
  _sqlite3_prepare_v2(database: number, sql: number, length: number, result: number, tail: number): number
  _sqlite3_finalize(statement: number): number
  _sqlite3_step(statement: number): number
  _sqlite3_bind_null(statement: number, index: number): number
  _sqlite3_bind_int64(statement: number, index: number, low: number, high: number): number
  _sqlite3_bind_text(statement: number, index: number, at: number, length: number, free: number): number
  _sqlite3_bind_blob(statement: number, index: number, at: number, length: number, free: number): number
  _sqlite3_column_count(statement: number): number
  _sqlite3_column_type(statement: number, column: number): number
  _sqlite3_column_int64(statement: number, column: number): number
  _sqlite3_column_blob(statement: number, column: number): number
  _sqlite3_column_bytes(statement: number, column: number): number
}

const OPEN_READ_WRITE_CREATE = 6
const COPY = -1
const [OK, ROW, DONE] = [0, 100, 101]
const [INTEGER, TEXT, BLOB] = [1, 3, 4]

/** Memory of one module serves all databases of a test. */
export async function loadCrSqlite(): Promise<() => RealReplica> {
  const require = createRequire(import.meta.url)
  const code = '@vlcn.io/wa-sqlite/dist/crsqlite-sync'
  const { default: open } = (await import(require.resolve(`${code}.mjs`))) as {
    default: (options: object) => Promise<unknown>
  }
  const module = (await open({ wasmBinary: readFileSync(require.resolve(`${code}.wasm`)) })) as Module
  return () => new RealReplica(module)
}

export class RealReplica {
  readonly #module: Module
  readonly #database: number
  readonly #result: number

  constructor(module: Module) {
    this.#module = module
    this.#result = module._malloc(8)
    const [name] = this.#place(Buffer.from(':memory:\0'))
    module._sqlite3_open_v2(name, this.#result, OPEN_READ_WRITE_CREATE, 0)
    this.#database = this.#address()
  }

  #address(): number {
    const { HEAPU8 } = this.#module
    return new DataView(HEAPU8.buffer, HEAPU8.byteOffset).getInt32(this.#result, true)
  }

  #place(bytes: Uint8Array): [number, number] {
    const at = this.#module._sqlite3_malloc(bytes.length + 1)
    this.#module.HEAPU8.set(bytes, at)
    return [at, bytes.length]
  }

  /** Rows as lists of values. Errors: what SQLite says. */
  all(sql: string, parameters: readonly ChangeValue[] = []): ChangeValue[][] {
    const module = this.#module
    const [text] = this.#place(Buffer.from(`${sql}\0`))
    if (module._sqlite3_prepare_v2(this.#database, text, -1, this.#result, 0) !== OK) throw this.#error(sql)
    const statement = this.#address()
    for (const [i, value] of parameters.entries()) this.#bind(statement, i + 1, value)
    const rows: ChangeValue[][] = []
    for (;;) {
      const code = module._sqlite3_step(statement)
      if (code === ROW) rows.push(this.#row(statement))
      else {
        const error = code === DONE ? undefined : this.#error(sql)
        module._sqlite3_finalize(statement)
        if (error !== undefined) throw error
        return rows
      }
    }
  }

  #error(sql: string): Error {
    const at = this.#module._sqlite3_errmsg(this.#database)
    const bytes = this.#module.HEAPU8.subarray(at, at + 200)
    return new Error(`${sql}: ${Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString()}`)
  }

  #bind(statement: number, index: number, value: ChangeValue): void {
    const module = this.#module
    if (value === null) module._sqlite3_bind_null(statement, index)
    else if (typeof value === 'string') {
      module._sqlite3_bind_text(statement, index, ...this.#place(Buffer.from(value)), COPY)
    } else if (value instanceof Uint8Array) {
      module._sqlite3_bind_blob(statement, index, ...this.#place(value), COPY)
    } else {
      const integer = BigInt(value)
      const low = Number(BigInt.asIntN(32, integer))
      module._sqlite3_bind_int64(statement, index, low, Number(integer >> 32n))
    }
  }

  #row(statement: number): ChangeValue[] {
    const module = this.#module
    return Array.from({ length: module._sqlite3_column_count(statement) }, (_, column) => {
      const type = module._sqlite3_column_type(statement, column)
      if (type === INTEGER) {
        const low = BigInt(module._sqlite3_column_int64(statement, column) >>> 0)
        const integer = (BigInt(module.getTempRet0()) << 32n) | low
        return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
      }
      if (type !== TEXT && type !== BLOB) return null
      const at = module._sqlite3_column_blob(statement, column)
      const bytes = module.HEAPU8.slice(at, at + module._sqlite3_column_bytes(statement, column))
      return type === TEXT ? Buffer.from(bytes).toString() : bytes
    })
  }

  transaction(run: () => void): void {
    this.all('BEGIN')
    run()
    this.all('COMMIT')
  }

  get site(): Uint8Array {
    return this.all('SELECT crsql_site_id()')[0]![0] as Uint8Array
  }

  get dbVersion(): number {
    return this.all('SELECT crsql_db_version()')[0]![0] as number
  }

  /** In the order they were written. */
  changes(): ChangeRow[] {
    const sql = `SELECT "table", pk, cid, val, col_version, db_version, site_id, cl, seq FROM crsql_changes ORDER BY db_version, seq`
    return this.all(sql).map(([table, pk, cid, val, col_version, db_version, site_id, cl, seq]) => ({
      table: table as string,
      pk: pk as Uint8Array,
      cid: cid as string,
      val: val as ChangeValue,
      col_version: col_version as number,
      db_version: db_version as number,
      site_id: site_id as Uint8Array,
      cl: cl as number,
      seq: seq as number,
    }))
  }

  merge(changes: readonly ChangeRow[]): void {
    const sql = `INSERT INTO crsql_changes ("table", pk, cid, val, col_version, db_version, site_id, cl, seq) VALUES (?,?,?,?,?,?,?,?,?)`
    this.transaction(() => {
      for (const { table, pk, cid, val, col_version, db_version, site_id, cl, seq } of changes) {
        this.all(sql, [table, pk, cid, val, col_version, db_version, site_id, cl, seq])
      }
    })
  }

  /** Every row's life and cells, as the model's digest tells them; cells that outlived a life they missed the end of left out. */
  digest(): string {
    const rows = new Map<string, { cl: number; cells: string[] }>()
    for (const { table, pk, cid, val, col_version, cl } of this.changes()) {
      const key = `${table}:${Buffer.from(pk).toString('hex')}`
      const row = rows.get(key) ?? { cl, cells: [] }
      rows.set(key, row)
      if (cid !== SENTINEL && col_version > 0) row.cells.push(`${cid}=${show(val)}@${col_version}`)
    }
    return [...rows]
      .map(([key, { cl, cells }]) => `${key} ${cl} ${cells.sort().join()}`)
      .sort()
      .join('\n')
  }
}

const show = (value: ChangeValue): string =>
  value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : `${typeof value}:${value}`
