/** The real extension in memory, as far as a test of merging needs it: run SQL, changes out, changes in. */
import { COLUMNS, changeFrom } from '../../../src/store/crdt/changes.ts'
import { Connection } from '../../../src/store/crdt/connection.ts'
import { type Engine, openEngine } from '../../../src/store/crdt/engine.ts'
import { PageVfs, VFS_NAME } from '../../../src/store/crdt/page-vfs.ts'
import { siteOf } from '../../../src/store/crdt/site.ts'
import { type ChangeRow, type ChangeValue, SENTINEL } from '../../../src/store/sync/index.ts'
import { MortalDisk } from '../crdt/mortal-disk.ts'
import { code, openPages } from '../crdt/opening.ts'

/** One engine serves all databases of a test. */
export async function loadCrSqlite(): Promise<() => RealReplica> {
  const engine = await openEngine(code)
  // SQLite wants one; a database in memory does not use it.
  engine.registerVFS(new PageVfs(openPages('/d/unused', new MortalDisk())), false)
  return () => new RealReplica(engine)
}

export class RealReplica {
  readonly #connection: Connection

  constructor(engine: Engine) {
    this.#connection = new Connection({ engine, vfs: VFS_NAME, file: ':memory:', fault: () => undefined })
  }

  /** Rows as lists of values. Errors: what SQLite says. */
  all(sql: string, parameters: readonly ChangeValue[] = []): ChangeValue[][] {
    return this.#connection.all(sql, parameters).map((row) => [...row])
  }

  transaction(run: () => void): void {
    this.#connection.transaction(run)
  }

  get site(): Uint8Array {
    return siteOf(this.#connection)
  }

  get dbVersion(): number {
    return Number(this.#connection.one('SELECT crsql_db_version()'))
  }

  /** In the order they were written. */
  changes(): ChangeRow[] {
    const sql = `SELECT ${COLUMNS} FROM crsql_changes ORDER BY db_version, seq`
    return this.#connection.all(sql).map(changeFrom)
  }

  merge(changes: readonly ChangeRow[]): void {
    const sql = `INSERT INTO crsql_changes (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
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
