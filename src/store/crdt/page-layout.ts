/** The files of a page file (`page-file.ts`): their names, how they come to be, and what is said when the disk refuses. */
import { DiskError, type Host } from '../../host/index.ts'
import { StoreDamaged, StoreFull, StoreIoError } from '../errors.ts'
import type { Files, OpenFile } from './files.ts'
import { encodeLogHeader, LOG_HEADER_BYTES } from './page-log.ts'
import { decodeTable, encodeTable, PAGE_BYTES, type PageEntry, type PageTable } from './page-table.ts'
import { SALT_BYTES, type Sealers, type SealersOf } from './seal.ts'

export interface PageFileOptions {
  readonly files: Files
  readonly path: string
  readonly sealersOf: SealersOf
  readonly random: Host['random']
}

/** What a page is bound to. */
export function numberOf(page: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, page, true)
  return bytes
}

export const tablePathOf = (path: string): string => `${path}-table`
export const logPathOf = (path: string, epoch: number): string => `${path}-log-${epoch}`
export const logPurpose = (epoch: number): string => `log ${epoch}`

/** The table there is, or that of a database made for the purpose. Errors: `store-damaged`, `store-key-wrong`, `DiskError`. */
export function openTable({ files, path, sealersOf, random }: PageFileOptions): PageTable {
  if (files.exists(tablePathOf(path))) return decodeTable(path, readAll(files, tablePathOf(path)), sealersOf)
  // The table comes last when a database is made: without one there is nothing, or an attempt.
  const size = sizeOf(files, path)
  if (size > 0 || sizeOf(files, logPathOf(path, 0)) > LOG_HEADER_BYTES)
    throw new StoreDamaged(path, 'its page table is missing')
  return createPages({ files, path, sealersOf, random }, 0, () => new Uint8Array(PAGE_BYTES))
}

/** The table comes last: until then there is nothing. */
export function createPages(
  options: PageFileOptions,
  count: number,
  contentOf: (page: number) => Uint8Array,
): PageTable {
  const { files, path, sealersOf, random } = options
  const salt = random.bytes(SALT_BYTES)
  const sealers = sealersOf(salt)
  const sealer = sealers.sealer('pages')
  const entries: PageEntry[] = []
  const main = files.open(path)
  try {
    // What an attempt left behind.
    main.truncate(0)
    for (let page = 0; page < count; page += 1) {
      const { nonce, tag, bytes } = sealer.seal(contentOf(page), numberOf(page))
      main.write(page * PAGE_BYTES, bytes)
      entries.push({ nonce, tag })
    }
    main.sync()
  } finally {
    main.close()
  }
  createLog(files, path, 0, sealers).close()
  const table: PageTable = { epoch: 0, salt, entries }
  files.replace(tablePathOf(path), encodeTable(table, sealers))
  return table
}

/** Empty and durable. */
export function createLog(files: Files, path: string, epoch: number, sealers: Sealers): OpenFile {
  const log = files.open(logPathOf(path, epoch))
  log.truncate(0)
  log.write(0, encodeLogHeader(epoch, sealers.sealer(logPurpose(epoch))))
  log.sync()
  return log
}

function sizeOf(files: Files, path: string): number {
  if (!files.exists(path)) return 0
  const file = files.open(path)
  try {
    return file.size()
  } finally {
    file.close()
  }
}

export function readAll(files: Files, path: string): Uint8Array {
  const file = files.open(path)
  try {
    return file.read(0, file.size())
  } finally {
    file.close()
  }
}

export function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw classified(thrown)
  }
}

export function classified(thrown: unknown): unknown {
  if (!(thrown instanceof DiskError)) return thrown
  return thrown.reason === 'full' ? new StoreFull() : new StoreIoError(thrown.message, thrown)
}
