/**
 * A small world, all of it: one actor moves between two nodes while three senders go on; each word that is said about the move is lost,
 * comes twice, or comes late, each side dies right before or right after each word, comes back or does not, alone and together. Enumerated,
 * not sampled: whatever goes wrong once or twice in a move, went wrong here. The numbers are those of `src/cluster/migration/index.ts`.
 */
import { expect, test } from 'vitest'
import { problem } from './checks.ts'
import { type Fate, type Lost, type SimulatedNode, World } from './world.ts'

/** Every 5 ms of 100, around a move that begins in the middle. */
const TOLD_EVERY_MS = 5
const TOLD_FOR_MS = 100
const MOVE_AT_MS = 40
/** Slower than they come, so that some wait when it freezes. */
const HANDLING_MS = 3
/** Past verdicts, turns of the placer and what is remembered. */
const RUN_MS = 20_000

const FATES: readonly Fate[] = ['lose', 'twice', { late_ms: 30 }, { late_ms: 700 }, { late_ms: 6_000 }]
const SIDES = ['source', 'target'] as const
const WHEN = ['before', 'after'] as const

interface Case {
  readonly fates: ReadonlyMap<number, Fate>
  readonly death?: {
    readonly at: number
    readonly when: (typeof WHEN)[number]
    readonly side: (typeof SIDES)[number]
    readonly back_ms: number | undefined
  }
  /** The two lose each other; the third node reaches both (then nobody is called dead), or only one of them. */
  readonly cut?: {
    readonly at: number
    readonly when: (typeof WHEN)[number]
    readonly alone: 'source' | 'target' | 'neither'
    readonly for_ms: number
  }
}

const totals: Record<string, number> = {}

function run({ fates, death, cut }: Case): World {
  const world: World = new World({
    seed: 1,
    nodes: 3,
    handling_ms: HANDLING_MS,
    fate: (number) => fates.get(number) ?? 'fine',
    around(when, number) {
      if (cut !== undefined && number === cut.at && when === cut.when) lose(world, cut)
      if (death === undefined || number !== death.at || when !== death.when) return
      const node = dying(world, death.side)
      world.crash(node)
      if (death.back_ms !== undefined) world.clock.after(death.back_ms, () => world.start(node))
    },
  })
  const [source, target] = world.nodes
  for (let at = 0; at < TOLD_FOR_MS; at += TOLD_EVERY_MS) {
    world.clock.after(at, () => {
      for (const node of world.nodes) world.tell(node)
    })
  }
  world.clock.after(MOVE_AT_MS, () => world.move(source!, target!))
  world.clock.advance(RUN_MS)
  world.calm()
  world.clock.advance(RUN_MS)
  for (const [what, times] of Object.entries(world.counts)) totals[what] = (totals[what] ?? 0) + times
  return world
}

function lose(world: World, { alone, for_ms }: NonNullable<Case['cut']>): void {
  const [source, target, third] = world.nodes as [SimulatedNode, SimulatedNode, SimulatedNode]
  const pairs: (readonly [SimulatedNode, SimulatedNode])[] = [[source, target]]
  if (alone === 'source') pairs.push([source, third])
  if (alone === 'target') pairs.push([target, third])
  for (const [a, b] of pairs) world.cut(a, b)
  world.clock.after(for_ms, () => {
    for (const [a, b] of pairs) world.mend(a, b)
  })
}

const dying = (world: World, side: (typeof SIDES)[number]): SimulatedNode =>
  world.nodes[side === 'source' ? 0 : 1]!

/** Words of a move in which nothing goes wrong; whatever else is said is said because something did. */
const WORDS = run({ fates: new Map() }).words
const numbers = Array.from({ length: WORDS }, (_, i) => i)

const name = ({ fates, death, cut }: Case): string => JSON.stringify([[...fates], death, cut])

