/**
 * The replica as the rest of the node sees it: transactions that are durable when they are acknowledged, in a thread of their own, so that
 * a slow disk never holds up a conversation.
 *
 * Order: what is asked for is done in the order it was asked; a read sees every write asked for before it. At a bound the answer is
 * `overloaded`, at once: ask again later.
 */
import { Worker } from 'node:worker_threads'
import {
  assert,
  type ErrorShape,
  InvalidInputError,
  LoqaError,
  type NodeId,
  OverloadedError,
  PROGRAMS,
} from '../../host/index.ts'
import { StoreClosed } from '../errors.ts'
import type { LogExtent } from '../sync/log.ts'
import type { OriginKey } from '../sync/origin.ts'
import type { ChangeRow } from '../sync/rows.ts'
import type { Parked } from '../sync/state.ts'
import type { Row, Statement } from './connection.ts'
import { WriterChanged } from './errors.ts'
import type { Compaction, JournalContents, Stored } from './journal.ts'
import type {
  ReplicaAsk,
  ReplicaOpened,
  ReplicaReply,
  ReplicaRequest,
  ReplicaResult,
  ReplicaThreadData,
  Writer,
} from './messages.ts'
import { MIGRATIONS, type Migration } from './schema.ts'
import type { SqlValue } from './values.ts'

/** Requests under way: a fifth of a second of single writes. Whoever has more to do than that waits better at home. */
export const MAX_PENDING = 1_024
/** Text and values of the requests under way: what waits in memory, twice, since the thread gets copies. */
export const MAX_PENDING_BYTES = 32 * 1024 * 1024
/** Statements of one transaction. */
export const MAX_STATEMENTS = 1_000
/** Text and values of one transaction: what it changes is told to other nodes in one batch. What is larger belongs into a file. */
export const MAX_WRITE_BYTES = 160 * 1024
/** Rows one read brings. */
export const MAX_READ_ROWS = 10_000

export interface ReplicaOptions {
  /** Of the database; files beside it begin with the same name. */
  readonly path: string
  /** 32 bytes, from the node's key file. */
  readonly key: Uint8Array
  readonly writer: Writer
  /** Of the data directory, if nothing is there yet: where something may have been before, one that nobody has heard of. */
  readonly life?: number
  /** How tests bring tables of their own. */
  readonly migrations?: readonly Migration[]
  /** How tests break the thread. */
  readonly thread?: URL
  /** The thread ended unasked: nothing more comes of this replica, and another is opened. */
  readonly onLost?: () => void
  /** The own log has grown or was compacted, durably. */
  readonly onOwnLog?: (extent: LogExtent) => void
}

type Hear = (rows: readonly ChangeRow[]) => void

interface Pending {
  readonly bytes: number
  readonly resolve: (result: ReplicaResult) => void
  readonly reject: (error: LoqaError) => void
}

/**
 * Errors: `store-damaged`, `store-key-wrong`, `store-too-new`, `store-full`, `store-io`, `data-directory-busy`, `store-of-another-node`
 * (`WriterChanged`).
 */
export function openReplica(options: ReplicaOptions): Promise<Replica> {
  const { path, key, writer, life = 0, migrations = MIGRATIONS } = options
  const workerData: ReplicaThreadData = { path, key, writer, life, migrations }
  return new Promise((resolve, reject) => {
    const worker = new Worker(options.thread ?? PROGRAMS.replica, { workerData, name: 'replica' })
    worker.once('message', (reply: ReplicaReply) => {
      if (reply.reply === 'opened') resolve(new Replica(worker, reply, options))
      else if (reply.reply === 'not-opened')
        reject(reply.writer === undefined ? errorFrom(reply.error) : new WriterChanged(path, reply.writer))
    })
    worker.on('error', () => undefined)
    worker.on('exit', () => reject(new StoreClosed()))
  })
}

export class Replica {
  readonly opened: Omit<ReplicaOpened, 'reply'>
  readonly #worker: Worker
  readonly #onOwnLog: ((extent: LogExtent) => void) | undefined
  readonly #pending = new Map<number, Pending>()
  readonly #watchers = new Map<string, Set<Hear>>()
  #pendingBytes = 0
  #nextId = 1
  #state: 'open' | 'closing' | 'lost' = 'open'

