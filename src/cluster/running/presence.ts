/** Drives the membership machine: ticks, messages and streams in; messages, schedules and changes out. */
import type { Cancel, Clock, NodeId, Random } from '../../host/index.ts'
import type { MembershipConfig } from '../membership/config.ts'
import { begin, membership } from '../membership/membership.ts'
import type { MembershipMessage } from '../membership/messages.ts'
import { allMembers, memberOf } from '../membership/roster.ts'
import type {
  Member,
  MemberChange,
  MembershipEffect,
  MembershipInput,
  MembershipState,
} from '../membership/state.ts'

export interface PresenceOptions {
  readonly clock: Clock
  readonly random: Random
  readonly self: NodeId
  /** 0 to 2³² − 1, drawn at this start. */
  readonly boot: number
  readonly config: MembershipConfig
  readonly admitted: (id: NodeId) => boolean
  readonly send: (to: NodeId, message: MembershipMessage) => void
  readonly changed: (change: MemberChange) => void
  readonly report: (effect: Extract<MembershipEffect, { type: 'log' | 'metric' }>) => void
}

export class Presence {
  readonly #options: PresenceOptions
  #state: MembershipState
  #tick: Cancel = () => undefined
  #stopped = false

  constructor(options: PresenceOptions) {
    this.#options = options
    const { self, boot, clock, random, config } = options
    const first = begin({ id: self, boot, now: clock.monotonic(), entropy: random.uint32(), config })
    this.#state = first.state
    for (const effect of first.effects) this.#carryOut(effect)
  }

  input(input: MembershipInput): void {
    if (this.#stopped) return
    const { clock, random, config, admitted } = this.#options
    const context = { now: clock.monotonic(), entropy: random.uint32(), config, admitted }
    const { state, effects } = membership(this.#state, input, context)
    this.#state = state
    for (const effect of effects) this.#carryOut(effect)
  }

  member(id: NodeId): Member | undefined {
    return memberOf(this.#state.roster, id)
  }

  /** Everyone else this node knows to have been alive. */
  members(): readonly Member[] {
    return [...allMembers(this.#state.roster)]
  }

  stop(): void {
    this.#stopped = true
    this.#tick()
  }

  #carryOut(effect: MembershipEffect): void {
    const { clock, send, changed, report } = this.#options
    switch (effect.type) {
      case 'send':
        send(effect.to, effect.message)
        break
      case 'schedule':
        this.#tick()
        this.#tick = clock.after(effect.delay_ms, () => this.input({ type: 'tick' }))
        break
      case 'publish':
        changed(effect.change)
        break
      default:
        report(effect)
    }
  }
}
