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
  const random = world.random.fork()
  const { nodes, weather } = world
  const one = (): SimulatedNode => nodes[random.below(nodes.length)]!
  const sometime = (run: () => void): void => {
    world.clock.after(random.float() * for_ms * 0.9, () => {
      if (!world.calmed) run()
    })
  }
  const times = (most: number): number => 1 + random.below(most)

  if (knobs.has('loss')) weather.loss = between(random, 0.01, 0.3)
  if (knobs.has('duplicate')) weather.duplicate = between(random, 0.01, 0.5)
  if (knobs.has('delay')) {
    weather.delay_ms = between(random, 0, 30)
    weather.jitter_ms = between(random, 10, 100)
  }
  for (const node of nodes) {
    if (knobs.has('drift')) node.clock_speed = 1 + between(random, -500e-6, 500e-6)
    if (knobs.has('skew')) node.ahead = random.below(2) === 0
  }
  if (knobs.has('drift')) world.count('drift')
  const repeat = (knob: Knob, most: number, run: () => void): void => {
    if (knobs.has(knob)) for (let i = times(most); i > 0; i -= 1) sometime(run)
  }
  repeat('hold', 6, () => hold(world, one(), one(), between(random, 100, 5_000)))
  repeat('partition', 2, () => split(world, random, between(random, 500, 9_000), () => random.below(2) === 0))
  repeat('isolate', 3, () => {
    const alone = one()
    split(world, random, between(random, 500, 9_000), (node) => node === alone)
  })
  repeat('one-way', 4, () => {
    const [from, to] = [one(), one()]
    cutFor(world, [[from, to]], between(random, 500, 12_000))
  })
  repeat('bridge', 2, () => {
    const bridge = one()
    split(world, random, between(random, 500, 9_000), () => random.below(2) === 0, bridge)
  })
  repeat('swizzle', 2, () => swizzle(world, random, one()))
  repeat('sleep', 4, () => world.sleep(one(), between(random, 50, 10_000)))
  repeat('crash', 2, () => world.crash(one()))
  repeat('restart', 4, () => restart(world, one(), between(random, 20, 5_000)))
  repeat('flap', 1, () => flap(world, one(), times(8)))
  repeat('leave', 2, () => world.leave(one()))
  repeat('wall-jump', 3, () => {
    world.clock.jumpWall(between(random, -365, 365) * 86_400_000)
    world.count('wall jumps')
  })
  if (knobs.has('liar')) new Liar(world, one(), random.fork()).lieFor(for_ms)
}

/** Everything that was turned is turned back; crashed nodes stay down, sleeping ones wake. */
export function calm(world: World): void {
  world.calmed = true
  Object.assign(world.weather, FAIR)
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
