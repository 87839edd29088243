/**
 * Replicas that hold the same logs hold the same rows, whatever the order, the duplicates, and who compacted when; nothing deleted comes
 * back. Random histories of two to five replicas; no machine and no messages, only batches and the model of cr-sqlite.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeId } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { originKey } from '../../src/store/sync/index.ts'
import { SimulatedStore } from '../sim/store/disk.ts'
import { randomOperation } from '../sim/store/writing.ts'
import { SCHEMA } from '../store/sync/signing.ts'

const RUNS = Number(process.env.LOQA_PROPERTY_RUNS ?? 1_000)

const anybody = () => true
const stores = (count: number): SimulatedStore[] =>
  Array.from({ length: count }, (_, i) => new SimulatedStore({ node: nodeId(`n${i}`), life: 0 }, SCHEMA))

/** What one holds of another's log, as far as one answer goes; from a version it may hold already. */
function pass(from: SimulatedStore, to: SimulatedStore, origin: SimulatedStore, again: number): void {
  const key = originKey(origin.self)
  if (origin === to) return
  const above = Math.max(0, to.extent(key).version - again)
  const batches = from.answer(key, above, 0)
  if (batches.length > 0) to.store(key, batches, anybody)
}

const isSettled = (all: readonly SimulatedStore[], store: SimulatedStore): boolean =>
  all.every((other) =>
    all.every(
      (origin) =>
        other.extent(originKey(origin.self)).version >= store.extent(originKey(origin.self)).version,
    ),
  )

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), who: fc.nat(4), seed: fc.nat() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      who: fc.nat(4),
      to: fc.nat(4),
      origin: fc.nat(4),
      again: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const), who: fc.nat(4) }) },
)

test(`${RUNS} histories of up to 100 steps: equal in the end`, () => {
  const seen = { compactions: 0, deletions: 0, writes: 0 }
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 5 }),
      fc.array(action, { minLength: 20, maxLength: 100, size: 'max' }),
      fc.nat(),
      (count, actions, order) => {
        const all = stores(count)
        const of = (index: number): SimulatedStore => all[index % count]!
        const written: { readonly rows: ReturnType<SimulatedStore['write']> }[] = []
        for (const step of actions) {
          const store = of(step.who)
          if (step.do === 'write') {
            const random = new SimulatedRandom(step.seed)
            const rows = store.write(
              Array.from({ length: 1 + random.below(3) }, () => randomOperation(random, 1)),
            )
            seen.writes += 1
            seen.deletions += rows.filter(({ cl }) => cl % 2 === 0).length
            written.push({ rows })
          } else if (step.do === 'pass') pass(store, of(step.to), of(step.origin), step.again)
          else {
            // All exchange all, and then one may compact.
            exchange(all, new SimulatedRandom(order))
            if (isSettled(all, store) && store.compact()) seen.compactions += 1
          }
        }
        exchange(all, new SimulatedRandom(order))
        // One that was not there pulls from the last what is left of all logs.
        const late = new SimulatedStore({ node: nodeId('late'), life: 0 }, SCHEMA)
        for (const origin of all) {
          while (
            late.extent(originKey(origin.self)).version < origin.extent(originKey(origin.self)).version
          ) {
            pass(all.at(-1)!, late, origin, 0)
          }
        }
        const digest = all[0]!.replica.digest()
        for (const store of [...all, late]) {
          expect(store.replica.digest()).toBe(digest)
          for (const { rows } of written) for (const row of rows) expect(store.replica.covers(row)).toBe(true)
        }
      },
    ),
    { numRuns: RUNS },
  )
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(RUNS / 20)
})

function exchange(all: readonly SimulatedStore[], random: SimulatedRandom): void {
  const behind = (): [SimulatedStore, SimulatedStore, SimulatedStore][] =>
    all.flatMap((from) =>
      all.flatMap((to) =>
        all
          .filter(
            (origin) =>
              from.extent(originKey(origin.self)).version > to.extent(originKey(origin.self)).version,
          )
          .map((origin): [SimulatedStore, SimulatedStore, SimulatedStore] => [from, to, origin]),
      ),
    )
  for (let left = behind(); left.length > 0; left = behind()) {
    const [from, to, origin] = left[random.below(left.length)]!
    pass(from, to, origin, random.below(3))
  }
}
