/** The cluster of a running node: opened from the configuration and the keyring, told what this node can do. */
import {
  type Cluster,
  type ClusterListener,
  type HouseholdView,
  type Load,
  looked,
  MAX_SPEAKERS,
  MEMBERSHIP_PRESETS,
  openCluster,
  placeIn,
  realDoors,
  showHousehold,
  UNKNOWN_LOAD,
  writeKeyring,
} from '../cluster/index.ts'
import type { Config } from '../config.ts'
import { type Cancel, type Host, LoqaError, type Processors, VERSION } from '../host/index.ts'
import type { Capability } from '../inference/index.ts'
import type { Audit, Log, Metrics } from '../observe/index.ts'
import { householdOf, type Identity, newKeyring } from './identity.ts'

/** Changes of capabilities that come together are told together, ms. */
const TELL_AFTER_MS = 200
/** And they, and the machine's processors, are looked at so often: a second or two is what a turn takes. */
const TELL_EVERY_MS = 2_000
/** How far an engine is behind is told in steps of this: less is no reason to go elsewhere, nor to tell it again. */
const LAG_GRAIN_MS = 20

/** Who is near answers the first question within 120 ms (RFC 6762, section 6), and is asked twice by then. */
const MEETING_LEAST_MS = 250
/** Five fresh nodes on two cores are linked by then; who takes longer is switched off or belongs to others. */
const MEETING_MOST_MS = 700
const MEETING_LOOK_MS = 25

export interface ClusteringParts {
  readonly host: Host
  readonly config: Config
  readonly identity: Identity
  /** 16 hex digits, drawn at this start. */
  readonly boot: string
  readonly log: Log
  readonly metrics: Metrics
  readonly audit: Audit
  readonly capabilities: () => readonly Capability[]
  readonly processors: Processors
}

export class Clustering {
  readonly #parts: ClusteringParts
  readonly #listeners: ClusterListener[] = []
  #cluster: Cluster | undefined
  #opening: Promise<void> | undefined
  #telling = false
  #speakers: readonly string[] = []
  #http: number | undefined
  #leaving = false
  /** The sheet the others have. */
  #told = ''
  #load: Load = UNKNOWN_LOAD
  #next_look: Cancel = () => undefined
  #gone = false
  #attending = false
  readonly #again = Promise.withResolvers<void>()

  constructor(parts: ClusteringParts) {
    this.#parts = parts
  }

  /** Undefined until it is open, and when the configuration has none. */
  get cluster(): Cluster | undefined {
    return this.#cluster
  }

  /** Share of this machine's processors in use, as it is told; null: not known yet. */
  get load(): number | null {
    return this.#load.told
  }

  /** Nothing is missed: links that are there already are told of, and what came over them until `attend` was kept. */
  listen(listener: ClusterListener): void {
    if (this.#attending) this.#cluster?.listen(listener)
    else this.#listeners.push(listener)
  }

  /** All who must hear every frame listen now. */
  attend(): void {
    this.#attending = true
    this.#cluster?.listen(...this.#listeners.splice(0))
  }

  /** Resolves when the node is to start anew: it was reset. */
  get again(): Promise<void> {
    return this.#again.promise
  }

  /**
   * May be called twice, and gives the same. Errors: `port-in-use` naming the port and the flag; `invalid-input` for an address
   * among `cluster.peers`.
   */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    // Whoever waits for it hears of the error; meanwhile nobody may.
    this.#opening.catch(() => undefined)
    return this.#opening
  }

