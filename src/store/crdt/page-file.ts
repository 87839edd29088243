/**
 * The database's pages on disk, sealed: one writer, atomic durable commits with one sync each.
 *
 *   <path>            the pages as of the last checkpoint, PAGE_BYTES each, sealed and bound to their number
 *   <path>-table      which bytes are right for each of them (`page-table.ts`)
 *   <path>-log-<n>    the commits since, n the table's epoch (`page-log.ts`)
 *
 * Invariants, each with a test of its number:
 * F1 What `flush` returned from is there after any crash, whole; what it did not return from is there whole or not at all.
 * F2 A byte that is not what was written is never handed out: reading or opening reports damage.
 * F3 A page of the page file that differs from the table is in the log: so a checkpoint may be interrupted anywhere.
 * F4 A failed flush changes nothing, and the next one may work (a disk that was full).
 *
 * Why a log of our own and not SQLite's journal: a journal costs three syncs a commit where this takes one, would have to be
 * sealed byte-wise, and cannot tell a page from an older state of itself.
 *
 * A checkpoint writes the logged pages to the page file, makes the log of the next epoch, and replaces the table: that moment counts.
 */
import { assert, DiskError, InvalidInputError } from '../../host/index.ts'
import { StoreDamaged, StoreFull, StoreIoError } from '../errors.ts'
import type { Files, OpenFile } from './files.ts'
import {
  classified,
  createLog,
  createPages,
  guarded,
  logPathOf,
  logPurpose,
  numberOf,
  openTable,
  type PageFileOptions,
  readAll,
  tablePathOf,
} from './page-layout.ts'
import { encodeRecord, LOG_HEADER_BYTES, type LogRecord, type ScannedLog, scanLog } from './page-log.ts'
import {
  decodeTable,
  encodeTable,
  MAX_PAGES,
  PAGE_BYTES,
  type PageEntry,
  type PageTable,
} from './page-table.ts'
import type { Sealer, Sealers } from './seal.ts'

/** Bytes of log after which a checkpoint is due: 1,000 pages, which are also held in memory, and some 30 ms of writing. */
export const CHECKPOINT_BYTES = 4 * 1024 * 1024
/** While no checkpoint succeeds (the disk is full) the log ends here, and with it what opening has to read. */
const MAX_LOG_BYTES = 64 * 1024 * 1024

export class PageFile {
  readonly path: string
  /** Commits were in the log: the last owner did not end in order. */
  readonly endedUnclean: boolean
  readonly #files: Files
  readonly #salt: Uint8Array
  readonly #sealers: Sealers
  readonly #pageSealer: Sealer
  readonly #main: OpenFile
  #log: OpenFile
  #logSealer: Sealer
  #logEnd: number
  #sequence: number
  #epoch: number
  #entries: PageEntry[]
  /** Pages of the log, as they are now. */
  #logged = new Map<number, Uint8Array>()
  #count: number
  /** What is written and not flushed. */
  #staged = new Map<number, Uint8Array>()
  #stagedCount: number
  #broken: StoreIoError | undefined

  /** Creates it when nothing is there. Errors: `store-damaged`, `store-key-wrong`, `store-full`, `store-io`. */
  static open(options: PageFileOptions): PageFile {
    return guarded(() => new PageFile(options, openTable(options)))
  }

  /** Whether there is one. Without its table there is none: no page opens. */
  static exists({ files, path }: Pick<PageFileOptions, 'files' | 'path'>): boolean {
    return files.exists(tablePathOf(path))
  }

