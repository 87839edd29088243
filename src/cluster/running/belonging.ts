/**
 * Drives the household machine: inputs in, effects out in the order given, each `keep` durable before what stands behind it.
 * A disk that cannot keep holds back what must not be told before; who was removed is cut all the same.
 */
import type { Cancel, Clock, LoqaError, NodeId, Random } from '../../host/index.ts'
import { certificateOf, members, revoked } from '../household/authority.ts'
import { greet } from '../household/gate.ts'
import { household } from '../household/household.ts'
import type { HouseholdContext, HouseholdEffect, HouseholdInput, HouseholdState } from '../household/state.ts'
import { KEEP_AGAIN_MS } from './bounds.ts'

/** Effects that others carry out; the rest is done here. */
export type OutwardEffect = Exclude<HouseholdEffect, { type: 'keep' | 'wake' | 'failed' }>

export interface BelongingOptions {
  readonly clock: Clock
  readonly random: Random
  readonly state: HouseholdState
  /** Returns when it is durable. */
  readonly keep: (state: HouseholdState) => Promise<void>
  readonly carryOut: (effect: OutwardEffect) => void
  /** After every input that changed the state. */
  readonly changed: (state: HouseholdState, before: HouseholdState) => void
  readonly troubled: (error: unknown) => void
}

type Queued = HouseholdEffect | { readonly type: 'done'; readonly run: () => void }

export class Belonging {
  readonly #options: BelongingOptions
  #state: HouseholdState
  #kept: HouseholdState
  #queue: Queued[] = []
  #draining = false
  #wake: Cancel = () => undefined
  #stopped = false

  constructor(options: BelongingOptions) {
    this.#options = options
    this.#state = options.state
    this.#kept = options.state
  }

  get state(): HouseholdState {
    return this.#state
  }

  get context(): HouseholdContext {
    const { clock, random } = this.#options
    return { now: clock.monotonic(), wall: clock.wall(), random }
  }

  input(input: HouseholdInput): void {
    this.#take(input)
    void this.#drain()
  }

  /** What a person asks for: returns when it is done and kept. Errors: why it was not done. */
  request(input: HouseholdInput): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let refused: LoqaError | undefined
    for (const effect of this.#take(input)) if (effect.type === 'failed') refused = effect.error
    this.#queue.push({ type: 'done', run: () => (refused === undefined ? resolve() : reject(refused)) })
    void this.#drain()
    return promise
  }

  /** Whether a stranger at this address may greet; counted. */
  mayGreet(source: string): boolean {
    const { gate, allowed } = greet(this.#state.gate, source, this.#options.clock.monotonic())
    this.#state = { ...this.#state, gate }
    return allowed
  }

  isMember = (node: NodeId): boolean =>
    this.#state.phase === 'member' && certificateOf(this.#state.roster, node) !== undefined

  members(): readonly NodeId[] {
    return this.#state.phase === 'member' ? members(this.#state.roster) : []
  }

  revoked(): readonly NodeId[] {
    return revoked(this.#state.roster)
  }

  stop(): void {
    this.#stopped = true
    this.#wake()
    this.#queue = []
  }

  #take(input: HouseholdInput): readonly HouseholdEffect[] {
    if (this.#stopped) return []
    const before = this.#state
    const { state, effects } = household(before, input, this.context)
    this.#state = state
    this.#queue.push(...effects)
    if (state !== before) this.#options.changed(state, before)
    return effects
  }

  async #drain(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (next.type === 'keep') await this.#keep()
      else this.#carryOut(next)
    }
    this.#draining = false
  }

  #carryOut(effect: Exclude<Queued, { type: 'keep' }>): void {
    if (effect.type === 'done') effect.run()
    else if (effect.type === 'wake') this.#wakeAt(effect.at)
    // Whoever asked has it from `request`; of what nobody asked for there is nobody to tell.
    else if (effect.type !== 'failed') this.#options.carryOut(effect)
  }

  #wakeAt(at: number): void {
    this.#wake()
    const { clock } = this.#options
    this.#wake = clock.after(Math.max(0, at - clock.monotonic()), () => this.input({ type: 'due' }))
  }

  async #keep(): Promise<void> {
    const { clock, keep, troubled } = this.#options
    while (!this.#stopped && !isKept(this.#state, this.#kept)) {
      const state = this.#state
      try {
        await keep(state)
        this.#kept = state
      } catch (error) {
        troubled(error)
        this.#cutNow()
        await new Promise<void>((resolve) => clock.after(KEEP_AGAIN_MS, resolve))
      }
    }
  }

  #cutNow(): void {
    const isCut = ({ type }: Queued): boolean => type === 'cut' || type === 'part'
    const cuts = this.#queue.filter(isCut)
    this.#queue = this.#queue.filter((effect) => !isCut(effect))
    for (const effect of cuts) this.#carryOut(effect as Exclude<Queued, { type: 'keep' }>)
  }
}

const isKept = (a: HouseholdState, b: HouseholdState): boolean =>
  a.roster === b.roster && a.keychain === b.keychain && a.self === b.self && a.locked === b.locked
