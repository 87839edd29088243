/** What a replica and its thread say to each other. Structured clone carries bigint and bytes as they are. */
import type { ErrorShape } from '../../host/index.ts'
import type { ChangeRow } from '../sync/rows.ts'
import type { ChangeBatch } from './changes.ts'
import type { Row } from './connection.ts'
import type { Migration } from './schema.ts'
import type { SqlValue } from './values.ts'

/** One statement with its parameters, `?` in order. */
export interface Statement {
  readonly sql: string
  readonly parameters?: readonly SqlValue[]
}

/** A request without its number. */
export type ReplicaAsk =
  /** One transaction. */
  | { readonly op: 'write'; readonly statements: readonly Statement[] }
  | { readonly op: 'read'; readonly statement: Statement; readonly limit: number }
  | {
      readonly op: 'changes'
      /** By default what was written here. */
      readonly site: Uint8Array | undefined
      readonly since: number
      readonly rows: number
    }
  | { readonly op: 'sites' }
  /** One transaction; the rows were validated. `also` is what this node notes of where they came from. */
  | { readonly op: 'merge'; readonly rows: readonly ChangeRow[]; readonly also: readonly Statement[] }
  | { readonly op: 'watch'; readonly table: string; readonly on: boolean }
  | { readonly op: 'backup'; readonly path: string }
  /** Reads and checks everything. */
  | { readonly op: 'verify' }
  | { readonly op: 'close' }

export type ReplicaRequest = ReplicaAsk & { readonly id: number }

export type ReplicaResult =
  | { readonly of: 'write' | 'watch' | 'backup' | 'close' }
  | { readonly of: 'read'; readonly rows: readonly Row[] }
  | { readonly of: 'changes'; readonly batch: ChangeBatch }
  | { readonly of: 'sites'; readonly sites: readonly Uint8Array[] }
  /** `applied`: rows that changed something; the others were known or lost against what is here. */
  | { readonly of: 'merge'; readonly applied: number }
  /** Empty when all is well. */
  | { readonly of: 'verify'; readonly faults: readonly string[] }

export interface ReplicaOpened {
  readonly reply: 'opened'
  readonly version: number
  readonly schema: number
  /** Whose changes these are. */
  readonly site: Uint8Array
  /** The last owner did not end in order; everything was checked. */
  readonly recovered: boolean
}

export type ReplicaReply =
  /** The first word of the thread: the files are open, or cannot be. */
  | ReplicaOpened
  | { readonly reply: 'not-opened'; readonly error: ErrorShape }
  | { readonly reply: 'done'; readonly id: number; readonly result: ReplicaResult; readonly version: number }
  | { readonly reply: 'failed'; readonly id: number; readonly error: ErrorShape }
  /** Durable changes of a watched table, local and merged alike, in order. */
  | { readonly reply: 'changed'; readonly table: string; readonly rows: readonly ChangeRow[] }

/** What the thread is started with. */
export interface ReplicaThreadData {
  readonly path: string
  readonly key: Uint8Array
  readonly site: Uint8Array | undefined
  readonly migrations: readonly Migration[]
}
