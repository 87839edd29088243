/**
 * Who else is there, whom to dial, and why a node that was seen is not connected. Read this file first, then `dialling.ts`
 * (when whom is dialled), `sightings.ts` (what is remembered of whom) and `announcement.ts` (what strangers may learn).
 *
 * Promises: D1 Nothing heard is believed: an announcement is a hint whom to dial, the handshake proves who answers.
 * D2 A member that was connected within the hour is dialled at least every second until it is connected again, without end.
 * D3 What strangers can make this node remember, dial or compute is bounded. D4 Strangers learn that a node is there: its id, its
 * ports, its versions; which household only while its window is open. No names.
 *
 * It dials nobody by itself: it says `dial`, whoever holds the mesh dials and says how that ended.
 */
import {
  assertNever,
  type Cancel,
  type Clock,
  type Monotonic,
  type NodeId,
  OLDEST_UNDERSTOOD_VERSION,
  PROTOCOL_VERSION,
  type Random,
} from '../../host/index.ts'
import type { Life } from '../household/clones.ts'
import type { Place } from '../transport/mesh.ts'
import { type DnsRecord, read, recordsOf } from './announcement.ts'
import { DIALLING, type DiallingConfig, LOOK_MS, SLEPT_MS } from './bounds.ts'
import {
  type DiscoveringEffect,
  type DiscoveringInput,
  type DiscoveryState,
  discovering,
  startDiscovering,
} from './discovering.ts'
import { explain, type Known, type NodeRow } from './explain.ts'
import type { DiscoveryEffect, DiscoveryInput } from './inputs.ts'
import { type Interfaces, isSameNetwork, type NetworkInterface, realInterfaces } from './interfaces.ts'
import { MDNS_PORT, Mdns } from './mdns.ts'
import { ranked } from './places.ts'
import { hourOf, tagOf } from './tag.ts'

export type { DialOutcome, DiscoveryEffect, DiscoveryInput } from './inputs.ts'

export interface DiscoveryOptions {
  readonly host: { readonly clock: Clock; readonly random: Random }
  /** This start of this node. `address` is not used. */
  readonly life: Omit<Life, 'address'>
  /** Where this node listens, TCP: for members, and for those who want to enrol. */
  readonly ports: { readonly mesh: number; readonly enrolment: number }
  /** `--peer`, `cluster.peers`: dialled for ever, whoever answers there. At most MAX_STATIC. */
  readonly peers?: readonly Place[]
  /** UDP port of multicast DNS, 5353; another one only in tests. `false`: no multicast, static peers and gossip only. */
  readonly multicast?: { readonly port: number } | false
  readonly interfaces?: Interfaces
  readonly dialling?: Partial<DiallingConfig>
  /** Called in the order things happen, never from within `take`. */
  readonly onEffect: (effect: DiscoveryEffect) => void
}

export interface Discovery {
  take(input: DiscoveryInput): void
  /** Where to reach a node, best first: for `enrol` effects, and to gossip (`mesh`). Empty when it was never seen. */
  placesOf(node: NodeId): { readonly mesh: readonly Place[]; readonly enrolment: readonly Place[] }
  /** Every address of this node with its mesh port: to be told to members when a link opens and at `moved`. */
  readonly ownPlaces: readonly Place[]
  /** Rows of `loqa nodes`: this node, members, and everybody else who was seen. */
  explain(known: Known): readonly NodeRow[]
  /** Interfaces it speaks on, each with how long ago it heard itself there, ms; null: never. Undefined: multicast is switched off. */
  readonly multicast: readonly { readonly network: string; readonly heard_ms: number | null }[] | undefined
  /** Counters since the start, for metrics: `announcements_heard`, `answers_refused`, `nodes_forgotten`, … */
  readonly counts: Readonly<Record<string, number>>
  /** Says goodbye on every interface and closes the sockets. No effect after it resolves. */
  stop(): Promise<void>
}

export const openDiscovery = (options: DiscoveryOptions): Discovery => new OpenDiscovery(options)

class OpenDiscovery implements Discovery {
  readonly #options: DiscoveryOptions
  readonly #config: DiallingConfig
  readonly #interfaces: Interfaces
  readonly #mdns: Mdns | undefined
  readonly #counts: Record<string, number> = {}
  #state: DiscoveryState
  #network: readonly NetworkInterface[] = []
  #looked: { readonly at: Monotonic; readonly wall: number }
  #cancelLook: Cancel = () => undefined
  #cancelWake: Cancel = () => undefined
  readonly #troubles = new Set<string>()
  /** When this node heard its own announcement, by interface. */
  readonly #echoes = new Map<string, Monotonic>()
  #queue: DiscoveryEffect[] = []
  #stopped = false

