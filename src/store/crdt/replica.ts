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
  OverloadedError,
  PROGRAMS,
} from '../../host/index.ts'
import { StoreClosed } from '../errors.ts'
import type { ChangeRow } from '../sync/rows.ts'
import { type ChangeBatch, MAX_BATCH_ROWS, MAX_MERGE_ROWS } from './changes.ts'
import type { Row } from './connection.ts'
import type {
  ReplicaAsk,
  ReplicaOpened,
  ReplicaReply,
  ReplicaRequest,
  ReplicaResult,
  ReplicaThreadData,
  Statement,
} from './messages.ts'
import { MIGRATIONS, type Migration } from './schema.ts'
import type { SqlValue } from './values.ts'

/** Requests under way: a fifth of a second of single writes. Whoever has more to do than that waits better at home. */
export const MAX_PENDING = 1_024
/** Text and values of the requests under way: what waits in memory, twice, since the thread gets copies. */
export const MAX_PENDING_BYTES = 32 * 1024 * 1024
/** Statements of one transaction. */
export const MAX_STATEMENTS = 1_024
/** Text and values of one transaction. Coordinating state is small; what is larger belongs into a file. */
export const MAX_WRITE_BYTES = 1024 * 1024
/** Rows one read brings. */
export const MAX_READ_ROWS = 10_000

export interface ReplicaOptions {
  /** Of the database; files beside it begin with the same name. */
  readonly path: string
  /** 32 bytes, from the node's key file. */
  readonly key: Uint8Array
  /** Who writes here, 16 bytes: see `site.ts`. By default whoever did. */
  readonly site?: Uint8Array
  /** How tests bring tables of their own. */
  readonly migrations?: readonly Migration[]
  /** How tests break the thread. */
  readonly thread?: URL
  /** The thread ended unasked: nothing more comes of this replica, and another is opened. */
  readonly onLost?: () => void
}

type Hear = (rows: readonly ChangeRow[]) => void

interface Pending {
  readonly bytes: number
  readonly resolve: (result: ReplicaResult) => void
  readonly reject: (error: LoqaError) => void
}

/** Errors: `store-damaged`, `store-key-wrong`, `store-too-new`, `store-full`, `store-io`, `data-directory-busy`. */
export function openReplica(options: ReplicaOptions): Promise<Replica> {
  const { path, key, site, migrations = MIGRATIONS } = options
  const workerData: ReplicaThreadData = { path, key, site, migrations }
  return new Promise((resolve, reject) => {
    const worker = new Worker(options.thread ?? PROGRAMS.replica, { workerData, name: 'replica' })
    worker.once('message', (reply: ReplicaReply) => {
      if (reply.reply === 'opened') resolve(new Replica(worker, reply, options.onLost))
      else if (reply.reply === 'not-opened') reject(errorFrom(reply.error))
    })
    worker.on('error', () => undefined)
    worker.on('exit', () => reject(new StoreClosed()))
  })
}

export class Replica {
  readonly opened: Omit<ReplicaOpened, 'reply'>
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #watchers = new Map<string, Set<Hear>>()
  #pendingBytes = 0
  #version: number
  #nextId = 1
  #state: 'open' | 'closing' | 'lost' = 'open'

  constructor(worker: Worker, opened: ReplicaOpened, onLost?: () => void) {
    this.#worker = worker
    this.opened = opened
    this.#version = opened.version
    worker.on('message', (reply: ReplicaReply) => this.#hear(reply))
    worker.on('exit', () => this.#ended(onLost))
  }

  /** Last durable transaction of this node's that was acknowledged. */
  get version(): number {
    return this.#version
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
   * What a site (by default this one) wrote in its transactions after `since`: whole transactions of together at most `rows`, but at
   * least one.
   */
  async changesSince(since: number, rows = MAX_BATCH_ROWS, site?: Uint8Array): Promise<ChangeBatch> {
    const result = await this.#ask({ op: 'changes', site, since, rows: Math.min(rows, MAX_BATCH_ROWS) })
    assert(result.of === 'changes', 'changes are answered with changes')
    return result.batch
  }

  /** Every site whose writes are here, this one first. */
  async sites(): Promise<readonly Uint8Array[]> {
    const result = await this.#ask({ op: 'sites' })
    return result.of === 'sites' ? result.sites : []
  }

  /**
   * Rows that were validated, in one transaction with what this node notes of them in tables of its own. Resolves when all of it is
   * durable, with how many rows changed something.
   */
  async merge(rows: readonly ChangeRow[], also: readonly Statement[] = []): Promise<number> {
    if (rows.length > MAX_MERGE_ROWS) throw new InvalidInputError(`One merge takes ${MAX_MERGE_ROWS} rows`)
    const noted = also.length === 0 ? 0 : checkedBytes(also)
    const bytes = rows.reduce((sum, { pk, val }) => sum + pk.length + bytesOf(val), noted)
    const result = await this.#ask({ op: 'merge', rows, also }, bytes)
    return result.of === 'merge' ? result.applied : 0
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
    if (reply.reply !== 'done' && reply.reply !== 'failed') return
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    this.#pendingBytes -= pending?.bytes ?? 0
    if (reply.reply === 'failed') pending?.reject(errorFrom(reply.error))
    else {
      this.#version = reply.version
      pending?.resolve(reply.result)
    }
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
