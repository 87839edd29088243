/**
 * A network in memory for many hosts: byte streams with latency, links that can be cut one way or both, and
 * resets. Streams keep order and lose nothing while they live, as TCP does; faults delay or end them.
 */

import { LoqaError } from '../errors.ts'
import type { Connection, Listener, Network } from '../host.ts'
import type { SimulatedClock } from './clock.ts'
import type { SimulatedRandom } from './random.ts'

export interface LinkFaults {
  /** One-way delay drawn uniformly from this range, per chunk; order is kept. */
  readonly delay_ms: readonly [number, number]
  /** Chance per chunk that the connection is reset instead of delivering it. */
  readonly reset: number
}

const HEALTHY: LinkFaults = { delay_ms: [0.1, 0.4], reset: 0 }
/** Bytes in flight above which `send` answers false; what a socket buffer holds by default. */
const HIGH_WATER_BYTES = 64 * 1024

type Accept = (connection: Connection) => void

/** The wires between all simulated hosts. */
export class SimulatedWorld {
  readonly listeners = new Map<string, Accept>()
  readonly #cut = new Set<string>()
  readonly #links = new Set<SimulatedConnection>()
  faults: LinkFaults = HEALTHY
  /** How often each fault bit: a test asserts that its knob did something. */
  readonly counts = { resets: 0, held: 0, refused: 0 }
  nextPort = 40_000
  readonly clock: SimulatedClock
  readonly random: SimulatedRandom

  constructor(clock: SimulatedClock, random: SimulatedRandom) {
    this.clock = clock
    this.random = random
  }

  /** The door one host uses; `name` is its address. */
  host(name: string): Network {
    return {
      listen: async ({ port }, accept) => listenAt(this, name, port, accept),
      dial: async ({ host, port }, timeout_ms) => dialFrom(this, name, host, port, timeout_ms),
    }
  }

  /** Nothing passes from `from` to `to` until `heal`; existing streams stall, as with an unplugged cable. */
  cut(from: string, to: string, both = true): void {
    this.#cut.add(`${from}>${to}`)
    if (both) this.#cut.add(`${to}>${from}`)
  }

  heal(): void {
    this.#cut.clear()
    for (const link of this.#links) link.resume()
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`)
  }

  connect(from: string, to: string): [SimulatedConnection, SimulatedConnection] {
    const near = new SimulatedConnection(this, from, to)
    const far = new SimulatedConnection(this, to, from)
    near.peer = far
    far.peer = near
    this.#links.add(near).add(far)
    return [near, far]
  }

  forget(link: SimulatedConnection): void {
    this.#links.delete(link)
  }
}

function listenAt(world: SimulatedWorld, name: string, wanted: number, accept: Accept): Listener {
  const port = wanted === 0 ? world.nextPort++ : wanted
  const key = `${name}:${port}`
  if (world.listeners.has(key)) {
    throw new LoqaError('port-in-use', `Port ${port} is already in use`, { hint: 'Choose another port.' })
  }
  world.listeners.set(key, accept)
  return {
    port,
    close: async () => {
      world.listeners.delete(key)
    },
  }
}

function dialFrom(
  world: SimulatedWorld,
  from: string,
  to: string,
  port: number,
  timeout_ms: number,
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>()
  const unreachable = () => {
    world.counts.refused += 1
    reject(new LoqaError('unreachable', `${to}:${port} cannot be reached`, { retryable: true }))
  }
  const [low, high] = world.faults.delay_ms
  const cut = world.isCut(from, to) || world.isCut(to, from)
  world.clock.after(cut ? timeout_ms : low + world.random.float() * (high - low), () => {
    const accept = world.listeners.get(`${to}:${port}`)
    if (cut || accept === undefined) return unreachable()
    const [near, far] = world.connect(from, to)
    accept(far)
    resolve(near)
  })
  return promise
}

class SimulatedConnection implements Connection {
  readonly remote: string
  peer!: SimulatedConnection
  readonly #world: SimulatedWorld
  readonly #from: string
  /** Sent and not yet delivered; a chunk of undefined is the orderly end. */
  readonly #flight: { bytes: Uint8Array | undefined; at: number }[] = []
  #inFlightBytes = 0
  #wantsDrain = false
  #closed = false
  #ended = false
  #receive: (bytes: Uint8Array) => void = () => {}
  #drain: () => void = () => {}
  #close: (cause?: Error) => void = () => {}

  constructor(world: SimulatedWorld, from: string, to: string) {
    this.#world = world
    this.#from = from
    this.remote = to
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ended) return false
    this.#inFlightBytes += bytes.length
    this.#enqueue(bytes)
    this.#wantsDrain ||= this.#inFlightBytes > HIGH_WATER_BYTES
    return this.#inFlightBytes <= HIGH_WATER_BYTES
  }

  onData(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive
  }

  onDrain(run: () => void): void {
    this.#drain = run
  }

  onClose(run: (cause?: Error) => void): void {
    this.#close = run
  }

  close(): void {
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.#enqueue(undefined)
  }

  abort(): void {
    this.#finish()
    this.#world.clock.soon(() =>
      this.peer.#finish(new LoqaError('reset', 'The connection was reset', { retryable: true })),
    )
  }

  /** Called at heal: chunks held back by a cut set out again. */
  resume(): void {
    if (this.#flight.length > 0) this.#world.clock.soon(() => this.#deliver())
  }

  #enqueue(bytes: Uint8Array | undefined): void {
    const { clock, random, faults } = this.#world
    const [low, high] = faults.delay_ms
    const earliest = clock.monotonic() + low + random.float() * (high - low)
    const at = Math.max(earliest, this.#flight.at(-1)?.at ?? 0)
    this.#flight.push({ bytes, at })
    clock.after(at - clock.monotonic(), () => this.#deliver())
  }

  #deliver(): void {
    const world = this.#world
    while (!this.#closed && this.#flight.length > 0 && this.#flight[0]!.at <= world.clock.monotonic()) {
      if (world.isCut(this.#from, this.remote)) {
        world.counts.held += 1
        return
      }
      const { bytes } = this.#flight.shift()!
      if (bytes === undefined) {
        this.peer.#finish()
        this.#finish()
        return
      }
      if (world.random.float() < world.faults.reset) {
        world.counts.resets += 1
        this.abort()
        return
      }
      this.#inFlightBytes -= bytes.length
      if (!this.peer.#closed) this.peer.#receive(bytes)
    }
    if (this.#wantsDrain && !this.#closed && this.#inFlightBytes <= HIGH_WATER_BYTES / 2) {
      this.#wantsDrain = false
      this.#drain()
    }
  }

  #finish(cause?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#world.forget(this)
    this.#close(cause)
  }
}
