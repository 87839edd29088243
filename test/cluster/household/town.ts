/**
 * Nodes with their household machines on one table: every message is bytes in a queue that the test delivers, holds, changes
 * or drops. Time stands until the test moves it. A member's word is heard only by who admits it, as the transport will do.
 */

import {
  type AdmitterEffect,
  type AdmitterInput,
  type AdmitterState,
  admitter,
  startAdmitting,
} from '../../../src/cluster/household/admitter.ts'
import { certificateOf, members } from '../../../src/cluster/household/authority.ts'
import { hex } from '../../../src/cluster/household/crypto.ts'
import { found, newSelf, restored } from '../../../src/cluster/household/founding.ts'
import { greet } from '../../../src/cluster/household/gate.ts'
import { household } from '../../../src/cluster/household/household.ts'
import {
  type JoinerEffect,
  type JoinerInput,
  type JoinerState,
  joiner,
  startJoining,
} from '../../../src/cluster/household/joiner.ts'
import { openingKeys } from '../../../src/cluster/household/keychain.ts'
import { decodeKeyring, encodeKeyring } from '../../../src/cluster/household/keyring.ts'
import {
  decodeEnrolment,
  type EnrolmentMessage,
  encodeEnrolment,
} from '../../../src/cluster/household/messages.ts'
import { admittance } from '../../../src/cluster/household/presented.ts'
import type { HouseholdRecord } from '../../../src/cluster/household/records.ts'
import { standingOf } from '../../../src/cluster/household/standing.ts'
import type { HouseholdEffect, HouseholdInput, HouseholdState } from '../../../src/cluster/household/state.ts'
import { FrameReader, LoqaError, monotonic, type NodeId, nodeId, wall } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

export const START = Date.UTC(2026, 0, 1)

/** One conversation between a joiner and an admitter. */
interface Link {
  readonly joiner: Resident
  readonly admitter: Resident
  readonly session: string
  readonly attempt: number
  joining: JoinerState
  admitting: AdmitterState
  joiner_deadline: number
  admitter_deadline: number
  closed: boolean
}

export interface Resident {
  readonly name: string
  state: HouseholdState
  readonly errors: LoqaError[]
  readonly audits: string[]
  kept: Uint8Array
  alive: boolean
  link: Link | undefined
}

/** Something on its way; `deliver` lets it arrive. */
export interface Parcel {
  readonly from: NodeId
  readonly to: NodeId
  readonly kind: 'enrolment' | 'member'
  bytes?: Uint8Array
  readonly deliver: () => void
}

export class Town {
  now = 0
  readonly random: SimulatedRandom
  readonly residents: Resident[] = []
  parcels: Parcel[] = []
  /** Sees every enrolment message; what it returns arrives instead. */
  tap: (message: EnrolmentMessage, from: NodeId) => EnrolmentMessage | undefined = (message) => message
  readonly counts = { refused: 0, admitted: 0 }
  readonly refusals: string[] = []
  #sessions = 0

  constructor(seed: number) {
    this.random = new SimulatedRandom(seed)
  }

  get context() {
    return { now: monotonic(this.now), wall: wall(START + this.now), random: this.random }
  }

  settle(name: string, options = { locked: false }): Resident {
    const state = found(newSelf(name, this.random), this.context, options)
    const resident: Resident = {
      name,
      state,
      errors: [],
      audits: [],
      kept: new Uint8Array(),
      alive: true,
      link: undefined,
    }
    this.residents.push(resident)
    this.#keep(resident)
    return resident
  }

  /** The process dies and comes back from what was kept. */
  restart(resident: Resident): void {
    const { self, roster, keychain, locked } = decodeKeyring('keyring', resident.kept)
    if (resident.link) this.#close(resident.link)
    resident.state = restored(self, roster, keychain, this.context, { locked })
  }

  input(resident: Resident, input: HouseholdInput): void {
    const { state, effects } = household(resident.state, input, this.context)
    resident.state = state
    for (const effect of effects) this.#carryOut(resident, effect)
  }

  /** Discovery: each sees what the other tells strangers. */
  introduce(a: Resident, b: Resident): void {
    const [fromA, fromB] = [standingOf(a.state, this.context), standingOf(b.state, this.context)]
    this.input(a, { type: 'met', node: id(b), standing: fromB })
    this.input(b, { type: 'met', node: id(a), standing: fromA })
  }

