/** Opens the parts of the replica over real files in a directory of the test's own. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { realHost } from '../../../src/host/real.ts'
import { Connection } from '../../../src/store/crdt/connection.ts'
import { openEngine } from '../../../src/store/crdt/engine.ts'
import type { Files } from '../../../src/store/crdt/files.ts'
import { PageFile } from '../../../src/store/crdt/page-file.ts'
import type { PageFileOptions } from '../../../src/store/crdt/page-layout.ts'
import { DATABASE_NAME, PageVfs, PRAGMAS, VFS_NAME } from '../../../src/store/crdt/page-vfs.ts'
import { readEngineCode, realFiles } from '../../../src/store/crdt/real-files.ts'
import { ReplicaDatabase } from '../../../src/store/crdt/replica-database.ts'
import { MIGRATIONS, type Migration } from '../../../src/store/crdt/schema.ts'
import { gcmSealers } from '../../../src/store/crdt/seal.ts'

export const { random } = realHost()
export const KEY = new Uint8Array(32).fill(1)
export const code = readEngineCode()

export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'loqa-replica-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export const newSite = (): Uint8Array => new Uint8Array(randomBytes(16))

export const pageOptions = (
  path: string,
  files: Files = realFiles,
  key: Uint8Array = KEY,
): PageFileOptions => ({
  files,
  path,
  random,
  sealersOf: gcmSealers(key, random),
})

export const openPages = (path: string, files?: Files, key?: Uint8Array): PageFile =>
  PageFile.open(pageOptions(path, files, key))

/** A connection without schema; its pages are flushed by nobody. */
export async function openConnection(pages: PageFile): Promise<Connection> {
  const engine = await openEngine(code)
  const vfs = new PageVfs(pages)
  engine.registerVFS(vfs, false)
  const fault = () => vfs.takeFault()
  const connection = new Connection({ engine, vfs: VFS_NAME, file: DATABASE_NAME, fault })
  for (const pragma of PRAGMAS) connection.all(pragma)
  return connection
}

export interface Opened {
  readonly pages: PageFile
  readonly database: ReplicaDatabase
  close(): void
}

export async function openDatabase(
  path: string,
  options: { files?: Files; migrations?: readonly Migration[]; site?: Uint8Array; key?: Uint8Array } = {},
): Promise<Opened> {
  const { files = realFiles, migrations = MIGRATIONS, site, key = KEY } = options
  const pages = openPages(path, files, key)
  const database = await ReplicaDatabase.open({ pages, code, migrations, site })
  const close = (): void => {
    database.close()
    pages.close()
  }
  return { pages, database, close }
}

/** Code of what `work` throws; `worked` when it throws nothing. */
export function codeOf(work: () => unknown): string {
  try {
    work()
    return 'worked'
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown)
  }
}
