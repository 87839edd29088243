/** Real runtimes that place actors over links that break, while nodes die and come to verdicts: in the end each lives once, where all say. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { placedAddress } from '../../src/actors/index.ts'
import type { PlacedKinds } from '../../src/cluster/placement/placer-state.ts'
import { idle, offer, PlacingHouse } from '../cluster/placement/house.ts'
import type { StageNode } from '../cluster/remote/stage.ts'

/** The same runs every time: what they have to meet, they always meet. `LOQA_SEED` draws others. */
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

const KINDS: PlacedKinds = new Map([
  ['probe', { requirement: { tag: 'llm', tier: 'balanced', place: undefined }, when_lost: 'start-anew' }],
])

const step = fc.record({
  do: fc.oneof(
    { weight: 6, arbitrary: fc.constant('want' as const) },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 2, arbitrary: fc.constant('stop' as const) },
    { weight: 3, arbitrary: fc.constant('break' as const) },
    { weight: 3, arbitrary: fc.constant('verdict' as const) },
    { weight: 3, arbitrary: fc.constant('link' as const) },
    { weight: 1, arbitrary: fc.constant('kill' as const) },
    { weight: 4, arbitrary: fc.constant('wait' as const) },
  ),
  who: fc.nat(),
  whom: fc.nat(),
  key: fc.nat(4),
})

/** Lets promises settle between steps of the clock. */
async function pass(house: PlacingHouse, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 25) {
    house.stage.advance(Math.min(25, ms - passed))
    await new Promise((done) => setImmediate(done))
  }
}

it('C1, C3 and C5 hold for real runtimes', async () => {
  const hit = { placed: 0, unplaced: 0, anew: 0, doubled: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 4 }),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      async (count, steps) => {
        const house = new PlacingHouse()
        const speeds = [10, 20, 40, 400]
        for (let i = 0; i < count; i += 1) {
          house.add(`n${i}`, KINDS, {}, { ...idle, capabilities: [offer('llm.x', { p95_ms: speeds[i]! })] })
        }
        const nodes = (): StageNode[] => [...house.placing.keys()]
        const linkAll = async (): Promise<void> => {
          for (const [i, a] of nodes().entries()) {
            for (const b of nodes().slice(i + 1)) await house.link(a, b)
          }
        }
        await linkAll()
        /** Ever begun, and not ended on purpose. */
        const alive = new Set<string>()
        let wants = 0
        let ended = 0
        for (const { do: what, who, whom, key } of steps) {
          const all = nodes()
          const a = all[who % all.length]!
          const b = all[(who + 1 + (whom % Math.max(1, all.length - 1))) % all.length]!
          const name = `k${key}`
          const address = placedAddress('probe', name)
          if (what === 'wait') await pass(house, (whom % 40) * 100)
          else if (what === 'want') {
            wants += 1
            house
              .of(a)
              .want('probe', name)
              .then(
                () => {
                  hit.placed += 1
                },
                () => {
                  hit.unplaced += 1
                },
              )
              .finally(() => {
                ended += 1
              })
            alive.add(name)
          } else if (what === 'take') {
            if (a.runtime.find(address) === undefined) a.runtime.spawn({ kind: 'probe', key: name })
            house.of(a).taken(address)
            alive.add(name)
          } else if (what === 'stop') a.runtime.stop(address)
          else if (what === 'kill' && all.length > 1) {
            // Those that were about to be placed by it are nobody's any more.
            house.kill(a)
            hit.anew += 1
          } else if (a !== b && what === 'break') a.links.get(b.id)?.link.abort('broken')
          else if (a !== b && what === 'verdict') house.verdict(a, b)
          else if (a !== b && what === 'link') await house.link(a, b)
          house.stage.advance(1)
          const copies = nodes().filter(({ runtime }) => runtime.find(address) !== undefined).length
          if (copies > 1) hit.doubled += 1
        }
        await linkAll()
        await pass(house, 30_000)
        await linkAll()
        await pass(house, 10_000)

        for (const name of alive) {
          const address = placedAddress('probe', name)
          const copies = nodes()
            .filter(({ runtime }) => runtime.find(address) !== undefined)
            .map(({ id }) => id)
          const named = new Set(nodes().map(({ remote }) => remote.whereIs(address)))
          expect(named.size, name).toBe(1)
          expect(copies, name).toEqual([...named].filter((node) => node !== undefined))
        }
        // Wants of nodes that died are cancelled with them.
        expect(ended).toBe(wants)
        for (const { faults } of nodes()) expect(faults).toEqual([])
      },
    ),
    { numRuns: 150, seed: SEED },
  )
  if (process.env.SHOW) console.log(hit)
  for (const [what, times] of Object.entries(hit)) {
    if (what !== 'unplaced') expect(times, what).toBeGreaterThan(0)
  }
}, 120_000)
