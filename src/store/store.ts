/**
 * The store as the rest of the node sees it: collections of entries, written in transactions that are durable when they
 * are acknowledged. The file is opened, read and written in a thread of its own, so that a slow disk never holds up a
 * conversation.
 */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Entry, EntryChange } from '../actors/index.ts'
import {
  type Cancel,
  type ErrorShape,
  type Host,
  InvalidInputError,
  LoqaError,
  OverloadedError,
  PROGRAMS,
} from '../host/index.ts'
import { StoreClosed } from './errors.ts'
import type { StoredChange, StoredEntry, StoreReply, StoreRequest, StoreThreadData } from './messages.ts'

/** Longer names are a mistake. */
export const MAX_COLLECTION_CHARS = 64
export const MAX_KEY_CHARS = 256
/** One value as JSON. Coordinating state is small; what is larger belongs into a file. */
export const MAX_VALUE_CHARS = 256 * 1024
/** Changes of one transaction. */
export const MAX_CHANGES = 1_024
/** Entries one read brings. */
export const MAX_ENTRIES = 10_000
/** Requests under way: at 64 changes of 1 KB each about 64 MB, and a disk that far behind is stuck. */
export const MAX_PENDING = 1_024
/** While the disk is full, how often it is tried again, ms. */
const PROBE_EVERY_MS = 5_000
/** A thread that ended unasked is replaced after this, ms. */
const REOPEN_AFTER_MS = 500

export type StoreHealth =
  | { readonly state: 'ok' }
  /** Reading works, writing does not: the disk is full or refuses. */
  | { readonly state: 'read-only'; readonly error: ErrorShape }
  /** The store's thread ended and is being replaced. */
  | { readonly state: 'down'; readonly error: ErrorShape }

export interface Store {
  /** Entries whose key begins with `prefix`, sorted by key, at most `MAX_ENTRIES`. Errors: `store-*`. */
  list(collection: string, prefix?: string): Promise<readonly Entry[]>
  get(collection: string, key: string): Promise<Entry | null>
  /** One transaction. Resolves when it is durable; rejects when nothing of it was written. Errors: `store-*`, `invalid-input`. */
  apply(collection: string, changes: readonly EntryChange[]): Promise<void>
  health(): StoreHealth
  /** Finishes what was asked for, then closes the file. */
  close(): Promise<void>
}

export interface StoreOptions {
  readonly host: Pick<Host, 'clock' | 'disk'>
  /** Owned by this process (`ownDirectory`). */
  readonly directory: string
  /** How tests fill the disk: most pages (4 KiB) the file may take. */
  readonly max_pages?: number
  /** How tests break the thread. */
  readonly thread?: URL
  /** Told whenever `health` changes: for the log. */
  readonly onHealth?: (health: StoreHealth) => void
}

/** Errors: `store-damaged`, `store-too-new`, `store-full`, `store-io`, `DiskError`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const file = join(options.directory, 'store.db')
  // Creates it for its owner alone; SQLite gives its log the same mode.
  await options.host.disk.append(file, new Uint8Array())
  const store = new ThreadedStore(file, options)
  await store.open()
  return store
}

interface Pending {
  readonly resolve: (entries: readonly StoredEntry[]) => void
  readonly reject: (error: LoqaError) => void
}

/** A request without its number. */
type Asked = StoreRequest extends infer R ? (R extends StoreRequest ? Omit<R, 'id'> : never) : never

class ThreadedStore implements Store {
  readonly #file: string
  readonly #options: StoreOptions
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #health: StoreHealth = { state: 'ok' }
  #closing = false
  #nextId = 1
  #wake: Cancel | undefined

  constructor(file: string, options: StoreOptions) {
    this.#file = file
    this.#options = options
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const workerData: StoreThreadData = { file: this.#file, max_pages: this.#options.max_pages }
      const worker = new Worker(this.#options.thread ?? PROGRAMS.store, { workerData, name: 'store' })
      let opened = false
      worker.on('message', (reply: StoreReply) => {
        if (reply.reply === 'opened') {
          opened = true
          this.#worker = worker
          resolve()
        } else if (reply.reply === 'not-opened') reject(errorFrom(reply.error))
        else this.#hear(reply)
      })
      worker.on('error', () => undefined)
      worker.on('exit', () => {
        if (opened) this.#lost()
        else reject(new StoreClosed())
      })
    })
  }