  constructor(
    worker: Worker,
    opened: ReplicaOpened,
    { onLost, onOwnLog }: Pick<ReplicaOptions, 'onLost' | 'onOwnLog'> = {},
  ) {
    this.#worker = worker
    this.#onOwnLog = onOwnLog
    this.opened = opened
    worker.on('message', (reply: ReplicaReply) => this.#hear(reply))
    worker.on('exit', () => this.#ended(onLost))
  }

  /**
   * One transaction. Resolves when it is durable; rejects when nothing of it is.
   * Errors: `store-refused`, `store-full`, `store-io`, `store-engine`, `store-closed`, `invalid-input`, `overloaded`.
   */
  async write(statements: readonly Statement[]): Promise<void> {
    await this.#ask({ op: 'write', statements }, checkedBytes(statements))
  }

  /** At most `limit` rows. */
  async read(statement: Statement, limit = MAX_READ_ROWS): Promise<readonly Row[]> {
    const result = await this.#ask({ op: 'read', statement, limit: Math.min(limit, MAX_READ_ROWS) })
    return result.of === 'read' ? result.rows : []
  }

  /**
   * Batches of one writer's log, in order: those that are its own and whole are inserted and kept, in one transaction. Resolves when that
   * is durable.
   */
  async store(origin: OriginKey, batches: readonly Uint8Array[]): Promise<Stored> {
    const bytes = batches.reduce((sum, { length }) => sum + length, 0)
    const result = await this.#ask({ op: 'store', origin, batches }, bytes)
    assert(result.of === 'store', 'an ask is answered in kind')
    return result.stored
  }

  /** What others are given of a log: batches from `above` on, of this edition or later, as many as fit an answer. */
  async answer(origin: OriginKey, above: number, edition = 0): Promise<readonly Uint8Array[]> {
    const result = await this.#ask({ op: 'answer', origin, above, edition })
    return result.of === 'answer' ? result.batches : []
  }

  /** Reads a log again, under the schema of now. What of it is still of a newer one. */
  async replay(origin: OriginKey, above: number): Promise<Parked | undefined> {
    const result = await this.#ask({ op: 'replay', origin, above })
    return result.of === 'replay' ? result.parked : undefined
  }

  /** Signs the own log anew if that makes it much shorter, while every log is still held only as far as in `settled`. */
  async compact(settled: ReadonlyMap<OriginKey, number>): Promise<Compaction> {
    const result = await this.#ask({ op: 'compact', settled })
    assert(result.of === 'compact', 'an ask is answered in kind')
    return result.compaction
  }

  /** Who is or was of the household: only what they signed is stored. */
  async believe(members: readonly NodeId[]): Promise<void> {
    await this.#ask({ op: 'believe', members })
  }

  /** Writes under another name from now on: these files are an older copy of what this node wrote. */
  async nextLife(): Promise<JournalContents> {
    const result = await this.#ask({ op: 'next-life' })
    assert(result.of === 'next-life', 'an ask is answered in kind')
    return result.contents
  }

  /** Hex SHA-256 of what the replicated tables hold, and how many rows. Reads everything. */
  async digest(): Promise<{ readonly digest: string; readonly rows: number }> {
    const result = await this.#ask({ op: 'digest' })
    assert(result.of === 'digest', 'an ask is answered in kind')
    return result
  }

  /** Tells `hear` of durable changes of the table from when this resolves, local and merged alike. Returns how to stop. */
  async watch(table: string, hear: Hear): Promise<() => void> {
    const watchers = this.#watchers.get(table) ?? new Set()
    this.#watchers.set(table, watchers)
    watchers.add(hear)
    try {
      await this.#ask({ op: 'watch', table, on: true })
    } catch (thrown) {
      watchers.delete(hear)
      throw thrown
    }
    return () => {
      watchers.delete(hear)
      if (watchers.size > 0 || this.#state !== 'open') return
      this.#ask({ op: 'watch', table, on: false }).catch(() => undefined)
    }
  }

  /** A copy of what is durable now, sealed with the same key; `path` must be free. Other requests wait meanwhile. */
  async backup(path: string): Promise<void> {
    await this.#ask({ op: 'backup', path })
  }

  /** Reads and checks everything. What is wrong, in words. */
  async verify(): Promise<readonly string[]> {
    const result = await this.#ask({ op: 'verify' })
    return result.of === 'verify' ? result.faults : []
  }

  /** Finishes what was asked for, then closes the files. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    await this.#send({ op: 'close' })
  }

  #ask(ask: ReplicaAsk, bytes = 0): Promise<ReplicaResult> {
    if (this.#state !== 'open') return Promise.reject(new StoreClosed())
    if (this.#pending.size >= MAX_PENDING)
      return Promise.reject(new OverloadedError('The replica', `${MAX_PENDING} requests`))
    // One alone is always taken.
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > MAX_PENDING_BYTES)
      return Promise.reject(new OverloadedError('The replica', `${MAX_PENDING_BYTES} bytes`))
    return this.#send(ask, bytes)
  }

  #send(ask: ReplicaAsk, bytes = 0): Promise<ReplicaResult> {
    const id = this.#nextId
    this.#nextId += 1
    this.#pendingBytes += bytes
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { bytes, resolve, reject })
      this.#worker.postMessage({ ...ask, id } satisfies ReplicaRequest)
    })
  }

  #hear(reply: ReplicaReply): void {
    if (reply.reply === 'changed') {
      for (const hear of this.#watchers.get(reply.table) ?? []) hear(reply.rows)
      return
    }
    if (reply.reply === 'own-log') this.#onOwnLog?.(reply.extent)
    if (reply.reply !== 'done' && reply.reply !== 'failed') return
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    this.#pendingBytes -= pending?.bytes ?? 0
    if (reply.reply === 'failed') pending?.reject(errorFrom(reply.error))
    else pending?.resolve(reply.result)
  }

  /** Whether what it was doing became durable nobody knows: it is reported as failed. */
  #ended(onLost: (() => void) | undefined): void {
    const wasOpen = this.#state === 'open'
    this.#state = 'lost'
    for (const { reject } of this.#pending.values()) reject(new StoreClosed())
    this.#pending.clear()
    if (wasOpen) onLost?.()
  }
}

const bytesOf = (value: SqlValue): number =>
  typeof value === 'string' || value instanceof Uint8Array ? value.length : 8

/** Errors: `invalid-input`. */
function checkedBytes(statements: readonly Statement[]): number {
  if (statements.length === 0 || statements.length > MAX_STATEMENTS)
    throw new InvalidInputError(`A transaction has 1 to ${MAX_STATEMENTS} statements`)
  let bytes = 0
  for (const { sql, parameters = [] } of statements)
    bytes += sql.length + parameters.reduce<number>((sum, value) => sum + bytesOf(value), 0)
  if (bytes > MAX_WRITE_BYTES)
    throw new InvalidInputError(`A transaction has at most ${MAX_WRITE_BYTES} bytes`)
  return bytes
}

const errorFrom = ({ code, message, retryable, hint }: ErrorShape): LoqaError =>
  new LoqaError(code, message, { retryable, hint })
