/**
 * What this node and its peers owe each other: asks and watches in both directions, by peer. A data structure: it sends nothing
 * and tells nobody; whoever holds it does, with what it returns.
 *
 * B1  An ask is answered by the peer that was asked, or by nobody. B2  When a link is lost, all asks to and from that peer are
 * over. B3  A watch outlives the link, and ends with the life of the node it is about: the verdict, another boot number, or a
 * `gone` from there. B4  What a peer may have here is bounded.
 */
import { keyOf, type Target } from '../../actors/index.ts'
import type { NodeId } from '../../host/index.ts'
import { MAX_PEER_ASKS, MAX_PEER_WATCHES } from './bounds.ts'

type Off = () => void

export interface Watched {
  readonly target: Target
  /** The life of the node in which it was asked for; undefined before that node said hello. */
  boot: number | undefined
}

export class PeerBook {
  readonly node: NodeId
  /** Its present or last life. */
  boot: number | undefined = undefined
  /** Asks of this node, by id: whom. */
  readonly asked = new Map<number, Target>()
  /** What actors of this node watch there. */
  readonly watching = new Map<string, Watched>()
  /** Its asks under way here, by its id: how to give them up. */
  readonly #answering = new Map<number, Off>()
  /** What it watches here: how to call it off. */
  readonly #watchedBy = new Map<string, Off>()

  constructor(node: NodeId) {
    this.node = node
  }

  /** Ends the ask of that id; whom it was for, undefined when it is over already. */
  ended(id: number): Target | undefined {
    const target = this.asked.get(id)
    this.asked.delete(id)
    return target
  }

  /** The peer said which life it is in. Watches that ended with the life before. */
  hello(boot: number): readonly Target[] {
    this.boot = boot
    const over: Target[] = []
    for (const [key, watched] of this.watching) {
      if (watched.boot === undefined) watched.boot = boot
      else if (watched.boot !== boot) {
        over.push(watched.target)
        this.watching.delete(key)
      }
    }
    return over
  }

  /** `asked_for`: in its present life; otherwise at its next hello. */
  watch(target: Target, asked_for: boolean): void {
    this.watching.set(keyOf(target), { target, boot: asked_for ? this.boot : undefined })
  }

  /** Whether it was watched. */
  unwatch(target: Target): boolean {
    return this.watching.delete(keyOf(target))
  }

  /** Whether one more ask of the peer may begin here. */
  get mayAsk(): boolean {
    return this.#answering.size < MAX_PEER_ASKS
  }

  /** One of its asks began. The same id stands for the newer one. */
  answering(id: number, giveUp: Off): void {
    this.#answering.get(id)?.()
    this.#answering.set(id, giveUp)
  }

  answered(id: number): void {
    this.#answering.delete(id)
  }

  /** It does not wait for that one any more. */
  givenUp(id: number): void {
    const off = this.#answering.get(id)
    this.#answering.delete(id)
    off?.()
  }

  get mayWatch(): boolean {
    return this.#watchedBy.size < MAX_PEER_WATCHES
  }

  isWatchedBy(target: Target): boolean {
    return this.#watchedBy.has(keyOf(target))
  }

  watchedBy(target: Target, off: Off): void {
    this.#watchedBy.set(keyOf(target), off)
  }

  unwatchedBy(target: Target): void {
    const off = this.#watchedBy.get(keyOf(target))
    this.#watchedBy.delete(keyOf(target))
    off?.()
  }

  /** The link is lost: asks of this node that failed with it. What the peer had under way here is given up. */
  lost(): readonly (readonly [id: number, target: Target])[] {
    const failed = [...this.asked]
    this.asked.clear()
    const offs = [...this.#answering.values(), ...this.#watchedBy.values()]
    this.#answering.clear()
    this.#watchedBy.clear()
    for (const off of offs) off()
    return failed
  }

  /** Its node is gone: watches that end with it. */
  gone(): readonly Target[] {
    const over = [...this.watching.values()].map(({ target }) => target)
    this.watching.clear()
    return over
  }

  get answeringCount(): number {
    return this.#answering.size
  }
}
