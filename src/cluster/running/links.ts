/**
 * The links this node has, driven by the decisions of `peers.ts`: greetings out and in, control frames to and from admitted peers.
 * A peer that does not greet in time, speaks before it was admitted, or takes no control messages any more loses its link.
 */
import type { Cancel, Clock, LoqaError, NodeId, Random } from '../../host/index.ts'
import type { Link, StreamClass } from '../transport/mesh.ts'
import { GREETING_MS, MAX_EARLY_BYTES } from './bounds.ts'
import { type ControlMessage, decodeControl, encodeControl, type Hello } from './messages.ts'
import { noPeers, type PeersEffect, type PeersInput, type PeersState, peers } from './peers.ts'

/** What a greeting says beside what the links' machine puts in. */
export type OwnHello = Omit<Hello, 'link' | 'at' | 'holding'>

/** A refused greeting: the error, and what to say before the link closes. */
export interface Refusal {
  readonly error: LoqaError
  readonly before: readonly ControlMessage[]
}

export interface LinksOptions {
  readonly self: NodeId
  readonly clock: Clock
  readonly random: Random
  /** Undefined: this node has nothing to show, and greets nobody. */
  readonly hello: () => OwnHello | undefined
  /** Whether the peer may stay. */
  readonly judge: (link: Link, hello: Hello) => Refusal | undefined
  readonly up: (link: Link, hello: Hello) => void
  /** Another link to a peer that stays up. */
  readonly moved: (link: Link) => void
  readonly down: (peer: NodeId, why: string) => void
  readonly heard: (peer: NodeId, message: ControlMessage) => void
  /** Somebody takes frames of the other classes; until then they are kept. */
  readonly listening: () => boolean
  /** A frame of the other classes, over the link in use. */
  readonly frame: (peer: NodeId, streamClass: StreamClass, frame: Uint8Array) => void
  readonly drained: (peer: NodeId, streamClass: StreamClass) => void
  /** The peer would not have this node, or this node not the peer. */
  readonly refused: (peer: NodeId, code: string, message: string, by: 'us' | 'them') => void
  readonly counted: (what: string) => void
}

interface Held {
  readonly link: Link
  readonly key: number
  hello: Hello | undefined
  greeting: Cancel
  closed: boolean
  /** Frames of a link the other side uses already and this side not yet; heard once it does. */
  readonly early: { readonly streamClass: StreamClass; readonly frame: Uint8Array }[]
  early_bytes: number
}

export class Links {
  readonly #options: LinksOptions
  #state: PeersState
  readonly #held = new Map<number, Held>()
  #keys = 0
  #why = new Map<NodeId, string>()

  constructor(options: LinksOptions) {
    this.#options = options
    this.#state = noPeers(options.self)
  }

