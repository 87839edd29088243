/** What can go wrong, drawn from a seed. Each seed turns a random part of the knobs off altogether: faults hide each other when all are on. */
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
  'crash',
  'slow-disk',
  'disk-full',
  'late-join',
  'restore',
  'skew',
  'compact',
  'liar',
] as const
export type Knob = (typeof KNOBS)[number]

export const drawKnobs = (random: SimulatedRandom): ReadonlySet<Knob> =>
  new Set(KNOBS.filter(() => random.below(2) === 0))

const between = (random: SimulatedRandom, low: number, high: number): number =>
  low + random.float() * (high - low)

/** Nodes that join late; the first two never do. */
export function drawLate(
  world: World,
  knobs: ReadonlySet<Knob>,
  random: SimulatedRandom,
): ReadonlySet<SimulatedNode> {
  if (!knobs.has('late-join')) return new Set()
  return new Set(world.nodes.filter(({ index }) => index > 1 && random.below(3) === 0))
}

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
  if (knobs.has('slow-disk')) {
    weather.sync_ms = between(sourceOf('slow-disk'), 20, 400)
    world.count('slow disks')
  }

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
  const outage = (random: SimulatedRandom): number => between(random, 500, 12_000)
  repeat('hold', 6, (random) => {
    const [from, to] = [oneOf(random), oneOf(random)]
    world.links.hold(from.index, to.index, world.now + between(random, 100, 5_000))
    world.count('holds')
  })
  repeat('partition', 2, (random) => split(world, outage(random), () => random.below(2) === 0))
  repeat('isolate', 3, (random) => {
    const alone = oneOf(random)
    split(world, outage(random), (node) => node === alone)
  })
  repeat('one-way', 4, (random) => cutFor(world, [[oneOf(random), oneOf(random)]], outage(random)))
  repeat('crash', 6, (random) => restart(world, oneOf(random), between(random, 20, 8_000)))
  repeat('disk-full', 3, (random) => fill(world, oneOf(random), between(random, 500, 6_000)))
  repeat('restore', 2, (random) => backUp(world, oneOf(random), between(random, 500, 8_000)))
  repeat('skew', nodes.length, (random) => world.upgrade(oneOf(random)))
  repeat('compact', 3 * nodes.length, (random) => world.compact(oneOf(random)))
  if (knobs.has('liar') && nodes.length > 2) {
    new Liar(world, nodes[sourceOf('liar').below(2)]!, sourceOf('liar')).lieFor(for_ms)
  }
}

/** All faults end: everybody but those runs, under the same schema. */
export function calm(world: World, but: ReadonlySet<SimulatedNode>): void {
  world.calmed = true
  Object.assign(world.weather, FAIR)
  world.links.healAll()
  for (const node of world.nodes) {
    node.full = false
    if (!but.has(node)) world.start(node)
    world.upgrade(node)
  }
}

type Pair = readonly [SimulatedNode, SimulatedNode]

function cutFor(world: World, pairs: readonly Pair[], for_ms: number): void {
  const cuts = pairs.filter(([from, to]) => from !== to)
  world.count('partitions', cuts.length > 0 ? 1 : 0)
  for (const [from, to] of cuts) world.links.cut(from.index, to.index)
  world.clock.after(for_ms, () => {
    if (world.calmed) return
    for (const [from, to] of cuts) world.links.mend(from.index, to.index)
  })
}

function split(world: World, for_ms: number, side: (node: SimulatedNode) => boolean): void {
  const sides = world.nodes.map((node) => ({ node, left: side(node) }))
  const pairs: Pair[] = []
  for (const a of sides) for (const b of sides) if (a.left !== b.left) pairs.push([a.node, b.node])
  cutFor(world, pairs, for_ms)
}

function restart(world: World, node: SimulatedNode, after_ms: number): void {
  if (node.state === undefined) return
  world.crash(node)
  world.clock.after(after_ms, () => {
    if (!world.calmed) world.start(node)
  })
}

function fill(world: World, node: SimulatedNode, for_ms: number): void {
  node.full = true
  world.clock.after(for_ms, () => {
    node.full = false
  })
}

/** A backup is made; some time later the machine is lost and the backup takes its place, in its next life. */
function backUp(world: World, node: SimulatedNode, after_ms: number): void {
  if (node.state === undefined || node.liar) return
  const backup = node.disk.copy()
  const life = node.disk.self.life
  world.clock.after(after_ms, () => {
    if (world.calmed || node.state === undefined || node.disk.self.life !== life) return
    const lost = node.disk
    world.crash(node)
    node.disk = backup
    backup.nextLife()
    world.forgetLost(lost)
    world.count('restores')
    world.start(node)
  })
}