  async list(collection: string, prefix = ''): Promise<readonly Entry[]> {
    const found = await this.#ask({ op: 'list', collection, prefix, limit: MAX_ENTRIES })
    return found.map(entryFrom)
  }

  async get(collection: string, key: string): Promise<Entry | null> {
    const found = await this.#ask({ op: 'get', collection, key })
    return found[0] === undefined ? null : entryFrom(found[0])
  }

  async apply(collection: string, changes: readonly EntryChange[]): Promise<void> {
    const stored = checkedChanges(collection, changes)
    try {
      await this.#ask({ op: 'apply', changes: stored })
      this.#become({ state: 'ok' })
    } catch (thrown) {
      if (thrown instanceof LoqaError && (thrown.code === 'store-full' || thrown.code === 'store-io')) {
        this.#become({ state: 'read-only', error: thrown.toJSON() })
      }
      throw thrown
    }
  }

  health(): StoreHealth {
    return this.#health
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#wake?.()
    if (this.#worker === undefined) return
    await this.#send({ op: 'close' })
  }

  #ask(asked: Asked): Promise<readonly StoredEntry[]> {
    if (this.#closing || this.#worker === undefined) return Promise.reject(new StoreClosed())
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new OverloadedError('The store', `${MAX_PENDING} requests`))
    }
    return this.#send(asked)
  }

  #send(asked: Asked): Promise<readonly StoredEntry[]> {
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#worker?.postMessage({ ...asked, id } as StoreRequest)
    })
  }

  #hear(reply: Extract<StoreReply, { id: number }>): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (reply.reply === 'done') pending?.resolve(reply.entries)
    else pending?.reject(errorFrom(reply.error))
  }

  /** The thread is gone. Whether what it was doing became durable nobody knows: it is reported as failed. */
  #lost(): void {
    this.#worker = undefined
    const error = new StoreClosed()
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    if (this.#closing) return
    this.#become({ state: 'down', error: error.toJSON() })
    this.#later(REOPEN_AFTER_MS, () => this.#reopen())
  }

  #reopen(): void {
    this.open().then(
      () => this.#become({ state: 'ok' }),
      () => this.#later(PROBE_EVERY_MS, () => this.#reopen()),
    )
  }

  #become(health: StoreHealth): void {
    if (health.state === this.#health.state) return
    this.#health = health
    this.#options.onHealth?.(health)
    if (health.state === 'read-only') this.#later(PROBE_EVERY_MS, () => this.#probe())
  }

  /** Writes a little, so that a disk with space again is noticed also when nobody else writes. */
  #probe(): void {
    if (this.#health.state !== 'read-only') return
    this.apply('store', [{ change: 'put', key: 'probe', value: 'x'.repeat(4_096) }])
      .then(() => this.apply('store', [{ change: 'delete', key: 'probe' }]))
      .catch(() => this.#later(PROBE_EVERY_MS, () => this.#probe()))
  }

  #later(delay_ms: number, run: () => void): void {
    this.#wake?.()
    if (!this.#closing) this.#wake = this.#options.host.clock.after(delay_ms, run)
  }
}

function checkedChanges(collection: string, changes: readonly EntryChange[]): StoredChange[] {
  if (collection.length === 0 || collection.length > MAX_COLLECTION_CHARS) {
    throw new InvalidInputError(`A collection's name has 1 to ${MAX_COLLECTION_CHARS} characters`)
  }
  if (changes.length > MAX_CHANGES) {
    throw new InvalidInputError(`A transaction has at most ${MAX_CHANGES} changes`)
  }
  return changes.map((change) => {
    const { key } = change
    if (key.length === 0 || key.length > MAX_KEY_CHARS) {
      throw new InvalidInputError(`A key has 1 to ${MAX_KEY_CHARS} characters`)
    }
    if (change.change === 'delete') return { collection, key, value: undefined }
    const value = JSON.stringify(change.value)
    if (value === undefined || value.length > MAX_VALUE_CHARS) {
      throw new InvalidInputError(`A value is plain data of at most ${MAX_VALUE_CHARS} characters of JSON`)
    }
    return { collection, key, value }
  })
}

const entryFrom = ({ key, value }: StoredEntry): Entry => ({ key, value: JSON.parse(value) as unknown })

const errorFrom = ({ code, message, retryable, hint }: ErrorShape): LoqaError =>
  new LoqaError(code, message, { retryable, hint })
