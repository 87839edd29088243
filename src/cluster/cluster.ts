/**
 * The running cluster of one node: sockets, timers and files around the pure machines. Who belongs (`household/`), who is alive
 * (`membership/`), whom to dial (`discovery/`) and which link to keep (`running/peers.ts`) is decided there; here their effects
 * meet: a link that opens is greeted and judged, then membership, household and everybody who listens hear of it.
 *
 * Promises: nothing of a peer is listened to before the household let it in; what was told to others was kept first; whoever
 * was removed is cut at once; of two copies of a node one goes on and the other says that it gave way.
 *
 * Read `running/links.ts` for what happens on a link, `running/belonging.ts` for the household, then this file.
 */
import { type Connection, type Host, type Listener, LoqaError, type NodeId, wall } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import type { Discovery, DiscoveryEffect, DiscoveryOptions } from './discovery/discovery.ts'
import type { NodeRow } from './discovery/explain.ts'
import { standingOf } from './household/admission.ts'
import { certificateOf } from './household/authority.ts'
import type { ClonedError, Life } from './household/clones.ts'
import { openingKeys } from './household/keychain.ts'
import { batches } from './household/messages.ts'
import { admittance } from './household/presented.ts'
import type { HouseholdRecord } from './household/records.ts'
import type { Secret } from './household/secret.ts'
import type { HouseholdState } from './household/state.ts'
import type { MembershipConfig } from './membership/config.ts'
import type { Member, MemberChange } from './membership/state.ts'
import { Belonging, type OutwardEffect } from './running/belonging.ts'
import {
  ENROLMENT_DIAL_MS,
  ENROLMENT_PORT_AFTER,
  KNOCK_EVERY_MS,
  LEAVE_MS,
  RETURN_EVERY_MS,
} from './running/bounds.ts'
import { Copies } from './running/copies.ts'
import { Enrolments } from './running/enrolments.ts'
import { type HouseholdDesk, householdDesk } from './running/household-desk.ts'
import { Links, type OwnHello, type Refusal } from './running/links.ts'
import {
  CONTROL_VERSION,
  type ControlMessage,
  type Hello,
  MAX_PLACES,
  OLDEST_CONTROL_VERSION,
} from './running/messages.ts'
import { Presence } from './running/presence.ts'
import { RoundTrips } from './running/round-trips.ts'
import { forgotten, learned, type Sheet, type Sheets } from './running/sheets.ts'
import type { Link, Mesh, Place, StreamClass } from './transport/mesh.ts'

/** The ways out, so that tests run without sockets. */
export interface ClusterDoors {
  mesh(keys: readonly Secret[]): Promise<Mesh>
  /** Errors: `port-in-use`. */
  enrolment(accept: (connection: Connection) => void): Promise<Listener>
  dialStranger(place: Place, timeout_ms: number): Promise<Connection>
  discovery(options: DiscoveryOptions): Promise<Discovery>
}

export interface ClusterOptions {
  readonly host: Pick<Host, 'clock' | 'random'>
  readonly doors: ClusterDoors
  readonly household: HouseholdState
  /** Starts of this data directory, this one included. */
  readonly starts: number
  /** Drawn at this start: 16 hex digits, of which the first eight are its number in membership. */
  readonly boot: string
  /** Writes the household's state; returns when it is durable. */
  readonly keep: (state: HouseholdState) => Promise<void>
  readonly name: string
  readonly room: string
  /** Addresses given by hand. */
  readonly peers: readonly Place[]
  readonly membership: MembershipConfig
  readonly log: Log
  readonly metric: (name: string, add: number, labels?: Readonly<Record<string, string>>) => void
  readonly audit: (entry: { what: string; object: string; outcome: string }) => void
}

/** Told of links and verdicts; remote actors are one. All optional. */
export interface ClusterListener {
  /** A peer may be talked to over this link, which replaces an earlier one to it. */
  linked?(link: Link): void
  unlinked?(peer: NodeId): void
  frame?(peer: NodeId, streamClass: StreamClass, frame: Uint8Array): void
  drained?(peer: NodeId, streamClass: StreamClass): void
  /** Membership changed its mind about a node. */
  member?(change: MemberChange): void
  sheet?(node: NodeId, sheet: Sheet): void
  /** This node gave way to a copy of itself. */
  cloned?(error: ClonedError): void
}