  async #open(): Promise<void> {
    const { host, config, identity, boot, log, metrics, audit } = this.#parts
    const { cluster: settings, node } = config
    if (!settings.enabled) return
    const { keyring, path } = identity
    const { locked, incarnation } = keyring
    const doors = realDoors({
      host,
      self: keyring.self,
      port: settings.port,
      enrolment_port: settings.enrolment_port,
      discovery: settings.discovery,
    })
    const opened = openCluster({
      host,
      doors,
      household: householdOf(identity, host),
      starts: incarnation,
      boot,
      keep: ({ self, roster, keychain }) =>
        this.#gone
          ? Promise.resolve()
          : writeKeyring(host.disk, path, { self, roster, keychain, locked, incarnation }),
      name: node.name.trim(),
      room: node.room.trim(),
      peers: settings.peers.map((peer) => placeIn(peer, DEFAULT_PORT)),
      membership: MEMBERSHIP_PRESETS[settings.patience],
      log,
      metric: (name, add, labels) => metrics.add(name, add, labels),
      audit: (entry) => {
        audit
          .append({ actor: 'household', who: '-', ...entry })
          .catch((error: unknown) => log.error('An audit record could not be written', { error }))
      },
    })
    this.#cluster = await opened.catch((thrown: unknown) => {
      throw withFlag(thrown)
    })
    metrics.onScrape(() => this.#report())
    this.#lookAtLoad()
    this.tell()
    this.#tellAgain()
  }

  /**
   * Resolves when nobody who was seen nearby is on the way to a link any more, after 250 to 700 ms. What a start does after that is
   * work of seconds for a small machine, and the handshakes of a whole household would wait behind it.
   */
  async met(): Promise<void> {
    const { clock } = this.#parts.host
    const opened = clock.monotonic()
    while (this.#cluster !== undefined) {
      await new Promise<void>((resolve) => clock.after(MEETING_LOOK_MS, resolve))
      const spent_ms = clock.monotonic() - opened
      if (spent_ms >= MEETING_MOST_MS || (spent_ms >= MEETING_LEAST_MS && !this.#isMeeting())) return
    }
  }

  #isMeeting(): boolean {
    const rows = this.#cluster?.nodes() ?? []
    return rows.some(({ self, state }) => !self && (state === 'seen' || state === 'connecting'))
  }

  #lookAtLoad(): void {
    this.#load = looked(this.#load, this.#parts.processors())
  }

  /** What this node can do may have changed. */
  tell(): void {
    if (this.#telling) return
    this.#telling = true
    this.#parts.host.clock.after(TELL_AFTER_MS, () => {
      this.#telling = false
      this.#tellNow()
    })
  }

  /** Rooms in which this node has a loudspeaker now. Told at once: who rings a timer depends on it. */
  speakersAre(rooms: readonly string[]): void {
    this.#speakers = rooms.slice(0, MAX_SPEAKERS)
    this.#tellNow()
  }

  /** Satellites of other machines are served at this port; undefined: no more. */
  servesAt(http: number | undefined): void {
    this.#http = http
    this.#tellNow()
  }

  /** This node is about to go: it takes on nothing more. */
  leaves(): void {
    this.#leaving = true
    this.servesAt(undefined)
  }

  #tellNow(): void {
    const sheet = this.#sheet()
    const written = JSON.stringify(sheet)
    if (this.#cluster === undefined || written === this.#told) return
    this.#told = written
    this.#cluster.announce(sheet)
  }

  /** How busy engines and the machine are changes without anybody saying so. */
  #tellAgain(): void {
    this.#next_look = this.#parts.host.clock.after(TELL_EVERY_MS, () => {
      this.#lookAtLoad()
      this.tell()
      this.#tellAgain()
    })
  }

  #sheet(): Parameters<Cluster['announce']>[0] {
    const { config, capabilities } = this.#parts
    const room = config.inference.streams_per_engine
    return {
      room: config.node.room.trim(),
      program: VERSION,
      load: this.#load.told,
      speakers: [...this.#speakers],
      ...(this.#http === undefined ? {} : { http: this.#http }),
      capabilities: capabilities().map(
        ({ tag, state, p95_ms, real_time_factor, tokens_per_s, lag_ms, load }) => ({
          ...{ tag, ready: state === 'ready' && !this.#leaving, p95_ms, real_time_factor, tokens_per_s },
          ...(lag_ms === undefined ? {} : { lag_ms: Math.round(lag_ms / LAG_GRAIN_MS) * LAG_GRAIN_MS }),
          ...{ room, running: Math.min(load, room) },
        }),
      ),
    }
  }

  /** What people call a node: its name, else the end of its id. */
  nameOf(id: string): string {
    const named = this.#cluster?.nodes().find((row) => row.id === id)?.name ?? ''
    if (named !== '') return named
    return id === this.#parts.identity.id ? this.#parts.config.node.name : id.slice(-8)
  }

  household(): HouseholdView {
    const { host, identity } = this.#parts
    return this.#cluster?.household.show() ?? showHousehold(householdOf(identity, host), host.clock)
  }

  /** Whether other nodes belong to the household, and can be met. */
  expectsOthers(): boolean {
    const { phase, members } = this.household()
    return this.#parts.config.cluster.enabled && phase === 'member' && members.length > 1
  }

  /** A new identity in a household of its own; the node starts anew right after. What is stored stays. */
  async reset(): Promise<HouseholdView> {
    const { host, config, identity, audit } = this.#parts
    await this.#cluster?.stop()
    this.#gone = true
    const { name } = config.node
    const keyring = newKeyring(host, { name, locked: config.cluster.locked })
    await audit.append({
      actor: 'household',
      who: '-',
      what: 'node.reset',
      object: identity.id,
      outcome: keyring.self.card.node,
    })
    await writeKeyring(host.disk, identity.path, keyring)
    host.clock.after(TELL_AFTER_MS, this.#again.resolve)
    const fresh: Identity = { ...identity, id: keyring.self.card.node, keyring, founded: true }
    return showHousehold(householdOf(fresh, host), host.clock)
  }

  /** What a person should know of the household, in words. */
  troubles(): readonly string[] {
    if (this.household().phase === 'member') return []
    return ['This node was removed from its household. To join again: loqa household reset --yes']
  }

  async stop(): Promise<void> {
    this.#next_look()
    await this.#opening?.catch(() => undefined)
    await this.#cluster?.stop()
  }

  #report(): void {
    const { metrics } = this.#parts
    const counts = { alive: 1, suspect: 0, dead: 0, left: 0 }
    for (const { standing } of this.#cluster?.members() ?? []) counts[standing.status] += 1
    for (const [state, count] of Object.entries(counts)) metrics.set('loqa_cluster_members', count, { state })
    if (this.#load.told !== null) metrics.set('loqa_processor_load', this.#load.told)
  }
}

const DEFAULT_PORT = 7421

function withFlag(thrown: unknown): unknown {
  if (!(thrown instanceof LoqaError) || thrown.code !== 'port-in-use') return thrown
  return new LoqaError(
    'port-in-use',
    `${thrown.message} by another program; nodes of the household need it`,
    {
      hint: 'Choose another with --port (0 takes a free one), or stop the other program.',
      cause: thrown,
    },
  )
}
