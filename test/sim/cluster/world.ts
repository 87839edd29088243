/**
 * A household of up to 1,000 nodes in virtual time, from a seed: the very machine of `src/cluster/membership`, messages with loss, delay,
 * reordering and duplicates, links that are cut one way or both, streams that open and close, nodes that sleep, crash and come back.
 * Membership must live with all of that although the real control stream loses and reorders nothing while it lasts.
 */
import {
  begin,
  decodeMembership,
  type MemberChange,
  type MembershipConfig,
  type MembershipEffect,
  type MembershipInput,
  type MembershipMessage,
  type MembershipState,
  membership,
  type Remembered,
} from '../../../src/cluster/index.ts'
import { type Cancel, monotonic, type NodeId, nodeId } from '../../../src/host/index.ts'
import { SimulatedClock, SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { Links } from './links.ts'

export interface Weather {
  /** Share of messages lost, 0 to 1. */
  loss: number
  /** Share of messages delivered twice. */
  duplicate: number
  /** Least delay one way, and the mean of what exponentially distributed waiting adds. */
  delay_ms: number
  jitter_ms: number
}

export const FAIR: Weather = { loss: 0, duplicate: 0, delay_ms: 0.3, jitter_ms: 0.4 }

export interface SimulatedNode {
  readonly index: number
  readonly id: NodeId
  /** Undefined while its process does not run. */
  state: MembershipState | undefined
  /** Lives so far; messages to an earlier life reach nobody. */
  life: number
  /** Its monotonic clock: start and speed beside true time. */
  readonly clock_offset_ms: number
  clock_speed: number
  /** Asleep: what arrives waits. */
  asleep: boolean
  readonly waiting: MembershipInput[]
  tick: Cancel | undefined
  /** Speaks the next version: adds fields and message types that others do not know. */
  ahead: boolean
  left: boolean
  /** Last true time at which something kept it from hearing, or others from hearing it: sleep, crash, a cut or a held link. */
  troubled_at: number
}

export interface Observer {
  /** After every step of every node; `before` is undefined for its first. */
  step?(node: SimulatedNode, before: MembershipState, input: MembershipInput, after: MembershipState): void
  change?(node: SimulatedNode, change: MemberChange): void
  effect?(node: SimulatedNode, effect: MembershipEffect): void
}

export interface WorldOptions {
  readonly seed: number
  readonly nodes: number
  readonly config: MembershipConfig
  readonly observer?: Observer
  /** Everybody has a stream to everybody and knows them from the start, instead of meeting. */
  readonly acquainted?: boolean
}

export class World {
  readonly clock = new SimulatedClock()
  readonly random: SimulatedRandom
  readonly config: MembershipConfig
  readonly nodes: SimulatedNode[]
  readonly links: Links
  readonly observer: Observer
  weather: Weather = { ...FAIR }
  /** No more faults: those that were to come, come no more. */
  calmed = false
  /** What happened how often: a test asserts that its knob did something. */
  readonly counts: Record<string, number> = {}
  /** Messages sent, by anyone. */
  sent = 0
  readonly #index = new Map<NodeId, number>()
  readonly #admitted = (id: NodeId): boolean => this.#index.has(id)

  constructor({ seed, nodes, config, observer = {}, acquainted = false }: WorldOptions) {
    this.random = new SimulatedRandom(seed)
    this.config = config
    this.observer = observer
    this.links = new Links(nodes)
    this.nodes = Array.from({ length: nodes }, (_, index) => this.#build(index))
    if (acquainted) this.#acquaint()
    else for (const node of this.nodes) this.start(node)
    this.#dial()
  }

  get now(): number {
    return this.clock.monotonic()
  }

  count(what: string, add = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + add
  }

  nodeOf(id: NodeId): SimulatedNode | undefined {
    const index = this.#index.get(id)
    return index === undefined ? undefined : this.nodes[index]
  }

  isUp = (node: SimulatedNode): boolean => node.state !== undefined

  /** Begins a life of this node, remembering those. */
  start(node: SimulatedNode, known: readonly Remembered[] = [], boot = this.random.uint32()): void {
    node.life += 1
    node.left = false
    const { state, effects } = begin({
      id: node.id,
      boot,
      now: this.#localTime(node),
      entropy: this.random.uint32(),
      config: this.config,
      known,
    })
    node.state = state
    this.#perform(node, effects)
  }

  /** Ends the process at once. Peers see their streams close, those that can be reached. */
  crash(node: SimulatedNode): void {
    if (node.state === undefined) return
    node.state = undefined
    node.tick?.()
    node.waiting.length = 0
    node.asleep = false
    node.troubled_at = this.now
    this.count('crashes')
    for (const peer of this.nodes) {
      const session = this.links.session(peer.index, node.index)
      this.links.close(node.index, peer.index)
      if (session === 0 || peer === node) continue
      if (this.links.isCut(node.index, peer.index)) continue
      this.clock.after(9 + this.random.float() * 7, () => {
        if (this.links.session(peer.index, node.index) !== session) return
        this.links.close(peer.index, node.index)
        this.give(peer, { type: 'stream-closed', peer: node.id })
      })
    }
  }

  sleep(node: SimulatedNode, for_ms: number): void {
    if (node.state === undefined || node.asleep) return
    node.asleep = true
    const { life } = node
    this.count('sleeps')
    this.clock.after(for_ms, () => {
      if (node.life === life) this.wake(node)
    })
  }

  /** What waited is dealt with in drawn order of tick and messages, as an event loop may. */
  wake(node: SimulatedNode): void {
    if (!node.asleep) return
    node.asleep = false
    node.troubled_at = this.now
    const waiting = node.waiting.splice(0)
    const ticks = waiting.filter(({ type }) => type === 'tick')
    const rest = waiting.filter(({ type }) => type !== 'tick')
    for (const input of this.random.below(2) === 0 ? [...ticks, ...rest] : [...rest, ...ticks]) {
      this.give(node, input)
    }
  }

  leave(node: SimulatedNode): void {
    if (node.state === undefined || node.asleep) return
    this.give(node, { type: 'leave' })
    node.left = true
    this.count('leaves')
    this.clock.after(300, () => this.crash(node))
  }

  /** Hands an input to a node's machine and carries out what comes of it. */
  give(node: SimulatedNode, input: MembershipInput): void {
    const before = node.state
    if (before === undefined) return
    if (node.asleep) {
      if (node.waiting.length < 5_000) node.waiting.push(input)
      return
    }
    const { state, effects } = membership(before, input, {
      now: this.#localTime(node),
      entropy: this.random.uint32(),
      config: this.config,
      admitted: this.#admitted,
    })
    node.state = state
    this.observer.step?.(node, before, input, state)
    this.#perform(node, effects)
  }

  #build(index: number): SimulatedNode {
    const id = nodeId(`n${index.toString().padStart(3, '0')}`)
    this.#index.set(id, index)
    return {
      index,
      id,
      state: undefined,
      life: 0,
      clock_offset_ms: this.random.float() * 1e9,
      clock_speed: 1,
      asleep: false,
      waiting: [],
      tick: undefined,
      ahead: false,
      left: false,
      troubled_at: Number.NEGATIVE_INFINITY,
    }
  }

  #localTime(node: SimulatedNode) {
    return monotonic(node.clock_offset_ms + this.now * node.clock_speed)
  }

  #perform(node: SimulatedNode, effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.send(node, this.nodeOf(effect.to)!, effect.message)
      else if (effect.type === 'schedule') this.#schedule(node, effect.delay_ms)
      else if (effect.type === 'publish') this.observer.change?.(node, effect.change)
      this.observer.effect?.(node, effect)
    }
  }

  #schedule(node: SimulatedNode, delay_ms: number): void {
    node.tick?.()
    node.tick = this.clock.after(delay_ms / node.clock_speed, () => this.give(node, { type: 'tick' }))
  }

  send(from: SimulatedNode, to: SimulatedNode, message: MembershipMessage): void {
    this.sent += 1
    const { links, weather, random } = this
    const session = links.session(from.index, to.index)
    if (session === 0) return
    if (weather.loss > 0 && random.float() < weather.loss) {
      this.count('lost')
      return
    }
    this.#carry(from, to, session, message, this.#delay())
    if (weather.duplicate > 0 && random.float() < weather.duplicate) {
      this.count('duplicated')
      this.#carry(from, to, session, message, this.#delay() + random.float() * 2_000)
    }
  }

  #delay(): number {
    const { delay_ms, jitter_ms } = this.weather
    return delay_ms - Math.log(1 - this.random.float()) * jitter_ms
  }

  #carry(
    from: SimulatedNode,
    to: SimulatedNode,
    session: number,
    message: MembershipMessage,
    delay_ms: number,
  ): void {
    const held_ms = this.links.heldFor(from.index, to.index, this.now)
    if (held_ms > 0) this.count('held')
    this.clock.after(held_ms + delay_ms, () => {
      // What is in flight when a link is cut is lost with it, and what belongs to a stream that is gone.
      if (this.links.isCut(from.index, to.index)) this.count('cut')
      else if (this.links.session(to.index, from.index) === session) this.#arrive(from, to, message)
    })
  }

  #arrive(from: SimulatedNode, to: SimulatedNode, message: MembershipMessage): void {
    if (!from.ahead) {
      this.give(to, { type: 'message', from: from.id, message })
      return
    }
    this.count('of the next version')
    this.arriveRaw(from, to, {
      ...message,
      mood: 'cheerful',
      ...('news' in message ? { news: message.news.map((entry) => ({ ...entry, colour: 7 })) } : {}),
    })
    if (this.random.below(8) === 0) this.arriveRaw(from, to, { type: 'weather', sky: 'blue' })
  }

  /** A value as it comes off the wire. */
  arriveRaw(from: SimulatedNode, to: SimulatedNode, value: unknown): void {
    const decoded = decodeMembership(value)
    if (decoded.ok) this.give(to, { type: 'message', from: from.id, message: decoded.message })
    else this.count(`refused: ${decoded.why}`)
  }

  /** Both sides dial whoever they have no stream to, for ever, as soon as the way is free. */
  #dial(): void {
    this.clock.after(500, () => {
      this.#dial()
      if (this.links.allOpen()) return
      for (const a of this.nodes) {
        for (const b of this.nodes) {
          if (a.index < b.index && this.#canConnect(a, b) && this.random.below(2) === 0) this.connect(a, b)
        }
      }
    })
  }

  #canConnect(a: SimulatedNode, b: SimulatedNode): boolean {
    const { links } = this
    if (links.isConnected(a.index, b.index)) return false
    if (a.state === undefined || b.state === undefined || a.asleep || b.asleep || a.left || b.left)
      return false
    return !links.isCut(a.index, b.index) && !links.isCut(b.index, a.index)
  }

  connect(a: SimulatedNode, b: SimulatedNode): void {
    this.links.connect(a.index, b.index)
    this.give(a, { type: 'stream-opened', peer: b.id })
    this.give(b, { type: 'stream-opened', peer: a.id })
  }

  #acquaint(): void {
    const known = this.nodes.map(({ id }) => ({ id, life: { boot: this.random.uint32(), incarnation: 0 } }))
    for (const node of this.nodes) this.start(node, known, known[node.index]!.life.boot)
    for (const a of this.nodes) {
      for (const b of this.nodes) if (a.index < b.index) this.links.connect(a.index, b.index)
    }
  }
}
