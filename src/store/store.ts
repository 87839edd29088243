/**
 * The store as the rest of the node sees it: collections of entries, written in transactions that are durable when they are
 * acknowledged, and that every other node of the household hears of. The files are opened, read and written in a thread of their own, so
 * that a slow disk never holds up a conversation.
 */
import type { Entry, EntryChange } from '../actors/index.ts'
import { type Cancel, type ErrorShape, type Host, LoqaError, type NodeId } from '../host/index.ts'
import type { Replica, Writer } from './crdt/index.ts'
import { entriesFrom, listOf, statementsOf, those } from './entries.ts'
import { StoreClosed } from './errors.ts'
import { type Follower, Followers } from './followers.ts'
import { openHousehold } from './opening.ts'
import { Replication, type ReplicationPorts, type ReplicationView } from './replication.ts'
import type { LogExtent } from './sync/log.ts'

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
  /** All of a collection, then what changes of it. Returns how to stop. */
  follow(collection: string, follower: Follower): Cancel
  health(): StoreHealth
  /** Finishes what was asked for, then closes the files. */
  close(): Promise<void>
}

/** The store's side of the links to other nodes. */
export interface StoreLinks {
  linked(peer: NodeId): void
  unlinked(peer: NodeId): void
  frame(peer: NodeId, frame: Uint8Array): void
  /** Who is or was of the household, when it changed: what others wrote is not believed. */
  believe(members: readonly NodeId[]): void
}

export interface HouseholdStore extends Store {
  readonly links: StoreLinks
  replication(): ReplicationView | undefined
  /** Hex; the same on nodes that have exchanged everything. Reads everything. */
  digest(): Promise<{ readonly digest: string; readonly rows: number }>
  /** A sealed copy of what is durable now; `path` must be free. */
  backup(path: string): Promise<void>
}

export interface StoreOptions {
  readonly host: Pick<Host, 'clock' | 'disk' | 'random'>
  /** Owned by this process (`ownDirectory`). */
  readonly directory: string
  /** 32 bytes (`Keys.for('replica')`). */
  readonly key: Uint8Array
  readonly writer: Writer
  /** Over the bulk stream of the link to that node; best effort. */
  readonly send?: (to: NodeId, frame: Uint8Array) => void
  /** A copy to go back to first. */
  readonly restore?: string | undefined
  /** How tests break the thread. */
  readonly thread?: URL
  /** Told whenever `health` changes: for the log. */
  readonly onHealth?: (health: StoreHealth) => void
  /** How long it took from hearing that another node has changes until all of them were here. */
  readonly onCaughtUp?: (ms: number) => void
  /** What a person should know. */
  readonly onNotice?: (message: string, values: Readonly<Record<string, unknown>>) => void
}

/** Errors: `store-key-wrong`, `store-too-new`, `store-full`, `store-io`, `data-directory-busy`. */
export async function openStore(options: StoreOptions): Promise<HouseholdStore> {
  const store = new ReplicatedStore(options)
  await store.open()
  return store
}

class ReplicatedStore implements HouseholdStore {
  readonly #options: StoreOptions
  readonly #followers = new Followers()
  readonly #linked = new Set<NodeId>()
  #members: ReadonlySet<NodeId> = new Set()
  #replica: Replica | undefined
  #replication: Replication | undefined
  #health: StoreHealth = { state: 'ok' }
  #opened = false
  #closing = false
  #wake: Cancel | undefined

  constructor(options: StoreOptions) {
    this.#options = options
    this.#members = new Set([options.writer.node])
  }

