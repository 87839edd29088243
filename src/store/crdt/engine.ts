/**
 * SQLite with the CRDT extension, compiled to WebAssembly: the one importer of `@vlcn.io/wa-sqlite`, and of its synchronous
 * build only. What is used of its C interface stands here as types; `connection.ts` turns it into calls that cannot be misused.
 *
 * Each database has an engine of its own, 2 MB of code compiled once and at least 16 MB of memory: when one panics (the extension does on some
 * input), its memory is worth nothing and nothing else is lost with it.
 */
import open from '@vlcn.io/wa-sqlite/dist/crsqlite-sync.mjs'

/** File of the package with the code, to be handed to `openEngine`. */
export const ENGINE_CODE = '@vlcn.io/wa-sqlite/dist/crsqlite-sync.wasm'

/** A pointer into the engine's memory, bytes. */
export type Address = number

/** The part of the Emscripten module used here. 64-bit results: low half returned, high half in `getTempRet0()`. */
export interface Engine {
  /** Another object after the memory grew: looked up for every use. */
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): Address
  _free(address: Address): void
  getTempRet0(): number
  registerVFS(vfs: Vfs, asDefault: boolean): number
  _RegisterExtensionFunctions(database: Address): number
  _sqlite3_open_v2(name: Address, result: Address, flags: number, vfs: Address): number
  _sqlite3_close(database: Address): number
  _sqlite3_errmsg(database: Address): Address
  _sqlite3_get_autocommit(database: Address): number
  _sqlite3_prepare_v2(database: Address, sql: Address, length: number, result: Address, tail: Address): number
  _sqlite3_finalize(statement: Address): number
  _sqlite3_reset(statement: Address): number
  _sqlite3_clear_bindings(statement: Address): number
  _sqlite3_step(statement: Address): number
  _sqlite3_bind_parameter_count(statement: Address): number
  _sqlite3_bind_null(statement: Address, index: number): number
  _sqlite3_bind_int64(statement: Address, index: number, low: number, high: number): number
  _sqlite3_bind_double(statement: Address, index: number, value: number): number
  _sqlite3_bind_text(statement: Address, index: number, bytes: Address, length: number, free: number): number
  _sqlite3_bind_blob(statement: Address, index: number, bytes: Address, length: number, free: number): number
  _sqlite3_column_count(statement: Address): number
  _sqlite3_column_type(statement: Address, column: number): number
  _sqlite3_column_int64(statement: Address, column: number): number
  _sqlite3_column_double(statement: Address, column: number): number
  _sqlite3_column_text(statement: Address, column: number): Address
  _sqlite3_column_blob(statement: Address, column: number): Address
  _sqlite3_column_bytes(statement: Address, column: number): number
}

/** What SQLite asks of a file system, https://sqlite.org/c3ref/io_methods.html. Result codes are returned, never thrown. */
export interface Vfs {
  readonly name: string
  /** Longest path; the build was minified and reads it under the other name. */
  readonly mxPathName: number
  readonly Yc: number
  xOpen(name: string | null, file: number, flags: number, outFlags: DataView): number
  xClose(file: number): number
  xRead(file: number, bytes: Uint8Array, offset: number): number
  xWrite(file: number, bytes: Uint8Array, offset: number): number
  xTruncate(file: number, size: number): number
  xSync(file: number, flags: number): number
  xFileSize(file: number, size: DataView): number
  xLock(file: number, kind: number): number
  xUnlock(file: number, kind: number): number
  xCheckReservedLock(file: number, result: DataView): number
  xFileControl(file: number, operation: number, argument: DataView): number
  xSectorSize(file: number): number
  xDeviceCharacteristics(file: number): number
  xDelete(name: string, syncDirectory: number): number
  xAccess(name: string, flags: number, result: DataView): number
}

/** `code`: content of `ENGINE_CODE`. 20 ms. */
export async function openEngine(code: Uint8Array): Promise<Engine> {
  // What the engine would print belongs to nobody: errors come back as codes.
  const silent = (): void => undefined
  return (await open({ wasmBinary: code, print: silent, printErr: silent })) as Engine
}