  /** The members' stream comes up between two, if both let each other in; else the one behind asks to come back. */
  connect(a: Resident, b: Resident): boolean {
    if (!this.#admits(a, b) || !this.#admits(b, a)) return false
    this.input(a, { type: 'connected', node: id(b) })
    this.input(b, { type: 'connected', node: id(a) })
    return true
  }

  /** Delivers everything, oldest first, and what follows from it. */
  deliverAll(most = 10_000): void {
    for (let i = 0; i < most && this.parcels.length > 0; i += 1) this.deliver(0)
    if (this.parcels.length > 0) throw new Error('messages never end')
  }

  /** Any message that is the next of its stream: streams keep their order, among each other they do not. */
  deliverAny(): void {
    const lane = ({ from, to, kind }: Parcel): string => `${from}${to}${kind}`
    const any = this.parcels[this.random.below(this.parcels.length)]
    if (any) this.deliver(this.parcels.findIndex((parcel) => lane(parcel) === lane(any)))
  }

  deliver(index: number): void {
    const [parcel] = this.parcels.splice(index, 1)
    parcel?.deliver()
  }

  /** Moves time on, in steps of a second, with all that falls due. */
  wait(ms: number): void {
    for (let left = ms; left > 0; left -= 1_000) {
      this.now += Math.min(left, 1_000)
      for (const resident of this.residents) {
        if (!resident.alive) continue
        this.input(resident, { type: 'due' })
      }
      for (const link of this.#links) {
        if (link.joiner_deadline <= this.now) this.#join(link, { type: 'expired' })
        if (link.admitter_deadline <= this.now) this.#admit(link, { type: 'expired' })
      }
    }
  }

  /** What a person reads on the screens. */
  code(resident: Resident): string {
    return resident.state.joining?.code ?? ''
  }

  #keep(resident: Resident): void {
    const { self, roster, keychain, locked } = resident.state
    resident.kept = encodeKeyring({ self, roster, keychain, locked, incarnation: 1 })
  }

