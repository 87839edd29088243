/** One seed: a household in which an actor is moved about under faults, then calm weather in which one copy of it must be left. */
import { createHash } from 'node:crypto'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { problem } from './checks.ts'
import { aim, disturb, drawKnobs, type Knob } from './knobs.ts'
import { type Lost, World } from './world.ts'

/** Verdicts, turns of the placer, and what is remembered of moves, one after the other. */
const CALM_MS = 40_000

/** How long such a fault lasts at most: two verdicts. */
const AIMED_MS = 10_000
/** A slow actor that was shouted at has this long for what waits. */
const CAUGHT_UP_MS = 600_000
const isBehind = (world: World): boolean => world.nodes.some(({ copy }) => (copy?.mailbox.length ?? 0) > 0)

export interface Run {
  readonly seed: number
  readonly nodes: number
  readonly knobs: ReadonlySet<Knob>
  readonly counts: Readonly<Record<string, number>>
  readonly sent: number
  readonly handled: number
  readonly problem: string | undefined
  /** Over all that was handled, where, and every count: the same seed gives the same. */
  readonly hash: string
}

export function runSeed({
  seed,
  ...options
}: {
  readonly seed: number
  readonly knobs?: ReadonlySet<Knob>
}): Run {
  const random = new SimulatedRandom(seed ^ 0x5eed)
  const knobs = options.knobs ?? drawKnobs(random)
  const nodes = 2 + random.below(4)
  const aiming = random.fork()
  const world: World = new World({
    ...{ seed, nodes },
    around: () => {
      if (knobs.has('aimed')) aim(world, aiming, AIMED_MS)
    },
    handling_ms: knobs.has('slow-actor') ? 3 + random.float() * 20 : 1,
    state_bytes: knobs.has('large-state') ? random.below(400_000) : 0,
    versions: Array.from({ length: nodes }, () => (knobs.has('skew') ? 1 + random.below(3) : 2)),
  })
  const for_ms = 4_000 + random.float() * 12_000
  disturb(world, knobs, for_ms)
  tellFor(world, random.fork(), knobs.has('crowd'))
  moveFor(world, random.fork(), for_ms, knobs.has('hurry'))
  world.clock.advance(for_ms)
  world.calm()
  world.clock.advance(CALM_MS)
  for (let left = CAUGHT_UP_MS; left > 0 && isBehind(world); left -= 1_000) world.clock.advance(1_000)
  const { counts, sent, handled } = world
  return {
    ...{ seed, nodes, knobs, counts, sent: sent.length, handled: handled.size },
    problem: problem(world, allowedIn(world, knobs)),
    hash: hashOf(world),
  }
}

/** G3: where nobody dies and no link is lost, no message is; but what went along may be given up when words are. */
function allowedIn({ counts }: World, knobs: ReadonlySet<Knob>): readonly Lost[] {
  const cut = (counts.partitions ?? 0) > 0
  const died = (counts.crashes ?? 0) > 0
  if (cut) return ['died', 'link', 'doubt', 'void', 'buried', 'overflow', 'nobody']
  if (died) return ['died', 'link', 'doubt', 'void', 'buried', 'overflow', 'nobody']
  // A thousand messages a second beside words that are lost: more wait than may.
  return knobs.has('loss') ? ['doubt', 'overflow'] : []
}

function tellFor(world: World, random: SimulatedRandom, crowd: boolean): void {
  for (const node of world.nodes) {
    const tell = (): void => {
      if (world.calmed) return
      world.tell(node)
      world.clock.after((crowd ? 4 : 40) * (0.5 + random.float()), tell)
    }
    world.clock.after(random.float() * 20, tell)
  }
}

/** Whoever runs it is asked to hand it to another one. */
function moveFor(world: World, random: SimulatedRandom, for_ms: number, hurry: boolean): void {
  const move = (): void => {
    if (world.calmed) return
    const [from] = world.running()
    const to = world.nodes[random.below(world.nodes.length)]!
    if (from !== undefined && from !== to) world.move(from, to)
    world.clock.after((hurry ? 100 : 2_000) * (0.2 + random.float()), move)
  }
  world.clock.after(random.float() * Math.min(1_000, for_ms), move)
}

function hashOf(world: World): string {
  const hash = createHash('sha256')
  for (const [name, by] of world.handled) hash.update(`${name} ${by.map(({ fence }) => fence.epoch)}\n`)
  return hash.update(JSON.stringify(world.counts)).digest('hex')
}
