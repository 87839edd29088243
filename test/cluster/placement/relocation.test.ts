/** Which actors move by themselves, and when: V1 to V5. */
import { describe, expect, it } from 'vitest'
import {
  BALANCING_MS,
  COLD_MS,
  EVERY_MS,
  FOLLOWED,
  NEWCOMER_MS,
  type Neighbour,
  newRelocation,
  REST_MS,
  type Relocate,
  type RelocationInput,
  type RelocationState,
  relocation,
  SETTLED_MS,
} from '../../../src/cluster/placement/relocation.ts'
import { type NodeId, nodeId } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const node = (name: string): NodeId => nodeId(name)
const [a, b, c] = ['a', 'b', 'c'].map(node) as [NodeId, NodeId, NodeId]
const neighbour = (name: NodeId, more: Partial<Neighbour> = {}): Neighbour => ({
  ...{ node: name, steady: true, load: 0.1 },
  ...more,
})
const DINNER = 'loqa:/session/dinner'

/** One node, with a clock that it obeys. */
class Node {
  now = 1_000_000
  readonly self: NodeId
  readonly homes: Map<string, NodeId>
  readonly begun: (Relocate & { readonly at: number })[] = []
  #state: RelocationState
  #wake_at: number | undefined

  constructor(self: NodeId, homes = new Map<string, NodeId>()) {
    this.self = self
    this.homes = homes
    this.#state = newRelocation(self)
  }

