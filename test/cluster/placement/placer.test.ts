/** On which node placed actors are started, and which copies end: C1 to C6. */
import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../../src/cluster/placement/candidate.ts'
import { CONTESTED_MS } from '../../../src/cluster/placement/copies.ts'
import { ANEW_AT_ONCE, ANEW_EVERY_MS, GRACE_MS, TURN_MS } from '../../../src/cluster/placement/orphans.ts'
import {
  claim,
  merge,
  NO_PLACEMENTS,
  type Placements,
  release,
} from '../../../src/cluster/placement/placements.ts'
import { placer, refusal } from '../../../src/cluster/placement/placer.ts'
import {
  newPlacer,
  type PlacedKinds,
  type PlacerEffect,
  type PlacerInput,
} from '../../../src/cluster/placement/placer-state.ts'
import { seats } from '../../../src/cluster/placement/seats.ts'
import { ASKED_MS } from '../../../src/cluster/placement/wants.ts'
import { monotonic, type NodeId, nodeId } from '../../../src/host/index.ts'

const [a, b, c] = [nodeId('a'), nodeId('b'), nodeId('c')]
const KINDS: PlacedKinds = new Map([
  ['job', { requirement: { tag: undefined, tier: 'balanced', place: undefined }, when_lost: 'start-anew' }],
  ['talk', { requirement: { tag: undefined, tier: 'balanced', place: undefined }, when_lost: 'forget' }],
  ['heavy', { requirement: { tag: 'llm', tier: 'rich', place: undefined }, when_lost: 'start-anew' }],
])
const JOB = 'loqa:/job/1'
const REFUSED = { code: 'invalid-input', message: 'no', retryable: false }

const candidate = (node: NodeId, more: Partial<Candidate> = {}): Candidate => ({
  node,
  offers: [],
  place: undefined,
  load: 0,
  rtt_ms: node === 'a' ? 0 : 5,
  steady: true,
  ...more,
})

/** The placer of node a, with its map. */
class Desk {
  now = 0
  map: Placements = NO_PLACEMENTS
  state = newPlacer(a)
  /** After how long the clock was to wake it, ms. */
  woken: (number | undefined)[] = []

  constructor(...others: readonly Candidate[]) {
    this.house(...others)
  }

  house(...others: readonly Candidate[]): string[] {
    const candidates = [candidate(a), ...others]
    return this.input({ type: 'house', candidates, present: new Set(candidates.map(({ node }) => node)) })
  }

  /** Effects, in words. */
  input(input: PlacerInput): string[] {
    const { state, effects } = placer(this.state, input, this.#context)
    this.state = state
    for (const effect of effects) {
      if (effect.type === 'wake') this.woken.push(effect.delay_ms)
      else this.#write(effect)
    }
    return effects.flatMap((effect) => (effect.type === 'wake' ? [] : [said(effect)]))
  }

  refusal(address: string) {
    return refusal(this.state, address, this.#context)?.code
  }

  /** Another node's claims, as they arrive. */
  claimed(node: NodeId | null, ...addresses: readonly string[]): string[] {
    const entries = addresses.map((address) => {
      const epoch = (this.map.entries.get(address)?.epoch ?? 0) + 1
      return { address, node, epoch }
    })
    const { placements, lost } = merge(this.map, entries, this.now)
    this.map = placements
    const heard = this.input({ type: 'heard', addresses })
    return [...heard, ...lost(a).flatMap((address) => this.input({ type: 'lost', address }))]
  }

  pass(ms: number): string[] {
    const said: string[] = []
    const until = this.now + ms
    while (this.state.wake_at !== undefined && this.state.wake_at <= until) {
      this.now = Math.max(this.now, this.state.wake_at)
      said.push(...this.input({ type: 'due' }))
    }
    this.now = until
    return said
  }

  get #context() {
    return { now: monotonic(this.now), map: this.map, kinds: KINDS }
  }

  #write({ type, ...rest }: PlacerEffect): void {
    const { address } = rest as { address: string }
    const written =
      type === 'claim'
        ? claim(this.map, address, a, this.now)
        : type === 'release'
          ? release(this.map, address, a, this.now)
          : undefined
    if (written !== undefined) this.map = written.placements
  }
}

