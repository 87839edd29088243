/** What an engine process may send is cut and checked; what it may not send is refused, never thrown. */
import { expect, test, vi } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import {
  decodeToChild,
  encodeAudioOut,
  encodeJson,
  encodeToChild,
  type Frame,
  FrameCutter,
  MAX_ENGINE_FRAME_BYTES,
} from '../../src/inference/frames.ts'
import { decodeFromChild, type FromChild } from '../../src/inference/wire.ts'

// A machine that is busy with others may take ten times as long.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const SEED = Number(process.env.SEED ?? 20_260_101)

const MESSAGES: readonly object[] = [
  { type: 'started' },
  { type: 'loaded', admits: 4 },
  {
    type: 'load-failed',
    error: { code: 'model-invalid', message: 'no', retryable: false, hint: 'fetch it' },
  },
  { type: 'event', stream: 7, event: { type: 'partial', text: 'set a timer' } },
  { type: 'event', stream: 7, event: { type: 'final', text: 'set a timer', confidence: 0.9 } },
  { type: 'event', stream: 7, event: { type: 'done', usage: { compute_ms: 2, audio_ms: 300 } } },
  { type: 'heard', stream: 7, audio_ms: 400 },
  { type: 'released', stream: 7 },
  { type: 'measured', measurement: { p50_ms: 1, p95_ms: 2, real_time_factor: 0.1, runs: 8 } },
  { type: 'pong', ping: 3, rss_bytes: 1e8 },
]

function cut(bytes: readonly Uint8Array[]): { frames: Frame[]; sound: boolean } {
  const frames: Frame[] = []
  const cutter = new FrameCutter((frame) => frames.push(frame))
  const sound = bytes.map((piece) => cutter.push(piece)).every(Boolean)
  return { frames, sound }
}

test('every message of the protocol comes through, however the bytes are cut', () => {
  const random = new SimulatedRandom(SEED)
  const speech = encodeAudioOut(9, Int16Array.from([1, -2, 32_767, -32_768]), 22_050)
  const whole = Buffer.concat([...MESSAGES.map(encodeJson), speech])
  for (let round = 0; round < 200; round += 1) {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < whole.length; ) {
      const size = 1 + (random.uint32() % 64)
      pieces.push(whole.subarray(at, at + size))
      at += size
    }
    const { frames, sound } = cut(pieces)
    expect(sound).toBe(true)
    const decoded = frames.map(decodeFromChild)
    expect(decoded.slice(0, -1)).toEqual(MESSAGES)
    expect(decoded.at(-1)).toEqual({
      type: 'event',
      stream: 9,
      event: { type: 'audio', sample_rate: 22_050, samples: Int16Array.from([1, -2, 32_767, -32_768]) },
    })
  }
})

test('what the node sends comes back as it was', () => {
  const samples = Float32Array.from([0, 0.5, -1])
  const [frame] = cut([encodeToChild({ type: 'audio', stream: 4_000_000_000, samples })]).frames
  expect(decodeToChild(frame!)).toEqual({ type: 'audio', stream: 4_000_000_000, samples })
  const open = { type: 'open', stream: 1, request: { kind: 'tts', text: 'häuser 🎉' } } as const
  expect(decodeToChild(cut([encodeToChild(open)]).frames[0]!)).toEqual(open)
})

test('a length beyond the limit, or too short for a frame, ends the stream', () => {
  for (const length of [MAX_ENGINE_FRAME_BYTES + 1, 0xffff_ffff, 4, 0]) {
    const bytes = new Uint8Array(16)
    new DataView(bytes.buffer).setUint32(0, length, true)
    expect(cut([bytes])).toEqual({ frames: [], sound: false })
  }
})

test('a hundred thousand damaged messages: each is understood or refused, none throws', () => {
  const random = new SimulatedRandom(SEED)
  const good = [...MESSAGES.map(encodeJson), encodeAudioOut(9, new Int16Array(64), 16_000)]
  const outcomes = { understood: 0, refused: 0 }
  for (let i = 0; i < 100_000; i += 1) {
    const bytes = Uint8Array.from(good[random.uint32() % good.length]!)
    for (let flips = 1 + (random.uint32() % 6); flips > 0; flips -= 1) {
      bytes[4 + (random.uint32() % (bytes.length - 4))] = random.uint32() & 0xff
    }
    for (const frame of cut([bytes]).frames) {
      const message: FromChild | undefined = decodeFromChild(frame)
      if (message === undefined) outcomes.refused += 1
      else outcomes.understood += 1
    }
  }
  // Both happen: a flipped letter inside a text is still a text.
  expect(outcomes.refused).toBeGreaterThan(10_000)
  expect(outcomes.understood).toBeGreaterThan(1_000)
})

test('of ten thousand chunks of noise nothing is understood, and nothing throws', () => {
  const random = new SimulatedRandom(SEED + 1)
  let understood = 0
  let lost = 0
  for (let i = 0; i < 10_000; i += 1) {
    const { frames, sound } = cut([random.bytes(random.uint32() % 200)])
    if (!sound) lost += 1
    understood += frames.filter((frame) => decodeFromChild(frame) !== undefined).length
  }
  expect(understood).toBe(0)
  expect(lost).toBeGreaterThan(5_000)
})
