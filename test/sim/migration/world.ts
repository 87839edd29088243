/**
 * A household in which one actor lives and moves, in virtual time: real movers, routes and maps of placements, and around them what the
 * runtime, the links, membership and the placer would do, in the plainest way. Every node has a sender that counts aloud to the actor.
 *
 * Words of a move may be lost, come twice and overtake each other. What is told travels in order on a link, and is lost with it.
 */
import { addressOf, type Message, placedAddress } from '../../../src/actors/index.ts'
import {
  type Bundle,
  decodeMove,
  encodeMove,
  type Fence,
  type MoveMessage,
  type MoverContext,
  type MoverEffect,
  type MoverInput,
  type MoverState,
  mover,
  moverDue,
  moves,
  noMoves,
  noRoutes,
  outranks,
  type Parcel,
  type Routes,
  readSnapshot,
  relinked,
  route,
} from '../../../src/cluster/migration/index.ts'
import { merge, NO_PLACEMENTS, type Placements } from '../../../src/cluster/placement/placements.ts'
import { type NodeId, nodeId } from '../../../src/host/index.ts'
import { SimulatedClock, SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { Links } from '../cluster/links.ts'

export const ADDRESS = placedAddress('session', 'one')
/** Membership's verdict, and how long the placer leaves an orphan to others (`placement/orphans.ts`, `copies.ts`). */
export const VERDICT_MS = 4_000
const GRACE_MS = 2_000
const CONTESTED_MS = 6_000
const TICK_MS = 250

/** What the actor remembers: how many it handled, and the last number of each sender. */
export interface State {
  readonly handled: number
  readonly last: Readonly<Record<string, number>>
  /** One start from nothing and all that moved on from it. */
  readonly line: number
}
const NEW: State = { handled: 0, last: {}, line: 0 }

export interface Copy {
  fence: Fence
  /** Its epoch is the placer's, as of one started anew: in a partition another node may have given the same. */
  claimed_again: boolean
  readonly born: 'first' | 'moved' | 'anew'
  state: State
  mailbox: Parcel[]
  frozen: boolean
  /** As it was when it froze. */
  before: { readonly state: State; readonly mailbox: readonly Parcel[]; readonly epoch: number } | undefined
  busy: boolean
  /** What it set for itself, by name: when. */
  readonly times: Map<string, number>
}

export interface SimulatedNode {
  readonly index: number
  readonly id: NodeId
  life: number
  up: boolean
  mover: MoverState
  map: Placements
  routes: Routes
  copy: Copy | undefined
  inherited: Bundle | undefined
  said: number
  /** Verdict on others: since when. */
  readonly dead: Map<number, number>
  readonly lives: number[]
  contested_at: number | undefined
  readonly version: number
}

export type Fate = 'fine' | 'lose' | 'twice' | { readonly late_ms: number }
export type Lost = 'died' | 'link' | 'doubt' | 'void' | 'buried' | 'overflow' | 'nobody'

export interface WorldOptions {
  readonly seed: number
  readonly nodes: number
  /** Of words of moves, numbered in order of saying. */
  readonly fate?: (number: number, message: MoveMessage) => Fate
  /** Right before and after a word is heard. */
  readonly around?: (when: 'before' | 'after', number: number) => void
  /** What one message takes. Default 1. */
  readonly handling_ms?: number
  /** Of the actor's state, as each node understands it. Default 2. */
  readonly versions?: readonly number[]
  readonly state_bytes?: number
}

export class World {
  readonly clock = new SimulatedClock()
  readonly random: SimulatedRandom
  readonly links: Links
  readonly nodes: readonly SimulatedNode[]
  readonly counts: Record<string, number> = {}
  readonly outcomes: string[] = []
  readonly weather = { loss: 0, duplicate: 0, delay_ms: 1, jitter_ms: 0 }
  /** By number: how often it was handled, by which copies; why it reached nobody. */
  readonly handled = new Map<string, Copy[]>()
  readonly lost = new Map<string, Set<Lost>>()
  readonly sent: string[] = []
  readonly problems: string[] = []
  calmed = false
  words = 0
  readonly options: WorldOptions
  readonly #inOrder: Float64Array
  /** Cuts and lives a told message was sent under. */
  readonly #cutCount: Int32Array
  #lines = 0
  readonly #wakes = new Map<number, () => void>()

  constructor(options: WorldOptions) {
    this.options = options
    this.random = new SimulatedRandom(options.seed)
    this.links = new Links(options.nodes)
    this.#inOrder = new Float64Array(options.nodes ** 2)
    this.#cutCount = new Int32Array(options.nodes ** 2)
    this.nodes = Array.from({ length: options.nodes }, (_, index) => ({
      ...{ index, id: nodeId(`n${index}`), life: 1, up: true, mover: noMoves(nodeId(`n${index}`)) },
      ...{ map: NO_PLACEMENTS, routes: noRoutes(0), copy: undefined, inherited: undefined, said: 0 },
      ...{ dead: new Map(), lives: Array<number>(options.nodes).fill(1), contested_at: undefined },
      version: options.versions?.[index] ?? 2,
    }))
    const [first] = this.nodes
    first!.copy = copyAt({ epoch: 1, node: first!.id }, 'first', NEW)
    first!.copy.times.set('kept', 60_000)
    for (const node of this.nodes) this.#merge(node, [{ address: ADDRESS, node: first!.id, epoch: 1 }])
    this.#tick()
  }

  get now(): number {
    return this.clock.monotonic()
  }

  count(what: string, times = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + times
  }

  /** The sender of a node says its next number. */
  tell(node: SimulatedNode): void {
    if (!node.up) return
    node.said += 1
    // Another life of a node is another sender.
    const name = `${node.id}.${node.life}:${node.said}`
    const owner = this.#claimOf(node)
    if (owner === undefined) return
    this.sent.push(name)
    const parcel: Parcel = {
      ...{ lane: 'data', sender: { address: addressOf(placedAddress('sender', node.id)), incarnation: 1 } },
      ...{ ask: null, message: { type: 'count', name } as Message },
    }
    const routed = route(node.routes, ADDRESS, owner, this.now)
    node.routes = routed.routes
    for (const { to, message } of routed.said) this.#sayInOrder(node, this.byId(to), message)
    const to = this.byId(owner.node)
    this.#inOrderTo(node, to, () => this.#arrive(to, node.id, parcel), [name])
  }

  #sayInOrder(from: SimulatedNode, to: SimulatedNode, message: MoveMessage): void {
    this.#inOrderTo(from, to, () => this.#feed(to, { type: 'heard', from: from.id, message }), [])
  }

  move(from: SimulatedNode, to: SimulatedNode): void {
    if (!from.up) return
    this.count('moves')
    this.#feed(from, { type: 'move', address: ADDRESS, kind: 'session', to: to.id })
  }

  cancel(node: SimulatedNode): void {
    if (node.up) this.#feed(node, { type: 'cancel', address: ADDRESS })
  }

  crash(node: SimulatedNode): void {
    if (!node.up) return
    this.count('crashes')
    node.up = false
    for (const name of this.#namesOn(node)) this.#lose(name, 'died')
    node.copy = undefined
    node.inherited = undefined
    node.mover = noMoves(node.id)
    this.#wakes.get(node.index)?.()
  }

  start(node: SimulatedNode): void {
    if (node.up) return
    this.count('restarts')
    node.up = true
    node.life += 1
    node.map = NO_PLACEMENTS
    node.routes = noRoutes(node.life * 1_000_000)
    node.dead.clear()
    node.contested_at = undefined
    for (const other of this.nodes) node.lives[other.index] = other.life
    for (const other of this.nodes) if (other.up && other !== node) this.#gossip(other, node)
  }

  cut(a: SimulatedNode, b: SimulatedNode): void {
    this.links.cut(a.index, b.index)
    // A link is lost as a whole, with all that is on it.
    for (const pair of [this.#pair(a, b), this.#pair(b, a)]) this.#cutCount[pair]! += 1
  }

  mend(a: SimulatedNode, b: SimulatedNode): void {
    this.links.mend(a.index, b.index)
    if (!this.isCut(a, b)) this.#relink(a, b)
  }

  /** First on the new link, in both directions. */
  #relink(a: SimulatedNode, b: SimulatedNode): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!from.up || !to.up) continue
      for (const { message } of relinked(from.routes, to.id, this.now)) {
        this.count('words said again')
        this.#sayInOrder(from, to, message)
      }
    }
  }

  calm(): void {
    this.calmed = true
    Object.assign(this.weather, { loss: 0, duplicate: 0, delay_ms: 1, jitter_ms: 0 })
    const cut = this.nodes.flatMap((a) =>
      this.nodes.filter((b) => a.index < b.index && this.isCut(a, b)).map((b) => [a, b] as const),
    )
    this.links.healAll()
    for (const [a, b] of cut) this.#relink(a, b)
    for (const node of this.nodes) this.start(node)
  }

  running(): readonly SimulatedNode[] {
    return this.nodes.filter(({ up, copy }) => up && copy !== undefined && !copy.frozen)
  }

  byId(id: string): SimulatedNode {
    return this.nodes[Number(id.slice(1))]!
  }

  // — what the node around the mover does —

  #feed(node: SimulatedNode, input: MoverInput): void {
    if (!node.up) return
    const context: MoverContext = {
      now: this.now,
      kinds: new Map([
        [
          'session',
          node.version > 1 ? { version: node.version, former: (old) => old } : { version: node.version },
        ],
      ]),
      claim: () => this.#claimOf(node),
    }
    const { state, effects } = mover(node.mover, input, context)
    node.mover = state
    const arriving = state.here.get(ADDRESS)
    if (input.type === 'told' && arriving?.phase === 'running' && arriving.held > 0)
      this.count('waited for the old way')
    const outranked = effects.some(
      ({ type, ...rest }) => type === 'ended' && 'outcome' in rest && rest.outcome.how === 'outranked',
    )
    for (const effect of effects) this.#carryOut(node, effect, outranked)
    this.#wakes.get(node.index)?.()
    const at = moverDue(node.mover)
    if (at === undefined) return
    const { life } = node
    const cancel = this.clock.after(Math.max(0, at - this.now), () => {
      if (node.life === life) this.#feed(node, { type: 'due' })
    })
    this.#wakes.set(node.index, cancel)
  }

  #carryOut(node: SimulatedNode, effect: MoverEffect, outranked: boolean): void {
    const { copy } = node
    switch (effect.type) {
      case 'say':
        this.#say(node, this.byId(effect.to), effect.message)
        return
      case 'freeze':
        if (copy === undefined) {
          this.#feed(node, { type: 'cannot', address: ADDRESS })
          return
        }
        copy.frozen = true
        copy.before = { state: copy.state, mailbox: [...copy.mailbox], epoch: copy.fence.epoch }
        this.#feed(node, { type: 'frozen', address: ADDRESS, bundle: this.#bundleOf(copy) })
        return
      case 'thaw': {
        if (copy === undefined) return
        if (effect.without_mailbox)
          for (const { message } of copy.mailbox) this.#lose(nameOf(message), 'doubt')
        const kept = effect.without_mailbox ? [] : copy.mailbox
        copy.mailbox = [...kept, ...effect.late.map(({ parcel }) => parcel)]
        copy.frozen = false
        if (!effect.without_mailbox && !isAsBefore(copy))
          this.problems.push('an aborted move changed something')
        this.#handleNext(node)
        return
      }
      case 'claim':
        if (copy !== undefined)
          Object.assign(copy, { fence: { epoch: effect.epoch, node: node.id }, claimed_again: false })
        this.#claim(node, effect.epoch)
        return
      case 'release':
        if (outranked) this.#voided(node)
        node.copy = undefined
        return
      case 'install': {
        const snapshot = readSnapshot(
          { version: node.version, former: (old) => old },
          effect.version,
          effect.bundle.state,
        )
        // An older one of a partition, which counts no more.
        if (node.copy !== undefined) this.#voided(node)
        node.copy = copyAt({ epoch: effect.epoch, node: node.id }, 'moved', stateIn(snapshot))
        node.copy.mailbox = [...effect.bundle.mailbox]
        for (const { id, remaining_ms } of effect.bundle.schedules)
          node.copy.times.set(id, this.now + remaining_ms)
        this.#claim(node, effect.epoch)
        this.#handleNext(node)
        return
      }
      case 'deliver':
        if (node.copy === undefined)
          for (const { message } of effect.parcels) this.#lose(nameOf(message), 'nobody')
        node.copy?.mailbox.push(...effect.parcels)
        this.#handleNext(node)
        return
      case 'void':
        this.#voided(node)
        node.copy = undefined
        return
      case 'inherit':
        this.count('inherited')
        node.inherited = effect.bundle
        return
      case 'bury': {
        const parcels = 'told' in effect ? effect.told.map(({ parcel }) => parcel) : effect.parcels
        for (const { message } of parcels)
          this.#lose(nameOf(message), effect.why === 'overflow' ? 'overflow' : 'buried')
        return
      }
      case 'ended': {
        const { outcome } = effect
        const what = 'why' in outcome ? `${outcome.how}: ${outcome.why}` : outcome.how
        this.outcomes.push(what)
        this.count(what)
        return
      }
      case 'refused':
        this.count(`refused: ${effect.why}`)
    }
  }

  #bundleOf(copy: Copy): Bundle {
    const schedules = [...copy.times].map(([id, at]) => ({
      ...{ id, remaining_ms: Math.max(0, at - this.now) },
      message: { type: 'ring' },
    }))
    const bytes = this.options.state_bytes ?? 0
    const state = { ...copy.state, ...(bytes > 0 ? { filler: new Uint8Array(bytes) } : {}) }
    return { incarnation: 1, state, mailbox: copy.mailbox, schedules, watchers: [], watching: [] }
  }

  #handleNext(node: SimulatedNode): void {
    const { copy, life } = node
    if (copy === undefined || copy.frozen || copy.busy || copy.mailbox.length === 0) return
    copy.busy = true
    this.clock.after(this.options.handling_ms ?? 1, () => {
      copy.busy = false
      if (node.life === life && node.up && node.copy === copy && !copy.frozen) {
        const parcel = copy.mailbox.shift()
        if (parcel !== undefined) this.#handle(copy, nameOf(parcel.message))
      }
      this.#handleNext(node)
    })
  }

  #handle(copy: Copy, name: string): void {
    const [sender, number] = name.split(':') as [string, string]
    const before = copy.state.last[sender] ?? 0
    if (before >= Number(number)) this.problems.push(`${name} came after ${before}`)
    copy.state = {
      ...copy.state,
      handled: copy.state.handled + 1,
      last: { ...copy.state.last, [sender]: Number(number) },
    }
    const by = this.handled.get(name)
    if (by === undefined) this.handled.set(name, [copy])
    else {
      by.push(copy)
      this.problems.push(`${name} was handled twice`)
    }
  }

  #arrive(node: SimulatedNode, from: NodeId, parcel: Parcel): void {
    const name = nameOf(parcel.message)
    if (moves(node.mover, ADDRESS)) this.#feed(node, { type: 'told', address: ADDRESS, from, parcel })
    else if (node.copy === undefined) this.#lose(name, 'nobody')
    else {
      node.copy.mailbox.push(parcel)
      this.#handleNext(node)
    }
  }

  #voided(node: SimulatedNode): void {
    this.count('voided')
    for (const { message } of node.copy?.mailbox ?? []) this.#lose(nameOf(message), 'void')
  }

  #lose(name: string, why: Lost): void {
    const known = this.lost.get(name) ?? new Set()
    this.lost.set(name, known.add(why))
    this.count(`lost: ${why}`)
  }

  #namesOn({ copy, mover: { away, here } }: SimulatedNode): readonly string[] {
    const parcels: Parcel[] = [...(copy?.mailbox ?? [])]
    for (const state of away.values()) {
      const passed = 'late' in state ? state.late : 'queue' in state ? state.queue : []
      for (const each of passed) if (each.what === 'told') parcels.push(each.parcel)
    }
    for (const state of here.values()) {
      if (state.phase === 'running') for (const { held } of state.lanes.values()) parcels.push(...held)
    }
    return parcels.map(({ message }) => nameOf(message))
  }

  // — links —

  #pair(from: SimulatedNode, to: SimulatedNode): number {
    return from.index * this.nodes.length + to.index
  }

  #delay(): number {
    const { delay_ms, jitter_ms } = this.weather
    return delay_ms + (jitter_ms > 0 ? jitter_ms * this.random.float() : 0)
  }

  isCut(a: SimulatedNode, b: SimulatedNode): boolean {
    return this.links.isCut(a.index, b.index) || this.links.isCut(b.index, a.index)
  }

  /** Whoever lives now on the other side is known to this one before it hears it. */
  #meet(node: SimulatedNode, other: SimulatedNode): void {
    if (node.lives[other.index] === other.life) return
    node.lives[other.index] = other.life
    node.dead.delete(other.index)
    this.#feed(node, { type: 'gone', node: other.id })
  }

  #inOrderTo(from: SimulatedNode, to: SimulatedNode, run: () => void, names: readonly string[]): void {
    const pair = this.#pair(from, to)
    const lost = (why: Lost): void => {
      for (const name of names) this.#lose(name, why)
    }
    const why = from !== to && this.isCut(from, to) ? 'link' : to.up ? undefined : 'died'
    if (why !== undefined) {
      lost(why)
      return
    }
    const at = Math.max(this.#inOrder[pair]!, this.now + (from === to ? 0 : this.#delay()))
    this.#inOrder[pair] = at
    const cuts = this.#cutCount[pair]
    const { life } = to
    const own = from.life
    this.clock.after(at - this.now, () => {
      if (to.life !== life || !to.up) lost('died')
      else if (cuts !== this.#cutCount[pair] || from.life !== own) lost('link')
      else {
        this.#meet(to, from)
        run()
      }
    })
  }

  #say(from: SimulatedNode, to: SimulatedNode, message: MoveMessage): void {
    const number = this.words
    this.words += 1
    this.count(message.type)
    // As it would travel.
    const bytes = encodeMove(message)
    const heard = bytes && decodeMove(bytes)
    if (heard === undefined) {
      this.problems.push(`${message.type} cannot be read`)
      return
    }
    const fate = this.options.fate?.(number, message) ?? 'fine'
    const { loss, duplicate } = this.weather
    if (fate === 'lose' || (loss > 0 && this.random.float() < loss)) {
      this.count('lost words')
      return
    }
    const twice = fate === 'twice' || (duplicate > 0 && this.random.float() < duplicate)
    if (twice) this.count('words twice')
    const extra = typeof fate === 'object' ? fate.late_ms : 0
    const lives = [from.life, to.life]
    for (let copies = twice ? 2 : 1; copies > 0; copies -= 1) {
      this.clock.after(this.#delay() + extra + (twice && copies === 1 ? 40 : 0), () => {
        if (!to.up || this.isCut(from, to) || from.life !== lives[0] || to.life !== lives[1]) return
        this.options.around?.('before', number)
        if (!to.up) return
        this.#meet(to, from)
        this.#feed(to, { type: 'heard', from: from.id, message: heard })
        this.options.around?.('after', number)
      })
    }
  }

  // — the map, membership and the placer, as far as they matter here —

  #claimOf(node: SimulatedNode): Fence | undefined {
    const entry = node.map.entries.get(ADDRESS)
    return entry?.node == null ? undefined : { epoch: entry.epoch, node: entry.node }
  }

  #claim(node: SimulatedNode, epoch: number): void {
    this.#merge(node, [{ address: ADDRESS, node: node.id, epoch }])
    for (const other of this.nodes) if (other !== node) this.#gossip(node, other)
  }

  #gossip(from: SimulatedNode, to: SimulatedNode): void {
    const claim = this.#claimOf(from)
    if (claim === undefined || this.isCut(from, to) || !from.up || !to.up) return
    const known = this.#claimOf(to)
    // Nothing new, and both know who the other is.
    if (known?.epoch === claim.epoch && known.node === claim.node && to.lives[from.index] === from.life)
      return
    const lives = [from.life, to.life]
    this.clock.after(this.#delay(), () => {
      if (!to.up || this.isCut(from, to) || to.life !== lives[1] || from.life !== lives[0]) return
      this.#meet(to, from)
      this.#merge(to, [{ address: ADDRESS, ...claim }])
    })
  }

  #merge(node: SimulatedNode, entries: Parameters<typeof merge>[1]): void {
    const merged = merge(node.map, entries, this.now)
    node.map = merged.placements
    if (merged.news.length === 0) return
    const fence = this.#claimOf(node)!
    this.#feed(node, { type: 'claimed', address: ADDRESS, fence })
  }

  #tick(): void {
    for (const node of this.nodes) if (node.up) this.#look(node)
    for (const a of this.nodes) for (const b of this.nodes) if (a !== b) this.#gossip(a, b)
    this.#check()
    this.clock.after(TICK_MS, () => this.#tick())
  }

  #reaches(a: SimulatedNode, b: SimulatedNode): boolean {
    return !this.isCut(a, b) || this.nodes.some((by) => by.up && !this.isCut(a, by) && !this.isCut(by, b))
  }

  #look(node: SimulatedNode): void {
    for (const other of this.nodes) {
      if (other === node) continue
      const silent = !other.up || !this.#reaches(node, other)
      const since = node.dead.get(other.index)
      if (!silent) node.dead.delete(other.index)
      else if (since === undefined) node.dead.set(other.index, this.now)
      else if (this.now - since >= VERDICT_MS && this.now - since < VERDICT_MS + TICK_MS) {
        this.#feed(node, { type: 'gone', node: other.id })
      }
    }
    this.#place(node)
  }

  #isDead(node: SimulatedNode, other: SimulatedNode, for_ms = 0): boolean {
    const since = node.dead.get(other.index)
    return since !== undefined && this.now - since >= VERDICT_MS + for_ms
  }

  /** C3 and C5 of the placer, for one actor. */
  #place(node: SimulatedNode): void {
    const claim = this.#claimOf(node)
    if (claim === undefined) {
      this.#wanted(node)
      return
    }
    const owner = this.byId(claim.node)
    const busy = node.mover.away.has(ADDRESS)
    if (node.copy !== undefined && !busy && outranks(claim, node.copy.fence)) {
      if (!this.#isDead(node, owner)) {
        this.#voided(node)
        node.copy = undefined
      } else {
        node.contested_at ??= this.now + CONTESTED_MS
        if (this.now >= node.contested_at) this.#again(node, claim.epoch + 1)
      }
      return
    }
    node.contested_at = undefined
    if (node.copy !== undefined || busy) return
    const lost = owner === node ? true : this.#isDead(node, owner, GRACE_MS)
    const first = this.nodes.find((each) => each === node || (each.up && !this.#isDead(node, each)))
    if (!lost || (owner !== node && first !== node)) return
    this.count('started anew')
    const state = node.inherited === undefined ? NEW : stateIn(node.inherited.state)
    if (node.inherited !== undefined) this.count('started from what was inherited')
    node.copy = copyAt({ epoch: claim.epoch + 1, node: node.id }, 'anew', {
      ...state,
      line: this.#nextLine(),
    })
    node.inherited = undefined
    this.#claim(node, claim.epoch + 1)
  }

  /** All who knew it were started anew: nobody claims it, and it is wanted. */
  #wanted(node: SimulatedNode): void {
    const up = this.nodes.filter((each) => each.up)
    if (up[0] !== node || up.some((each) => this.#claimOf(each) !== undefined)) return
    this.count('forgotten')
    node.copy = copyAt({ epoch: 1, node: node.id }, 'anew', { ...NEW, line: this.#nextLine() })
    this.#claim(node, 1)
  }

  #nextLine(): number {
    this.#lines += 1
    return this.#lines
  }

  #again(node: SimulatedNode, epoch: number): void {
    node.copy!.fence = { epoch, node: node.id }
    node.copy!.claimed_again = true
    node.contested_at = undefined
    this.#claim(node, epoch)
    this.#handleNext(node)
  }

  /** G2, whenever it is looked. */
  #check(): void {
    const running = this.running()
    for (const [i, a] of running.entries()) {
      for (const b of running.slice(i + 1)) {
        this.count('two copies')
        if (a.copy!.fence.epoch !== b.copy!.fence.epoch) continue
        // Two sides of a partition may each have started one anew; the map then names the smaller node (M2).
        if (a.copy!.state.line !== b.copy!.state.line) continue
        if (!a.copy!.claimed_again && !b.copy!.claimed_again)
          this.problems.push(`two copies in epoch ${a.copy!.fence.epoch}`)
      }
    }
  }
}

const copyAt = (fence: Fence, born: Copy['born'], state: State): Copy => ({
  ...{ fence, born, claimed_again: born === 'anew', state, mailbox: [], frozen: false, before: undefined },
  ...{ busy: false, times: new Map<string, number>() },
})

const stateIn = (snapshot: unknown): State => {
  const { handled, last, line } = snapshot as State
  return { handled, last, line }
}

/** G5: but for what came meanwhile, behind what waited. */
const isAsBefore = ({ before, state, mailbox, fence }: Copy): boolean =>
  before !== undefined &&
  before.state === state &&
  before.epoch === fence.epoch &&
  before.mailbox.every((parcel, i) => mailbox[i] === parcel)

export const nameOf = (message: Message): string => (message as Message & { readonly name: string }).name
