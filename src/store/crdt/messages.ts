/** What a replica and its thread say to each other. Structured clone carries bigint and bytes as they are. */
import type { ErrorShape, NodeId } from '../../host/index.ts'
import type { LogExtent } from '../sync/log.ts'
import type { OriginKey } from '../sync/origin.ts'
import type { ChangeRow } from '../sync/rows.ts'
import type { Parked } from '../sync/state.ts'
import type { Row, Statement } from './connection.ts'
import type { Compaction, JournalContents, Stored } from './journal.ts'
import type { Migration } from './schema.ts'

/** A request without its number. */
export type ReplicaAsk =
  /** One transaction. */
  | { readonly op: 'write'; readonly statements: readonly Statement[] }
  | { readonly op: 'read'; readonly statement: Statement; readonly limit: number }
  /** Batches of one writer's log, in order: checked, inserted and kept. */
  | { readonly op: 'store'; readonly origin: OriginKey; readonly batches: readonly Uint8Array[] }
  /** What others are given of a log. */
  | {
      readonly op: 'answer'
      readonly origin: OriginKey
      readonly above: number
      readonly edition: number
    }
  /** Reads a log again, under the schema of now. */
  | { readonly op: 'replay'; readonly origin: OriginKey; readonly above: number }
  /** Signs the own log anew if that makes it much shorter, and every log is still held only this far. */
  | { readonly op: 'compact'; readonly settled: ReadonlyMap<OriginKey, number> }
  /** Who is or was of the household. */
  | { readonly op: 'believe'; readonly members: readonly NodeId[] }
  /** Writes under the next life of the data directory from now on. */
  | { readonly op: 'next-life' }
  | { readonly op: 'watch'; readonly table: string; readonly on: boolean }
  /** SHA-256 of what the replicated tables hold: nodes that have exchanged everything give the same. */
  | { readonly op: 'digest' }
  | { readonly op: 'backup'; readonly path: string }
  /** Reads and checks everything. */
  | { readonly op: 'verify' }
  | { readonly op: 'close' }

export type ReplicaRequest = ReplicaAsk & { readonly id: number }

export type ReplicaResult =
  | { readonly of: 'write' | 'watch' | 'backup' | 'believe' | 'close' }
  | { readonly of: 'read'; readonly rows: readonly Row[] }
  | { readonly of: 'store'; readonly stored: Stored }
  | { readonly of: 'answer'; readonly batches: readonly Uint8Array[] }
  | { readonly of: 'replay'; readonly parked: Parked | undefined }
  | { readonly of: 'compact'; readonly compaction: Compaction }
  | { readonly of: 'next-life'; readonly contents: JournalContents }
  | { readonly of: 'digest'; readonly digest: string; readonly rows: number }
  /** Empty when all is well. */
  | { readonly of: 'verify'; readonly faults: readonly string[] }

export interface ReplicaOpened {
  readonly reply: 'opened'
  readonly contents: JournalContents
  /** The last owner did not end in order; everything was checked. */
  readonly recovered: boolean
}

export type ReplicaReply =
  /** The first word of the thread: the files are open, or cannot be. */
  | ReplicaOpened
  | {
      readonly reply: 'not-opened'
      readonly error: ErrorShape
      /** With `store-of-another-node`: which. */
      readonly writer: NodeId | undefined
    }
  | { readonly reply: 'done'; readonly id: number; readonly result: ReplicaResult }
  | { readonly reply: 'failed'; readonly id: number; readonly error: ErrorShape }
  /** Durable changes of a watched table, local and merged alike, in order. */
  | { readonly reply: 'changed'; readonly table: string; readonly rows: readonly ChangeRow[] }
  /** The own log is this by now, durably. */
  | { readonly reply: 'own-log'; readonly extent: LogExtent }

/** Who writes here. */
export interface Writer {
  readonly node: NodeId
  /** 32 bytes: the private half of the node's key. */
  readonly seed: Uint8Array
}

/** What the thread is started with. */
export interface ReplicaThreadData {
  readonly path: string
  readonly key: Uint8Array
  readonly writer: Writer
  /** If nothing is there yet. */
  readonly life: number
  readonly migrations: readonly Migration[]
}
