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
import { type Listener, LoqaError, type NodeId } from '../host/index.ts'
import type { Discovery } from './discovery/discovery.ts'
import type { NodeRow } from './discovery/explain.ts'
import { certificateOf, everMembers } from './household/authority.ts'
import type { ClonedError } from './household/clones.ts'
import { openingKeys } from './household/keychain.ts'
import type { Secret } from './household/secret.ts'
import { isOpen, standingOf } from './household/standing.ts'
import type { HouseholdState } from './household/state.ts'
import type { Member, MemberChange } from './membership/state.ts'
import { passOn } from './running/addresses.ts'
import { Belonging } from './running/belonging.ts'
import { ENROLMENT_DIAL_MS, LEAVE_MS } from './running/bounds.ts'
import { Copies } from './running/copies.ts'
import { DiallingOut } from './running/dialling-out.ts'
import { carryDiscovered } from './running/discovered.ts'
import { Enrolments } from './running/enrolments.ts'
import type { Cluster, ClusterListener, ClusterOptions } from './running/face.ts'
import { hear } from './running/hearing.ts'
import { type HouseholdDesk, householdDesk } from './running/household-desk.ts'
import { judge } from './running/judging.ts'
import { knownOf } from './running/known.ts'
import { Links, type OwnHello } from './running/links.ts'
import { CONTROL_VERSION, type Hello, OLDEST_CONTROL_VERSION } from './running/messages.ts'
import { carryOutward } from './running/outward.ts'
import { Presence } from './running/presence.ts'
import { RefusalLog } from './running/refusal-log.ts'
import { RoundTrips } from './running/round-trips.ts'
import { SheetBook } from './running/sheet-book.ts'
import type { Sheet, Sheets } from './running/sheets.ts'
import { MAX_KEYS } from './transport/bounds.ts'
import type { Link, Mesh, Place } from './transport/mesh.ts'

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
  readonly #sheets: SheetBook
  readonly #listeners: ClusterListener[] = []
  readonly #clocks = new Map<NodeId, number>()
  #mesh: Mesh | undefined
  #listener: Listener | undefined
  #discovery: Discovery | undefined
  readonly #out: DiallingOut
  readonly #refusals: RefusalLog
  /** Whether the window was open when discovery was told last: it closes by time, which changes nothing else. */
  #told_open = false
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
      carryOut: (effect) => carryOutward(effect, outward),
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
      door: () => this.#listener?.port,
      met: (node, standing, at) => {
        if (at !== undefined) this.#out.found(node, at)
        this.#belonging.input({ type: 'met', node, standing })
      },
    })
    this.#out = new DiallingOut({
      clock,
      dial: (place, expected) => this.#mesh!.dial(place, expected),
      dialled: (attempt, outcome) => this.#discovery?.take({ type: 'dialled', attempt, outcome }),
      opened: (link) => {
        if (this.#stopping) link.abort('this node stops')
        else this.#links.open(link)
      },
      isMember: this.#belonging.isMember,
      comeBack: (node) => this.#belonging.input({ type: 'return', node }),
      knock: (place) => void this.#enrolments.knock(place),
    })
    this.#refusals = new RefusalLog(clock)
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
      judge: (link, hello) =>
        judge(link, hello, {
          roster: this.#belonging.state.roster,
          copies: this.#copies,
          now: clock.wall(),
          connected: (node) => this.#links.helloOf(node)?.boot,
          tell: (node, message) => this.#links.send(node, message),
        }),
      up: (link, hello) => this.#up(link, hello),
      moved: (link) => {
        for (const listener of this.#listeners) listener.linked?.(link)
      },
      down: (peer, why) => this.#down(peer, why),
      heard: (peer, message) => hear(peer, message, hearing),
      listening: () => this.#listeners.some(({ frame }) => frame !== undefined),
      frame: (peer, streamClass, frame) => {
        for (const listener of this.#listeners) listener.frame?.(peer, streamClass, frame)
      },
      drained: (peer, streamClass) => {
        for (const listener of this.#listeners) listener.drained?.(peer, streamClass)
      },
      refused: (peer, code, message, by) => this.#refused(peer, code, message, by),
      counted: (what) => options.metric('loqa_cluster_refused_frames_total', 1, { why: what }),
    })
    this.#sheets = new SheetBook(this.#links, (peer, sheet) => {
      for (const listener of this.#listeners) listener.sheet?.(peer, sheet)
    })
    const hearing = {
      self: this.self,
      belonging: this.#belonging,
      presence: this.#presence,
      copies: this.#copies,
      links: this.#links,
      trips: this.#trips,
      discovery: () => this.#discovery,
      sheet: (peer: NodeId, sheet: Sheet) => this.#sheets.heard(peer, sheet),
    }
    const outward = {
      self: this.self,
      links: this.#links,
      enrolments: this.#enrolments,
      enrolmentPlaces: (node: NodeId) => this.#enrolmentPlaces(node),
      reopen: () => this.#reopen(),
      audit: options.audit,
    }
    this.household = householdDesk(this.#belonging, clock, () =>
      this.nodes().map(({ id, name }) => ({ id, name })),
    )
  }

  async start(): Promise<void> {
    const { doors, host, boot, starts, peers } = this.#options
    const mesh = await doors.mesh(this.#keys().slice(0, MAX_KEYS))
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
      onEffect: (effect) =>
        carryDiscovered(effect, {
          self: this.self,
          out: this.#out,
          belonging: this.#belonging,
          copies: this.#copies,
          links: this.#links,
          log: this.#options.log,
        }),
    })
    this.#tellDiscovery()
    this.#belonging.input({ type: 'due' })
  }

  get port(): number {
    return this.#mesh?.places[0]?.port ?? 0
  }

  members(): readonly Member[] {
    // Membership forgets at its next tick who is no longer in the household, as after a move to another.
    return this.#presence.members().filter(({ id }) => this.#belonging.isMember(id))
  }

  rttOf(node: NodeId): number | undefined {
    return this.#trips.of(node)
  }

  clockOf(node: NodeId): number | undefined {
    return this.#clocks.get(node)
  }

  get multicast(): Discovery['multicast'] {
    return this.#discovery?.multicast
  }

  nameOf(node: NodeId): string | undefined {
    if (node === this.self) return this.#options.name
    const { roster } = this.#belonging.state
    return this.#links.helloOf(node)?.name ?? certificateOf(roster, node)?.card.name
  }

  sheets(): Sheets {
    return this.#sheets.all
  }

  get sheet(): Sheet | undefined {
    return this.#sheets.own
  }

  announce(sheet: Omit<Sheet, 'version'>): void {
    this.#sheets.announce(sheet)
  }

  linkTo(node: NodeId): Link | undefined {
    return this.#links.linkTo(node)
  }

  get refusing(): ClonedError | undefined {
    return this.#copies.refusing
  }

  listen(...listeners: readonly ClusterListener[]): void {
    this.#listeners.push(...listeners)
    for (const listener of listeners) {
      listener.belonged?.([...everMembers(this.#belonging.state.roster)])
      for (const peer of this.#links.peers()) {
        const link = this.#links.linkTo(peer)
        if (link !== undefined) listener.linked?.(link)
      }
    }
    if (listeners.some(({ frame }) => frame !== undefined)) this.#links.hearEarly()
  }

  nodes(): readonly NodeRow[] {
    const { name, room } = this.#options
    const known = knownOf({
      self: { id: this.self, name, room, sheet: this.#sheets.own },
      belonging: this.#belonging,
      presence: this.#presence,
      links: this.#links,
      trips: this.#trips,
      sheets: this.#sheets.all,
      nameOf: (node) => this.nameOf(node),
    })
    return this.#discovery?.explain(known) ?? []
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

  #reopen(): void {
    const { log } = this.#options
    this.#mesh?.rekey(this.#keys().slice(0, MAX_KEYS)).catch((error: unknown) => {
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
    this.#told_open = isOpen(state, context)
    this.#discovery?.take({ type: 'tell', standing: standingOf(state, context), keys: this.#keys() })
    this.#discovery?.take({
      type: 'members',
      members: new Set(this.#belonging.members().filter((node) => node !== this.self)),
      revoked: new Set(this.#belonging.revoked()),
    })
  }

  #householdChanged(state: HouseholdState, before: HouseholdState): void {
    const is_open = isOpen(state, this.#belonging.context)
    if (state.roster !== before.roster) this.#tellBelonged(state)
    if (state.roster === before.roster && state.phase === before.phase && is_open === this.#told_open) return
    // A move is told when it is kept, and links are opened with its key (`reopen`): before, every dial would be in vain.
    if (state.roster.household !== before.roster.household) return
    this.#tellDiscovery()
  }

  #tellBelonged({ roster }: HouseholdState): void {
    const members = [...everMembers(roster)]
    for (const listener of this.#listeners) listener.belonged?.(members)
  }

  #enrolmentPlaces(node: NodeId): readonly Place[] {
    const found = this.#discovery?.placesOf(node).enrolment ?? []
    const door = this.#out.doorOf(node)
    return door === undefined ? found : [...found, door]
  }

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

  #up(link: Link, hello: Hello): void {
    const { peer, dialled, place } = link
    this.#clocks.set(peer, hello.time - this.#options.host.clock.wall())
    // The certificate was judged; with it the newcomer is known here, whoever let it in.
    this.#belonging.input({ type: 'heard', from: peer, records: [hello.certificate] })
    this.#discovery?.take({ type: 'linked', node: peer, place: dialled ? place : undefined })
    this.#presence.input({ type: 'stream-opened', peer })
    this.#belonging.input({ type: 'connected', node: peer })
    this.#trips.start(peer)
    this.#sheets.greet(peer)
    passOn(link, hello, this.self, this.#links, this.#discovery)
    this.#options.log.info('A node of the household is connected', { peer, name: hello.name })
    for (const listener of this.#listeners) listener.linked?.(link)
  }

  #down(peer: NodeId, why: string): void {
    this.#clocks.delete(peer)
    this.#trips.stop(peer)
    this.#presence.input({ type: 'stream-closed', peer })
    this.#discovery?.take({ type: 'unlinked', node: peer, why })
    this.#options.log.info('A node of the household is no longer connected', { peer, why })
    for (const listener of this.#listeners) listener.unlinked?.(peer)
  }

  #refused(peer: NodeId, code: string, message: string, by: 'us' | 'them'): void {
    const { metric, audit } = this.#options
    metric('loqa_cluster_refused_links_total', 1, { code })
    if (by === 'us' && this.#refusals.isNews(peer, code)) {
      audit({ what: 'household.refused', object: peer, outcome: code })
    }
    // Whoever let it in is about to tell; or it holds the key and shows another household, so one of the two has just moved.
    // Dialled again soon, not rarely.
    if (code === 'issuer-unknown' || code === 'other-household') return
    const said = by === 'us' ? message : `it refused this node: ${message}`
    this.#discovery?.take({
      type: 'refused',
      node: peer,
      error: new LoqaError(code, said, { retryable: true }),
    })
  }

  #memberChanged(change: MemberChange): void {
    const { id, status } = change
    if (status === 'dead' || status === 'left') {
      this.#sheets.forget(id)
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
