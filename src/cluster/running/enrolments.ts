/**
 * Carries out enrolments: bytes of strangers to the admitter's and joiner's machines and back, each conversation with its
 * deadline. What is decided is decided there and in the household; here are only sockets and timers.
 */
import {
  type Cancel,
  type Clock,
  type Connection,
  LoqaError,
  type NodeId,
  nodeIdOf,
  type Random,
  wall,
} from '../../host/index.ts'
import { type AdmitterEffect, type AdmitterInput, admitter, startAdmitting } from '../household/admitter.ts'
import { MAX_GREETING_BYTES, MAX_SESSIONS, MAX_WELCOME_BYTES } from '../household/bounds.ts'
import type { HouseholdFault } from '../household/errors.ts'
import { type JoinerEffect, type JoinerInput, joiner, startJoining } from '../household/joiner.ts'
import {
  decodeEnrolment,
  type EnrolmentMessage,
  encodeEnrolment,
  type Welcome,
} from '../household/messages.ts'
import type { Standing } from '../household/sighting.ts'
import { standingOf } from '../household/standing.ts'
import type { HouseholdEffect, HouseholdInput, HouseholdState } from '../household/state.ts'
import type { Place } from '../transport/mesh.ts'
import { HANG_UP_MS } from './bounds.ts'
import { Cutter } from './cutter.ts'

type Enrol = Extract<HouseholdEffect, { type: 'enrol' }>

export interface EnrolmentsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly state: () => HouseholdState
  readonly input: (input: HouseholdInput) => void
  readonly mayGreet: (source: string) => boolean
  /** Errors: `LoqaError` when nobody is there. */
  readonly dial: (place: Place) => Promise<Connection>
  /** The port on which this node lets others in; undefined before it is open. */
  readonly door: () => number | undefined
  /** Somebody said who and what it is, wherever it was met. */
  readonly met: (node: NodeId, standing: Standing | undefined, at: Place | undefined) => void
}

/** What happens to a conversation from outside, whichever side of it this is. */
type FromOutside =
  | { readonly type: 'received'; readonly message: EnrolmentMessage }
  | { readonly type: 'garbled' | 'closed' | 'expired' }
/** What both machines want done with it. */
type Spoken = Extract<AdmitterEffect | JoinerEffect, { type: 'send' | 'expire' }>

/** One conversation: a machine, its connection, its deadline. */
class Conversation<Input> {
  readonly connection: Connection
  readonly #clock: Clock
  readonly #feed: (input: Input | FromOutside) => void
  #deadline: Cancel = () => undefined
  #lingering: Cancel = () => undefined
  #over = false

