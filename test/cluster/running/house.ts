/**
 * Running clusters on one table: real machines and shells, links and streams in memory, virtual time. Discovery is the
 * simplest that could work: everybody hears everybody, unless the street is cut; it may be late and lossy.
 */

import { decodeKeyring, encodeKeyring } from '../../../src/cluster/household/keyring.ts'
import type { Standing } from '../../../src/cluster/household/sighting.ts'
import {
  type Cluster,
  type ClusterDoors,
  type Discovery,
  type DiscoveryOptions,
  found,
  MEMBERSHIP_PRESETS,
  newSelf,
  openCluster,
  restored,
} from '../../../src/cluster/index.ts'
import type { Place } from '../../../src/cluster/transport/mesh.ts'
import type { NodeId } from '../../../src/host/index.ts'
import { SimulatedClock, SimulatedRandom, SimulatedWorld } from '../../../src/host/simulated/index.ts'
import type { Log } from '../../../src/observe/index.ts'
import { MemoryNetwork } from '../transport/memory-mesh.ts'

const PERIOD_MS = 300

/** What discovery does to an announcement: lost with that probability, else heard up to so much later. */
export interface Street {
  readonly loss: number
  readonly late_ms: number
}
const CLEAR: Street = { loss: 0, late_ms: 0 }

interface Neighbour {
  readonly options: DiscoveryOptions
  standing: Standing | undefined
  /** Hex: whoever holds one of them knows its announcements for those of a member. */
  keys: readonly string[]
  members: ReadonlySet<NodeId>
  readonly linked: Set<NodeId>
  stopped: boolean
  place: Place
  enrolment: Place
}

export class Home {
  readonly name: string
  readonly house: House
  kept: Uint8Array = new Uint8Array()
  cluster!: Cluster
  starts = 0
  readonly audits: string[] = []
  readonly logs: string[] = []
  readonly changes: string[] = []
  readonly refused: string[] = []
  full = false

  constructor(house: House, name: string) {
    this.house = house
    this.name = name
  }

  get id(): NodeId {
    return this.cluster.self
  }

  /** Names of those it holds for alive, itself included. */
  alive(): string[] {
    const others = this.cluster.members().filter(({ standing }) => standing.status === 'alive')
    return [this.name, ...others.map(({ id }) => this.house.nameOf(id))].sort()
  }

  connected(): string[] {
    return this.house.homes
      .filter(({ cluster }) => this.cluster.linkTo(cluster.self) !== undefined)
      .map(({ name }) => name)
      .sort()
  }

  members(): string[] {
    return this.cluster.household
      .show()
      .members.map(({ name }) => name)
      .sort()
  }
}

export class House {
  readonly clock = new SimulatedClock()
  readonly random: SimulatedRandom
  readonly world: SimulatedWorld
  readonly network: MemoryNetwork
  readonly homes: Home[] = []
  readonly #street = new Map<NodeId, Neighbour>()
  readonly #names = new Map<NodeId, string>()
  readonly #discovery: Street
  #attempts = 0
  #hosts = 0
  readonly counts = { lost: 0, late: 0 }

  constructor(seed: number, discovery = CLEAR) {
    this.#discovery = discovery
    this.random = new SimulatedRandom(seed)
    this.world = new SimulatedWorld(this.clock, this.random.fork())
    this.network = new MemoryNetwork(this.clock, { latency_ms: 0.3 })
  }

  nameOf(id: NodeId): string {
    return this.#names.get(id) ?? id
  }

  /** What a stranger on the street hears of a home's household. */
  heardOf({ id }: Home): Standing | undefined {
    return this.#street.get(id)?.standing
  }

  async found(name: string, options: { locked?: boolean; copyOf?: Home } = {}): Promise<Home> {
    const home = new Home(this, name)
    this.homes.push(home)
    const { now, wall } = { now: this.clock.monotonic(), wall: this.clock.wall() }
    const locked = options.locked ?? false
    if (options.copyOf === undefined) {
      const state = found(newSelf(name, this.random), { now, wall, random: this.random }, { locked })
      home.kept = encodeKeyring({ ...state, incarnation: 0 })
    } else home.kept = options.copyOf.kept
    await this.start(home, options.copyOf === undefined)
    return home
  }

