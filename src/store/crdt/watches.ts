/** Who wants to hear of which table: after each group, what it durably changed there, written here and merged alike. */
import type { ChangeRow } from '../sync/rows.ts'
import type { Tell } from './changes.ts'

export interface News {
  readonly table: string
  readonly rows: readonly ChangeRow[]
}

export class Watches implements Tell {
  readonly #tables = new Set<string>()
  #changed: ChangeRow[] = []

  set(table: string, on: boolean): void {
    if (on) this.#tables.add(table)
    else this.#tables.delete(table)
  }

  wants(table: string): boolean {
    return this.#tables.has(table)
  }

  changed(row: ChangeRow): void {
    if (this.wants(row.table)) this.#changed.push(row)
  }

  /** The group was undone. */
  forget(): void {
    this.#changed = []
  }

  /**
   * Asked for after the flush. Own rows were noted last: one that a merge of the same group won against is not found among them any more,
   * and one that won against the merge comes later. Applied in this order the rows give what the table holds.
   */
  news(): News[] {
    const changed = this.#changed
    this.#changed = []
    return [...Map.groupBy(changed, ({ table }) => table)].map(([table, rows]) => ({ table, rows }))
  }
}