  hear(input: RelocationInput): void {
    const step = relocation(this.#state, input, { now: this.now, homes: this.homes })
    this.#state = step.state
    this.#wake_at = step.wake_at
    if (step.move !== undefined) this.begun.push({ ...step.move, at: this.now })
  }

  asked(address: string, ...from: NodeId[]): void {
    for (const one of from) this.hear({ type: 'asked', address, from: one })
  }

  /** The move under way is done, or refused. */
  ends(type: 'moved' | 'refused' = 'moved'): void {
    const { address, to } = this.begun.at(-1)!
    if (type === 'moved') this.homes.set(address, to)
    this.hear({ type, address })
  }

  pass(ms: number): void {
    const until = this.now + ms
    while (this.#wake_at !== undefined && this.#wake_at <= until) {
      this.now = Math.max(this.now, this.#wake_at)
      this.hear({ type: 'due' })
    }
    this.now = until
  }
}

const withDinner = (...others: Neighbour[]): Node => {
  const one = new Node(a, new Map([[DINNER, a]]))
  one.hear({ type: 'house', neighbours: others.length === 0 ? [neighbour(b), neighbour(c)] : others })
  return one
}

describe('locality', () => {
  it(`what was asked for ${FOLLOWED} times in a row by one other node moves there (V1)`, () => {
    const here = withDinner()
    here.asked(DINNER, b, b)
    expect(here.begun).toEqual([])
    here.asked(DINNER, b)
    expect(here.begun).toMatchObject([{ address: DINNER, to: b, why: 'asked-there' }])
  })

  it('what several ask for stays, and so does what is asked for here (V1)', () => {
    for (const who of [
      [b, c, b, c, b, c],
      [b, b, a, b, b, a, b, b],
      [a, a, a, a],
    ]) {
      const here = withDinner()
      here.asked(DINNER, ...who)
      here.pass(3_600_000)
      expect(here.begun).toEqual([])
    }
  })

  it("what lives elsewhere is nobody else's to move", () => {
    const here = withDinner()
    here.homes.set(DINNER, c)
    here.asked(DINNER, b, b, b)
    expect(here.begun).toEqual([])
  })

  it('what came a moment ago stays for a while, and then follows (V4)', () => {
    const here = withDinner()
    here.hear({ type: 'came', address: DINNER })
    here.asked(DINNER, b, b, b)
    here.pass(SETTLED_MS - 1)
    expect(here.begun).toEqual([])
    here.pass(1)
    expect(here.begun).toHaveLength(1)
  })

  it('what could not be moved is left alone for a while (V4)', () => {
    const here = withDinner()
    here.asked(DINNER, b, b, b)
    here.ends('refused')
    here.asked(DINNER, b, b, b)
    here.pass(REST_MS - 1)
    expect(here.begun).toHaveLength(1)
    here.pass(1)
    expect(here.begun).toHaveLength(2)
  })

  it('nothing moves to a node that is not in use, or comes and goes (V5)', () => {
    for (const others of [[neighbour(c)], [neighbour(b, { steady: false }), neighbour(c)]]) {
      const here = withDinner(...others)
      here.asked(DINNER, b, b, b)
      here.pass(3_600_000)
      expect(here.begun).toEqual([])
    }
  })

  it('nothing moves by itself from a node that leaves (V5)', () => {
    const here = withDinner()
    here.hear({ type: 'leaves' })
    here.asked(DINNER, b, b, b)
    here.pass(3_600_000)
    expect(here.begun).toEqual([])
  })

  it('goes one at a time, one in a second, the hottest last (V3)', () => {
    const names = Array.from({ length: 5 }, (_, i) => `loqa:/session/s${i}`)
    const here = new Node(a, new Map(names.map((name) => [name, a])))
    // All are to go, and may go once they have been here for a while; the first was asked last.
    for (const name of names) here.hear({ type: 'came', address: name })
    here.hear({ type: 'house', neighbours: [neighbour(b)] })
    for (const name of names.toReversed()) {
      here.pass(100)
      here.asked(name, b, b, b)
    }
    here.pass(SETTLED_MS)
    for (let i = 1; i < names.length; i += 1) {
      expect(here.begun).toHaveLength(i)
      here.ends()
      here.pass(EVERY_MS)
    }
    expect(here.begun.map(({ address }) => address)).toEqual(names.toReversed())
    for (const [i, { at }] of here.begun.entries())
      if (i > 0) expect(at - here.begun[i - 1]!.at).toBeGreaterThanOrEqual(EVERY_MS)
  })
})

describe('balance', () => {
  const many = (count: number, prefix = 's'): [string, NodeId][] =>
    Array.from({ length: count }, (_, i) => [`loqa:/session/${prefix}${i}`, a])

  /** All that begins within `ms` is done at once. */
  const run = (here: Node, ms: number): void => {
    for (let passed = 0; passed < ms; passed += EVERY_MS) {
      const before = here.begun.length
      here.pass(EVERY_MS)
      if (here.begun.length > before) here.ends()
    }
  }

  it('a node that came gets its part of what is cold, and no more; the rest stays (V2)', () => {
    const here = new Node(a, new Map(many(60)))
    here.hear({ type: 'house', neighbours: [neighbour(b)] })
    // Two nodes that have been together for long, each with its own: nothing moves.
    for (const [name] of many(60, 'other')) here.homes.set(name, b)
    run(here, BALANCING_MS + NEWCOMER_MS)
    expect(here.begun).toEqual([])
    here.hear({ type: 'house', neighbours: [neighbour(b), neighbour(c)] })
    run(here, BALANCING_MS)
    expect(here.begun.every(({ to, why }) => to === c && why === 'balance')).toBe(true)
    expect(here.begun.length).toBeGreaterThan(5)
    // Down to a little above the mean of 40.
    expect(60 - here.begun.length).toBeGreaterThanOrEqual(40)
    expect(here.begun[0]!.at - 1_000_000).toBeGreaterThanOrEqual(NEWCOMER_MS)
  })

  it('takes nothing that was asked for lately, nothing to a busy node, and leaves few things where they are (V2, V4, V5)', () => {
    const hot = new Node(a, new Map(many(30)))
    hot.hear({ type: 'house', neighbours: [] })
    for (const [name] of many(30)) hot.asked(name, a)
    hot.hear({ type: 'house', neighbours: [neighbour(b)] })
    run(hot, COLD_MS - EVERY_MS)
    expect(hot.begun).toEqual([])

    const busy = new Node(a, new Map(many(30)))
    busy.hear({ type: 'house', neighbours: [neighbour(b, { load: 0.95 })] })
    run(busy, BALANCING_MS)
    expect(busy.begun).toEqual([])

    const few = new Node(a, new Map(many(4)))
    few.hear({ type: 'house', neighbours: [neighbour(b)] })
    run(few, BALANCING_MS)
    expect(few.begun).toEqual([])
  })
})

describe('three nodes that decide each for itself', () => {
  it('an hour of people who walk about: every conversation follows, none moves more often than it may', () => {
    const random = new SimulatedRandom(11)
    const draw = (below: number): number => random.uint32() % below
    const homes = new Map<string, NodeId>()
    const nodes = [a, b, c].map((self) => new Node(self, homes))
    const names = Array.from({ length: 12 }, (_, i) => `loqa:/session/s${i}`)
    for (const name of names) homes.set(name, nodes[draw(3)]!.self)
    const places = new Map(names.map((name) => [name, nodes[draw(3)]!.self]))
    for (const one of nodes) {
      const neighbours = nodes.filter((other) => other !== one).map(({ self }) => neighbour(self))
      one.hear({ type: 'house', neighbours })
    }
    const moves: { address: string; at: number }[] = []
    const settle = (): void => {
      for (const one of nodes) {
        const move = one.begun.at(-1)
        if (move === undefined || homes.get(move.address) !== one.self || move.at !== one.now) continue
        moves.push({ address: move.address, at: move.at })
        one.ends()
        nodes.find(({ self }) => self === move.to)!.hear({ type: 'came', address: move.address })
      }
    }
    for (let second = 0; second < 3_600; second += 1) {
      for (const one of nodes) {
        for (let ms = 0; ms < 1_000; ms += 200) {
          one.pass(200)
          settle()
        }
      }
      if (draw(60) === 0) places.set(names[draw(names.length)]!, nodes[draw(3)]!.self)
      if (draw(3) > 0) continue
      const name = names[draw(names.length)]!
      nodes.find(({ self }) => self === homes.get(name))!.asked(name, places.get(name)!)
      settle()
    }
    expect(moves.length).toBeGreaterThan(10)
    for (const name of names) {
      const own = moves.filter(({ address }) => address === name).map(({ at }) => at)
      for (const [i, at] of own.entries())
        if (i > 0) expect(at - own[i - 1]!).toBeGreaterThanOrEqual(SETTLED_MS - 1_000)
    }
    // Nobody walks any more: asked a few times, each is where its people are.
    for (const name of names)
      for (let turn = 0; turn < FOLLOWED + 1; turn += 1) {
        nodes.find(({ self }) => self === homes.get(name))!.asked(name, places.get(name)!)
        for (const one of nodes) {
          one.pass(SETTLED_MS + REST_MS)
          settle()
        }
      }
    expect(names.filter((name) => homes.get(name) !== places.get(name))).toEqual([])
  })
})