  constructor(options: DiscoveryOptions) {
    this.#options = options
    const { clock, random } = options.host
    this.#config = { ...DIALLING, ...options.dialling }
    this.#interfaces = options.interfaces ?? realInterfaces
    this.#state = startDiscovering(options.life, options.ports, options.peers ?? [])
    this.#looked = { at: clock.monotonic(), wall: clock.wall() }
    if (options.multicast !== false) {
      this.#mdns = new Mdns({
        clock,
        random,
        port: options.multicast?.port ?? MDNS_PORT,
        records: (goodbye) => this.#records(goodbye),
        onAnswer: (records, from, network) => this.#answered(records, from, network),
        onCount: (what) => this.#count(`refused_${what}`),
        onTrouble: (network, code) => this.#trouble(network, code),
      })
    }
    this.#look()
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  get multicast(): Discovery['multicast'] {
    const now = this.#options.host.clock.monotonic()
    return this.#mdns === undefined
      ? undefined
      : [...new Set(this.#mdns.networks)].map((network) => {
          const at = this.#echoes.get(network)
          return { network, heard_ms: at === undefined ? null : now - at }
        })
  }

  get ownPlaces(): readonly Place[] {
    return this.#state.own_places
  }

  take(input: DiscoveryInput): void {
    this.#advance(input)
  }

  placesOf(node: NodeId): { mesh: readonly Place[]; enrolment: readonly Place[] } {
    const places = ranked(this.#state.seen.get(node)?.places ?? [])
    return {
      mesh: places.map(({ place }) => place),
      enrolment: places.flatMap(({ enrolment }) => (enrolment === undefined ? [] : [enrolment])),
    }
  }

  explain(known: Known): readonly NodeRow[] {
    return explain(this.#state, known, this.#options.host.clock.monotonic())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelLook()
    this.#cancelWake()
    this.#queue = []
    await this.#mdns?.close()
  }

  #advance(input: DiscoveringInput): void {
    if (this.#stopped) return
    const { clock, random } = this.#options.host
    const context = { now: clock.monotonic(), wall: clock.wall(), random, config: this.#config }
    const { state, effects } = discovering(this.#state, input, context)
    this.#state = state
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: DiscoveringEffect): void {
    const { clock } = this.#options.host
    if (effect.type === 'announce') this.#mdns?.again()
    else if (effect.type === 'wake') {
      this.#cancelWake()
      const delay_ms = Math.max(0, effect.at - clock.monotonic())
      this.#cancelWake = clock.after(delay_ms, () => this.#advance({ type: 'tick' }))
    } else this.#emit(effect)
  }

  /** Never from within `take`: whoever listens may call it again. */
  #emit(effect: DiscoveryEffect): void {
    if (effect.type === 'dial') this.#count('dials')
    this.#queue.push(effect)
    if (this.#queue.length > 1) return
    this.#options.host.clock.soon(() => {
      const queue = this.#queue
      this.#queue = []
      for (const one of queue) if (!this.#stopped) this.#options.onEffect(one)
    })
  }

  /** Said once: a tunnel without multicast is tried for ever, and is no news. */
  #trouble(network: string, code: string): void {
    this.#count('troubles')
    const what = `${network} ${code}`
    if (this.#troubles.has(what)) return
    this.#troubles.add(what)
    const attributes = { network, code }
    this.#emit({ type: 'note', level: 'warn', what: 'Multicast does not work on an interface', attributes })
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }

  /** Looks at the interfaces, and whether time passed that we did not notice. */
  #look(): void {
    const { clock } = this.#options.host
    const now = { at: clock.monotonic(), wall: clock.wall() }
    const passed = Math.max(now.at - this.#looked.at, now.wall - this.#looked.wall)
    this.#looked = now
    const interfaces = this.#interfaces.list()
    if (!isSameNetwork(this.#network, interfaces)) {
      this.#network = interfaces
      this.#count('network_changes')
      this.#troubles.clear()
      this.#mdns?.again()
      this.#advance({ type: 'network', interfaces })
    }
    // Opens again what failed, too.
    this.#mdns?.use(interfaces)
    if (passed > LOOK_MS + SLEPT_MS) {
      this.#count('wakes')
      this.#advance({ type: 'woke' })
    }
    this.#cancelLook = clock.after(LOOK_MS, () => this.#look())
  }

  #records(goodbye: boolean): readonly DnsRecord[] | undefined {
    const { life, ports, keys, standing } = this.#state
    const [key] = keys
    if (key === undefined) return undefined
    const announcement = {
      life,
      mesh_port: ports.mesh,
      enrolment_port: ports.enrolment,
      speaks: PROTOCOL_VERSION,
      understands: OLDEST_UNDERSTOOD_VERSION,
      tag: tagOf(key, life, hourOf(this.#options.host.clock.wall())),
      standing,
    }
    return goodbye ? recordsOf(announcement, 0) : recordsOf(announcement)
  }

  #answered(records: readonly DnsRecord[], from: string, network: string): void {
    const heard = read(records)
    switch (heard.type) {
      case 'announced':
        this.#count('announcements_heard')
        if (heard.announcement.life.boot === this.#options.life.boot)
          this.#echoes.set(network, this.#options.host.clock.monotonic())
        this.#advance({ ...heard, from })
        break
      case 'goodbye':
        this.#count('goodbyes_heard')
        this.#advance({ ...heard, from })
        break
      case 'refused':
        this.#count(`refused_${heard.fault}`)
        break
      case 'other':
        break
      default:
        assertNever(heard)
    }
  }
}
