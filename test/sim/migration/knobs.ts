/** What can go wrong, drawn from a seed, as in `test/sim/cluster/knobs.ts`: each seed turns a random part of the knobs off altogether. */
import type { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import type { SimulatedNode, World } from './world.ts'

export const KNOBS = [
  'loss',
  'duplicate',
  'delay',
  'partition',
  'isolate',
  'bridge',
  'crash',
  'restart',
  'aimed',
  'slow-actor',
  'large-state',
  'skew',
  'cancel',
  'hurry',
  'crowd',
] as const
export type Knob = (typeof KNOBS)[number]

export const drawKnobs = (random: SimulatedRandom): ReadonlySet<Knob> =>
  new Set(KNOBS.filter(() => random.below(2) === 0))

const between = (random: SimulatedRandom, low: number, high: number): number =>
  low + random.float() * (high - low)

/** Turns the knobs for `for_ms` from now; the faults begin and end at drawn times. */
export function disturb(world: World, knobs: ReadonlySet<Knob>, for_ms: number): void {
  const { nodes, weather } = world
  // One source a knob, so that turning one off changes nothing about the others.
  const sources = new Map(KNOBS.map((knob) => [knob, world.random.fork()]))
  const sourceOf = (knob: Knob): SimulatedRandom => sources.get(knob)!
  const oneOf = (random: SimulatedRandom): SimulatedNode => nodes[random.below(nodes.length)]!

  if (knobs.has('loss')) weather.loss = between(sourceOf('loss'), 0.01, 0.3)
  if (knobs.has('duplicate')) weather.duplicate = between(sourceOf('duplicate'), 0.01, 0.5)
  if (knobs.has('delay')) {
    weather.delay_ms = between(sourceOf('delay'), 0, 30)
    weather.jitter_ms = between(sourceOf('delay'), 10, 100)
  }

  const repeat = (knob: Knob, most: number, run: (random: SimulatedRandom) => void): void => {
    if (!knobs.has(knob)) return
    const random = sourceOf(knob)
    for (let left = 1 + random.below(most); left > 0; left -= 1) {
      world.clock.after(random.float() * for_ms * 0.9, () => {
        if (!world.calmed) run(random)
      })
    }
  }
  /** Half of them shorter than any wait, half beyond verdicts. */
  const outage = (random: SimulatedRandom): number =>
    random.below(2) === 0 ? between(random, 10, 3_000) : between(random, 3_000, 15_000)
  const half = (random: SimulatedRandom) => new Set(nodes.filter(() => random.below(2) === 0))

  repeat('partition', 3, (random) => split(world, half(random), outage(random)))
  repeat('isolate', 4, (random) => split(world, new Set([oneOf(random)]), outage(random)))
  repeat('bridge', 3, (random) => split(world, half(random), outage(random), oneOf(random)))
  repeat('crash', 2, (random) => world.crash(oneOf(random)))
  repeat('restart', 4, (random) => {
    const node = oneOf(random)
    world.crash(node)
    world.clock.after(between(random, 5, 9_000), () => world.start(node))
  })
  repeat('cancel', 8, (random) => world.cancel(oneOf(random)))
}

/** While a move is under way: one of the two dies, or they lose each other. */
export function aim(world: World, random: SimulatedRandom, for_ms: number): void {
  if (world.calmed || random.below(6) > 0) return
  const moving = world.nodes.filter(({ mover }) => mover.away.size > 0)
  const from = moving[random.below(Math.max(1, moving.length))]
  const [move] = from === undefined ? [] : from.mover.away.values()
  if (from === undefined || move === undefined || move.phase === 'forwarding') return
  const to = world.byId(move.move.to)
  world.count('aimed')
  switch (random.below(4)) {
    case 0:
      world.crash(from)
      world.clock.after(for_ms * random.float(), () => world.start(from))
      return
    case 1:
      world.crash(to)
      world.clock.after(for_ms * random.float(), () => world.start(to))
      return
    case 2:
      // Others still reach both, so that no verdict comes.
      split(
        world,
        new Set([from]),
        for_ms * random.float(),
        world.nodes.find((node) => node !== from && node !== to),
      )
      return
    default:
      split(world, new Set([to]), for_ms * random.float())
  }
}

/** Two sides that do not reach each other; a bridge reaches both. */
function split(world: World, left: ReadonlySet<SimulatedNode>, for_ms: number, bridge?: SimulatedNode): void {
  const pairs = [...left].flatMap((a) => world.nodes.filter((b) => !left.has(b)).map((b) => [a, b] as const))
  const cuts = pairs.filter(([a, b]) => a !== bridge && b !== bridge)
  world.count('partitions', cuts.length > 0 ? 1 : 0)
  for (const [a, b] of cuts) world.cut(a, b)
  world.clock.after(for_ms, () => {
    if (world.calmed) return
    for (const [a, b] of cuts) world.mend(a, b)
  })
}
