/** Who wants to hear of which table: after each group, what it durably changed there, local and merged alike. */
import type { ChangeRow } from '../sync/rows.ts'
import { MAX_BATCH_ROWS, type Tell } from './changes.ts'
import type { ReplicaDatabase } from './replica-database.ts'

export interface News {
  readonly table: string
  readonly rows: readonly ChangeRow[]
}

export class Watches implements Tell {
  readonly #tables = new Set<string>()
  /** Own transactions up to this one were told, or nobody wanted them. */
  #told: number
  #merged: ChangeRow[] = []

  constructor(version: number) {
    this.#told = version
  }

  set(table: string, on: boolean): void {
    if (on) this.#tables.add(table)
    else this.#tables.delete(table)
  }

  wants(table: string): boolean {
    return this.#tables.has(table)
  }

  changed(row: ChangeRow): void {
    this.#merged.push(row)
  }

  /** The group was undone. */
  forget(): void {
    this.#merged = []
  }

  /**
   * Asked for after the flush. Merged rows come first: an own write that a merge of the same group won against is not found any more,
   * and one that won against the merge comes later. Applied in this order the rows give what the table holds.
   */
  news(database: Pick<ReplicaDatabase, 'version' | 'changesSince'>): News[] {
    const version = database.version()
    if (this.#tables.size === 0) this.#told = version
    const changed = this.#merged
    this.#merged = []
    while (this.#told < version) {
      const batch = database.changesSince(this.#told, MAX_BATCH_ROWS)
      for (const row of batch.rows) if (this.wants(row.table)) changed.push(row)
      this.#told = batch.to
    }
    return [...Map.groupBy(changed, ({ table }) => table)].map(([table, rows]) => ({ table, rows }))
  }
}
