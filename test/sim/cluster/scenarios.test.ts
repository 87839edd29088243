/** One fault at a time, with figures: what the household notices, how soon, and what it takes calmly. */
import { describe, expect, test } from 'vitest'
import { MEMBERSHIP_PRESETS, type MemberChange, memberOf } from '../../../src/cluster/index.ts'
import { Checks, disagreement } from './checks.ts'
import { Liar } from './liar.ts'
import { type SimulatedNode, World } from './world.ts'

interface Told extends MemberChange {
  readonly at: number
  readonly by: SimulatedNode
}

/** A household that has settled, with all that its nodes were told since. */
function household(size: number, seed = 1, acquainted = false) {
  const told: Told[] = []
  const checks = new Checks()
  const observer = {
    step: checks.step.bind(checks),
    change: (by: SimulatedNode, change: MemberChange) => {
      if (checks.world !== undefined) told.push({ ...change, at: world.now, by })
    },
  }
  const world = new World({ seed, nodes: size, config: MEMBERSHIP_PRESETS.lan, observer, acquainted })
  checks.world = world
  world.clock.advance(4_000)
  expect(disagreement(world)).toBeUndefined()
  told.length = 0
  return { world, told, checks, start: world.now }
}

function isolate(world: World, alone: SimulatedNode): void {
  for (const peer of world.nodes) {
    if (peer === alone) continue
    world.links.cut(alone.index, peer.index)
    world.links.cut(peer.index, alone.index)
  }
}

const SEEDS = [1, 2, 3, 4, 5]

describe('a household', () => {
  test.each([2, 5, 16, 32])(
    'of %i nodes that start together knows itself within 4 s, although streams are still opening',
    (size) => {
      const world = new World({ seed: 3, nodes: size, config: MEMBERSHIP_PRESETS.lan })
      world.clock.advance(4_000)
      expect(disagreement(world)).toBeUndefined()
    },
  )

  test.each(SEEDS)(
    'whose link to one node is cut suspects it within 1.2 s, calls it dead within 5 s (seed %i)',
    (seed) => {
      const { world, told, start } = household(5, seed)
      const alone = world.nodes[2]!
      isolate(world, alone)
      world.clock.advance(6_000)
      for (const node of world.nodes) {
        if (node === alone) continue
        const of = told.filter(({ by, id }) => by === node && id === alone.id)
        expect(of.map(({ status }) => status)).toEqual(['suspect', 'dead'])
        expect(of[0]!.at - start).toBeLessThanOrEqual(1_200)
        expect(of[1]!.at - start).toBeLessThanOrEqual(5_000)
        // The one that is cut off is no slower with the others.
        const verdict = told.find(({ by, id, status }) => by === alone && id === node.id && status === 'dead')
        expect(verdict!.at - start).toBeLessThanOrEqual(5_000)
      }
    },
  )

  test.each(SEEDS)('is whole again within a second of a heal (seed %i)', (seed) => {
    const { world, told } = household(8, seed)
    const halves = world.nodes.filter(({ index }) => index % 2 === 0)
    for (const a of halves)
      for (const b of world.nodes) {
        if (b.index % 2 === 0) continue
        world.links.cut(a.index, b.index)
        world.links.cut(b.index, a.index)
      }
    world.clock.advance(12_000)
    expect(told.filter(({ status }) => status === 'dead')).toHaveLength(32)
    world.links.healAll()
    world.clock.advance(1_000)
    expect(disagreement(world)).toBeUndefined()
  })

  test('suspects a killed process as soon as its streams close', () => {
    const { world, told, start } = household(5)
    world.crash(world.nodes[1]!)
    world.clock.advance(50)
    expect(told.filter(({ status }) => status === 'suspect')).toHaveLength(4)
    expect(Math.max(...told.map(({ at }) => at)) - start).toBeLessThanOrEqual(20)
    world.clock.advance(5_000)
    expect(told.filter(({ status }) => status === 'dead')).toHaveLength(4)
  })

  test.each(SEEDS)(
    'does not give up a node that stops for 3 s, nor does that node give up any (seed %i)',
    (seed) => {
      const { world, told } = household(5, seed)
      world.sleep(world.nodes[0]!, 3_000)
      world.clock.advance(8_000)
      expect(told.filter(({ status }) => status === 'dead')).toEqual([])
      expect(disagreement(world)).toBeUndefined()
      // It was noticed, so that work went elsewhere meanwhile.
      expect(told.filter(({ status }) => status === 'suspect').length).toBeGreaterThan(0)
    },
  )

  test('hears of a departure at once and does not call it a death', () => {
    const { world, told } = household(5)
    world.leave(world.nodes[4]!)
    world.clock.advance(10_000)
    expect(told.map(({ status }) => status)).toEqual(['left', 'left', 'left', 'left'])
  })

  test('tells of a restart although it took 20 ms: what ran there is gone', () => {
    const { world, told } = household(4)
    const node = world.nodes[1]!
    world.crash(node)
    world.clock.advance(20)
    world.start(node)
    world.clock.advance(3_000)
    expect(
      told
        .filter(({ restarted }) => restarted)
        .map(({ by }) => by.index)
        .sort(),
    ).toEqual([0, 2, 3])
    expect(told.filter(({ status }) => status === 'dead')).toEqual([])
  })
})

