/**
 * A database as plain synchronous calls with exact values. Statements are prepared once and kept; text may hold NUL; integers
 * have 64 bits; every error is a `LoqaError`.
 *
 * Errors of all calls: `store-refused` (constraint, SQL), `invalid-input` (a value without exact counterpart), `store-damaged`
 * and other faults of the files, `store-engine` when the engine itself failed; after that every call fails the same way.
 */
import { assert, InvalidInputError, type LoqaError } from '../../host/index.ts'
import { StoreFull, StoreIoError } from '../errors.ts'
import type { Address, Engine } from './engine.ts'
import { EngineBroken, StatementRefused } from './errors.ts'
import { checkValue, type SqlValue } from './values.ts'

export type Row = readonly SqlValue[]

/** One statement with its parameters, `?` in order. */
export interface Statement {
  readonly sql: string
  readonly parameters?: readonly SqlValue[]
}

/** Statements kept ready. Ours are a few dozen texts; those of a caller who puts values into the text must not pile up. */
const MAX_PREPARED = 128
/** Memory kept for passing values in; larger ones are passed through memory of their own. */
const SCRATCH_BYTES = 64 * 1024

// https://sqlite.org/c3ref/c_abort.html and the pages beside it
const OK = 0
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const MISMATCH = 20
const NOT_A_DATABASE = 26
const ROW = 100
const DONE = 101
const OPEN_READ_WRITE_CREATE = 0x2 | 0x4
const INTEGER = 1
const FLOAT = 2
const TEXT = 3
const BLOB = 4
/** "Copy before you return." */
const TRANSIENT = -1

const encoder = new TextEncoder()
/** Neither a leading byte order mark nor a wrong byte may be silently dropped. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

interface Prepared {
  readonly address: Address
  readonly parameters: number
}

export interface ConnectionOptions {
  readonly engine: Engine
  /** Registered with the engine. */
  readonly vfs: string
  readonly file: string
  /** The fault of the files behind an error of SQLite's, which does not say more; asked for once. */
  readonly fault: () => LoqaError | undefined
}

export class Connection {
  readonly #engine: Engine
  readonly #fault: () => LoqaError | undefined
  readonly #database: Address
  readonly #scratch: Address
  readonly #prepared = new Map<string, Prepared>()
  #broken: EngineBroken | undefined