function said(effect: Exclude<PlacerEffect, { type: 'wake' }>): string {
  const { type, address } = effect
  if (type === 'ask' || type === 'placed') return `${type} ${effect.node} ${address}`
  return type === 'unplaced' ? `${type} ${effect.error.code} ${address}` : `${type} ${address}`
}

describe('what somebody wants', () => {
  it('C1 is left where it lives, here or on another node', () => {
    const desk = new Desk(candidate(b))
    desk.claimed(b, JOB)
    expect(desk.input({ type: 'wanted', address: JOB })).toEqual([`placed b ${JOB}`])
    desk.input({ type: 'taken', address: 'loqa:/talk/1' })
    expect(desk.input({ type: 'wanted', address: 'loqa:/talk/1' })).toEqual(['placed a loqa:/talk/1'])
  })

  it('C2 is started on the best seat: here, and claimed before it is told', () => {
    const desk = new Desk(candidate(b))
    expect(desk.input({ type: 'wanted', address: JOB })).toEqual([`start ${JOB}`])
    expect(desk.input({ type: 'wanted', address: JOB })).toEqual([])
    expect(desk.input({ type: 'started', address: JOB })).toEqual([`claim ${JOB}`, `placed a ${JOB}`])
    expect(desk.input({ type: 'ended', address: JOB })).toEqual([`release ${JOB}`])
  })

  it('C2 or elsewhere, where it can be done; a claim is as good as an answer', () => {
    const llm = [{ tag: 'llm.x:3b', p95_ms: 100, room: 4, running: 0 }]
    const desk = new Desk(candidate(b, { offers: llm }), candidate(c))
    const heavy = 'loqa:/heavy/1'
    expect(desk.input({ type: 'wanted', address: heavy })).toEqual([`ask b ${heavy}`])
    expect(desk.claimed(b, heavy)).toEqual([`placed b ${heavy}`])
    expect(desk.input({ type: 'answered', address: heavy, node: b })).toEqual([])
  })

  it('C2 goes to the next best when a node refuses, is silent or leaves', () => {
    const away = { rtt_ms: 500 }
    const desk = new Desk(candidate(b), candidate(c))
    desk.state = {
      ...desk.state,
      candidates: [candidate(a, away), candidate(b), candidate(c, { rtt_ms: 50 })],
    }
    expect(desk.input({ type: 'wanted', address: JOB })).toEqual([`ask b ${JOB}`])
    expect(desk.input({ type: 'refused', address: JOB, node: b, error: REFUSED })).toEqual([`ask c ${JOB}`])
    expect(desk.pass(ASKED_MS - 1)).toEqual([])
    expect(desk.pass(1)).toEqual([`start ${JOB}`])
    // Whoever was given up on answers after all: that is heard as a claim.
    expect(desk.claimed(c, JOB)).toEqual([`placed c ${JOB}`])
    expect(desk.input({ type: 'started', address: JOB })).toEqual([`stop ${JOB}`])
    expect(desk.input({ type: 'ended', address: JOB })).toEqual([])

    const other = 'loqa:/job/2'
    desk.state = {
      ...desk.state,
      candidates: [candidate(a, away), candidate(b), candidate(c, { rtt_ms: 50 })],
    }
    expect(desk.input({ type: 'wanted', address: other })).toEqual([`ask b ${other}`])
    expect(desk.house(candidate(c, { rtt_ms: 500 }))).toEqual([`start ${other}`])
  })

  it('C2 asks for the clock again when it came a moment early', () => {
    const llm = [{ tag: 'llm.x:3b', p95_ms: 100, room: 4, running: 0 }]
    const desk = new Desk(candidate(b, { offers: llm }))
    desk.input({ type: 'wanted', address: 'loqa:/heavy/1' })
    desk.now = ASKED_MS - 0.4
    desk.woken = []
    expect(desk.input({ type: 'due' })).toEqual([])
    expect(desk.woken).toEqual([expect.closeTo(0.4)])
  })

  it('C1 hears why when nobody takes it', () => {
    const desk = new Desk()
    expect(desk.input({ type: 'wanted', address: 'loqa:/heavy/1' })).toEqual([
      'unplaced no-place loqa:/heavy/1',
    ])
    expect(desk.input({ type: 'wanted', address: 'loqa:/unknown/1' })).toEqual([
      'unplaced no-place loqa:/unknown/1',
    ])
    desk.input({ type: 'wanted', address: JOB })
    expect(desk.input({ type: 'failed', address: JOB, error: REFUSED })).toEqual([
      `unplaced invalid-input ${JOB}`,
    ])
  })

  it('C2 goes back where it was, unless another seat is better by more than noise', () => {
    const desk = new Desk(candidate(b))
    const seatsOf = (b_rtt: number, c_rtt: number) => {
      desk.state = {
        ...desk.state,
        candidates: [candidate(b, { rtt_ms: b_rtt }), candidate(c, { rtt_ms: c_rtt })],
      }
    }
    desk.house(candidate(b), candidate(c))
    desk.claimed(b, JOB)
    desk.claimed(null, JOB)
    seatsOf(11, 10)
    expect(desk.input({ type: 'wanted', address: JOB })).toEqual([`ask b ${JOB}`])
    desk.input({ type: 'answered', address: JOB, node: b })
    seatsOf(30, 10)
    expect(desk.input({ type: 'wanted', address: JOB })).toEqual([`ask c ${JOB}`])
  })
})