describe('calm', () => {
  test('a one-way link makes nobody flap: others reach it (10 min)', () => {
    const { world, told } = household(5)
    world.links.cut(1, 3)
    world.clock.advance(600_000)
    expect(told).toEqual([])
  })

  test('30 % loss for an hour: nobody is called dead, and all agree afterwards', { timeout: 120_000 }, () => {
    const { world, told } = household(6)
    world.weather.loss = 0.3
    world.clock.advance(3_600_000)
    expect(told.filter(({ status }) => status === 'dead')).toEqual([])
    expect(world.counts.lost).toBeGreaterThan(100_000)
    world.weather.loss = 0
    world.clock.advance(10_000)
    expect(disagreement(world)).toBeUndefined()
  })

  test('a node that restarts every second for ten minutes is spoken of as unsteady, and its life is known', () => {
    const { world, told } = household(4)
    const node = world.nodes[1]!
    for (let n = 0; n < 600; n += 1) {
      world.crash(node)
      world.clock.advance(300)
      world.start(node)
      world.clock.advance(700)
    }
    const others = told.filter(({ by }) => by === world.nodes[0])
    // Restarts are told, every one: what ran there is gone. Suspicions and recoveries are not, once it is unsteady.
    expect(others.filter(({ steady, restarted }) => !restarted && !steady).length).toBeLessThan(3)
    expect(others.slice(20).every(({ steady }) => !steady)).toBe(true)
    world.clock.advance(90_000)
    expect(told.filter(({ by, cause }) => by === world.nodes[0] && cause === 'settled')).toHaveLength(1)
    expect(disagreement(world)).toBeUndefined()
  })

  test('a member that lies for ten minutes has nobody called suspect or dead who is heard', () => {
    const { world, told, checks } = household(6)
    new Liar(world, world.nodes[5]!, world.random.fork()).lieFor(600_000)
    world.clock.advance(600_000)
    expect(world.counts.lies).toBeGreaterThan(1_000)
    const honest = told.filter(({ by, id }) => by.index !== 5 && id !== world.nodes[5]!.id)
    expect(honest.filter(({ status }) => status !== 'alive')).toEqual([])
    expect(checks.unexplained).toEqual([])
    for (const { state } of world.nodes) {
      expect(state!.roster.slots.size).toBe(5)
      expect(state!.self.incarnation).toBeLessThan(2 ** 52)
    }
  })

  test('a member that lies while another is cut off by one link does not finish it', () => {
    const { world, told } = household(6)
    world.links.cut(1, 0)
    new Liar(world, world.nodes[5]!, world.random.fork()).lieFor(120_000)
    world.clock.advance(120_000)
    expect(told.filter(({ status, by }) => status === 'dead' && by.index === 0)).toEqual([])
  })
})

describe('a large cluster', () => {
  test('of 200 at 10 % loss: nobody is called dead, and a node costs no more than in a household', {
    timeout: 240_000,
  }, () => {
    const { world, told } = household(200, 1, true)
    world.weather.loss = 0.1
    const before = world.sent
    world.clock.advance(10_000)
    expect(told.filter(({ status }) => status === 'dead')).toEqual([])
    const perNode = (world.sent - before) / 200 / 10
    expect(perNode).toBeLessThan(31 * 4)
  })

  test('of 100 notices a crash everywhere within 5 s, suspects nobody else for it, and notices a restart', () => {
    const { world, told } = household(100, 1, true)
    const node = world.nodes[7]!
    world.crash(node)
    world.clock.advance(5_000)
    expect(disagreement(world)).toBeUndefined()
    world.clock.advance(5_000)
    // Neighbours change with a death: whoever becomes one was not listened for before.
    expect(new Set(told.map(({ id }) => id))).toEqual(new Set([node.id]))
    world.start(node)
    world.clock.advance(5_000)
    expect(disagreement(world)).toBeUndefined()
    expect(memberOf(world.nodes[60]!.state!.roster, node.id)!.life.boot).toBe(node.state!.self.boot)
  })
})
