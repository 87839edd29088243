/** One seed: a world, its faults, the checks at every step, then calm weather in which all must agree. */
import { createHash } from 'node:crypto'
import { MEMBERSHIP_PRESETS, type MembershipConfig } from '../../../src/cluster/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { Checks, derivedIsTrue, disagreement } from './checks.ts'
import { calm, disturb, drawKnobs, type Knob } from './knobs.ts'
import { World } from './world.ts'

/** All live nodes agree within this of the end of the faults. */
export const AGREE_WITHIN_MS = 10_000
const STEP_MS = 250
/** How long agreement must last before a run counts as settled. */
const LASTING_MS = 1_000

export interface Run {
  readonly seed: number
  readonly nodes: number
  readonly knobs: ReadonlySet<Knob>
  readonly counts: Readonly<Record<string, number>>
  readonly steps: number
  readonly verdicts: number
  /** From the end of the faults until all agreed; undefined when they did not. */
  readonly agreed_after_ms: number | undefined
  readonly disagreement: string | undefined
  readonly unexplained: readonly string[]
  /** Over every state reached: the same seed gives the same. */
  readonly hash: string
}

export interface SwarmOptions {
  readonly seed: number
  readonly most_nodes?: number
  readonly nodes?: number
  readonly knobs?: ReadonlySet<Knob>
  readonly config?: MembershipConfig
  readonly hashed?: boolean
}

export function runSeed({ seed, most_nodes = 32, hashed = false, ...options }: SwarmOptions): Run {
  const random = new SimulatedRandom(seed ^ 0x5eed)
  const knobs = options.knobs ?? drawKnobs(random)
  // Small clusters more often than large ones: they are the usual case, and cheap.
  const nodes = options.nodes ?? 2 + Math.floor((most_nodes - 1) * random.float() ** 4)
  const checks = new Checks()
  const hash = createHash('sha256')
  const config = options.config ?? MEMBERSHIP_PRESETS.lan
  const world = new World({ seed, nodes, config, observer: observing(checks, hashed ? hash : undefined) })
  checks.world = world
  world.clock.advance(2_000)
  const disturbed_ms = 5_000 + random.float() * 10_000
  disturb(world, knobs, disturbed_ms)
  world.clock.advance(disturbed_ms)
  calm(world)
  const agreed_after_ms = untilAgreed(world)
  for (const { state } of world.nodes) if (state !== undefined) derivedIsTrue(state)
  return {
    seed,
    nodes,
    knobs,
    counts: world.counts,
    steps: checks.steps,
    verdicts: checks.verdicts,
    agreed_after_ms,
    disagreement: disagreement(world),
    unexplained: checks.unexplained,
    hash: hash.digest('hex'),
  }
}

function observing(checks: Checks, hash: ReturnType<typeof createHash> | undefined): Checks {
  if (hash === undefined) return checks
  const step = checks.step.bind(checks)
  checks.step = (node, before, input, after) => {
    hash.update(`${node.id} ${JSON.stringify([input, after.digest, after.seq, after.rumours])}\n`)
    step(node, before, input, after)
  }
  return checks
}

function untilAgreed(world: World): number | undefined {
  const end = world.now
  let since: number | undefined
  while (world.now - end < AGREE_WITHIN_MS + LASTING_MS) {
    if (disagreement(world) !== undefined) since = undefined
    else since ??= world.now
    if (since !== undefined && world.now - since >= LASTING_MS) return since - end
    world.clock.advance(STEP_MS)
  }
  return undefined
}