describe('the actors of a dead node', () => {
  const jobs = (count: number): string[] => Array.from({ length: count }, (_, i) => `loqa:/job/${i}`)
  /** b had them, c lives: which of them this node and which c is to start, by the seats alone. */
  const mine = (addresses: readonly string[]) =>
    addresses.filter((key) => {
      const wanted = { ...KINDS.get('job')!.requirement, key }
      return seats(wanted, [candidate(a, { rtt_ms: 0 }), candidate(c, { rtt_ms: 0 })])[0]!.node === a
    })

  it('C3 are started by the node the seats name, at once, and by no other', () => {
    const all = jobs(12)
    const desk = new Desk(candidate(b), candidate(c))
    desk.claimed(b, ...all)
    desk.house(candidate(c))
    expect(mine(all).length).toBeGreaterThan(0)
    expect(mine(all).length).toBeLessThan(all.length)
    const started = [
      ...desk.input({ type: 'orphaned', addresses: all }),
      ...desk.pass(2 * ANEW_EVERY_MS),
    ].map((effect) => effect.slice('start '.length))
    expect(started.sort()).toEqual(mine(all).sort())
    for (const address of mine(all)) {
      expect(desk.input({ type: 'started', address })).toEqual([`claim ${address}`])
    }
    // c takes the others; nothing is left to do.
    expect(desk.claimed(c, ...all.filter((each) => !mine(all).includes(each)))).toEqual([])
    expect(desk.pass(10 * TURN_MS)).toEqual([])
  })

  it('C3 get the next seat where the first does nothing', () => {
    const all = jobs(8)
    const desk = new Desk(candidate(b), candidate(c))
    desk.claimed(b, ...all)
    desk.house(candidate(c))
    desk.input({ type: 'orphaned', addresses: all })
    for (const address of mine(all)) desk.input({ type: 'started', address })
    expect(desk.pass(TURN_MS - 1)).toEqual([])
    expect(desk.pass(1)).toEqual(
      all.filter((each) => !mine(all).includes(each)).map((each) => `start ${each}`),
    )
  })

  it('C4 are started a few at a time', () => {
    const all = jobs(3 * ANEW_AT_ONCE)
    const desk = new Desk(candidate(b))
    desk.claimed(b, ...all)
    desk.house()
    const counts = [desk.input({ type: 'orphaned', addresses: all }).length]
    while (desk.state.wake_at !== undefined && counts.length < 10)
      counts.push(desk.pass(ANEW_EVERY_MS).length)
    expect(counts.slice(0, 3)).toEqual([ANEW_AT_ONCE, ANEW_AT_ONCE, ANEW_AT_ONCE])
    expect(counts.slice(3).every((count) => count === 0)).toBe(true)
  })

  it('C3 are struck off the map when their kind is not started anew', () => {
    const desk = new Desk(candidate(b))
    desk.claimed(b, 'loqa:/talk/1')
    desk.house()
    expect(desk.input({ type: 'orphaned', addresses: ['loqa:/talk/1'] })).toEqual([
      'claim loqa:/talk/1',
      'release loqa:/talk/1',
    ])
    expect(desk.map.entries.get('loqa:/talk/1')?.node).toBeNull()
  })

  it('are waited for when nobody gave a verdict: the node may only not be known yet', () => {
    const desk = new Desk()
    desk.claimed(b, JOB)
    expect(desk.pass(GRACE_MS - 1)).toEqual([])
    desk.house(candidate(b))
    expect(desk.pass(10 * TURN_MS)).toEqual([])
    desk.house()
    expect(desk.pass(GRACE_MS)).toEqual([`start ${JOB}`])
    // Of a node that was dead before this one was there.
    expect(desk.claimed(c, 'loqa:/job/2')).toEqual([])
    expect(desk.pass(GRACE_MS)).toEqual(['start loqa:/job/2'])
  })

  it('that ended here for another node are taken up again when that one is gone too', () => {
    const desk = new Desk(candidate(b))
    desk.input({ type: 'taken', address: JOB })
    expect(desk.claimed(b, JOB)).toEqual([`stop ${JOB}`])
    desk.house()
    desk.input({ type: 'orphaned', addresses: [JOB] })
    expect(desk.input({ type: 'ended', address: JOB })).toEqual([])
    expect(desk.pass(GRACE_MS)).toEqual([`start ${JOB}`])
  })

  it('an earlier life of this node is this node’s to settle', () => {
    const desk = new Desk(candidate(b), candidate(c))
    expect(desk.claimed(a, JOB)).toEqual([`start ${JOB}`])
    expect(desk.input({ type: 'started', address: JOB })).toEqual([])
    expect(desk.claimed(a, 'loqa:/talk/1')).toEqual([])
    expect(desk.pass(ANEW_EVERY_MS)).toEqual(['release loqa:/talk/1'])
  })
})

