/** What may be replicated: the tables and columns of one schema version. Whatever is not listed is refused or, when newer, kept for later. */

export type KeyType = 'text' | 'integer' | 'blob'

export interface ColumnRule {
  readonly type: KeyType
  readonly nullable: boolean
}

export interface TableRule {
  /** Types of the primary key's columns, in order; none is ever null. */
  readonly key: readonly KeyType[]
  readonly columns: ReadonlyMap<string, ColumnRule>
}

export interface ReplicatedSchema {
  /** Counts up with every change; columns and tables are only ever added. */
  readonly version: number
  readonly tables: ReadonlyMap<string, TableRule>
}
