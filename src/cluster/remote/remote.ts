/** Remote actors over links: the shell that holds links, and carries out what the books (`peers.ts`) say. */
import {
  type AskAfar,
  addressOf,
  type FromAfar,
  INCARNATIONS_PER_BOOT,
  type Message,
  PrivateError,
  type Ref,
  type RemotePort,
  type Settle,
  type Target,
  UnreachableError,
} from '../../actors/index.ts'
import { assert, LoqaError, type NodeId, OverloadedError } from '../../host/index.ts'
import type { Placement } from '../placement/placements.ts'
import type { Link } from '../transport/mesh.ts'
import type { Label, LinkEvents, Remote, RemoteMoves, RemoteOptions, RemotePeer } from './face.ts'
import { Incoming } from './incoming.ts'
import { Line } from './line.ts'
import { PeerBook } from './peers.ts'
import { Places } from './places.ts'
import { Ways } from './ways.ts'
import { OLDEST_UNDERSTOOD, ROW, readFrame, VERSION } from './wire.ts'
import { WorkAsked, WorkServed } from './work.ts'

/** Addresses whose node is remembered: looking it up is a third of what parsing costs. */
const KEPT_ROUTES = 4_096
/** A node that started a thousand million actors is taken for the next boot number: that far apart they are all but surely. */
const MOST_SPAWNED = 2 ** 30

interface Peer {
  readonly book: PeerBook
  line: Line | undefined
  served: WorkServed | undefined
  incoming: Incoming | undefined
  dead: boolean
}

export function createRemote(options: RemoteOptions): Remote {
  return new RemoteActors(options)
}

class RemoteActors implements Remote {
  readonly port: RemotePort
  readonly #options: RemoteOptions
  readonly #peers = new Map<NodeId, Peer>()
  /** Of `#peers`, those with a link. */
  readonly #lines = new Map<NodeId, Line>()
  /** Asks of this node, by id. */
  readonly #asked = new Map<number, PeerBook>()
  readonly #work: WorkAsked
  readonly #places: Places
  readonly #moves: Ways
  readonly #prefix: string
  #routes = new Map<string, NodeId>()
  #runtime: FromAfar | undefined
  #dirty: Line[] = []
  #links = 0
  #closed = false