function holds(each: Case, allowed: readonly Lost[]): World {
  const world = run(each)
  const wrong = problem(world, allowed)
  if (wrong !== undefined) expect.fail(`${name(each)}: ${wrong}`)
  return world
}

test('nothing goes wrong: it moves, every message is handled once and in order, none waits for long', () => {
  const world = holds({ fates: new Map() }, [])
  expect(world.outcomes).toEqual(['moved'])
  expect(world.counts.forward).toBeGreaterThan(3)
  expect(world.counts['waited for the old way']).toBeGreaterThan(0)
  expect(world.lost.size).toBe(0)
})

test('any word lost, twice or late: it moves or stays, and not one message is lost', () => {
  for (const number of numbers) {
    for (const fate of FATES) {
      const world = holds({ fates: new Map([[number, fate]]) }, [])
      expect(world.outcomes.length, name({ fates: new Map([[number, fate]]) })).toBe(1)
    }
  }
})

test('any two words lost, twice or late', { timeout: 120_000 }, () => {
  for (const first of numbers) {
    for (const second of numbers.slice(first + 1)) {
      for (const one of FATES.slice(0, 4)) {
        for (const other of ['lose', 'twice', { late_ms: 700 }] as const) {
          holds(
            {
              fates: new Map<number, Fate>([
                [first, one],
                [second, other],
              ]),
            },
            [],
          )
        }
      }
    }
  }
})

/** What is on a node that dies, on its way to it, or with what it was handed, and only that. */
const WITH_A_DEATH: readonly Lost[] = ['died', 'doubt', 'buried']

test('either side dies at any word, and comes back soon, late, or only at the end', () => {
  for (const at of numbers) {
    for (const when of WHEN) {
      for (const side of SIDES) {
        for (const back_ms of [100, 9_000, undefined]) {
          holds({ fates: new Map(), death: { at, when, side, back_ms } }, WITH_A_DEATH)
        }
      }
    }
  }
})

test('either side dies at any word while another word is lost, twice or late', { timeout: 300_000 }, () => {
  for (const at of numbers) {
    for (const side of SIDES) {
      for (const number of numbers) {
        for (const fate of ['lose', 'twice', { late_ms: 700 }] as const) {
          holds(
            { fates: new Map([[number, fate]]), death: { at, when: 'after', side, back_ms: undefined } },
            WITH_A_DEATH,
          )
        }
      }
    }
  }
})

/** What is on a link that is lost; and what a copy had that counts no more, or comes to a place where it is no more. */
const WITH_A_CUT: readonly Lost[] = ['link', 'doubt', 'void', 'buried', 'nobody']

test('the two lose each other at any word, for a moment, beyond each wait, beyond verdicts', () => {
  for (const at of numbers) {
    for (const when of WHEN) {
      for (const alone of ['neither', ...SIDES] as const) {
        for (const for_ms of [20, 1_000, 4_600, 9_000, 18_000]) {
          holds({ fates: new Map(), cut: { at, when, alone, for_ms } }, WITH_A_CUT)
        }
      }
    }
  }
})

test('the two lose each other at any word, and then one of them dies', { timeout: 120_000 }, () => {
  for (const at of numbers) {
    for (const later of numbers) {
      for (const side of SIDES) {
        const cut = { at, when: 'before', alone: 'neither', for_ms: 2_000 } as const
        holds({ fates: new Map(), cut, death: { at: later, when: 'after', side, back_ms: undefined } }, [
          ...WITH_A_DEATH,
          ...WITH_A_CUT,
        ])
      }
    }
  }
})

test('all of it was met', () => {
  if (process.env.LOQA_COUNTS) console.log(WORDS, totals)
  for (const what of [
    'moved',
    'aborted: gone',
    'taken-back: gone',
    'taken-back: timeout',
    'two copies',
    'words said again',
    'inherited',
    'started anew',
    'forward',
    'lost: doubt',
    'lost: died',
  ]) {
    expect(totals[what] ?? 0, what).toBeGreaterThan(0)
  }
})