export interface Cluster {
  readonly self: NodeId
  readonly boot: number
  readonly port: number
  readonly household: HouseholdDesk
  /** Members of the household whom membership knows; not this node. */
  members(): readonly Member[]
  rttOf(node: NodeId): number | undefined
  nameOf(node: NodeId): string | undefined
  sheets(): Sheets
  /** This node's own capabilities, told to every member; the version is counted here. */
  announce(sheet: Omit<Sheet, 'version'>): void
  linkTo(node: NodeId): Link | undefined
  /** Rows of `loqa nodes`. */
  nodes(): readonly NodeRow[]
  readonly refusing: ClonedError | undefined
  listen(listener: ClusterListener): void
  /** Says goodbye to everybody, then closes. */
  stop(): Promise<void>
}

/** Errors: `port-in-use`. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = new RunningCluster(options)
  await cluster.start()
  return cluster
}

class RunningCluster implements Cluster {
  readonly self: NodeId
  readonly boot: number
  readonly household: HouseholdDesk
  readonly #options: ClusterOptions
  readonly #belonging: Belonging
  readonly #enrolments: Enrolments
  readonly #links: Links
  readonly #presence: Presence
  readonly #copies: Copies
  readonly #trips: RoundTrips
  readonly #listeners: ClusterListener[] = []
  #mesh: Mesh | undefined
  #listener: Listener | undefined
  #discovery: Discovery | undefined
  #sheets: Sheets = new Map()
  #own: Sheet | undefined
  /** Where strangers that were looked at enrol others: those given by hand announce nothing. */
  readonly #knocked = new Map<NodeId, Place>()
  readonly #knocks = new Map<string, number>()
  #returned = Number.NEGATIVE_INFINITY
  #stopping = false

  constructor(options: ClusterOptions) {
    this.#options = options
    const { host, household, keep, boot, starts } = options
    const { clock, random } = host
    this.self = household.self.card.node
    this.boot = Number.parseInt(boot.slice(0, 8), 16)
    this.#belonging = new Belonging({
      clock,
      random,
      state: household,
      keep,
      carryOut: (effect) => this.#carryOut(effect),
      changed: (state, before) => this.#householdChanged(state, before),
      troubled: (error) => options.log.error('The household cannot be kept; it is tried again', { error }),
    })
    this.#enrolments = new Enrolments({
      clock,
      random,
      state: () => this.#belonging.state,
      input: (input) => this.#belonging.input(input),
      mayGreet: (source) => this.#belonging.mayGreet(source),
      dial: (place) => options.doors.dialStranger(place, ENROLMENT_DIAL_MS),
      met: (node, standing, at) => {
        if (at !== undefined) this.#knocked.set(node, at)
        this.#belonging.input({ type: 'met', node, standing })
      },
    })
    this.#presence = new Presence({
      clock,
      random,
      self: this.self,
      boot: this.boot,
      config: options.membership,
      admitted: this.#belonging.isMember,
      send: (to, message) => this.#links.send(to, { type: 'membership', message }),
      changed: (change) => this.#memberChanged(change),
      report: (effect) => this.#report(effect),
    })
    this.#copies = new Copies({
      self: { node: this.self, incarnation: starts, boot, address: options.name },
      named: (error) => {
        options.log.error('Two nodes share one id', { problem: error.message })
        options.audit({ what: 'node.cloned', object: this.self, outcome: 'named' })
      },
      gaveWay: (error) => {
        for (const listener of this.#listeners) listener.cloned?.(error)
      },
    })
    this.#trips = new RoundTrips(clock, (peer, number) => this.#links.send(peer, { type: 'ping', number }))
    this.#links = new Links({
      self: this.self,
      clock,
      random,
      hello: () => this.#hello(),
      judge: (link, hello) => this.#judge(link, hello),
      up: (link, hello) => this.#up(link, hello),
      moved: (link) => {
        for (const listener of this.#listeners) listener.linked?.(link)
      },
      down: (peer, why) => this.#down(peer, why),
      heard: (peer, message) => this.#heard(peer, message),
      frame: (peer, streamClass, frame) => {
        for (const listener of this.#listeners) listener.frame?.(peer, streamClass, frame)
      },
      drained: (peer, streamClass) => {
        for (const listener of this.#listeners) listener.drained?.(peer, streamClass)
      },
      refused: (peer, code, message, by) => this.#refused(peer, code, message, by),
      counted: (what) => options.metric('loqa_cluster_refused_frames_total', 1, { why: what }),
    })
    this.household = householdDesk(this.#belonging, clock, () =>
      this.nodes().map(({ id, name }) => ({ id, name })),
    )
  }

  async start(): Promise<void> {
    const { doors, host, boot, starts, peers } = this.#options
    const mesh = await doors.mesh(this.#keys())
    this.#mesh = mesh
    mesh.onLink((link) => this.#links.open(link))
    try {
      this.#listener = await doors.enrolment((connection) => this.#enrolments.admit(connection))
    } catch (thrown) {
      await mesh.close()
      throw thrown
    }
    this.#discovery = await doors.discovery({
      host,
      life: { node: this.self, incarnation: starts, boot },
      ports: { mesh: this.port, enrolment: this.#listener.port },
      peers,
      onEffect: (effect) => this.#discovered(effect),
    })
    this.#tellDiscovery()
    this.#belonging.input({ type: 'due' })
  }

  get port(): number {
    return this.#mesh?.places[0]?.port ?? 0
  }

  members(): readonly Member[] {
    return this.#presence.members()
  }

  rttOf(node: NodeId): number | undefined {
    return this.#trips.of(node)
  }

  nameOf(node: NodeId): string | undefined {
    if (node === this.self) return this.#options.name
    const { roster } = this.#belonging.state
    return this.#links.helloOf(node)?.name ?? certificateOf(roster, node)?.card.name
  }

  sheets(): Sheets {
    return this.#sheets
  }

  announce(sheet: Omit<Sheet, 'version'>): void {
    this.#own = { ...sheet, version: (this.#own?.version ?? 0) + 1 }
    for (const peer of this.#links.peers()) this.#links.send(peer, { type: 'sheet', ...this.#own })
  }

  linkTo(node: NodeId): Link | undefined {
    return this.#links.linkTo(node)
  }

  get refusing(): ClonedError | undefined {
    return this.#copies.refusing
  }

  listen(listener: ClusterListener): void {
    this.#listeners.push(listener)
    for (const peer of this.#links.peers()) {
      const link = this.#links.linkTo(peer)
      if (link !== undefined) listener.linked?.(link)
    }
  }

  nodes(): readonly NodeRow[] {
    const { state } = this.#belonging
    const knownOf = (node: NodeId) => ({
      name: this.nameOf(node) ?? '',
      room: this.#sheets.get(node)?.sheet.room ?? this.#links.helloOf(node)?.room ?? '',
      state: this.#presence.member(node)?.standing.status,
      rtt_ms: this.#trips.of(node) ?? null,
      capabilities: (this.#sheets.get(node)?.sheet.capabilities ?? []).map(({ tag }) => tag),
    })
    const { name, room } = this.#options
    const own = { name, room, state: 'alive', rtt_ms: 0 } as const
    const capabilities = (this.#own?.capabilities ?? []).map(({ tag }) => tag)
    const others = this.#belonging.members().filter((node) => node !== this.self)
    return (
      this.#discovery?.explain({
        self: { id: this.self, ...own, capabilities },
        members: new Map(others.map((node) => [node, knownOf(node)])),
        revoked: new Set(this.#belonging.revoked()),
        pending: new Map(state.pending.map(({ card, code }) => [card.node, { name: card.name, code }])),
        joining:
          state.joining === undefined ? undefined : { node: state.joining.node, code: state.joining.code },
      }) ?? []
    )
  }

  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    this.#presence.input({ type: 'leave' })
    const { clock } = this.#options.host
    const said = new Promise<void>((resolve) => clock.after(LEAVE_MS, resolve))
    await Promise.all([this.#discovery?.stop(), this.#links.peers().length > 0 ? said : undefined])
    this.#presence.stop()
    this.#belonging.stop()
    this.#enrolments.stop()
    this.#links.partAll('this node stops')
    await this.#listener?.close()
    await this.#mesh?.close()
  }

  // The household's effects.

  #carryOut(effect: OutwardEffect): void {
    const { audit } = this.#options
    switch (effect.type) {
      case 'spread':
        for (const peer of this.#links.peers()) if (peer !== effect.except) this.#tell(peer, effect.records)
        break
      case 'tell':
        this.#tell(effect.to, effect.records)
        break
      case 'grant':
        this.#links.send(effect.grant.node, {
          type: 'household',
          message: { type: 'grant', grant: effect.grant },
        })
        break
      case 'cut':
        this.#cut(effect.node)
        break
      case 'reopen':
        this.#reopen()
        break
      case 'enrol':
        void this.#enrolments.join(effect, this.#enrolmentPlaces(effect.node))
        break
      case 'consent':
        this.#enrolments.consent()
        break
      case 'withdraw':
        this.#enrolments.withdraw()
        break
      case 'moved':
        this.#enrolments.kept()
        break
      case 'welcome':
        this.#enrolments.welcome(effect.session, effect.welcome)
        break
      case 'refuse':
        this.#enrolments.refuse(effect.session, effect.code)
        break
      default:
        audit({ what: effect.what, object: effect.object, outcome: effect.outcome })
    }
  }

  #tell(peer: NodeId, records: readonly HouseholdRecord[]): void {
    for (const batch of batches(records)) {
      this.#links.send(peer, { type: 'household', message: { type: 'records', records: batch } })
    }
  }

  /** It was told why before this, and the link sends what is waiting; but nothing it says is heard any more. */
  #cut(node: NodeId): void {
    const self = node === this.self
    if (self) this.#links.partAll('this node was removed from its household')
    else this.#links.part(node, 'it was removed from the household', true)
  }

  #reopen(): void {
    const { log } = this.#options
    this.#mesh?.rekey(this.#keys()).catch((error: unknown) => {
      log.error('The keys of the household could not be changed on the network', { error })
    })
    this.#tellDiscovery()
  }

  #keys(): readonly Secret[] {
    const { state, context } = this.#belonging
    return openingKeys(state.keychain, state.roster, context.now)
  }

  #tellDiscovery(): void {
    const { state, context } = this.#belonging
    this.#discovery?.take({ type: 'tell', standing: standingOf(state, context), keys: this.#keys() })
    this.#discovery?.take({
      type: 'members',
      members: new Set(this.#belonging.members().filter((node) => node !== this.self)),
      revoked: new Set(this.#belonging.revoked()),
    })
  }

  #householdChanged(state: HouseholdState, before: HouseholdState): void {
    if (state.roster === before.roster && state.phase === before.phase) return
    this.#tellDiscovery()
  }

  #enrolmentPlaces(node: NodeId): readonly Place[] {
    const found = this.#discovery?.placesOf(node).enrolment ?? []
    const knocked = this.#knocked.get(node)
    return knocked === undefined ? found : [...found, knocked]
  }

  // Discovery.

  #discovered(effect: DiscoveryEffect): void {
    switch (effect.type) {
      case 'dial':
        void this.#dial(effect.attempt, effect.place, effect.expected)
        break
      case 'met':
        this.#belonging.input({ type: 'met', node: effect.node, standing: effect.standing })
        break
      case 'cloned':
        this.#copies.heard(effect.life)
        break
      case 'moved':
        this.#tellPlaces(this.#links.peers(), [{ node: this.self, places: effect.places }])
        break
      default:
        this.#options.log[effect.level](effect.what, effect.attributes)
    }
  }

  async #dial(attempt: number, place: Place, expected: NodeId | undefined): Promise<void> {
    try {
      const link = await this.#mesh!.dial(place, expected)
      this.#discovery?.take({ type: 'dialled', attempt, outcome: { node: link.peer } })
      if (this.#stopping) link.abort('this node stops')
      else this.#links.open(link)
    } catch (thrown) {
      const error = thrown as LoqaError
      this.#discovery?.take({ type: 'dialled', attempt, outcome: { error } })
      if (error.code === 'wrong-key') this.#strange(place, expected)
    }
  }

  /** Somebody of another key answers: a member whose key was changed while we were away, or another household. */
  #strange(place: Place, expected: NodeId | undefined): void {
    const now = this.#options.host.clock.monotonic()
    if (expected !== undefined) {
      if (!this.#belonging.isMember(expected) || now - this.#returned < RETURN_EVERY_MS) return
      this.#returned = now
      this.#belonging.input({ type: 'return', node: expected })
      return
    }
    const written = `${place.host} ${place.port}`
    if (now - (this.#knocks.get(written) ?? Number.NEGATIVE_INFINITY) < KNOCK_EVERY_MS) return
    this.#knocks.set(written, now)
    void this.#enrolments.knock({ host: place.host, port: place.port + ENROLMENT_PORT_AFTER })
  }

  // Links.

  /** Undefined once this node was removed: it has nothing to show. */
  #hello(): OwnHello | undefined {
    const { host, boot, starts, name, room } = this.#options
    const certificate = certificateOf(this.#belonging.state.roster, this.self)
    if (certificate === undefined) return undefined
    return {
      speaks: CONTROL_VERSION,
      understands: OLDEST_CONTROL_VERSION,
      starts,
      boot,
      certificate,
      time: Math.floor(host.clock.wall()),
      name,
      room,
      port: this.port,
      enrolment_port: this.#listener?.port ?? 0,
    }
  }

  #judge(link: Link, hello: Hello): Refusal | undefined {
    const { peer, place } = link
    const { certificate, time, starts, boot } = hello
    const { host } = this.#options
    const error = versionFault(hello)
    if (error !== undefined) return { error, before: [] }
    const presented = { certificate, presenter: peer, their_time: wall(time) }
    const verdict = admittance(this.#belonging.state.roster, presented, host.clock.wall())
    if (!verdict.admitted) return { error: verdict.error, before: [] }
    const life: Life = { node: peer, incarnation: starts, boot, address: `${place.host} (${hello.name})` }
    return this.#judgeLife(life)
  }

  #judgeLife(life: Life): Refusal | undefined {
    const newest = this.#copies.newestOf(life.node)
    const alive = newest !== undefined && this.#links.helloOf(life.node)?.boot === newest.boot
    const error = this.#copies.greeted(life, alive)
    if (error === undefined || newest === undefined) return undefined
    const told = (of: Life): ControlMessage => {
      const { node, incarnation, boot, address } = of
      return { type: 'life', node, starts: incarnation, boot, address }
    }
    // The one that goes on is told too: it names the copy, and goes on.
    this.#links.send(life.node, told(life))
    return { error, before: [told(newest)] }
  }

  #up(link: Link, hello: Hello): void {
    const { peer, dialled, place } = link
    this.#discovery?.take({ type: 'linked', node: peer, place: dialled ? place : undefined })
    this.#presence.input({ type: 'stream-opened', peer })
    this.#belonging.input({ type: 'connected', node: peer })
    this.#trips.start(peer)
    if (this.#own !== undefined) this.#links.send(peer, { type: 'sheet', ...this.#own })
    this.#passPlaces(link, hello)
    this.#options.log.info('A node of the household is connected', { peer, name: hello.name })
    for (const listener of this.#listeners) listener.linked?.(link)
  }

  /** Where the newcomer is, to the others; where they and we are, to the newcomer. */
  #passPlaces({ peer, place, dialled }: Link, hello: Hello): void {
    const listening = { host: place.host, port: hello.port }
    if (!dialled && hello.port > 0) this.#discovery?.take({ type: 'told', node: peer, places: [listening] })
    const others = this.#links.peers().filter((other) => other !== peer)
    this.#tellPlaces(others, [this.#placesOf(peer)])
    const own = { node: this.self, places: this.#discovery?.ownPlaces ?? [] }
    this.#tellPlaces([peer], [own, ...others.map((other) => this.#placesOf(other))])
  }

  #placesOf(node: NodeId): { node: NodeId; places: readonly Place[] } {
    return { node, places: this.#discovery?.placesOf(node).mesh ?? [] }
  }

  #tellPlaces(peers: readonly NodeId[], known: readonly { node: NodeId; places: readonly Place[] }[]): void {
    const nodes = known
      .filter(({ places }) => places.length > 0)
      .map(({ node, places }) => ({ node, places: places.slice(0, MAX_PLACES) }))
    if (nodes.length === 0) return
    for (const peer of peers) this.#links.send(peer, { type: 'places', nodes })
  }

  #down(peer: NodeId, why: string): void {
    this.#trips.stop(peer)
    this.#presence.input({ type: 'stream-closed', peer })
    this.#discovery?.take({ type: 'unlinked', node: peer, why })
    this.#options.log.info('A node of the household is no longer connected', { peer, why })
    for (const listener of this.#listeners) listener.unlinked?.(peer)
  }

  #refused(peer: NodeId, code: string, message: string, by: 'us' | 'them'): void {
    const said = by === 'us' ? message : `it refused this node: ${message}`
    const error = new LoqaError(code, said, { retryable: true })
    this.#discovery?.take({ type: 'refused', node: peer, error })
    this.#options.metric('loqa_cluster_refused_links_total', 1, { code })
    if (by === 'us') this.#options.audit({ what: 'household.refused', object: peer, outcome: code })
  }

  #heard(peer: NodeId, message: ControlMessage): void {
    if (!this.#belonging.isMember(peer)) return
    switch (message.type) {
      case 'membership':
        this.#presence.input({ type: 'message', from: peer, message: message.message })
        break
      case 'household':
        this.#heardOfHousehold(peer, message.message)
        break
      case 'life': {
        const { node, starts, boot, address } = message
        this.#copies.heard({ node, incarnation: starts, boot, address })
        break
      }
      case 'places':
        for (const { node, places } of message.nodes) {
          if (node === this.self || !this.#belonging.isMember(node)) continue
          this.#discovery?.take({ type: 'told', node, places })
        }
        break
      case 'sheet': {
        const { type: _, ...sheet } = message
        this.#learn(peer, sheet)
        break
      }
      case 'ping':
        this.#links.send(peer, { type: 'pong', number: message.number })
        break
      case 'pong':
        this.#trips.answered(peer, message.number)
        break
      default:
    }
  }

  #heardOfHousehold(peer: NodeId, message: Extract<ControlMessage, { type: 'household' }>['message']): void {
    if (message.type === 'grant') this.#belonging.input({ type: 'granted', grant: message.grant })
    else this.#belonging.input({ type: 'heard', from: peer, records: message.records })
  }

  #learn(peer: NodeId, sheet: Sheet): void {
    const boot = this.#links.helloOf(peer)?.boot
    if (boot === undefined) return
    const before = this.#sheets
    this.#sheets = learned(before, peer, boot, sheet)
    if (this.#sheets === before) return
    for (const listener of this.#listeners) listener.sheet?.(peer, sheet)
  }

  // Membership.

  #memberChanged(change: MemberChange): void {
    const { id, status, previous, cause } = change
    const { log } = this.#options
    if (status !== previous) log.info('A node changed its state', { peer: id, status, previous, cause })
    if (status === 'dead' || status === 'left') {
      this.#sheets = forgotten(this.#sheets, id)
      // What still looks open leads nowhere; a new link is dialled as soon as the node is seen again.
      this.#links.part(id, status === 'left' ? 'it left' : 'it was given up for dead', false)
    }
    for (const listener of this.#listeners) listener.member?.(change)
  }

  #report(effect: Parameters<ConstructorParameters<typeof Presence>[0]['report']>[0]): void {
    if (effect.type === 'log') this.#options.log[effect.level](effect.message, effect.values ?? {})
    else if (effect.add !== undefined) this.#options.metric(effect.name, effect.add, effect.labels)
  }
}

function versionFault({ speaks, understands }: Hello): LoqaError | undefined {
  if (speaks < OLDEST_CONTROL_VERSION)
    return new LoqaError('version-too-old', 'that node runs a version this one no longer understands', {
      hint: 'Update it.',
    })
  if (understands > CONTROL_VERSION)
    return new LoqaError('version-too-new', 'that node no longer understands the version of this one', {
      hint: 'Update this node.',
    })
  return undefined
}
