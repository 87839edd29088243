import { describe, expect, it } from 'vitest'
import type { Context, Effect, Message } from '../../src/actors/index.ts'
import { monotonic, nodeId, wall } from '../../src/host/index.ts'
import type { ApprovalsAnswer, ApprovalsMessage } from '../../src/skills/approvals/index.ts'
import { APPROVALS_DESK, approvals } from '../../src/skills/approvals/index.ts'
import type { ApprovalWanted } from '../../src/skills/messages.ts'

/** D1–D5 of `approvals.ts`. */

const WANTED: ApprovalWanted = {
  ...{ type: 'approval.wanted', id: 'a1', skill: 'home', words: 'unlock the front door', risk: 'high' },
  ...{ room: 'hall', session: '', within_ms: 60_000 },
}

/** One node's desk; its writes reach those it is linked to. */
class Desk {
  readonly effects: Effect[] = []
  readonly linked: Desk[] = []
  now = 1_000
  #state
  readonly #following
  constructor(node: string) {
    const first = approvals.start({ node: nodeId(node) }, this.#context(undefined))
    this.#state = first.state
    const follow = first.effects.find(({ type }) => type === 'read')
    this.#following = (follow as Extract<Effect, { type: 'read' }>).id
    this.tells(true, [])
  }
  get rows() {
    return this.#state.rows
  }
  /** The store of this node tells. */
  tells(whole: boolean, changes: unknown): void {
    this.say({ type: 'outcome', id: this.#following, event: 'chunk', body: { whole, changes } })
  }
  say(message: ApprovalsMessage, asked = false): ApprovalsAnswer | undefined {
    const from = this.effects.length
    const step = approvals.receive(this.#state, message, this.#context(asked ? 1 : undefined))
    this.#state = step.state
    this.effects.push(...step.effects)
    for (const effect of step.effects) {
      if (effect.type === 'write') for (const other of this.linked) other.tells(false, effect.body)
    }
    const reply = this.effects.slice(from).find(({ type }) => type === 'reply')
    return (reply as { message?: Message } | undefined)?.message as ApprovalsAnswer | undefined
  }
  get told(): Message[] {
    return this.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []))
  }
  get audited(): string[] {
    return this.effects.flatMap((effect) => (effect.type === 'audit' ? [effect.outcome] : []))
  }
  get announced(): Message[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'publish' && effect.topic === 'announce' ? [effect.message] : [],
    )
  }
  #context(ask: number | undefined): Context {
    return {
      self: { address: APPROVALS_DESK, incarnation: 1 },
      ...{ now: monotonic(this.now), wall: wall(1_700_000_000_000 + this.now), entropy: 7 },
      replyTo: ask === undefined ? undefined : { actor: undefined, id: ask },
      ...{ deadline_ms: undefined, sender: undefined },
    }
  }
}
const decide = (allowed: boolean, by = 'cli'): ApprovalsMessage => ({
  ...{ type: 'approval.decide', id: 'a1', allowed, by },
})

describe('the desk of approvals', () => {
  it('D1 asks aloud, takes the first decision and no other', () => {
    const desk = new Desk('a')
    desk.say(WANTED)
    expect(desk.announced).toMatchObject([
      {
        speech: 'The home skill wants to unlock the front door. Shall it?',
        room: 'hall',
        asks: { name: 'home.-approval', slots: { id: 'a1', yes: 1 } },
      },
    ])
    expect(desk.say(decide(true), true)).toMatchObject({
      late: false,
      row: { id: 'a1', state: 'allowed', by: 'cli' },
    })
    expect(desk.say(decide(false, 'http'), true)).toMatchObject({ late: true, row: { state: 'allowed' } })
    expect(desk.told).toEqual([{ type: 'approval.decided', id: 'a1', allowed: true, by: 'cli' }])
    expect(desk.audited).toEqual(['asked', 'allowed by cli'])
    expect(desk.say({ ...decide(true), id: 'zz' } as ApprovalsMessage, true)).toMatchObject({
      row: undefined,
    })
  })

  it('D1 denies what nobody decides', () => {
    const desk = new Desk('a')
    desk.say(WANTED)
    desk.say({ type: 'approval.expired', id: 'a1' })
    expect(desk.told).toEqual([{ type: 'approval.decided', id: 'a1', allowed: false, by: 'nobody' }])
    expect(desk.audited).toEqual(['asked', 'nobody allowed it in time'])
    expect(desk.say(decide(true), true)).toMatchObject({ late: true, row: { state: 'expired' } })
    desk.say({ type: 'approval.expired', id: 'a1' })
    expect(desk.told).toHaveLength(1)
  })

  it('D2, D3 is decided on any node; the skill is told by the desk of its own, once', () => {
    const [a, b] = [new Desk('a'), new Desk('b')]
    a.linked.push(b)
    b.linked.push(a)
    a.say(WANTED)
    expect(b.say({ type: 'approvals.asked' }, true)).toMatchObject({
      rows: [{ id: 'a1', state: 'waiting', node: 'a' }],
    })
    expect(b.say(decide(false), true)).toMatchObject({ late: false, row: { state: 'denied' } })
    expect([a.told, b.told]).toEqual([
      [{ type: 'approval.decided', id: 'a1', allowed: false, by: 'cli' }],
      [],
    ])
    expect([a.audited, b.audited]).toEqual([['asked', 'denied by cli'], ['denied by cli']])
    expect(a.say(decide(true), true)).toMatchObject({ late: true })
    expect(a.told).toHaveLength(1)
  })

  it('D2 another node does not decide when the time is over', () => {
    const [a, b] = [new Desk('a'), new Desk('b')]
    a.linked.push(b)
    a.say(WANTED)
    b.now += 60_001
    expect(b.say(decide(true), true)).toMatchObject({ late: true })
  })

  it('D4 a voice does not decide what is critical', () => {
    const desk = new Desk('a')
    desk.say({ ...WANTED, risk: 'critical' })
    expect(desk.announced).toMatchObject([{ speech: expect.stringContaining('must be allowed by hand') }])
    expect(desk.announced[0]).not.toHaveProperty('asks')
    desk.say(decide(true, 'a voice in the hall'))
    expect(desk.told).toEqual([])
    desk.say(decide(true), true)
    expect(desk.told).toHaveLength(1)
  })

  it('D5 after a restart what waited is over, for everybody', () => {
    const before = new Desk('a')
    before.say(WANTED)
    const after = new Desk('a')
    after.tells(true, [{ change: 'put', key: 'a1', value: before.rows.a1 }])
    expect(after.rows.a1).toMatchObject({ state: 'expired', by: 'a restart' })
    expect(after.say(decide(true), true)).toMatchObject({ late: true })
  })

  it('keeps no more than the last of what was decided, and takes nothing that is no approval', () => {
    const desk = new Desk('a')
    for (let i = 0; i < 50; i += 1) {
      desk.now += 1
      desk.say({ ...WANTED, id: `n${i}` })
      desk.say({ ...decide(true), id: `n${i}` } as ApprovalsMessage, true)
    }
    expect(Object.keys(desk.rows).length).toBeLessThanOrEqual(33)
    desk.tells(false, [
      { change: 'put', key: '__proto__', value: desk.rows.n49 },
      { change: 'put', key: 'bad', value: { skill: 7 } },
    ])
    expect(Object.hasOwn(desk.rows, 'bad')).toBe(false)
  })
})
