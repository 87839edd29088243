/**
 * The one file SQLite sees, kept in a `PageFile`. What SQLite writes is staged there, and made durable by `PageFile.flush` for a whole
 * group of commits: the file never holds half a commit, so the rollback journal lives in memory and ends with the process.
 * Locks are not its business: one process owns the files, and one connection the database.
 */
import { LoqaError } from '../../host/index.ts'
import type { Vfs } from './engine.ts'
import { MemoryFile } from './memory-file.ts'
import type { PageFile } from './page-file.ts'
import { PAGE_BYTES } from './page-table.ts'

/** Name SQLite knows the database by. */
export const DATABASE_NAME = 'household'
export const VFS_NAME = 'pages'

/** Set right after opening. */
export const PRAGMAS: readonly string[] = [
  `PRAGMA page_size = ${PAGE_BYTES}`,
  'PRAGMA locking_mode = EXCLUSIVE',
  'PRAGMA journal_mode = MEMORY',
  'PRAGMA cache_spill = OFF',
  'PRAGMA synchronous = FULL',
  'PRAGMA cache_size = -16000',
  'PRAGMA temp_store = MEMORY',
  'PRAGMA cell_size_check = ON',
]

// https://sqlite.org/c3ref/c_abort.html, c_ioerr_access.html, c_open_autoproxy.html
const OK = 0
const NOT_FOUND = 12
const FULL = 13
const IO_ERROR = 10
const IO_ERROR_SHORT_READ = 522
const OPEN_MAIN_DB = 0x100
/** A write never touches bytes it was not given. */
const POWERSAFE_OVERWRITE = 0x1000
const LONGEST_NAME = 64

export class PageVfs implements Vfs {
  readonly name = VFS_NAME
  readonly mxPathName = LONGEST_NAME
  readonly Yc = LONGEST_NAME
  readonly #pages: PageFile
  /** Open files that are not the database, by SQLite's handle, and those with a name by name. */
  readonly #memory = new Map<number, MemoryFile>()
  readonly #journals = new Map<string, MemoryFile>()
  #fault: LoqaError | undefined

  constructor(pages: PageFile) {
    this.#pages = pages
  }

  /** Why the last call failed; asked for once. */
  takeFault(): LoqaError | undefined {
    const fault = this.#fault
    this.#fault = undefined
    return fault
  }

  xOpen(name: string | null, file: number, flags: number, outFlags: DataView): number {
    if ((flags & OPEN_MAIN_DB) === 0) this.#memory.set(file, this.#named(name))
    else this.#memory.delete(file)
    outFlags.setInt32(0, flags, true)
    return OK
  }

  xClose(file: number): number {
    this.#memory.delete(file)
    return OK
  }

  /** SQLite reads whole pages, and parts of the first. */
  xRead(file: number, bytes: Uint8Array, offset: number): number {
    const memory = this.#memory.get(file)
    if (memory !== undefined) return memory.read(bytes, offset) ? OK : IO_ERROR_SHORT_READ
    return this.#guarded(() => {
      const page = Math.floor(offset / PAGE_BYTES)
      const from = offset - page * PAGE_BYTES
      if (from + bytes.length > PAGE_BYTES) return IO_ERROR
      const content = this.#pages.read(page)
      if (content === undefined) {
        bytes.fill(0)
        return IO_ERROR_SHORT_READ
      }
      bytes.set(content.subarray(from, from + bytes.length))
      return OK
    })
  }

  xWrite(file: number, bytes: Uint8Array, offset: number): number {
    return this.#guarded(() => {
      const memory = this.#memory.get(file)
      if (memory !== undefined) memory.write(bytes, offset)
      else if (bytes.length !== PAGE_BYTES || offset % PAGE_BYTES !== 0) return IO_ERROR
      else this.#pages.write(offset / PAGE_BYTES, bytes)
      return OK
    })
  }

  xTruncate(file: number, size: number): number {
    const memory = this.#memory.get(file)
    if (memory !== undefined) memory.truncate(size)
    else this.#pages.truncate(Math.ceil(size / PAGE_BYTES))
    return OK
  }

  /** The end of a commit as SQLite sees it; nobody is told before the flush. */
  xSync(): number {
    return OK
  }

  xFileSize(file: number, size: DataView): number {
    const bytes = this.#memory.get(file)?.size() ?? this.#pages.count() * PAGE_BYTES
    size.setBigInt64(0, BigInt(bytes), true)
    return OK
  }

  xLock(): number {
    return OK
  }

  xUnlock(): number {
    return OK
  }

  xCheckReservedLock(_file: number, result: DataView): number {
    result.setInt32(0, 0, true)
    return OK
  }

  xFileControl(): number {
    return NOT_FOUND
  }

  xSectorSize(): number {
    return PAGE_BYTES
  }

  xDeviceCharacteristics(): number {
    return POWERSAFE_OVERWRITE
  }

  xDelete(name: string): number {
    this.#journals.delete(name)
    return OK
  }

  xAccess(name: string, _flags: number, result: DataView): number {
    result.setInt32(0, name === DATABASE_NAME || this.#journals.has(name) ? 1 : 0, true)
    return OK
  }

  #named(name: string | null): MemoryFile {
    const file = (name === null ? undefined : this.#journals.get(name)) ?? new MemoryFile()
    if (name !== null) this.#journals.set(name, file)
    return file
  }

  #guarded(work: () => number): number {
    try {
      return work()
    } catch (thrown) {
      if (!(thrown instanceof LoqaError)) throw thrown
      this.#fault = thrown
      return thrown.code === 'store-full' ? FULL : IO_ERROR
    }
  }
}
