import { expect, it } from 'vitest'
import { type Envelope, encodeFrame, FrameReader } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'

const ROUNDS = Number(process.env.LOQA_FUZZ_ROUNDS ?? 100_000)
const seed = Number(process.env.LOQA_SEED ?? 20_261_121)

const corpus: Uint8Array[] = [
  { samples: new Uint8Array(64) },
  { text: 'set a timer for five minutes', slots: { duration: 300, list: ['milk', 'eggs'] } },
  Array.from({ length: 40 }, (_, i) => ({ i, deep: [[[[i]]]] })),
  null,
].map((body) => {
  const envelope: Envelope = {
    trace_id: 'trace',
    session_id: null,
    actor_id: 'loqa://node/voice/1',
    capability_tier: 'balanced',
    privacy_scope: 'session',
    type: 'audio.frame',
    body,
  }
  return encodeFrame(envelope)
})

/** One of: flip bits, cut, splice two frames, overwrite a length, insert noise, nest deeply. */
function mutate(random: SimulatedRandom): Uint8Array {
  const frame = corpus[random.below(corpus.length)]!.slice()
  switch (random.below(6)) {
    case 0:
      for (let i = random.below(8); i >= 0; i -= 1) frame[random.below(frame.length)]! ^= 1 << random.below(8)
      return frame
    case 1:
      return frame.subarray(0, random.below(frame.length))
    case 2: {
      const other = corpus[random.below(corpus.length)]!
      return Buffer.concat([
        frame.subarray(0, random.below(frame.length)),
        other.subarray(random.below(other.length)),
      ])
    }
    case 3:
      new DataView(frame.buffer).setUint32(random.below(frame.length - 4), random.uint32())
      return frame
    case 4: {
      const at = random.below(frame.length)
      return Buffer.concat([frame.subarray(0, at), random.bytes(random.below(32)), frame.subarray(at)])
    }
    default: {
      const nested = new Uint8Array(5 + random.below(3000)).fill([0x91, 0x81, 0xdd, 0xdf][random.below(4)]!)
      new DataView(nested.buffer).setUint32(0, nested.length - 4)
      nested[4] = 1
      return nested
    }
  }
}

it(`${ROUNDS} hostile frames (seed ${seed}) are each accepted or refused, never thrown on`, () => {
  const random = new SimulatedRandom(seed)
  const faults = new Map<string, number>()
  let accepted = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const reader = new FrameReader({
      onFrame: () => {
        accepted += 1
      },
      onFault: ({ fault }) => faults.set(fault, (faults.get(fault) ?? 0) + 1),
    })
    const bytes = mutate(random)
    const cut = random.below(bytes.length + 1)
    reader.push(bytes.subarray(0, cut))
    reader.push(bytes.subarray(cut))
  }
  // The mutations reached every refusal the reader knows, and some frames survived theirs.
  expect([...faults.keys()].sort()).toEqual(
    expect.arrayContaining([
      'bad-envelope',
      'bad-key',
      'extension',
      'oversized',
      'too-deep',
      'trailing-bytes',
      'truncated',
      'version-unknown',
    ]),
  )
  expect(accepted).toBeGreaterThan(ROUNDS / 1000)
}, 120_000)