describe('two copies', () => {
  it('C5 the one the map does not name ends', () => {
    const desk = new Desk(candidate(b))
    desk.input({ type: 'taken', address: JOB })
    expect(desk.claimed(b, JOB)).toEqual([`stop ${JOB}`])
    expect(desk.input({ type: 'ended', address: JOB })).toEqual([])
  })

  it('C5 what lives here and was struck off is claimed again', () => {
    const desk = new Desk(candidate(b))
    desk.input({ type: 'taken', address: JOB })
    expect(desk.claimed(null, JOB)).toEqual([`claim ${JOB}`])
  })

  it('C5 what a dead node claimed meanwhile is claimed again, once it is sure', () => {
    const desk = new Desk()
    desk.input({ type: 'taken', address: JOB })
    expect(desk.claimed(b, JOB)).toEqual([])
    expect(desk.pass(CONTESTED_MS - 1)).toEqual([])
    expect(desk.pass(1)).toEqual([`claim ${JOB}`])
    expect(desk.claimed(c, JOB)).toEqual([])
    expect(desk.house(candidate(c))).toEqual([`stop ${JOB}`])
  })

  it('C6 nothing is started for others that lives elsewhere, and what is needed here is taken', () => {
    const desk = new Desk(candidate(b))
    desk.claimed(b, JOB)
    expect(desk.refusal(JOB)).toBe('placed-elsewhere')
    expect(desk.refusal('loqa:/job/2')).toBeUndefined()
    expect(desk.input({ type: 'taken', address: JOB })).toEqual([`claim ${JOB}`])
    expect(desk.refusal(JOB)).toBeUndefined()
  })
})
