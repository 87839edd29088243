/** One seed: a world, its writes and faults, the checks at every step, then calm weather in which all must become alike. */
import { createHash } from 'node:crypto'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { Checks, difference, lostWrite, machineIsTrue, slander } from './checks.ts'
import { calm, disturb, drawKnobs, drawLate, type Knob } from './knobs.ts'
import { type SimulatedNode, World } from './world.ts'
import { writeFor } from './writing.ts'

/** All honest nodes hold the same within this of the end of the faults: a peer may be left alone for two minutes before. */
export const ALIKE_WITHIN_MS = 150_000
const STEP_MS = 250

export interface Run {
  readonly seed: number
  readonly nodes: number
  readonly knobs: ReadonlySet<Knob>
  readonly counts: Readonly<Record<string, number>>
  readonly steps: number
  readonly acknowledged: number
  /** From the end of the faults until all honest nodes were alike; undefined when they did not become so. */
  readonly alike_after_ms: number | undefined
  readonly problem: string | undefined
  /** Over all that is held in the end and every message count: the same seed gives the same. */
  readonly hash: string
}

export interface SwarmOptions {
  readonly seed: number
  readonly nodes?: number
  readonly knobs?: ReadonlySet<Knob>
}

export function runSeed({ seed, ...options }: SwarmOptions): Run {
  const random = new SimulatedRandom(seed ^ 0x5eed)
  const knobs = options.knobs ?? drawKnobs(random)
  // Small households more often than large ones: they are the usual case, and cheap.
  const nodes = options.nodes ?? 2 + Math.floor(15 * random.float() ** 3)
  // One that comes when all is over, if there is compaction: what is left then is what it has to read.
  const world = new World(seed, knobs.has('compact') ? nodes + 1 : nodes)
  const newcomers = new Set(world.nodes.slice(nodes))
  const checks = new Checks()
  world.observe = checks.step
  const late = drawLate(world, knobs, random)
  for (const node of world.nodes) if (!late.has(node) && !newcomers.has(node)) world.start(node)
  const disturbed_ms = 5_000 + random.float() * 15_000
  for (const node of late) {
    if (newcomers.has(node)) continue
    world.clock.after(disturbed_ms * (0.5 + 0.4 * random.float()), () => {
      world.count('joined late')
      world.start(node)
    })
  }
  writeFor(world, random, disturbed_ms)
  disturb(world, knobs, disturbed_ms)
  world.clock.advance(disturbed_ms)
  calm(world, newcomers)
  const alike_after_ms = untilAlike(world)
  const welcomed_after_ms = alike_after_ms === undefined ? undefined : welcome(world, newcomers)
  machineIsTrue(world)
  const different = welcomed_after_ms === undefined ? difference(world) : undefined
  return {
    seed,
    nodes,
    knobs,
    counts: world.counts,
    steps: checks.steps,
    acknowledged: world.acknowledged.length,
    alike_after_ms,
    problem: different ?? lostWrite(world) ?? slander(world),
    hash: hashOf(world),
  }
}

function untilAlike(world: World): number | undefined {
  const end = world.now
  while (world.now - end <= ALIKE_WITHIN_MS) {
    world.clock.advance(STEP_MS)
    if (difference(world) === undefined) return world.now - end
  }
  return undefined
}

/** Everybody compacts, and then the newcomers join. */
function welcome(world: World, newcomers: ReadonlySet<SimulatedNode>): number | undefined {
  if (newcomers.size === 0) return 0
  for (const node of world.nodes) if (!node.liar) world.compact(node)
  world.clock.advance(2_000)
  for (const node of newcomers) world.start(node)
  const welcomed_after_ms = untilAlike(world)
  const written = world.acknowledged.reduce((sum, { rows }) => sum + rows.length, 0)
  for (const { disk } of newcomers) world.count('rows a newcomer was spared', written - disk.merged)
  return welcomed_after_ms
}

function hashOf(world: World): string {
  const hash = createHash('sha256')
  for (const { disk } of world.nodes) hash.update(disk.replica.digest()).update(`${disk.merged}`)
  return hash.update(JSON.stringify(world.counts)).digest('hex')
}
