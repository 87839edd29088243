/**
 * This node's copy of what the household remembers: SQLite with the CRDT extension over sealed pages, as plain calls. Lives in the
 * replica's thread.
 *
 * A write is a transaction of its own and counts for whoever reads here at once; it is durable after `flush`, which takes all
 * writes since the last one in a single sync. Whoever answers for a write answers after the flush. When a flush fails, `discard` goes
 * back to what is durable: the engine is replaced, for it believes that its commits were kept.
 */
import type { LoqaError } from '../../host/index.ts'
import { StoreDamaged } from '../errors.ts'
import type { ChangeRow } from '../sync/rows.ts'
import { type ChangeBatch, changesSince, dbVersion, mergeChanges, type Tell } from './changes.ts'
import { Connection, type Row, type Statement } from './connection.ts'
import { openEngine } from './engine.ts'
import { migrate, schemaVersion } from './migrate.ts'
import type { PageFile } from './page-file.ts'
import { DATABASE_NAME, PageVfs, PRAGMAS, VFS_NAME } from './page-vfs.ts'
import type { Migration } from './schema.ts'
import { adoptSite, siteOf, sitesOf } from './site.ts'

export interface ReplicaDatabaseOptions {
  /** Closed by whoever opened it, after the database. */
  readonly pages: PageFile
  /** The engine's code (`ENGINE_CODE`). */
  readonly code: Uint8Array
  /** Undefined: the schema stays as it is. */
  readonly migrations: readonly Migration[] | undefined
  /** Who writes here, 16 bytes; by default whoever did, or a random one. */
  readonly site?: Uint8Array | undefined
}

export class ReplicaDatabase {
  readonly #options: ReplicaDatabaseOptions
  #connection: Connection

  /** Errors: `store-damaged`, `store-too-new`, `store-full`, `store-io`. */
  static async open(options: ReplicaDatabaseOptions): Promise<ReplicaDatabase> {
    const { pages, migrations, site } = options
    let connection = await connect(options)
    try {
      if (pages.endedUnclean) check(connection, pages)
      if (migrations !== undefined) migrate(connection, pages.path, migrations)
      if (site !== undefined && adoptSite(connection, site)) {
        // The extension reads its own name once.
        connection.close()
        connection = await connect(options)
      }
      pages.flush()
      return new ReplicaDatabase(options, connection)
    } catch (thrown) {
      pages.discard()
      throw thrown
    }
  }

  private constructor(options: ReplicaDatabaseOptions, connection: Connection) {
    this.#options = options
    this.#connection = connection
  }

  /** The greatest number of a transaction here, of any site. */
  version(): number {
    return dbVersion(this.#connection)
  }

  schema(): number {
    return schemaVersion(this.#connection)
  }

  site(): Uint8Array {
    return siteOf(this.#connection)
  }

  read({ sql, parameters }: Statement, limit: number): Row[] {
    return this.#connection.all(sql, parameters, limit)
  }

  /** One transaction. */
  write(statements: readonly Statement[]): void {
    this.#connection.transaction(() => this.#all(statements))
  }

  /** For whoever keeps something beside the replicated tables; the connection is replaced by `discard` and `adopt`. */
  with<T>(work: (connection: Connection) => T): T {
    return work(this.#connection)
  }

  /** All of `work` or nothing. */
  transaction<T>(work: (connection: Connection) => T): T {
    return this.#connection.transaction(() => work(this.#connection))
  }

  /** Writes under another name from now on; durable before it returns. */
  async adopt(site: Uint8Array): Promise<void> {
    if (!adoptSite(this.#connection, site)) return
    // The extension reads its own name once.
    this.#connection.close()
    this.#connection = await connect(this.#options)
    this.flush()
  }

  /** Every site whose writes are here, the own one first. */
  sites(): Uint8Array[] {
    return sitesOf(this.#connection)
  }

  /** What `site` wrote; by default what was written here. */
  changesSince(since: number, rows: number, site = this.site()): ChangeBatch {
    return changesSince(this.#connection, site, since, rows)
  }

  /** One transaction, with what this node notes of the rows. Returns how many changed something. */
  merge(rows: readonly ChangeRow[], also: readonly Statement[] = [], tell?: Tell): number {
    return this.#connection.transaction(() => {
      this.#all(also)
      return mergeChanges(this.#connection, rows, tell)
    })
  }

  /** Errors: `store-full`, `store-io`: nothing since the last flush is durable, `discard` comes next. */
  flush(): void {
    this.#options.pages.flush()
  }

  /** Forgets what was not flushed. */
  async discard(): Promise<void> {
    this.#options.pages.discard()
    this.#connection = await connect(this.#options)
  }

  /** What is wrong, in words; nothing when all is well. Everything on disk is read. */
  verify(): string[] {
    return faultsOf(this.#connection, this.#options.pages)
  }

  close(): void {
    this.#connection.close()
  }

  #all(statements: readonly Statement[]): void {
    for (const { sql, parameters } of statements) this.#connection.all(sql, parameters)
  }
}

async function connect({ pages, code }: ReplicaDatabaseOptions): Promise<Connection> {
  const engine = await openEngine(code)
  const vfs = new PageVfs(pages)
  engine.registerVFS(vfs, false)
  const fault = (): LoqaError | undefined => vfs.takeFault()
  const connection = new Connection({ engine, vfs: VFS_NAME, file: DATABASE_NAME, fault })
  for (const pragma of PRAGMAS) connection.all(pragma)
  return connection
}

function check(connection: Connection, pages: PageFile): void {
  const [first] = faultsOf(connection, pages)
  if (first !== undefined) throw new StoreDamaged(pages.path, first)
}

function faultsOf(connection: Connection, pages: PageFile): string[] {
  const damaged = pages.verify().map((page) => `page ${page} is not what was written`)
  if (damaged.length > 0) return damaged
  const found = connection.all('PRAGMA integrity_check(10)').map(([fault]) => String(fault))
  return found.filter((fault) => fault !== 'ok')
}