  async start(home: Home, fresh = false): Promise<void> {
    const keyring = decodeKeyring('keyring', home.kept)
    home.starts = keyring.incarnation + 1
    home.kept = encodeKeyring({ ...keyring, incarnation: home.starts })
    const { self, roster, keychain, locked } = keyring
    if (!this.#names.has(self.card.node)) this.#names.set(self.card.node, home.name)
    const context = { now: this.clock.monotonic(), wall: this.clock.wall(), random: this.random }
    const state = restored(self, roster, keychain, context, { locked, reopened: fresh })
    home.cluster = await openCluster({
      host: { clock: this.clock, random: this.random },
      doors: this.#doors(self.card.node),
      household: state,
      starts: home.starts,
      boot: Buffer.from(this.random.bytes(8)).toString('hex'),
      keep: async (next) => {
        if (home.full) throw new Error('the disk is full')
        home.kept = encodeKeyring({ ...next, incarnation: home.starts })
      },
      name: home.name,
      room: 'hall',
      peers: [],
      membership: MEMBERSHIP_PRESETS.lan,
      log: logOf(home),
      metric: () => undefined,
      audit: ({ what, outcome }) => home.audits.push(`${what} ${outcome}`),
    })
    home.cluster.listen({
      member: ({ id, status }) => home.changes.push(`${this.nameOf(id)} ${status}`),
    })
  }

  /** The process dies: nothing is said, links break. */
  kill(home: Home): void {
    this.network.kill(home.id)
    this.#street.delete(home.id)
    this.homes.splice(this.homes.indexOf(home), 1)
    // A dead process does nothing more; its shell here is stopped without a chance to speak.
    void home.cluster.stop()
  }

  /** Moves time on, with everything that follows. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.monotonic() + ms
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (!this.clock.step(until)) break
    }
    if (this.clock.monotonic() < until) {
      this.clock.after(until - this.clock.monotonic(), () => undefined)
      this.clock.step(until)
    }
  }

  /** Until it holds; fails after so many milliseconds of virtual time. Gives how long it took. */
  async until(holds: () => boolean, within_ms: number): Promise<number> {
    const began = this.clock.monotonic()
    while (!holds()) {
      if (this.clock.monotonic() - began > within_ms) throw new Error(`not within ${within_ms} ms`)
      await this.pass(5)
    }
    return this.clock.monotonic() - began
  }

  #doors(id: NodeId): ClusterDoors {
    this.#hosts += 1
    const host = `10.0.${this.#hosts >> 8}.${this.#hosts & 255}`
    const network = this.world.host(host)
    return {
      mesh: async (keys) => this.network.open(id, keys, { host, port: 7421 }),
      enrolment: (accept) => network.listen({ host, port: 7422 }, accept),
      dialStranger: (place, timeout_ms) => network.dial(place, timeout_ms),
      discovery: async (options) => this.#join(id, host, options),
    }
  }

  #join(id: NodeId, host: string, options: DiscoveryOptions): Discovery {
    const neighbour: Neighbour = {
      options,
      standing: undefined,
      keys: [],
      members: new Set(),
      linked: new Set(),
      stopped: false,
      place: { host, port: options.ports.mesh },
      enrolment: { host, port: options.ports.enrolment },
    }
    this.#street.set(id, neighbour)
    const look = (): void => {
      if (neighbour.stopped) return
      this.#look(id, neighbour)
      this.clock.after(PERIOD_MS * (0.5 + this.random.float()), look)
    }
    this.clock.after(1, look)
    return {
      take: (input) => {
        if (input.type === 'tell') {
          neighbour.standing = input.standing
          neighbour.keys = input.keys.map((key) => Buffer.from(key.expose()).toString('hex'))
        } else if (input.type === 'members') neighbour.members = input.members
        else if (input.type === 'linked') neighbour.linked.add(input.node)
        else if (input.type === 'unlinked') neighbour.linked.delete(input.node)
        else if (input.type === 'refused')
          this.homes.find(({ cluster }) => cluster.self === id)?.refused.push(input.error.code)
      },
      multicast: undefined,
      placesOf: (node) => {
        const other = this.#street.get(node)
        return other === undefined
          ? { mesh: [], enrolment: [] }
          : { mesh: [other.place], enrolment: [other.enrolment] }
      },
      ownPlaces: [neighbour.place],
      explain: () => [],
      counts: {},
      stop: async () => {
        neighbour.stopped = true
        if (this.#street.get(id) === neighbour) this.#street.delete(id)
      },
    }
  }

  #look(id: NodeId, neighbour: Neighbour): void {
    for (const [node, other] of this.#street) {
      if (node === id || this.network.isCut(id, node)) continue
      const { loss, late_ms } = this.#discovery
      if (loss > 0 && this.random.float() < loss) {
        this.counts.lost += 1
        continue
      }
      // As it was said, however late it is heard.
      const said = { node, place: other.place, standing: other.standing, keys: other.keys }
      if (late_ms === 0) this.#hear(neighbour, said)
      else {
        this.counts.late += 1
        this.clock.after(this.random.float() * late_ms, () => this.#hear(neighbour, said))
      }
    }
  }

  #hear(neighbour: Neighbour, said: Pick<Neighbour, 'standing' | 'keys' | 'place'> & { node: NodeId }): void {
    if (neighbour.stopped) return
    const { onEffect } = neighbour.options
    const { node, place, standing } = said
    const isOurs = said.keys.some((key) => neighbour.keys.includes(key))
    if (!isOurs) onEffect({ type: 'met', node, standing })
    if ((isOurs || neighbour.members.has(node)) && !neighbour.linked.has(node)) {
      this.#attempts += 1
      onEffect({ type: 'dial', attempt: this.#attempts, place, expected: node })
    }
  }
}

function logOf(home: Home): Log {
  const line = (message: string, values?: object): void => {
    home.logs.push(`${message} ${JSON.stringify(values ?? {})}`)
  }
  const log: Log = { debug: line, info: line, warn: line, error: line, child: () => log }
  return log
}
