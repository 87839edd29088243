/**
 * What can go wrong, drawn from a seed. Swarm testing: each seed turns a random part of the knobs off altogether, because faults
 * hide each other when all are always on. Ranges follow RELIABILITY's simulator knobs, cut to the length of a run.
 */
import type { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { Liar } from './liar.ts'
import { FAIR, type SimulatedNode, type World } from './world.ts'

export const KNOBS = [
  'loss',
  'duplicate',
  'delay',
  'hold',
  'partition',
  'isolate',
  'one-way',
  'bridge',
  'swizzle',
  'sleep',
  'crash',
  'restart',
  'flap',
  'leave',
  'drift',
  'wall-jump',
  'skew',
  'liar',
] as const
export type Knob = (typeof KNOBS)[number]

/** Each knob is off for half of the seeds. */
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
  for (const node of nodes) {
    if (knobs.has('drift')) node.clock_speed = 1 + between(sourceOf('drift'), -500e-6, 500e-6)
    if (knobs.has('skew')) node.ahead = sourceOf('skew').below(2) === 0
  }
  if (knobs.has('drift')) world.count('drift')

  /** Up to `most` times, each at a drawn time. */
  const repeat = (knob: Knob, most: number, run: (random: SimulatedRandom) => void): void => {
    if (!knobs.has(knob)) return
    const random = sourceOf(knob)
    for (let left = 1 + random.below(most); left > 0; left -= 1) {
      world.clock.after(random.float() * for_ms * 0.9, () => {
        if (!world.calmed) run(random)
      })
    }
  }
  const outage = (random: SimulatedRandom): number => between(random, 500, 9_000)
  const half = (random: SimulatedRandom) => () => random.below(2) === 0

  repeat('hold', 6, (random) => hold(world, oneOf(random), oneOf(random), between(random, 100, 5_000)))
  repeat('partition', 2, (random) => split(world, random, outage(random), half(random)))
  repeat('isolate', 3, (random) => {
    const alone = oneOf(random)
    split(world, random, outage(random), (node) => node === alone)
  })
  repeat('one-way', 4, (random) => cutFor(world, [[oneOf(random), oneOf(random)]], outage(random)))
  repeat('bridge', 2, (random) => split(world, random, outage(random), half(random), oneOf(random)))
  repeat('swizzle', 2, (random) => swizzle(world, random, oneOf(random)))
  repeat('sleep', 4, (random) => world.sleep(oneOf(random), between(random, 50, 10_000)))
  repeat('crash', 2, (random) => world.crash(oneOf(random)))
  repeat('restart', 4, (random) => restart(world, oneOf(random), between(random, 20, 5_000)))
  repeat('flap', 1, (random) => flap(world, oneOf(random), 1 + random.below(8)))
  repeat('leave', 2, (random) => world.leave(oneOf(random)))
  repeat('wall-jump', 3, (random) => {
    world.clock.jumpWall(between(random, -365, 365) * 86_400_000)
    world.count('wall jumps')
  })
  if (knobs.has('liar')) new Liar(world, oneOf(sourceOf('liar')), sourceOf('liar')).lieFor(for_ms)
}

/** Everything that was turned is turned back; crashed nodes stay down, sleeping ones wake. */
export function calm(world: World): void {
  world.calmed = true
  Object.assign(world.weather, FAIR)
  for (const from of world.nodes) {
    for (const to of world.nodes) {
      const { index } = to
      const kept =
        world.links.isCut(from.index, index) || world.links.heldFor(from.index, index, world.now) > 0
      if (kept) trouble(world, from, to)
    }
  }
  world.links.healAll()
  for (const node of world.nodes) world.wake(node)
}

function trouble(world: World, ...nodes: readonly SimulatedNode[]): void {
  for (const node of nodes) node.troubled_at = world.now
}

function hold(world: World, from: SimulatedNode, to: SimulatedNode, for_ms: number): void {
  if (from === to) return
  const until = world.now + for_ms
  world.links.hold(from.index, to.index, until)
  world.count('holds')
  world.clock.after(for_ms, () => trouble(world, from, to))
}

type Pair = readonly [SimulatedNode, SimulatedNode]

function cutFor(world: World, pairs: readonly Pair[], for_ms: number): void {
  if (world.calmed) return
  const cuts = pairs.filter(([from, to]) => from !== to)
  world.count('partitions', cuts.length > 0 ? 1 : 0)
  for (const [from, to] of cuts) world.links.cut(from.index, to.index)
  world.clock.after(for_ms, () => {
    for (const [from, to] of cuts) {
      world.links.mend(from.index, to.index)
      trouble(world, from, to)
    }
  })
}

/** Two sides that do not reach each other; a bridge reaches both. One in four is cut in one direction only. */
function split(
  world: World,
  random: SimulatedRandom,
  for_ms: number,
  side: (node: SimulatedNode) => boolean,
  bridge?: SimulatedNode,
): void {
  const sides = world.nodes.map((node) => ({ node, left: side(node) }))
  const oneWay = random.below(4) === 0
  const pairs: Pair[] = []
  for (const a of sides) {
    for (const b of sides) {
      if (a.left === b.left || a.node === bridge || b.node === bridge) continue
      if (!oneWay || a.left) pairs.push([a.node, b.node])
    }
  }
  cutFor(world, pairs, for_ms)
}

/** The links of one node stop one by one and come back in another order (FoundationDB's swizzle-clog). */
function swizzle(world: World, random: SimulatedRandom, node: SimulatedNode): void {
  world.count('swizzles')
  for (const peer of world.nodes) {
    const start = random.float() * 3_000
    const for_ms = 1_000 + random.float() * 5_000
    const pairs: Pair[] = [
      [node, peer],
      [peer, node],
    ]
    world.clock.after(start, () => cutFor(world, pairs, for_ms))
  }
}

function restart(world: World, node: SimulatedNode, after_ms: number): void {
  if (world.calmed || node.state === undefined) return
  world.crash(node)
  const { life } = node
  world.clock.after(after_ms, () => {
    if (world.calmed || node.life !== life || node.state !== undefined) return
    world.start(node)
    node.troubled_at = world.now
    world.count('restarts')
  })
}

/** Up for half a second, down for half a second. */
function flap(world: World, node: SimulatedNode, times: number): void {
  world.count('flaps')
  for (let i = 0; i < times; i += 1) {
    world.clock.after(i * 1_000, () => restart(world, node, 500))
  }
}