  async open(): Promise<void> {
    const { host, directory, key, writer, thread, restore, onNotice } = this.#options
    /** What was taken over while it opened was written already. */
    let own: LogExtent | undefined
    const replica = await openHousehold({
      ...{ host, directory, key, writer },
      // A thread that is replaced goes on from where it was.
      restore: this.#opened ? undefined : restore,
      ...(thread === undefined ? {} : { thread }),
      onLost: () => this.#lost(),
      onOwnLog: (extent) => {
        own = extent
        this.#replication?.ownLog(extent)
      },
      notice: (message, values) => onNotice?.(message, values),
    })
    await replica.watch('entries', (rows) => this.#followers.changed(rows, replica))
    await replica.believe([...this.#members])
    this.#replica = replica
    this.#opened = true
    this.#replication = new Replication(replica, this.#replicationPorts())
    if (own !== undefined) this.#replication.ownLog(own)
    for (const peer of this.#linked) this.#replication.linked(peer)
  }

  #replicationPorts(): ReplicationPorts {
    const { host, send, onCaughtUp, onNotice } = this.#options
    return {
      clock: host.clock,
      random: host.random,
      send: (to, frame) => send?.(to, frame),
      caughtUp: (ms) => onCaughtUp?.(ms),
      isMember: (node) => this.#members.has(node),
      fault: (node, fault, origin) =>
        onNotice?.('A node does not keep to the rules of replication', { node, fault, log: origin }),
      outlived: () =>
        onNotice?.(
          'This data directory is an older copy of what the node wrote; it goes on as a new writer',
          {},
        ),
    }
  }

  readonly links: StoreLinks = {
    linked: (peer) => {
      this.#linked.add(peer)
      this.#replication?.linked(peer)
    },
    unlinked: (peer) => {
      this.#linked.delete(peer)
      this.#replication?.unlinked(peer)
    },
    frame: (peer, frame) => this.#replication?.frame(peer, frame),
    believe: (members) => {
      this.#members = new Set([...members, this.#options.writer.node])
      // A thread that is gone is told when it is back.
      this.#replica?.believe([...this.#members]).catch(() => undefined)
    },
  }

  replication(): ReplicationView | undefined {
    return this.#replication?.view()
  }

  async list(collection: string, prefix = ''): Promise<readonly Entry[]> {
    return entriesFrom(await this.#open.read(listOf(collection, prefix)))
  }

  async get(collection: string, key: string): Promise<Entry | null> {
    return entriesFrom(await this.#open.read(those(collection, [key])))[0] ?? null
  }

  async apply(collection: string, changes: readonly EntryChange[]): Promise<void> {
    const statements = statementsOf(collection, changes)
    if (statements.length === 0) return
    try {
      await this.#open.write(statements)
      this.#become({ state: 'ok' })
    } catch (thrown) {
      if (thrown instanceof LoqaError && (thrown.code === 'store-full' || thrown.code === 'store-io')) {
        this.#become({ state: 'read-only', error: thrown.toJSON() })
      }
      throw thrown
    }
  }

  follow(collection: string, follower: Follower): Cancel {
    if (this.#replica === undefined) {
      follower.failed(new StoreClosed())
      return () => undefined
    }
    return this.#followers.add(collection, follower, this.#replica)
  }

  async digest(): Promise<{ readonly digest: string; readonly rows: number }> {
    const { digest, rows } = await this.#open.digest()
    return { digest, rows }
  }

  async backup(path: string): Promise<void> {
    await this.#open.backup(path)
  }

  health(): StoreHealth {
    return this.#health
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#wake?.()
    this.#replication?.end()
    await this.#replica?.close()
  }

  /** Errors: `store-closed`. */
  get #open(): Replica {
    if (this.#closing || this.#replica === undefined) throw new StoreClosed()
    return this.#replica
  }

  /** The thread is gone. Whether what it was doing became durable nobody knows: it is reported as failed. */
  #lost(): void {
    this.#replica = undefined
    this.#replication?.end()
    this.#replication = undefined
    const error = new StoreClosed()
    this.#followers.fail(error)
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
    if (this.#health.state !== 'read-only' || this.#replica === undefined) return
    const write = [
      { sql: 'INSERT INTO probe VALUES (?)', parameters: [new Uint8Array(4_096)] },
      { sql: 'DELETE FROM probe' },
    ]
    this.#replica.write(write).then(
      () => this.#become({ state: 'ok' }),
      () => this.#later(PROBE_EVERY_MS, () => this.#probe()),
    )
  }

  #later(delay_ms: number, run: () => void): void {
    this.#wake?.()
    if (!this.#closing) this.#wake = this.#options.host.clock.after(delay_ms, run)
  }
}
