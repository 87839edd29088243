/** Frames of rows made to hurt: 1e5 of them, against a node that goes on working. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_FRAME, MAX_LABELS, MAX_NAMES } from '../../src/cluster/remote/bounds.ts'
import { checkRow, LAYOUT, ROW, readFrame, rowSchemas } from '../../src/cluster/remote/wire.ts'
import { encodeValue } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { note, numbers } from '../actors/probe.ts'
import { onNode, twoNodes } from '../cluster/remote/stage.ts'

const RUNS = 100_000
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const buffer = Buffer.alloc(MAX_FRAME)

const frameOf = (rows: readonly unknown[]): Uint8Array => {
  buffer[0] = LAYOUT
  let at = 1
  for (const row of rows) at = encodeValue(row, buffer, at, buffer.length)
  return Uint8Array.from(buffer.subarray(0, at))
}

const shape = { code: 'timeout', message: 'x', retryable: true }
/** One good row of every kind, in an order in which a link could see them. */
const GOOD: readonly unknown[][] = [
  [ROW.hello, 1, 1, 7],
  [ROW.name, 1, 'loqa://b/ear', null],
  [ROW.name, 2, 'loqa:/probe/x', 12],
  [ROW.label, 1, 't', 's', 'fast', 'session'],
  [ROW.tell, 1, 2, 1, { type: 'note', n: 1 }],
  [ROW.ask, 1, 1, 2, 0, 50, { type: 'report' }],
  [ROW.answer, 1, 1, 0, { type: 'report' }],
  [ROW.failed, 2, shape],
  [ROW.giveUp, 1],
  [ROW.watch, 1],
  [ROW.unwatch, 1],
  [ROW.gone, 1, 3, { kind: 'failed', error: shape }],
  [ROW.undelivered, 'overflow', 1, 0, 'note', 2],
  [ROW.workOpen, 1, 0, 'infer', 'stt', 'open', { kind: 'stt' }, 100],
  [ROW.workOp, 1, 'feed', null],
  [ROW.workEnd, 1],
  [ROW.outcome, 1, 'chunk', null],
  [ROW.move, { type: 'got', address: 'loqa:/probe/x', epoch: 4, next: 2 }],
  [ROW.moved, 2, 'c'],
  [ROW.placements, [{ address: 'loqa:/probe/x', node: 'b', epoch: 3 }]],
]

describe('rows from a hostile peer', () => {
  it('every kind has a good example here, and it is taken', () => {
    expect([...new Set(GOOD.map((row) => `${row[0]}`))].sort()).toEqual(Object.keys(rowSchemas).sort())
    for (const row of GOOD) expect(checkRow(row)).toEqual(row)
    const read: unknown[] = []
    expect(readFrame(frameOf(GOOD), (row) => read.push(row))).toEqual({ dropped: 0, broken: undefined })
    expect(read).toEqual(GOOD)
  })

  it('the quick check of a tell agrees with its schema', () => {
    const part = fc.oneof(
      fc.integer({ min: -1, max: MAX_NAMES + 2 }),
      fc.constantFrom(0, MAX_LABELS, MAX_LABELS + 1, 1.5, '1', null, undefined, Number.NaN),
    )
    const message = fc.oneof(
      fc.record({ type: fc.string() }),
      fc.constantFrom({ type: 'x'.repeat(128) }, { type: 'x'.repeat(129) }, {}, [], null, 'x', { type: 1 }),
    )
    fc.assert(
      fc.property(part, part, part, message, fc.boolean(), (to, from, label, body, more) => {
        const row = [ROW.tell, to, from, label, body, ...(more ? [0] : [])]
        expect(checkRow(row) !== undefined).toBe(rowSchemas[ROW.tell].safeParse(row).success)
      }),
      { numRuns: 5_000 },
    )
  })

  it(`survives ${RUNS} frames: mutated, cut, lying, random`, async () => {
    const { stage, a, b } = await twoNodes()
    b.runtime.spawn({ kind: 'probe', path: 'ear', mailbox: { capacity: 8, overflow: 'drop-oldest' } })
    const random = new SimulatedRandom(20_26)
    const outcomes = new Map<string, number>()
    const count = (what: string) => outcomes.set(what, (outcomes.get(what) ?? 0) + 1)
    const base = frameOf(GOOD)
    collect()
    const heap = process.memoryUsage().heapUsed
    for (let run = 0; run < RUNS; run += 1) {
      const bytes = mutated(base, random)
      // The reading itself, with what a link that is still trusted would do of it.
      const events = b.links.get(a.id)!.events
      if (run % 50 === 0) {
        events.frame(Uint8Array.from(bytes))
        if (!b.remote.peers()[0]!.linked) {
          count('link given up')
          stage.advance(5)
          await stage.link(a, b)
        }
        stage.advance(1)
      }
      let rows = 0
      const { dropped, broken } = readFrame(bytes, () => {
        rows += 1
      })
      count(broken ?? (dropped > 0 ? 'dropped' : 'good'))
      if (rows > 0) count('some rows')
    }
    for (const bit of ['link given up', 'dropped', 'good', 'truncated', 'version', 'some rows']) {
      expect(outcomes.get(bit) ?? 0, bit).toBeGreaterThan(50)
    }
    stage.advance(2_000)
    if (!b.remote.peers()[0]!.linked) await stage.link(a, b)
    const before = numbers(await stage.heard(b, onNode(b, 'ear'))).length
    a.runtime.tell(onNode(b, 'ear'), note(-77))
    stage.advance(20)
    const heard = numbers(await stage.heard(b, onNode(b, 'ear')))
    expect(heard.at(-1)).toBe(-77)
    expect(heard.length).toBeGreaterThan(before)
    collect()
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(10 * 1024 * 1024)
  }, 120_000)
})

function mutated(base: Uint8Array, random: SimulatedRandom): Uint8Array {
  const bytes = Uint8Array.from(base)
  switch (random.uint32() % 5) {
    case 0:
      return bytes.subarray(0, random.uint32() % bytes.length)
    case 1:
      for (let i = 0; i < 1 + (random.uint32() % 4); i += 1) {
        bytes[random.uint32() % bytes.length] = random.uint32() & 0xff
      }
      return bytes
    case 2: {
      const noise = random.bytes(1 + (random.uint32() % 200))
      noise[0] = LAYOUT
      return noise
    }
    case 3: {
      const rows = GOOD.map((row) => [...row])
      const row = rows[random.uint32() % rows.length]!
      const at = random.uint32() % row.length
      row[at] = STRANGE[random.uint32() % STRANGE.length]
      return frameOf(rows)
    }
    default: {
      const rows = Array.from(
        { length: 1 + (random.uint32() % 20) },
        () => GOOD[random.uint32() % GOOD.length]!,
      )
      return frameOf([GOOD[0]!, ...rows.filter((row) => row[0] !== ROW.hello)])
    }
  }
}

const STRANGE = [null, -1, 0, 1.5, 2 ** 53, '', 'loqa:/', [], {}, { type: '' }, { kind: 'x' }, true, 1e308]
