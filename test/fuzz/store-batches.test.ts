/**
 * Change batches as a broken or lying member may send them: bytes changed on the way, and bytes changed and then signed by a member with
 * its own valid key. The real database takes 100,000 of them: nothing breaks the engine, nothing makes a value win for ever or drags
 * anybody's counter along, and what honest members write afterwards still arrives.
 */
import { afterEach, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { signedBytes } from '../../src/store/sync/batch.ts'
import { SIGNATURE_BYTES } from '../../src/store/sync/batch-bytes.ts'
import { MAX_COL_VERSION } from '../../src/store/sync/bounds.ts'
import { originKey } from '../../src/store/sync/index.ts'
import { give, type Journaled, openJournaled, write } from '../store/crdt/journaled.ts'

const BATCHES = Number(process.env.LOQA_FUZZ_RUNS ?? 100_000)
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

const open: Journaled[] = []
afterEach(() => {
  for (const { close } of open.splice(0)) close()
})

async function node(number: number): Promise<Journaled> {
  const opened = await openJournaled(number)
  open.push(opened)
  return opened
}

const valueAt = ({ database }: Journaled, key: string): unknown =>
  database.read(
    { sql: "SELECT value FROM entries WHERE collection = 'c' AND key = ?", parameters: [key] },
    1,
  )[0]?.[0]

/** Numbers at the edges of 64 bits and of our bounds. */
const EDGES = [
  0n,
  1n,
  2n,
  2n ** 31n,
  2n ** 40n,
  2n ** 48n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]

function mutated(body: Uint8Array, random: SimulatedRandom): Uint8Array {
  const bytes = Buffer.from(body)
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    const at = random.below(bytes.length)
    switch (random.below(5)) {
      case 0:
        bytes[at] = random.below(256)
        break
      case 1:
        bytes[at]! ^= 1 << random.below(8)
        break
      case 2:
        if (at + 8 <= bytes.length) bytes.writeBigUInt64BE(EDGES[random.below(EDGES.length)]!, at)
        break
      case 3:
        bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length))
        break
      default:
        return bytes.subarray(0, at)
    }
  }
  return bytes
}

it(`${BATCHES} changed batches break nothing, and what honest members write afterwards arrives`, async () => {
  const random = new SimulatedRandom(SEED)
  const [honest, liar, target] = [await node(1), await node(2), await node(3)]
  for (let i = 0; i < 12; i += 1) write(honest, { [`k${i % 5}`]: `honest ${i}` })
  for (let i = 0; i < 12; i += 1) write(liar, { [`k${i % 5}`]: i % 4 === 3 ? null : `lie ${i}` })
  const forms = [
    ...honest.journal.answer(originKey(honest.self), 0, 0),
    ...liar.journal.answer(originKey(liar.self), 0, 0),
  ]
  const met = { forged: 0, malformed: 0, stranger: 0, disordered: 0, taken: 0, wrong: 0 }
  for (let i = 0; i < BATCHES; i += 1) {
    const form = forms[random.below(forms.length)]!
    const body = mutated(form.subarray(0, -SIGNATURE_BYTES), random)
    // Half are signed anew, by the liar, whose name about half of them bear.
    const signature = i % 2 === 0 ? form.subarray(-SIGNATURE_BYTES) : liar.signatures.sign(signedBytes(body))
    const bytes = Buffer.concat([body, signature])
    const origin = originKey(random.below(2) === 0 ? liar.self : honest.self)
    const { fault, wrong, through } = target.journal.store(origin, [new Uint8Array(bytes)])
    // The same word to everybody: what a member does that tells each another history stands in `sync.ts`.
    if (fault === undefined) honest.journal.store(origin, [new Uint8Array(bytes)])
    if (fault !== undefined) met[fault] += 1
    else if (through > 0) met.taken += 1
    met.wrong += wrong
    if (i % 1_000 === 0) for (const { database } of [target, honest]) database.flush()
  }
  for (const { database } of [target, honest]) database.flush()
  if (process.env.SHOW) console.log(met)
  expect(met.forged).toBeGreaterThan(BATCHES / 5)
  for (const what of ['malformed', 'disordered', 'taken', 'wrong'] as const)
    expect(met[what], what).toBeGreaterThan(BATCHES / 1_000)
  expect(target.database.verify()).toEqual([])
  // Nobody's numbers were dragged along: the next own transaction is the one after the last merge.
  expect(target.database.version()).toBeLessThan(BATCHES * 4)
  // Whatever the liar made of a cell, an honest write that builds on it wins.
  for (let i = 0; i < 5; i += 1) {
    write(target, { [`k${i}`]: `after ${i}` })
    expect(give(target, honest)).toMatchObject({ fault: undefined, wrong: 0 })
    expect(valueAt(honest, `k${i}`)).toBe(`after ${i}`)
    write(honest, { [`k${i}`]: `later ${i}` })
    expect(give(honest, target).fault).toBeUndefined()
    expect(valueAt(target, `k${i}`)).toBe(`later ${i}`)
  }
  // No cell was lifted out of reach.
  const top = target.database.read({ sql: 'SELECT max(col_version) FROM entries__crsql_clock' }, 1)[0]![0]
  expect(Number(top)).toBeLessThan(MAX_COL_VERSION / 64)
}, 600_000)
