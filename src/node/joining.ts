/**
 * Conversations that were had on two nodes become one (`heal.ts`, read it first): the copy that does not count hands its steps to the one
 * that does, and steps of one that moved follow it. Steps are asked of a fixed address of the other node; what is lost with a link is said
 * again, and taken once.
 */
import { type Address, type FromAfar, fixedAddress, type Message, type Runtime } from '../actors/index.ts'
import { type Clock, LoqaError, type NodeId, type Random, type SessionId } from '../host/index.ts'
import type { Timeline } from '../store/index.ts'
import { sessionOf } from './conversations.ts'
import { isKept, livingSteps, partsOf, type StepsJoin, stepsJoin } from './heal.ts'
import type { Recorder } from './recording.ts'

/** A node that is there answers in milliseconds. */
const ASKED_MS = 2_000
/** A link that is lost comes back within seconds, or its node is dead. */
const AGAIN_MS = 500
const MOST_TRIES = 20
/** Handovers that are remembered, so that none counts twice: all conversations of a node at one heal, twice over. */
const MOST_HANDOVERS = 1_024
/** Handovers of which some parts are here: 3 MB each at most. */
const MOST_UNDER_WAY = 8

export interface JoiningParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly random: Pick<Random, 'uint32'>
  readonly timeline: Pick<Timeline, 'read'>
  readonly recorder: Pick<Recorder, 'termsOf' | 'join' | 'left'>
  readonly voice: { quiet(id: SessionId): Promise<void>; isSpokenIn(id: SessionId): boolean }
  /** Where it lives now, as far as this node knows. */
  readonly owner: (address: Address) => NodeId | undefined
  readonly log: (message: string, values: Readonly<Record<string, unknown>>) => void
}

const joinsAddress = (node: NodeId): Address => fixedAddress(node, 'joins')

export class Joining {
  readonly #parts: JoiningParts
  #runtime: Pick<Runtime, 'ask'> | undefined
  /** When a copy was last kept (H2), by address. */
  readonly #kept = new Map<string, number>()
  /** By session and mark: what is here of it; `done` once it counts. */
  readonly #handovers = new Map<string, StepsJoin['steps'][] | 'done'>()
  /** Whose steps are being handed over from here: what joined them now would be left behind. */
  readonly #handing = new Set<string>()
  #closed = false

  constructor(parts: JoiningParts) {
    this.#parts = parts
  }

  /** Before the first link. Gives what the remote layer is to be connected to instead of `here`. */
  connect(runtime: Pick<Runtime, 'ask'>, here: FromAfar): FromAfar {
    this.#runtime = runtime
    const own = joinsAddress(this.#parts.self)
    return {
      ...here,
      ask: (target, message, how, settle) => {
        if (target !== own) return here.ask(target, message, how, settle)
        const refusal = this.#heard(message)
        if (refusal === undefined) settle.answered({ type: 'steps.joined' } as Message)
        else settle.failed(refusal)
        return () => undefined
      },
    }
  }

  close(): void {
    this.#closed = true
  }

  /** For `Placing`: H1, H2. */
  async yields(address: Address, to: NodeId): Promise<'end' | 'keep'> {
    const { clock, voice, log } = this.#parts
    const session = sessionOf(address)
    const now = clock.monotonic()
    if (isKept(voice.isSpokenIn(session), this.#kept.get(address), now)) {
      for (const [each, at] of this.#kept) if (isKept(true, at, now)) this.#kept.delete(each)
      this.#kept.set(address, now)
      return 'keep'
    }
    this.#handing.add(session)
    try {
      await voice.quiet(session)
      const steps = await this.#handOver(address)
      log('A conversation was had on two nodes; the one here ends', { session, node: to, steps })
    } finally {
      this.#handing.delete(session)
    }
    return 'end'
  }

  /** It lives on another node now. */
  async moved(address: Address): Promise<void> {
    const session = sessionOf(address)
    this.#handing.add(session)
    await this.#handOver(address).finally(() => this.#handing.delete(session))
  }

  /** How many steps stand in the timeline where it lives. What cannot be handed over ends with the copy. */
  async #handOver(address: Address): Promise<number> {
    const { self, clock, recorder, timeline, random, owner } = this.#parts
    const session = sessionOf(address)
    const terms = recorder.termsOf(session)
    if (terms === undefined || terms.scope === 'ephemeral') return 0
    const { scope, person = null, started_at } = terms
    const events = livingSteps(await timeline.read(session).catch(() => []), started_at)
    const parts = partsOf(events)
    const mark = random.uint32()
    for (let tries = 0; tries < MOST_TRIES && !this.#closed; tries += 1) {
      // It may have gone on from there, or be on its way from a third node: then that one hands over too.
      const to = owner(address)
      if (to === undefined || to === self) return 0
      const said = await this.#sayAll(to, parts, { type: 'steps.join', session, mark, scope, person })
      if (said === 'refused') return 0
      if (said === 'joined') {
        recorder.left(session)
        return parts.reduce((sum, steps) => sum + steps.length, 0)
      }
      await new Promise<void>((go) => clock.after(AGAIN_MS, go))
    }
    return 0
  }

  async #sayAll(
    to: NodeId,
    parts: ReturnType<typeof partsOf>,
    join: Omit<StepsJoin, 'part' | 'last' | 'steps'>,
  ): Promise<'joined' | 'refused' | 'again'> {
    for (const [part, steps] of parts.entries()) {
      const message: StepsJoin = { ...join, part, last: part === parts.length - 1, steps: [...steps] }
      try {
        await this.#runtime!.ask(joinsAddress(to), message as Message, { deadline_ms: ASKED_MS })
      } catch (thrown) {
        return thrown instanceof LoqaError && thrown.retryable ? 'again' : 'refused'
      }
    }
    return 'joined'
  }

  /** Undefined: they stand in the timeline. */
  #heard(message: Message): LoqaError | undefined {
    const join = stepsJoin(message)
    if (join === undefined) return new LoqaError('invalid-input', 'These are no steps of a conversation')
    const { session, mark, part, last, scope, person, steps } = join
    const terms = this.#parts.recorder.termsOf(session)
    // A claim is told before its conversation has begun here; and it may be about to go on from here.
    if (terms === undefined || this.#handing.has(session)) {
      return new LoqaError('not-found', 'The conversation is not had here', { retryable: true })
    }
    if (terms.scope !== scope || (terms.person ?? null) !== person) {
      return new LoqaError('other-terms', 'The conversation is had here under other terms')
    }
    const key = `${session} ${mark}`
    const here = this.#handovers.get(key) ?? []
    if (here === 'done' || part < here.length) return undefined
    if (part > here.length) return new LoqaError('invalid-input', 'A part before this one is missing')
    if (part === 0) this.#makeRoom()
    this.#handovers.set(key, last ? 'done' : [...here, steps])
    if (last) this.#parts.recorder.join(session, [...here, steps].flat())
    return undefined
  }

  /** What was begun first and never finished, its sender may have died, gives way. */
  #makeRoom(): void {
    const open = [...this.#handovers].filter(([, each]) => each !== 'done')
    if (open.length >= MOST_UNDER_WAY) this.#handovers.delete(open[0]![0])
    if (this.#handovers.size >= MOST_HANDOVERS) this.#handovers.delete(this.#handovers.keys().next().value!)
  }
}
