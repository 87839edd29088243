/**
 * A network of meshes in memory, for whoever needs links without sockets. It passes the same contract as the real one
 * (`contract.ts`); beside that it can be cut, healed and killed. Everything moves on the clock it is given, so it runs in
 * virtual time too.
 */

import type { Secret } from '../../../src/cluster/household/secret.ts'
import { FULL_BYTES, MAX_FRAME } from '../../../src/cluster/transport/bounds.ts'
import type { Link, Mesh, Place, StreamClass } from '../../../src/cluster/transport/mesh.ts'
import { STREAM_CLASSES } from '../../../src/cluster/transport/mesh.ts'
import { type Cancel, type Clock, LoqaError, type NodeId } from '../../../src/host/index.ts'

const DIAL_MS = 5_000

interface Lane {
  readonly frames: Uint8Array[]
  bytes: number
  refused: boolean
}

class MemoryLink implements Link {
  readonly peer: NodeId
  readonly place: Place
  readonly dialled: boolean
  other!: MemoryLink
  readonly network: MemoryNetwork
  readonly owner: NodeId
  readonly #lanes: Record<StreamClass, Lane> = {
    control: { frames: [], bytes: 0, refused: false },
    data: { frames: [], bytes: 0, refused: false },
    bulk: { frames: [], bytes: 0, refused: false },
  }
  #receive: ((streamClass: StreamClass, frame: Uint8Array) => void) | undefined
  #drain: (streamClass: StreamClass) => void = () => {}
  #closed: ((why: string) => void)[] = []
  #why: string | undefined
  #closing = false
  #scheduled: Cancel | undefined

  constructor(network: MemoryNetwork, owner: NodeId, peer: NodeId, place: Place, dialled: boolean) {
    this.network = network
    this.owner = owner
    this.peer = peer
    this.place = place
    this.dialled = dialled
  }

  send(streamClass: StreamClass, frame: Uint8Array): boolean {
    if (frame.length > MAX_FRAME[streamClass]) throw new LoqaError('invariant', 'frame too long')
    if (this.#why !== undefined || this.#closing) return false
    const lane = this.#lanes[streamClass]
    if (lane.bytes + frame.length + 4 > FULL_BYTES[streamClass]) {
      lane.refused = true
      return false
    }
    lane.frames.push(frame)
    lane.bytes += frame.length + 4
    this.pump()
    return true
  }

  waiting(streamClass: StreamClass): number {
    return this.#lanes[streamClass].bytes
  }

  onDrain(run: (streamClass: StreamClass) => void): void {
    this.#drain = run
  }

  onFrame(receive: (streamClass: StreamClass, frame: Uint8Array) => void): void {
    this.#receive = receive
    this.other.pump()
  }

  onClose(run: (why: string) => void): void {
    if (this.#why === undefined) this.#closed.push(run)
    else {
      const why = this.#why
      this.network.clock.soon(() => run(why))
    }
  }

  close(): void {
    this.#closing = true
    this.pump()
  }

  abort(why: string): void {
    if (this.#why !== undefined) return
    this.fell(why)
    const { other, network } = this
    network.later(() => {
      if (!network.isCut(this.owner, this.peer)) other.fell('the other side reset the connection')
    })
  }

  /** This end is over; the other learns of it only through the network. */
  fell(why: string): void {
    if (this.#why !== undefined) return
    this.#why = why
    this.#scheduled?.()
    this.network.forget(this)
    const closed = this.#closed
    this.#closed = []
    for (const run of closed) run(why)
  }

  /** Carries what is waiting to the other side, next turn. */
  pump(): void {
    if (this.#scheduled !== undefined || this.#why !== undefined) return
    this.#scheduled = this.network.later(() => {
      this.#scheduled = undefined
      this.#carry()
    })
  }

  #carry(): void {
    const { other, network } = this
    if (network.isCut(this.owner, this.peer) || this.#why !== undefined || other.#why !== undefined) return
    for (const streamClass of STREAM_CLASSES) {
      const lane = this.#lanes[streamClass]
      while (lane.frames.length > 0 && other.#receive !== undefined) {
        const frame = lane.frames.shift()!
        lane.bytes -= frame.length + 4
        other.#receive(streamClass, frame)
        if (this.#why !== undefined || other.#why !== undefined) return
      }
      if (lane.refused && lane.bytes <= FULL_BYTES[streamClass] / 2) {
        lane.refused = false
        this.#drain(streamClass)
      }
    }
    if (this.#closing && STREAM_CLASSES.every((streamClass) => this.#lanes[streamClass].bytes === 0)) {
      this.fell('closed')
      other.fell('the other side closed')
    }
  }
}

class MemoryMesh implements Mesh {
  readonly node: NodeId
  readonly places: readonly Place[]
  readonly links = new Set<MemoryLink>()
  keys: readonly Secret[]
  closed = false
  accept: ((link: Link) => void) | undefined
  readonly #network: MemoryNetwork

  constructor(network: MemoryNetwork, node: NodeId, place: Place, keys: readonly Secret[]) {
    this.#network = network
    this.node = node
    this.places = [place]
    this.keys = keys
  }

  async dial(place: Place, expected: NodeId | undefined): Promise<Link> {
    const network = this.#network
    const { promise, resolve, reject } = Promise.withResolvers<Link>()
    const refuse = (code: string, retryable: boolean): void =>
      reject(new LoqaError(code, `${place.host}:${place.port}: ${code}`, { retryable }))
    network.later(() => {
      const target = network.at(place)
      if (this.closed || target === undefined) return refuse('unreachable', true)
      if (network.isCut(this.node, target.node)) {
        network.clock.after(DIAL_MS, () => refuse('timed-out', true))
        return
      }
      if (target === this) return refuse('wrong-peer', false)
      const shared = this.keys.some((key) =>
        target.keys.some((other) => Buffer.compare(key.expose(), other.expose()) === 0),
      )
      if (!shared) return refuse('wrong-key', false)
      if (expected !== undefined && expected !== target.node) return refuse('wrong-peer', false)
      const near = new MemoryLink(network, this.node, target.node, place, true)
      const far = new MemoryLink(
        network,
        target.node,
        this.node,
        { host: this.places[0]!.host, port: 0 },
        false,
      )
      near.other = far
      far.other = near
      this.links.add(near)
      target.links.add(far)
      resolve(near)
      if (target.accept === undefined) far.abort('nobody takes links there')
      else target.accept(far)
    })
    return promise
  }

  onLink(accept: (link: Link) => void): void {
    this.accept = accept
  }

  async rekey(keys: readonly Secret[]): Promise<void> {
    this.keys = keys
  }

  async close(): Promise<void> {
    this.closed = true
    this.#network.leave(this)
    for (const link of [...this.links]) link.abort('this node closed')
  }
}

export class MemoryNetwork {
  readonly clock: Clock
  readonly #latency_ms: number
  readonly #meshes = new Map<string, MemoryMesh>()
  readonly #cut = new Set<string>()
  #next_port = 7_421

  constructor(clock: Clock, options: { latency_ms?: number } = {}) {
    this.clock = clock
    this.#latency_ms = options.latency_ms ?? 0
  }

  open(node: NodeId, keys: readonly Secret[], place?: Place): Mesh {
    const { host, port } = place ?? { host: '127.0.0.1', port: 0 }
    const at: Place = { host, port: port === 0 ? this.#next_port++ : port }
    if (this.at(at) !== undefined) throw new LoqaError('port-in-use', `Port ${at.port} is already in use`)
    const mesh = new MemoryMesh(this, node, at, keys)
    this.#meshes.set(`${at.host}:${at.port}`, mesh)
    return mesh
  }

  /** Nothing passes between the two, and neither is told; what was sent waits, as in TCP. */
  cut(a: NodeId, b: NodeId): void {
    this.#cut.add(`${a} ${b}`)
    this.#cut.add(`${b} ${a}`)
  }

  heal(): void {
    this.#cut.clear()
    for (const mesh of this.#meshes.values()) for (const link of mesh.links) link.pump()
  }

  /** As if the process had been killed: its links close on the other sides, it answers nobody, it says nothing. */
  kill(node: NodeId): void {
    for (const mesh of [...this.#meshes.values()].filter((each) => each.node === node)) {
      mesh.closed = true
      this.leave(mesh)
      for (const link of [...mesh.links]) link.abort('killed')
    }
  }

  isCut(a: NodeId, b: NodeId): boolean {
    return this.#cut.has(`${a} ${b}`)
  }

  at(place: Place): MemoryMesh | undefined {
    return this.#meshes.get(`${place.host}:${place.port}`)
  }

  leave(mesh: MemoryMesh): void {
    for (const [at, each] of this.#meshes) if (each === mesh) this.#meshes.delete(at)
  }

  forget(link: MemoryLink): void {
    for (const mesh of this.#meshes.values()) mesh.links.delete(link)
  }

  later(run: () => void): Cancel {
    if (this.#latency_ms > 0) return this.clock.after(this.#latency_ms, run)
    let live = true
    this.clock.soon(() => {
      if (live) run()
    })
    return () => {
      live = false
    }
  }
}