  #admits(host: Resident, guest: Resident): boolean {
    if (!host.alive || !guest.alive || host.state.phase !== 'member') return false
    const keys = openingKeys(host.state.keychain, host.state.roster, this.context.now).map((key) =>
      hex(key.expose()),
    )
    const shared = openingKeys(guest.state.keychain, guest.state.roster, this.context.now).some((key) =>
      keys.includes(hex(key.expose())),
    )
    const certificate = certificateOf(guest.state.roster, id(guest))
    if (!shared || certificate === undefined) return false
    const verdict = admittance(host.state.roster, { certificate, presenter: id(guest) }, this.context.wall)
    if (!verdict.admitted) this.refusals.push(verdict.error.code)
    this.counts[verdict.admitted ? 'admitted' : 'refused'] += 1
    return verdict.admitted
  }

  #carryOut(resident: Resident, effect: HouseholdEffect): void {
    switch (effect.type) {
      case 'keep':
        this.#keep(resident)
        break
      case 'spread':
        for (const node of members(resident.state.roster)) {
          if (node !== effect.except) this.#hear(resident, node, effect.records)
        }
        break
      case 'tell':
        this.#hear(resident, effect.to, effect.records)
        break
      case 'grant':
        this.#tell(resident, effect.grant.node, { type: 'granted', grant: effect.grant })
        break
      case 'enrol':
        this.#dial(resident, effect)
        break
      case 'welcome':
      case 'refuse': {
        const asked = this.#links.find(({ session }) => session === effect.session)
        if (asked)
          this.#admit(asked, effect.type === 'welcome' ? effect : { type: 'refuse', code: effect.code })
        break
      }
      case 'consent':
        this.#joining(resident, { type: 'consented' })
        break
      case 'withdraw':
        this.#joining(resident, { type: 'withdrawn' })
        break
      case 'moved':
        this.#joining(resident, { type: 'kept' })
        break
      case 'audit':
        resident.audits.push(`${effect.what} ${effect.object} ${effect.outcome}`)
        break
      case 'failed':
        resident.errors.push(effect.error)
        break
      default:
    }
  }

  #joining({ link }: Resident, input: JoinerInput): void {
    if (link) this.#join(link, input)
  }

  #hear(from: Resident, to: NodeId, records: readonly HouseholdRecord[]): void {
    this.#tell(from, to, { type: 'heard', from: id(from), records })
  }

  readonly #links: Link[] = []

  #tell(from: Resident, node: NodeId, input: HouseholdInput): void {
    const to = this.residents.find((other) => id(other) === node)
    if (to === undefined || to === from) return
    const deliver = (): void => {
      // Checked when it arrives: a stream is cut as soon as somebody is out.
      if (this.#admits(to, from)) this.input(to, input)
    }
    this.parcels.push({ from: id(from), to: node, kind: 'member', deliver })
  }

  #dial(resident: Resident, effect: Extract<HouseholdEffect, { type: 'enrol' }>): void {
    const target = this.residents.find((other) => id(other) === effect.node)
    const knocked = target?.alive ? greet(target.state.gate, resident.name, this.context.now) : undefined
    if (target === undefined || knocked === undefined) {
      this.input(resident, {
        type: 'joining-ended',
        attempt: effect.attempt,
        error: new LoqaError('unreachable', 'nobody answers'),
      })
      return
    }
    target.state = { ...target.state, gate: knocked.gate }
    const { card, identity } = resident.state.self
    const { household: wanted } = effect
    const started = startJoining(
      {
        card,
        identity,
        standing: standingOf(resident.state, this.context),
        admitter: effect.node,
        consented: effect.consented,
        ...(wanted === undefined ? {} : { household: wanted }),
      },
      this.context,
    )
    const own = {
      node: id(target),
      identity: target.state.self.identity,
      standing: standingOf(target.state, this.context),
    }
    const admitting = startAdmitting(own)
    this.#sessions += 1
    const link: Link = {
      joiner: resident,
      admitter: target,
      session: `s${this.#sessions}`,
      attempt: effect.attempt,
      joining: started.state,
      admitting: admitting.state,
      joiner_deadline: Number.POSITIVE_INFINITY,
      admitter_deadline: Number.POSITIVE_INFINITY,
      closed: !knocked.allowed,
    }
    resident.link = link
    this.#links.push(link)
    if (!knocked.allowed) this.#join(link, { type: 'closed' })
    else {
      this.#joinerEffects(link, started.effects)
      this.#admitterEffects(link, admitting.effects)
    }
  }

  /** Over the wire as bytes, cut in two on the way, as TCP may. */
  #post(link: Link, to: 'joiner' | 'admitter', message: EnrolmentMessage): void {
    const [from, target] = to === 'admitter' ? [link.joiner, link.admitter] : [link.admitter, link.joiner]
    const arriving = this.tap(message, id(from))
    if (arriving === undefined) return
    const bytes = encodeEnrolment(arriving)
    const deliver = (): void => {
      if (link.closed || !target.alive) return
      let read: EnrolmentMessage | undefined
      const reader = new FrameReader({
        onFrame: () => {
          read = decodeEnrolment(bytes.subarray(4))
        },
        onFault: () => {},
      })
      reader.push(bytes.subarray(0, 7))
      reader.push(bytes.subarray(7))
      const input =
        read === undefined ? ({ type: 'garbled' } as const) : ({ type: 'received', message: read } as const)
      if (to === 'admitter') this.#admit(link, input)
      else this.#join(link, input)
    }
    this.parcels.push({ from: id(from), to: id(target), kind: 'enrolment', bytes, deliver })
  }

  #join(link: Link, input: JoinerInput): void {
    const { state, effects } = joiner(link.joining, input, this.context)
    link.joining = state
    this.#joinerEffects(link, effects)
  }

  #joinerEffects(link: Link, effects: readonly JoinerEffect[]): void {
    const { attempt } = link
    for (const effect of effects) {
      if (effect.type === 'send') this.#post(link, 'admitter', effect.message)
      else if (effect.type === 'expire') link.joiner_deadline = this.now + effect.after_ms
      else if (effect.type === 'show-code') this.input(link.joiner, { ...effect, type: 'comparing', attempt })
      else if (effect.type === 'met') this.input(link.joiner, effect)
      else if (effect.type === 'move') this.input(link.joiner, { ...effect, attempt })
      else if (link.joiner.link === link) {
        link.joiner.link = undefined
        this.input(link.joiner, { type: 'joining-ended', attempt, error: effect.error })
      }
    }
  }

  #admit(link: Link, input: AdmitterInput): void {
    const { state, effects } = admitter(link.admitting, input, this.context)
    link.admitting = state
    this.#admitterEffects(link, effects)
  }

  #admitterEffects(link: Link, effects: readonly AdmitterEffect[]): void {
    const { session } = link
    for (const effect of effects) {
      if (effect.type === 'send') this.#post(link, 'joiner', effect.message)
      else if (effect.type === 'expire') link.admitter_deadline = this.now + effect.after_ms
      else if (effect.type === 'met') this.input(link.admitter, effect)
      else if (effect.type === 'ask')
        this.input(link.admitter, { ...effect, type: 'asked', session, source: link.joiner.name })
      else this.input(link.admitter, { type: 'session-ended', session })
    }
  }

  #close(link: Link): void {
    link.closed = true
    this.#admit(link, { type: 'closed' })
    link.joiner.link = undefined
  }
}

export const id = (resident: Resident): NodeId => nodeId(resident.state.self.card.node)
export const householdOf = (resident: Resident): string => resident.state.roster.household
export const memberNames = (resident: Resident): string[] =>
  members(resident.state.roster)
    .map((node) => certificateOf(resident.state.roster, node)!.card.name)
    .sort()