  private constructor({ files, path, sealersOf }: PageFileOptions, table: PageTable) {
    this.path = path
    this.#files = files
    this.#salt = table.salt
    this.#epoch = table.epoch
    this.#entries = [...table.entries]
    this.#sealers = sealersOf(table.salt)
    this.#pageSealer = this.#sealers.sealer('pages')
    this.#logSealer = this.#sealers.sealer(logPurpose(table.epoch))
    const logPath = logPathOf(path, table.epoch)
    if (!files.exists(logPath)) throw new StoreDamaged(path, 'its log is missing')
    this.#main = files.open(path)
    this.#log = files.open(logPath)
    const size = this.#log.size()
    let scanned: ScannedLog
    try {
      if (size > 2 * MAX_LOG_BYTES) throw new StoreDamaged(path, 'its log is larger than any log')
      scanned = scanLog(path, this.#log.read(0, size), table.epoch, this.#logSealer)
    } catch (thrown) {
      this.#log.close()
      this.#main.close()
      throw thrown
    }
    this.#count = table.entries.length
    for (const record of scanned.records) this.#take(record)
    this.#stagedCount = this.#count
    this.#sequence = scanned.records.length
    this.#logEnd = scanned.end
    this.endedUnclean = size > LOG_HEADER_BYTES
    if (size > scanned.end) {
      this.#log.truncate(scanned.end)
      this.#log.sync()
    }
    // Left behind by a checkpoint that was interrupted, before or after the moment that counts.
    if (table.epoch > 0) files.remove(logPathOf(path, table.epoch - 1))
    files.remove(logPathOf(path, table.epoch + 1))
  }

  /** Pages, as last written. */
  count(): number {
    return this.#stagedCount
  }

  /** Content of a page, PAGE_BYTES; pages are numbered from 0. Undefined beyond the end. Errors: `store-damaged`, `store-io`. */
  read(page: number): Uint8Array | undefined {
    if (page >= this.#stagedCount) return undefined
    const newer = this.#staged.get(page) ?? this.#logged.get(page)
    if (newer !== undefined) return newer
    const entry = this.#entries[page]
    assert(entry !== undefined, 'a page is staged, in the log or in the table')
    return guarded(() => this.#readMain(page, entry))
  }

  /** Stages a page; `content` is copied. */
  write(page: number, content: Uint8Array): void {
    if (page >= MAX_PAGES) throw new StoreFull()
    // SQLite leaves out pages that hold nothing, and writes behind them.
    for (; this.#stagedCount < page; this.#stagedCount += 1)
      this.#staged.set(this.#stagedCount, new Uint8Array(PAGE_BYTES))
    this.#staged.set(page, Uint8Array.from(content))
    this.#stagedCount = Math.max(this.#stagedCount, page + 1)
  }

  /** Stages an end after `count` pages. */
  truncate(count: number): void {
    this.#stagedCount = count
    for (const page of this.#staged.keys()) if (page >= count) this.#staged.delete(page)
  }

  hasStaged(): boolean {
    return this.#staged.size > 0 || this.#stagedCount !== this.#count
  }

  /** Forgets what is staged. Whoever staged it must forget it too. */
  discard(): void {
    this.#staged.clear()
    this.#stagedCount = this.#count
  }

  /** Commits what is staged. Errors: `store-full`, `store-io`; nothing is committed then, and it stays staged. */
  flush(): void {
    if (!this.hasStaged()) return
    if (this.#broken !== undefined) throw this.#broken
    const record = { sequence: this.#sequence, count: this.#stagedCount, pages: this.#staged }
    const bytes = encodeRecord(record, this.#logSealer)
    if (this.#logEnd + bytes.length > MAX_LOG_BYTES) throw new StoreFull()
    try {
      this.#log.write(this.#logEnd, bytes)
      this.#log.sync()
    } catch (thrown) {
      this.#undoAppend()
      throw classified(thrown)
    }
    this.#logEnd += bytes.length
    this.#sequence += 1
    this.#take(record)
    this.#staged = new Map()
  }

  /** Whether only opening the files anew tells what is durable. */
  isBroken(): boolean {
    return this.#broken !== undefined
  }

  /** Whether the log is long enough for a checkpoint. */
  isCheckpointDue(): boolean {
    return this.#logEnd >= CHECKPOINT_BYTES
  }

  /** Errors: `store-full`, `store-io`; the log stays then, and another checkpoint may succeed. */
  checkpoint(): void {
    if (this.#sequence === 0) return
    guarded(() => {
      const entries = [...this.#entries]
      const write = (page: number, content: Uint8Array): void => {
        const { nonce, tag, bytes } = this.#pageSealer.seal(content, numberOf(page))
        this.#main.write(page * PAGE_BYTES, bytes)
        entries[page] = { nonce, tag }
      }
      for (const [page, content] of this.#logged) write(page, content)
      this.#main.sync()
      this.#moveTo(this.#epoch + 1, entries)
    })
  }

  /** Numbers of pages that are not what was written; reads everything that is on disk. */
  verify(): number[] {
    return guarded(() => {
      const size = this.#log.size()
      scanLog(this.path, this.#log.read(0, size), this.#epoch, this.#logSealer)
      decodeTable(this.path, readAll(this.#files, tablePathOf(this.path)), () => this.#sealers)
      const damaged: number[] = []
      for (const [page, entry] of this.#entries.entries()) {
        if (this.#logged.has(page)) continue
        try {
          this.#readMain(page, entry)
        } catch (thrown) {
          if (!(thrown instanceof StoreDamaged)) throw thrown
          damaged.push(page)
        }
      }
      return damaged
    })
  }

  /**
   * Writes what is committed to another place, under a salt and a key of its own. There is no copy before it is whole.
   * Errors: `invalid-input` when something is there already, `store-*` of either place.
   */
  copyTo(target: PageFileOptions): void {
    if (PageFile.exists(target)) throw new InvalidInputError('A copy is made where nothing is yet')
    guarded(() => {
      try {
        createPages(
          target,
          this.#count,
          (page) => this.#logged.get(page) ?? this.#readMain(page, this.#entries[page]!),
        )
      } catch (thrown) {
        target.files.remove(target.path)
        throw thrown
      }
    })
  }

  /** Forgets what is staged; a checkpoint that cannot be made now is made by the next owner. */
  close(): void {
    try {
      if (this.#broken === undefined) this.checkpoint()
    } catch (thrown) {
      if (!(thrown instanceof StoreFull) && !(thrown instanceof StoreIoError)) throw thrown
    } finally {
      this.#log.close()
      this.#main.close()
    }
  }

  #take({ count, pages }: Pick<LogRecord, 'count' | 'pages'>): void {
    for (const [page, content] of pages) this.#logged.set(page, content)
    for (const page of this.#logged.keys()) if (page >= count) this.#logged.delete(page)
    this.#entries.length = Math.min(this.#entries.length, count)
    this.#count = count
  }

  #readMain(page: number, { nonce, tag }: PageEntry): Uint8Array {
    const bytes = this.#main.read(page * PAGE_BYTES, PAGE_BYTES)
    const content =
      bytes.length === PAGE_BYTES ? this.#pageSealer.open({ nonce, tag, bytes }, numberOf(page)) : undefined
    if (content === undefined) throw new StoreDamaged(this.path, `page ${page} is not what was written`)
    return content
  }

  #moveTo(epoch: number, entries: PageEntry[]): void {
    const log = createLog(this.#files, this.path, epoch, this.#sealers)
    try {
      const table = encodeTable({ epoch, salt: this.#salt, entries }, this.#sealers)
      this.#files.replace(tablePathOf(this.path), table)
    } catch (thrown) {
      log.close()
      // Which of the two tables a crash would leave is not known; only a disk that was full never got that far.
      if (!(thrown instanceof DiskError && thrown.reason === 'full'))
        this.#broken = new StoreIoError('a checkpoint ended half-way; the file is opened anew', thrown)
      throw thrown
    }
    this.#log.close()
    this.#files.remove(logPathOf(this.path, this.#epoch))
    this.#log = log
    this.#logSealer = this.#sealers.sealer(logPurpose(epoch))
    this.#logEnd = LOG_HEADER_BYTES
    this.#sequence = 0
    this.#epoch = epoch
    this.#entries = entries
    this.#logged.clear()
    this.#main.truncate(entries.length * PAGE_BYTES)
  }

  /** What a failed append left behind must not be taken for a commit, nor for damage. */
  #undoAppend(): void {
    try {
      this.#log.truncate(this.#logEnd)
      this.#log.sync()
    } catch (thrown) {
      this.#broken = new StoreIoError('a failed write could not be undone; the file is opened anew', thrown)
    }
  }
}