  constructor(
    connection: Connection,
    clock: Clock,
    most_bytes: number,
    feed: (input: Input | FromOutside) => void,
  ) {
    this.connection = connection
    this.#clock = clock
    this.#feed = feed
    const cutter = new Cutter(most_bytes)
    connection.onData((bytes) => {
      for (const frame of cutter.push(bytes)) {
        if (this.#over) return
        const message = frame === 'oversized' ? undefined : readOrNothing(frame)
        feed(message === undefined ? { type: 'garbled' } : { type: 'received', message })
      }
    })
    connection.onClose(() => {
      this.#lingering()
      if (!this.#over) feed({ type: 'closed' })
    })
  }

  carryOut(effect: Spoken): void {
    if (effect.type === 'send') {
      this.connection.send(encodeEnrolment(effect.message))
      return
    }
    this.#deadline()
    this.#deadline = this.#clock.after(effect.after_ms, () => this.#feed({ type: 'expired' }))
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    this.#deadline()
    this.connection.close()
    // Whoever does not hang up too must not hold a socket for ever.
    this.#lingering = this.#clock.after(HANG_UP_MS, () => this.connection.abort())
  }
}

function readOrNothing(frame: Uint8Array): EnrolmentMessage | undefined {
  try {
    return decodeEnrolment(frame)
  } catch {
    return undefined
  }
}

export class Enrolments {
  readonly #options: EnrolmentsOptions
  /** By session: the conversations with those that ask here. */
  readonly #admitting = new Map<string, (input: AdmitterInput) => void>()
  /** The one in which this node asks. */
  #joining: { readonly attempt: number; readonly feed: (input: JoinerInput) => void } | undefined
  readonly #open = new Set<Conversation<never>>()
  #sessions = 0
  #stopped = false

  constructor(options: EnrolmentsOptions) {
    this.#options = options
  }

  /** A stranger's connection, before a byte of it was read. */
  admit(connection: Connection): void {
    const source = sourceOf(connection.remote)
    if (this.#stopped || this.#admitting.size >= MAX_SESSIONS || !this.#options.mayGreet(source)) {
      connection.abort()
      return
    }
    this.#sessions += 1
    const session = `${this.#sessions}`
    const { state, input } = this.#options
    const { self } = state()
    let machine = startAdmitting({
      node: self.card.node,
      identity: self.identity,
      standing: this.#standing(),
    })
    const feed = (next: AdmitterInput): void => {
      machine = admitter(machine.state, next, this.#context)
      for (const effect of machine.effects) carryOut(effect)
    }
    const conversation = this.#converse<AdmitterInput>(connection, MAX_GREETING_BYTES, feed)
    const carryOut = (effect: AdmitterEffect): void => {
      switch (effect.type) {
        case 'send':
        case 'expire':
          conversation.carryOut(effect)
          break
        case 'met':
          this.#options.met(
            effect.node,
            effect.standing,
            effect.door === undefined ? undefined : { host: source, port: effect.door },
          )
          break
        case 'ask':
          input({ type: 'asked', session, source, card: effect.card, code: effect.code })
          break
        default:
          this.#end(conversation)
          this.#admitting.delete(session)
          input({ type: 'session-ended', session })
      }
    }
    this.#admitting.set(session, feed)
    for (const effect of machine.effects) carryOut(effect)
  }

  welcome(session: string, welcome: Welcome): void {
    this.#admitting.get(session)?.({ type: 'welcome', welcome })
  }

  refuse(session: string, code: HouseholdFault): void {
    this.#admitting.get(session)?.({ type: 'refuse', code })
  }

  /** Asks a member to be let in, at the first of these places that answers. */
  async join({ attempt, node, consented, household }: Enrol, places: readonly Place[]): Promise<void> {
    const { state, input } = this.#options
    const reached = await this.#reach(places)
    if (this.#stopped) return
    if (reached instanceof LoqaError) {
      input({ type: 'joining-ended', attempt, error: reached })
      return
    }
    const { connection, place } = reached
    const { card, identity } = state().self
    const wanted = household === undefined ? {} : { household }
    const options = { card, identity, standing: this.#standing(), admitter: node, consented, ...wanted }
    this.#converseAsJoiner(connection, place, options, attempt)
  }

  consent(): void {
    this.#joining?.feed({ type: 'consented' })
  }

  withdraw(): void {
    this.#joining?.feed({ type: 'withdrawn' })
  }

  kept(): void {
    this.#joining?.feed({ type: 'kept' })
  }

  /** Asks whoever listens there who and what it is, and hangs up: for addresses given by hand, which name nobody. */
  async knock(place: Place): Promise<void> {
    const reached = await this.#reach([place])
    if (reached instanceof LoqaError || this.#stopped) return
    const { card, identity } = this.#options.state().self
    // Nobody has this id, so that the conversation ends with the offer, before anything of ours is proved or shown.
    const nobody = nodeIdOf('0'.repeat(64))
    const standing = this.#standing()
    const options = { card, identity, standing, admitter: nobody, consented: false }
    this.#converseAsJoiner(reached.connection, place, options, undefined)
  }

  stop(): void {
    this.#stopped = true
    for (const conversation of this.#open) conversation.connection.abort()
    this.#open.clear()
  }

  /** `attempt` undefined: nothing but a look at who is there. */
  #converseAsJoiner(
    connection: Connection,
    place: Place,
    options: Parameters<typeof startJoining>[0],
    attempt: number | undefined,
  ): void {
    const { input } = this.#options
    const door = this.#options.door()
    let machine = startJoining(door === undefined ? options : { ...options, door }, this.#context)
    const feed = (next: JoinerInput): void => {
      machine = joiner(machine.state, next, this.#context)
      for (const effect of machine.effects) carryOut(effect)
    }
    const conversation = this.#converse<JoinerInput>(connection, MAX_WELCOME_BYTES, feed)
    const carryOut = (effect: JoinerEffect): void => {
      switch (effect.type) {
        case 'send':
        case 'expire':
          conversation.carryOut(effect)
          break
        case 'met':
          this.#options.met(effect.node, effect.standing, place)
          break
        case 'show-code':
          if (attempt !== undefined) input({ type: 'comparing', attempt, code: effect.code })
          break
        case 'move':
          if (attempt !== undefined) input({ type: 'move', attempt, joined: effect.joined, by: effect.by })
          break
        default:
          this.#end(conversation)
          if (attempt === undefined) break
          if (this.#joining?.attempt === attempt) this.#joining = undefined
          input({ type: 'joining-ended', attempt, error: effect.error })
      }
    }
    if (attempt !== undefined) this.#joining = { attempt, feed }
    for (const effect of machine.effects) carryOut(effect)
  }

  #converse<Input>(
    connection: Connection,
    most_bytes: number,
    feed: (input: Input | FromOutside) => void,
  ): Conversation<Input> {
    const conversation = new Conversation<Input>(connection, this.#options.clock, most_bytes, feed)
    this.#open.add(conversation as Conversation<never>)
    return conversation
  }

  #end(conversation: Conversation<AdmitterInput> | Conversation<JoinerInput>): void {
    this.#open.delete(conversation as Conversation<never>)
    conversation.end()
  }

  async #reach(places: readonly Place[]): Promise<{ connection: Connection; place: Place } | LoqaError> {
    let error = new LoqaError('unreachable', 'it is not known where that node listens', { retryable: true })
    for (const place of places) {
      try {
        return { connection: await this.#options.dial(place), place }
      } catch (thrown) {
        error =
          thrown instanceof LoqaError
            ? thrown
            : new LoqaError('unreachable', 'that node cannot be reached', { retryable: true, cause: thrown })
      }
    }
    return error
  }

  #standing(): Standing | undefined {
    return standingOf(this.#options.state(), { now: this.#options.clock.monotonic() })
  }

  get #context() {
    const { clock, random } = this.#options
    // Whole milliseconds: that is what travels.
    return { wall: wall(Math.floor(clock.wall())), random }
  }
}

/** `192.168.1.20:40312`, `fe80::1%eth0:40312` → the address alone. */
const sourceOf = (remote: string): string => remote.replace(/:\d+$/, '')
