/** One node's membership on a stage: its inputs are said by hand, time moves by hand, what it does is kept. */
import {
  begin,
  type Member,
  type MemberChange,
  type MemberEntry,
  type MembershipConfig,
  type MembershipEffect,
  type MembershipInput,
  type MembershipMessage,
  type MembershipState,
  memberOf,
  membership,
  membershipConfig,
} from '../../../src/cluster/index.ts'
import { monotonic, type NodeId, nodeId } from '../../../src/host/index.ts'

export const [A, B, C, D, E] = ['a', 'b', 'c', 'd', 'e'].map(nodeId) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
]

type Rest<Type extends MembershipMessage['type']> = Partial<Extract<MembershipMessage, { type: Type }>>

export class Stage {
  readonly config: MembershipConfig
  state: MembershipState
  now = 1_000
  /** Of the last input. */
  effects: readonly MembershipEffect[] = []
  readonly changes: MemberChange[] = []
  readonly strangers = new Set<string>()
  #seq = 0
  #entropy = 12_345

  /** `self` is A. */
  constructor(changes: Partial<MembershipConfig> = {}) {
    this.config = membershipConfig(changes)
    const { state } = begin({ id: A, boot: 1, now: monotonic(this.now), entropy: 0, config: this.config })
    this.state = state
  }

  give(input: MembershipInput): readonly MembershipEffect[] {
    this.#entropy = (Math.imul(this.#entropy, 69_069) + 1) >>> 0
    const step = membership(this.state, input, {
      now: monotonic(this.now),
      entropy: this.#entropy,
      config: this.config,
      admitted: (id) => !this.strangers.has(id),
    })
    this.state = step.state
    this.effects = step.effects
    for (const effect of step.effects) if (effect.type === 'publish') this.changes.push(effect.change)
    return step.effects
  }

  say(from: NodeId, message: MembershipMessage): readonly MembershipEffect[] {
    return this.give({ type: 'message', from, message })
  }

  /** A heartbeat of that member; boot 2, incarnation 0, agreeing and with no news unless said otherwise. */
  heartbeat(from: NodeId, rest: Rest<'heartbeat'> = {}): readonly MembershipEffect[] {
    return this.say(from, {
      type: 'heartbeat',
      ...this.header(),
      digest: this.state.digest,
      news: [],
      ...rest,
    })
  }

  sync(from: NodeId, ...entries: MemberEntry[]): readonly MembershipEffect[] {
    return this.say(from, { type: 'sync', ...this.header(), entries })
  }

  header(): { boot: number; seq: number; incarnation: number } {
    this.#seq += 1
    return { boot: 2, seq: this.#seq, incarnation: 0 }
  }

  /** Time passes tick by tick, while these members are heard every time. */
  pass(ms: number, ...heard: NodeId[]): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now = Math.min(end, Math.max(this.now, this.state.due))
      if (this.now < this.state.due) return
      for (const id of heard) this.heartbeat(id, this.#lifeOf(id))
      this.give({ type: 'tick' })
    }
  }

  /** Nothing at all happens for so long: this node sleeps. */
  sleep(ms: number): void {
    this.now += ms
  }

  member(id: NodeId): Member | undefined {
    return memberOf(this.state.roster, id)
  }

  status(id: NodeId): string | undefined {
    return this.member(id)?.standing.status
  }

  sentTo(id: NodeId): MembershipMessage[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'send' && effect.to === id ? [effect.message] : [],
    )
  }

  refused(): string[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'metric' && effect.name === 'loqa_membership_refused_total'
        ? [effect.labels!.why!]
        : [],
    )
  }

  #lifeOf(id: NodeId): { boot: number; incarnation: number } {
    return this.member(id)?.life ?? { boot: 2, incarnation: 0 }
  }
}

/** A knows these, who have just been heard. */
export function acquainted(ids: readonly NodeId[], changes: Partial<MembershipConfig> = {}): Stage {
  const stage = new Stage(changes)
  for (const id of ids) stage.heartbeat(id)
  stage.changes.length = 0
  return stage
}

export const entry = (
  id: NodeId,
  status: MemberEntry['status'],
  incarnation = 0,
  rest: Partial<MemberEntry> = {},
): MemberEntry => ({ id, boot: 2, incarnation, status, ...rest })
