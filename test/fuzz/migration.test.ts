/** Words of moves and bundles made to hurt: 1e5 of each kind, against a node that takes part in moves. Nothing throws, nothing grows. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Message, placedAddress } from '../../src/actors/index.ts'
import {
  decodeMove,
  encodeMove,
  MAX_MOVES,
  type MoveMessage,
  type MoverState,
  mover,
  noMoves,
  type Parcel,
  pack,
  unpack,
} from '../../src/cluster/migration/index.ts'
import { limits, nodeId } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'

const RUNS = 100_000
const address = placedAddress('session', 'one')
const move = { address, epoch: 2 }
const parcel: Parcel = {
  ...{ lane: 'data', sender: { address, incarnation: 1 }, ask: { id: 1, deadline_ms: 20 } },
  message: { type: 'count', number: 1 } as Message,
}
const BUNDLE = Uint8Array.from(
  pack({
    ...{ incarnation: 1, state: { text: 'x', samples: new Float32Array(4) }, mailbox: [parcel] },
    ...{
      schedules: [{ id: 'bell', remaining_ms: 5, message: { type: 'ring' } }],
      watchers: [],
      watching: [address],
    },
  }) as Uint8Array,
)
const X = nodeId('x')
/** One good word of every kind. */
const GOOD: readonly MoveMessage[] = [
  { type: 'offer', ...move, kind: 'session', version: 1, bytes: BUNDLE.length, chunks: 1 },
  { type: 'chunk', ...move, index: 0, bytes: BUNDLE },
  { type: 'got', ...move, next: 1 },
  { type: 'accept', ...move },
  { type: 'refuse', ...move, why: 'busy' },
  { type: 'resume', ...move },
  { type: 'resumed', ...move },
  { type: 'abort', ...move },
  { type: 'forward', ...move, number: 0, passed: { what: 'told', node: X, parcel } },
  { type: 'forward', ...move, number: 1, passed: { what: 'switched', node: X, mark: 3 } },
  { type: 'forwarded', ...move, next: 1 },
  { type: 'close', ...move, count: 2 },
  { type: 'closed', ...move },
  { type: 'switched', ...move, mark: 3 },
  { type: 'after', ...move, mark: 3 },
]
const FRAMES = GOOD.map((message) => encodeMove(message)!)

/** A few bytes changed, cut, put in or repeated. */
function mutate(bytes: Uint8Array, random: SimulatedRandom): Uint8Array {
  const out = [...bytes]
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(Math.max(1, out.length))
    switch (random.below(4)) {
      case 0:
        out[at] = random.below(256)
        break
      case 1:
        out.splice(at, 1 + random.below(8))
        break
      case 2:
        out.splice(at, 0, ...random.bytes(1 + random.below(8)))
        break
      default:
        out.splice(at, 0, ...out.slice(at, at + random.below(16)))
    }
  }
  return Uint8Array.from(out)
}

/** A node that has one actor and hears whatever is whole. */
function listener(): { hear: (message: MoveMessage) => void; state: () => MoverState } {
  let state = noMoves(nodeId('b'))
  let now = 0
  const context = { kinds: new Map([['session', { version: 1 }]]), claim: () => undefined }
  return {
    hear(message) {
      now += 1
      state = mover(state, { type: 'heard', from: nodeId('a'), message }, { ...context, now }).state
      state = mover(state, { type: 'due' }, { ...context, now }).state
    },
    state: () => state,
  }
}

test('every good word is read as it was written', () => {
  for (const [i, frame] of FRAMES.entries()) expect(decodeMove(frame)).toEqual(GOOD[i])
})

test(`${RUNS} words with changed bytes: read as a word or not at all, and a node lives on`, () => {
  const random = new SimulatedRandom(1)
  const node = listener()
  let read = 0
  let threw = 0
  for (let run = 0; run < RUNS; run += 1) {
    const frame = FRAMES[random.below(FRAMES.length)]!
    try {
      const message = decodeMove(random.below(8) === 0 ? frame : mutate(frame, random))
      if (message !== undefined) {
        read += 1
        node.hear(message)
      }
    } catch {
      threw += 1
    }
  }
  expect(threw).toBe(0)
  expect(read).toBeGreaterThan(RUNS / 20)
  expect(read).toBeLessThan(RUNS)
  const held = [...node.state().here.values()].filter(
    ({ phase }) => phase === 'receiving' || phase === 'accepted',
  )
  expect(held.length).toBeLessThanOrEqual(MAX_MOVES)
})

test(`${RUNS} bundles with changed bytes: a bundle or none`, () => {
  const random = new SimulatedRandom(2)
  let whole = 0
  for (let run = 0; run < RUNS; run += 1) if (unpack(mutate(BUNDLE, random)) !== undefined) whole += 1
  // Content is the actor's business: some changes leave a bundle.
  expect(whole).toBeGreaterThan(0)
  expect(whole).toBeLessThan(RUNS / 2)
})

test('any bytes at all, and more of them than a frame has', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeMove(bytes)
      unpack(bytes)
    }),
    { numRuns: 20_000, seed: 3 },
  )
  expect(decodeMove(new Uint8Array(limits.MAX_FRAME_BYTES + 1).fill(1))).toBeUndefined()
})