  constructor({ engine, vfs, file, fault }: ConnectionOptions) {
    this.#engine = engine
    this.#fault = fault
    this.#scratch = engine._malloc(SCRATCH_BYTES)
    assert(this.#scratch !== 0, 'a new engine has memory')
    const name = this.#copyIn(encoder.encode(`${file}\0`))
    const vfsName = this.#copyIn(encoder.encode(`${vfs}\0`))
    const result = engine._sqlite3_open_v2(name, this.#scratch, OPEN_READ_WRITE_CREATE, vfsName)
    this.#database = new DataView(engine.HEAPU8.buffer).getUint32(this.#scratch, true)
    engine._free(name)
    engine._free(vfsName)
    this.#check(result)
    engine._RegisterExtensionFunctions(this.#database)
  }

  /** Rows of a query, at most `limit`; for anything else none, and it is done. Values are copies. */
  all(sql: string, parameters: readonly SqlValue[] = [], limit = Number.POSITIVE_INFINITY): Row[] {
    for (const value of parameters) checkValue(value)
    return this.#guarded(() => {
      // One that SQLite got over by itself is none of this statement's.
      this.#fault()
      const statement = this.#prepare(sql)
      if (statement.parameters !== parameters.length)
        throw new InvalidInputError(
          `The statement takes ${statement.parameters} parameters, not ${parameters.length}`,
        )
      try {
        for (const [index, value] of parameters.entries()) this.#bind(statement.address, index + 1, value)
        return this.#rows(statement.address, limit)
      } finally {
        this.#engine._sqlite3_reset(statement.address)
        this.#engine._sqlite3_clear_bindings(statement.address)
      }
    })
  }

  /** First column of the first row. */
  one(sql: string, parameters: readonly SqlValue[] = []): SqlValue | undefined {
    return this.all(sql, parameters, 1)[0]?.[0]
  }

  inTransaction(): boolean {
    return this.#engine._sqlite3_get_autocommit(this.#database) === 0
  }

  /** All of `work` or nothing. What `work` throws is thrown on. */
  transaction<T>(work: () => T): T {
    this.all('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.all('COMMIT')
      return result
    } catch (thrown) {
      // SQLite has rolled back by itself after some errors, and a broken engine cannot.
      if (this.#broken === undefined && this.inTransaction()) this.all('ROLLBACK')
      throw thrown
    }
  }

  /** The extension holds statements of its own, which it must let go first. */
  close(): void {
    if (this.#broken !== undefined) return
    this.all('SELECT crsql_finalize()')
    this.#guarded(() => {
      for (const { address } of this.#prepared.values()) this.#engine._sqlite3_finalize(address)
      this.#prepared.clear()
      this.#check(this.#engine._sqlite3_close(this.#database))
    })
  }

  #prepare(sql: string): Prepared {
    const kept = this.#prepared.get(sql)
    if (kept !== undefined) {
      // Last used last: the map's order is the order of eviction.
      this.#prepared.delete(sql)
      this.#prepared.set(sql, kept)
      return kept
    }
    if (sql.includes('\0') || !sql.isWellFormed())
      throw new InvalidInputError('A statement is text without NUL')
    const bytes = encoder.encode(`${sql}\0`)
    const text = this.#copyIn(bytes)
    const { _sqlite3_prepare_v2 } = this.#engine
    const result = _sqlite3_prepare_v2(this.#database, text, bytes.length, this.#scratch, this.#scratch + 4)
    const view = new DataView(this.#engine.HEAPU8.buffer)
    const address = view.getUint32(this.#scratch, true)
    const tail = view.getUint32(this.#scratch + 4, true)
    this.#engine._free(text)
    this.#check(result)
    if (address === 0) throw new InvalidInputError('An empty statement')
    // Whatever stands after the first statement would silently not be done.
    if (bytes.subarray(tail - text, -1).some((byte) => byte > 0x20 && byte !== 0x3b)) {
      this.#engine._sqlite3_finalize(address)
      throw new InvalidInputError('One statement at a time')
    }
    const prepared = { address, parameters: this.#engine._sqlite3_bind_parameter_count(address) }
    this.#prepared.set(sql, prepared)
    if (this.#prepared.size > MAX_PREPARED) this.#evict()
    return prepared
  }

  #evict(): void {
    const [sql, { address }] = this.#prepared.entries().next().value!
    this.#prepared.delete(sql)
    this.#engine._sqlite3_finalize(address)
  }

  #bind(statement: Address, index: number, value: SqlValue): void {
    const engine = this.#engine
    if (value === null) this.#check(engine._sqlite3_bind_null(statement, index))
    else if (typeof value === 'number' && !Number.isInteger(value))
      this.#check(engine._sqlite3_bind_double(statement, index, value))
    else if (typeof value === 'number' || typeof value === 'bigint') {
      const wide = BigInt(value)
      const low = Number(BigInt.asIntN(32, wide))
      this.#check(engine._sqlite3_bind_int64(statement, index, low, Number(wide >> 32n)))
    } else if (typeof value === 'string')
      this.#bindBytes(statement, index, encoder.encode(value), '_sqlite3_bind_text')
    else this.#bindBytes(statement, index, value, '_sqlite3_bind_blob')
  }

  #bindBytes(
    statement: Address,
    index: number,
    bytes: Uint8Array,
    call: '_sqlite3_bind_text' | '_sqlite3_bind_blob',
  ): void {
    // No address would mean NULL, so also nothing at all lies somewhere.
    const own = bytes.length > SCRATCH_BYTES
    const at = own ? this.#copyIn(bytes) : this.#scratch
    if (!own) this.#engine.HEAPU8.set(bytes, at)
    const result = this.#engine[call](statement, index, at, bytes.length, TRANSIENT)
    if (own) this.#engine._free(at)
    this.#check(result)
  }

  #rows(statement: Address, limit: number): Row[] {
    const rows: Row[] = []
    for (;;) {
      const result = this.#engine._sqlite3_step(statement)
      if (result === DONE) return rows
      if (result !== ROW) this.#check(result)
      const count = this.#engine._sqlite3_column_count(statement)
      const row: SqlValue[] = []
      for (let i = 0; i < count; i += 1) row.push(this.#column(statement, i))
      rows.push(row)
      if (rows.length >= limit) return rows
    }
  }

  #column(statement: Address, index: number): SqlValue {
    const engine = this.#engine
    switch (engine._sqlite3_column_type(statement, index)) {
      case INTEGER: {
        const low = engine._sqlite3_column_int64(statement, index)
        const high = engine.getTempRet0()
        const rounded = high * 2 ** 32 + (low >>> 0)
        if (Number.isSafeInteger(rounded)) return rounded
        return (BigInt(high) << 32n) | BigInt(low >>> 0)
      }
      case FLOAT:
        return engine._sqlite3_column_double(statement, index)
      case TEXT: {
        const at = engine._sqlite3_column_text(statement, index)
        const length = engine._sqlite3_column_bytes(statement, index)
        return this.#decode(engine.HEAPU8.subarray(at, at + length))
      }
      case BLOB: {
        const at = engine._sqlite3_column_blob(statement, index)
        const length = engine._sqlite3_column_bytes(statement, index)
        return engine.HEAPU8.slice(at, at + length)
      }
      default:
        return null
    }
  }

  #copyIn(bytes: Uint8Array): Address {
    const at = this.#engine._malloc(bytes.length)
    if (at === 0) throw new StoreIoError('the engine has no memory left')
    this.#engine.HEAPU8.set(bytes, at)
    return at
  }

  #text(at: Address): string {
    const heap = this.#engine.HEAPU8
    return this.#decode(heap.subarray(at, heap.indexOf(0, at)))
  }

  #decode(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes)
    } catch {
      throw new StatementRefused(MISMATCH, 'text that is not UTF-8')
    }
  }

  #check(result: number): void {
    if (result === OK) return
    const fault = this.#fault()
    if (fault !== undefined) throw fault
    const code = result & 0xff
    if (code === FULL) throw new StoreFull()
    const detail = this.#text(this.#engine._sqlite3_errmsg(this.#database))
    if (code === IO_ERROR || code === CORRUPT || code === NOT_A_DATABASE)
      throw new StoreIoError(`SQLite error ${code}`, new Error(detail))
    throw new StatementRefused(code, detail)
  }

  #guarded<T>(work: () => T): T {
    if (this.#broken !== undefined) throw this.#broken
    try {
      return work()
    } catch (thrown) {
      // A trap leaves the engine's memory in an unknown state; RangeError is its stack running over.
      if ((thrown instanceof Error && thrown.name === 'RuntimeError') || thrown instanceof RangeError) {
        this.#broken = new EngineBroken(thrown)
        throw this.#broken
      }
      throw thrown
    }
  }
}