  /** Peers that are up. */
  peers(): readonly NodeId[] {
    return [...this.#state.using.keys()]
  }

  linkTo(peer: NodeId): Link | undefined {
    return this.#using(peer)?.link
  }

  helloOf(peer: NodeId): Hello | undefined {
    return this.#using(peer)?.hello
  }

  open(link: Link): void {
    this.#keys += 1
    const key = this.#keys
    const { clock, random } = this.#options
    const late = (): void => this.#abort(key, 'it did not greet in time')
    const held: Held = {
      link,
      key,
      hello: undefined,
      greeting: clock.after(GREETING_MS, late),
      closed: false,
      early: [],
      early_bytes: 0,
    }
    this.#held.set(key, held)
    link.onFrame((streamClass, frame) => this.#frame(held, streamClass, frame))
    link.onDrain((streamClass) => {
      if (this.#using(link.peer) === held) this.#options.drained(link.peer, streamClass)
    })
    link.onClose((why) => this.#closed(held, why))
    const { peer, dialled } = link
    const drawn = dialled ? { id: random.uint32() } : {}
    this.#do({ type: 'opened', key, peer, dialled, ...drawn })
  }

  /** False when there is no link; a peer that takes no more control messages loses its link. */
  send(peer: NodeId, message: ControlMessage): boolean {
    const held = this.#using(peer)
    return held !== undefined && this.#say(held, message)
  }

  /** Ends every link to a peer: after what was said to it when `gently`. */
  part(peer: NodeId, why: string, gently: boolean): void {
    this.#why.set(peer, why)
    this.#do({ type: 'part', peer, why, gently })
  }

  partAll(why: string): void {
    for (const peer of new Set([...this.#state.links.values()].map((link) => link.peer))) {
      this.part(peer, why, true)
    }
  }

  #using(peer: NodeId): Held | undefined {
    const used = this.#state.using.get(peer)
    return used === undefined ? undefined : this.#held.get(used.key)
  }

  #say(held: Held, message: ControlMessage): boolean {
    if (held.closed) return false
    if (held.link.send('control', encodeControl(this.#options.self, message))) return true
    this.#options.counted('control_stuck')
    this.#abort(held.key, 'it takes no control messages')
    return false
  }

  #frame(held: Held, streamClass: StreamClass, frame: Uint8Array): void {
    if (held.closed) return
    if (streamClass !== 'control') {
      if (held.hello === undefined) this.#abort(held.key, 'it spoke before it was greeted')
      else if (this.#using(held.link.peer) === held && this.#options.listening())
        this.#options.frame(held.link.peer, streamClass, frame)
      else this.#keepEarly(held, streamClass, frame)
      return
    }
    const decoded = decodeControl(frame)
    if (!decoded.ok) {
      this.#options.counted(decoded.why)
      // A later version may say more than we understand; what is no message at all is an error of the other side.
      if (decoded.why === 'malformed') this.#abort(held.key, 'it sent what is no message')
      return
    }
    this.#heard(held, decoded.message)
  }

  #keepEarly(held: Held, streamClass: StreamClass, frame: Uint8Array): void {
    held.early_bytes += frame.length
    if (held.early_bytes > MAX_EARLY_BYTES) this.#abort(held.key, 'it sent too much over a link not in use')
    else held.early.push({ streamClass, frame })
  }

  /** Somebody listens from now on. */
  hearEarly(): void {
    for (const { key } of this.#state.using.values()) {
      const held = this.#held.get(key)
      if (held !== undefined) this.#hearEarly(held)
    }
  }

  #hearEarly({ link, early }: Held): void {
    if (!this.#options.listening()) return
    for (const { streamClass, frame } of early.splice(0)) this.#options.frame(link.peer, streamClass, frame)
  }

  #heard(held: Held, message: ControlMessage): void {
    const { peer } = held.link
    if (message.type === 'refused') {
      this.#options.refused(peer, message.code, message.message, 'them')
      this.#abort(held.key, `it refused: ${message.message}`)
    } else if (message.type === 'life') this.#options.heard(peer, message)
    else if (message.type === 'hello') this.#greeted(held, message)
    else if (held.hello === undefined) this.#abort(held.key, 'it spoke before it was greeted')
    else if (message.type === 'accepted') this.#do({ type: 'accepted', key: held.key, at: message.at })
    else this.#options.heard(peer, message)
  }

  #greeted(held: Held, hello: Hello): void {
    const refusal = this.#options.judge(held.link, hello)
    if (refusal !== undefined) {
      const { code, message } = refusal.error
      for (const word of refusal.before) this.#say(held, word)
      this.#say(held, { type: 'refused', code, message: message.slice(0, 300) })
      this.#options.refused(held.link.peer, code, message, 'us')
      this.#end(held, `refused: ${message}`, true)
      this.#do({ type: 'closed', key: held.key })
      return
    }
    held.greeting()
    held.hello = hello
    const { link, at, holding, boot } = hello
    this.#do({ type: 'admitted', key: held.key, link, at, holding, boot })
  }

  #closed(held: Held, why: string): void {
    held.greeting()
    this.#held.delete(held.key)
    if (held.closed) return
    held.closed = true
    this.#why.set(held.link.peer, why)
    this.#do({ type: 'closed', key: held.key })
  }

  #abort(key: number, why: string): void {
    const held = this.#held.get(key)
    if (held === undefined || held.closed) return
    this.#why.set(held.link.peer, why)
    this.#end(held, why, false)
    this.#do({ type: 'closed', key })
  }

  #end(held: Held, why: string, gently: boolean): void {
    if (held.closed) return
    held.closed = true
    held.greeting()
    this.#held.delete(held.key)
    if (gently) held.link.close()
    else held.link.abort(why)
  }

  #do(input: PeersInput): void {
    const { state, effects } = peers(this.#state, input)
    this.#state = state
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: PeersEffect): void {
    if (effect.type === 'down') {
      this.#options.down(effect.peer, this.#why.get(effect.peer) ?? 'the link ended')
      this.#why.delete(effect.peer)
      return
    }
    const held = this.#held.get(effect.key)
    if (held === undefined) return
    switch (effect.type) {
      case 'greet': {
        const { link, at, holding } = effect
        const own = this.#options.hello()
        if (own === undefined) this.#abort(held.key, 'this node was removed from its household')
        else this.#say(held, { type: 'hello', ...own, link, at, holding: [...holding] })
        break
      }
      case 'accept':
        this.#say(held, { type: 'accepted', at: effect.at })
        break
      case 'close':
        this.#end(held, effect.why, effect.gently)
        break
      case 'up':
        if (held.hello !== undefined) this.#options.up(held.link, held.hello)
        this.#hearEarly(held)
        break
      default:
        this.#options.moved(held.link)
        this.#hearEarly(held)
    }
  }
}
