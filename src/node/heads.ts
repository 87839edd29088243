/**
 * Heads of conversations (`voice/heads.ts`) of this node: written to the household's store as they are told of, at most one write of a
 * conversation at a time and the newest first, and those of all nodes at hand for who has to go on with one.
 */
import type { Followed, Runtime } from '../actors/index.ts'
import { type Cancel, type Clock, errorShape, type NodeId, type SessionId } from '../host/index.ts'
import type { Store } from '../store/index.ts'
import {
  type Carried,
  HEADS,
  type Head,
  headFrom,
  headKey,
  headOf,
  isLater,
  type SessionHead,
  type SessionPhase,
  sessionAddress,
} from '../voice/index.ts'
import { following } from './following.ts'

/** What lies there for longer is of a conversation nobody comes back to, and goes. */
const OLD_MS = 10 * 60_000
const SWEEP_MS = 60_000

export interface HeadsParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly store: Pick<Store, 'apply' | 'follow'>
  /** Under which claim it lives, and where; undefined: nobody knows. */
  readonly fenceOf: (address: string) => { readonly epoch: number; readonly node: NodeId | null } | undefined
  readonly log: (message: string, values: Readonly<Record<string, unknown>>) => void
}

export class Heads {
  readonly #parts: HeadsParts
  readonly #all = new Map<string, Head>()
  /** By conversation: what is to be written when the write under way is done; null: it ended. */
  readonly #next = new Map<string, Carried | null>()
  readonly #writing = new Set<string>()
  #sweep: Cancel = () => undefined
  readonly #ends: Cancel[] = []
  #closed = false

  constructor(parts: HeadsParts) {
    this.#parts = parts
  }

  connect(runtime: Pick<Runtime, 'subscribe'>): void {
    this.#ends.push(
      runtime.subscribe('session.head', (message) => {
        const { session, talk } = message as SessionHead
        this.#write(session, talk)
      }),
      runtime.subscribe('session.phase', (message) => {
        const { session, phase } = message as SessionPhase
        if (phase === 'ended') this.#write(session, null)
      }),
    )
    this.#ends.push(following(this.#parts, HEADS, (followed) => this.#hear(followed)))
    this.#sweepLater()
  }

  /** What another node, or a former life of this one, left of it. Undefined: nothing. */
  latest(session: SessionId): Head | undefined {
    let best: Head | undefined
    for (const head of this.#all.values()) {
      if (head.talk.session !== session) continue
      if (best === undefined || isLater(head, best)) best = head
    }
    return best
  }

  /** What is erased of a conversation is erased here too, whichever node wrote it. Errors: `store-*`. */
  async forget(which: { session: string } | { person: string } | { all: true }): Promise<void> {
    const keys = [...this.#all]
      .filter(([, { talk }]) =>
        'session' in which
          ? talk.session === which.session
          : 'person' in which
            ? talk.person === which.person
            : true,
      )
      .map(([key]) => key)
    for (let i = 0; i < keys.length; i += MOST_SWEPT) {
      await this.#parts.store.apply(
        HEADS,
        keys.slice(i, i + MOST_SWEPT).map((key) => ({ change: 'delete', key }) as const),
      )
    }
  }

  stop(): void {
    this.#closed = true
    this.#sweep()
    for (const end of this.#ends) end()
  }

  #hear({ whole, changes }: Followed): void {
    if (whole) this.#all.clear()
    for (const change of changes) {
      const head = change.change === 'put' ? headFrom(change.key, change.value) : undefined
      if (head === undefined) this.#all.delete(change.key)
      else this.#all.set(change.key, head)
    }
  }

  #write(session: SessionId, talk: Carried | null): void {
    // An older copy writes nothing any more.
    const fence = this.#parts.fenceOf(sessionAddress(session))
    if (fence !== undefined && fence.node !== null && fence.node !== this.#parts.self) return
    this.#next.set(session, talk)
    if (!this.#writing.has(session)) void this.#writeNext(session)
  }

  async #writeNext(session: SessionId): Promise<void> {
    const { self, clock, store, fenceOf, log } = this.#parts
    this.#writing.add(session)
    try {
      for (;;) {
        const talk = this.#next.get(session)
        if (talk === undefined || this.#closed) return
        this.#next.delete(session)
        const others = [...this.#all.keys()].filter((key) => headOf(key)?.session === session)
        const own = headKey(session, self)
        if (talk === null) {
          const gone = others.map((key) => ({ change: 'delete', key }) as const)
          for (const key of others) this.#all.delete(key)
          if (gone.length > 0) await store.apply(HEADS, gone)
          continue
        }
        const epoch = fenceOf(sessionAddress(session))?.epoch ?? 1
        const head: Head = { version: 1, node: self, epoch, at: clock.wall(), talk }
        const former = others.filter((key) => key !== own && isLater(head, this.#all.get(key)!))
        await store.apply(HEADS, [
          { change: 'put', key: own, value: head },
          ...former.map((key) => ({ change: 'delete', key }) as const),
        ])
      }
    } catch (thrown) {
      const { code, message } = errorShape(thrown)
      log('What another node would need to go on with a conversation could not be written', { code, message })
    } finally {
      this.#writing.delete(session)
    }
  }

  #sweepLater(): void {
    const { clock, store } = this.#parts
    this.#sweep = clock.after(SWEEP_MS, () => {
      const now = clock.wall()
      const old = [...this.#all].filter(([, { at }]) => now - at > OLD_MS).map(([key]) => key)
      if (old.length > 0) {
        store
          .apply(
            HEADS,
            old.slice(0, MOST_SWEPT).map((key) => ({ change: 'delete', key }) as const),
          )
          // The next time.
          .catch(() => undefined)
      }
      this.#sweepLater()
    })
  }
}

/** Of one transaction. */
const MOST_SWEPT = 256