  constructor(options: RemoteOptions) {
    this.#options = options
    this.#prefix = `loqa://${options.node}/`
    this.#work = new WorkAsked(options.clock, (node) => this.#lines.get(node))
    this.#places = new Places(options, () => this.#lines.values())
    this.#moves = new Ways(options, this.#places, {
      line: (node) => this.#lines.get(node),
      settle: (node, id, target) => this.#settle(node, id, target),
      askedThere: (node, id, target) => this.#askedThere(node, id, target),
    })
    this.port = {
      locate: (target) => this.#locate(target),
      tell: (node, target, message, sender) => this.#tell(node, target, message, sender),
      ask: (node, ask) => this.#ask(node, ask),
      giveUp: (id) => this.#giveUp(id),
      watch: (node, target) => this.#watch(node, target),
      unwatch: (node, target) => this.#unwatch(node, target),
      turnsEnded: () => {
        if (this.#dirty.length > 0) this.#flush()
      },
    }
  }

  connect(fromAfar: FromAfar): void {
    this.#runtime = fromAfar
  }

  get #here(): FromAfar {
    assert(this.#runtime !== undefined, 'the runtime is connected before the first link')
    return this.#runtime
  }

  linked(link: Link): LinkEvents {
    const known = this.#peers.get(link.peer)
    const peer: Peer = known ?? {
      book: new PeerBook(link.peer),
      line: undefined,
      served: undefined,
      incoming: undefined,
      dead: false,
    }
    this.#peers.set(link.peer, peer)
    if (peer.line !== undefined) this.#lost(peer)
    this.#links += 1
    const line = new Line(link, this.#wake, (target, message, sender) => {
      this.#here.undelivered('dropped-oldest', addressOf(target), sender?.address, message.type, 1)
    })
    peer.line = line
    peer.dead = false
    peer.served = new WorkServed(line, this.#options, this.#links)
    this.#lines.set(link.peer, line)
    line.put([ROW.hello, VERSION, OLDEST_UNDERSTOOD, this.#options.boot], 'owed')
    const incoming = new Incoming({
      here: this.#here,
      book: peer.book,
      line,
      work: this.#work,
      served: peer.served,
      asked: this.#asked,
      places: this.#places,
      labelOf: this.#options.labelOf,
      moving: this.#options.moving,
      hearing: (peer) => this.#moves.hear(peer),
      greeted: () => this.#moves.greeted(link.peer),
      fault: (what, fatal) => this.#fault(line, what, fatal),
    })
    peer.incoming = incoming
    return {
      frame: (bytes) => {
        if (peer.line !== line || this.#closed) return
        const { dropped, broken } = readFrame(bytes, (row) => {
          // A row may have cost the link.
          if (peer.line === line) incoming.row(row)
        })
        line.tellBack()
        if (dropped > 0) this.#fault(line, 'bad-row', false, dropped)
        if (broken !== undefined) this.#fault(line, broken, true)
      },
      drained: () => {
        if (peer.line === line) line.outbox.drained()
      },
      lost: () => {
        if (peer.line === line) this.#lost(peer)
      },
    }
  }

  lost(node: NodeId): void {
    const peer = this.#peers.get(node)
    if (peer !== undefined) this.#lost(peer)
  }

  dead(node: NodeId): void {
    if (this.#closed) return
    const peer = this.#peers.get(node)
    if (peer !== undefined) {
      this.#lost(peer)
      peer.dead = true
      for (const target of peer.book.gone()) this.#gone(target)
    }
    // What it had may be known from others, without a link ever.
    this.#places.dead(node)
    this.#options.moving?.gone(node)
  }

  work(node: NodeId) {
    return this.#work.port(node)
  }

  claim(address: string): boolean {
    return this.#places.claim(address)
  }

  release(address: string): void {
    this.#places.release(address)
  }

  whereIs(address: string): NodeId | undefined {
    return this.#places.whereIs(address)
  }

  get moves(): RemoteMoves {
    return this.#moves
  }

  placements() {
    return this.#places.map
  }

  recorded(entries: readonly Placement[]): void {
    this.#places.heard(entries, undefined)
  }

  peers(): readonly RemotePeer[] {
    return [...this.#peers.values()].map(({ book, line }) => ({
      node: book.node,
      linked: line !== undefined,
      boot: book.boot,
      asks: book.asked.size,
      work: this.#work.countFor(book.node),
      waiting_bytes: line?.outbox.bytes ?? 0,
    }))
  }

  close(): void {
    this.#closed = true
    for (const peer of this.#peers.values()) {
      peer.served?.lost()
      peer.line = undefined
    }
    this.#lines.clear()
    this.#asked.clear()
    this.#work.close()
  }

  readonly #wake = (line: Line): void => {
    this.#dirty.push(line)
    if (this.#dirty.length === 1) this.#options.clock.soon(this.#flush)
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty
    this.#dirty = []
    for (const line of dirty) if (this.#lines.get(line.peer) === line) line.flush()
  }

  #lost(peer: Peer): void {
    const { line, served, book } = peer
    if (line === undefined) return
    peer.line = undefined
    peer.served = undefined
    peer.incoming = undefined
    this.#lines.delete(book.node)
    served?.lost()
    for (const [id, target] of book.lost()) {
      this.#asked.delete(id)
      this.#here.failed(id, new UnreachableError(addressOf(target)))
    }
    this.#work.lost(book.node)
  }

  #fault(line: Line, what: string, fatal: boolean, times = 1): void {
    this.#options.metric?.({ name: 'loqa_remote_faults_total', add: times, labels: { what } })
    this.#options.fault?.(line.peer, what, fatal)
    if (!fatal) return
    line.link.abort(`it broke the rules of the data stream: ${what}`)
    const peer = this.#peers.get(line.peer)
    if (peer?.line === line) this.#lost(peer)
  }

  /** A fixed address names its node. A ref's incarnation says in which life of which node it was given. The rest is the map's. */
  #locate(target: Target): NodeId | undefined {
    const address = addressOf(target)
    const known = this.#routes.get(address)
    if (known !== undefined) return known
    if (address.startsWith('loqa://')) {
      if (address.startsWith(this.#prefix)) return undefined
      const node = address.slice(7, address.indexOf('/', 7)) as NodeId
      if (this.#routes.size >= KEPT_ROUTES) this.#routes = new Map()
      this.#routes.set(address, node)
      return node
    }
    // What moved is not where it was born.
    const placed = this.#places.whereIs(address)
    const born = typeof target === 'string' || placed !== undefined ? undefined : this.#nodeOfLife(target)
    const node = born ?? this.#options.whereIs?.(address) ?? placed
    return node === this.#options.node ? undefined : node
  }

  #nodeOfLife({ incarnation }: Ref): NodeId | undefined {
    let nearest = incarnation - this.#options.boot * INCARNATIONS_PER_BOOT
    let node: NodeId | undefined = this.#options.node
    if (nearest <= 0 || nearest > MOST_SPAWNED) {
      nearest = MOST_SPAWNED
      node = undefined
    }
    for (const { book } of this.#peers.values()) {
      if (book.boot === undefined) continue
      const count = incarnation - book.boot * INCARNATIONS_PER_BOOT
      if (count <= 0 || count > nearest) continue
      nearest = count
      node = book.node
    }
    return node
  }

  #tell(node: NodeId, target: Target, message: Message, sender: Ref | undefined) {
    const line = this.#lines.get(node)
    if (line === undefined) return 'unreachable'
    const label = this.#options.labelOf?.(message, target)
    if (isPrivate(label)) return 'private'
    this.#moves.sending(addressOf(target), node)
    const refusal = line.tell(target, message, sender, label)
    return refusal === 'full' ? 'overflow' : refusal
  }

  #ask(node: NodeId, ask: AskAfar): LoqaError | undefined {
    const { id, target, message, sender, deadline_ms } = ask
    const peer = this.#peers.get(node)
    const line = peer?.line
    if (peer === undefined || line === undefined) return new UnreachableError(addressOf(target))
    const label = this.#options.labelOf?.(message, target)
    if (isPrivate(label)) return new PrivateError(addressOf(target))
    this.#moves.sending(addressOf(target), node)
    const to = line.name(target)
    const from = line.name(sender)
    const labelled = line.label(label)
    const refusal =
      to < 0 || from < 0 || labelled < 0
        ? 'full'
        : line.put([ROW.ask, id, to, from, labelled, deadline_ms, message], 'data')
    if (refusal === 'full') return new OverloadedError(`The way to node ${node}`, 'waiting bytes')
    if (refusal !== undefined)
      return new LoqaError('unsendable', 'The message is no plain data, or too large')
    peer.book.asked.set(id, target)
    this.#asked.set(id, peer.book)
    return undefined
  }

  #askedThere(node: NodeId, id: number, target: Target): void {
    const peer = this.#peers.get(node)
    if (peer?.line === undefined) {
      this.#here.failed(id, new UnreachableError(addressOf(target)))
      return
    }
    // It was asked of another peer before, when it is passed on a second time.
    this.#asked.get(id)?.ended(id)
    peer.book.asked.set(id, target)
    this.#asked.set(id, peer.book)
  }

  #settle(node: NodeId, id: number, target: Target): Settle | undefined {
    return this.#peers.get(node)?.incoming?.settle(id, target)
  }

  #giveUp(id: number): void {
    const book = this.#asked.get(id)
    if (book === undefined) return
    this.#asked.delete(id)
    book.ended(id)
    this.#lines.get(book.node)?.put([ROW.giveUp, id], 'owed')
  }

  #watch(node: NodeId, target: Target): void {
    const peer = this.#peers.get(node)
    if (peer === undefined || peer.dead) {
      this.#gone(target)
      return
    }
    const { line, book } = peer
    book.watch(target, line?.greeted === true)
    // Before the hello it is not known in which life it is asked for; all are asked for then.
    if (line?.greeted === true) line.put([ROW.watch, line.name(target)], 'owed')
  }

  #unwatch(node: NodeId, target: Target): void {
    const peer = this.#peers.get(node)
    if (peer?.book.unwatch(target) !== true) return
    const { line } = peer
    if (line?.greeted === true) line.put([ROW.unwatch, line.name(target)], 'owed')
  }

  #gone(target: Target): void {
    const ref: Ref = typeof target === 'string' ? { address: target, incarnation: 0 } : target
    this.#here.gone(target, ref, { kind: 'node-gone' })
  }
}

const isPrivate = (label: Label | undefined): boolean => label?.privacy_scope === 'ephemeral'
