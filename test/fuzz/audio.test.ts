/** Whatever bytes a file or a satellite sends: a typed error or sound that is finite, bounded and in frames. */
import { expect, test } from 'vitest'
import { SimulatedClock, SimulatedRandom } from '../../src/host/simulated/index.ts'
import {
  loadVoiceDetectors,
  parseWav,
  readMono,
  recordingOf,
  type Wav,
  WavError,
  writeWav,
} from '../../src/voice/index.ts'
import { Microphone } from '../../src/voice/microphone.ts'

const random = new SimulatedRandom(41)

const RATES = [8_000, 16_000, 22_050, 44_100, 192_000]

/** Format code and bits: PCM of four widths, float of two. */
const KINDS = [
  [1, 8],
  [1, 16],
  [1, 24],
  [1, 32],
  [3, 32],
  [3, 64],
] as const

/** A valid file of some kind, small, to be damaged. */
function seedFile(): Uint8Array {
  const file = writeWav(Int16Array.from({ length: random.below(200) }, () => random.below(65_536) - 32_768))
  const view = new DataView(file.buffer)
  const [code, bits] = KINDS[random.below(KINDS.length)]!
  view.setUint16(20, code, true)
  view.setUint16(22, 1 + random.below(3), true)
  view.setUint16(34, bits, true)
  view.setUint32(24, RATES[random.below(RATES.length)]!, true)
  return file
}

const EXTREMES = [0, 1, 2, 0x7f, 0x80, 0xff]

function damage(file: Uint8Array): Uint8Array {
  let damaged: Uint8Array = file.slice()
  for (let strikes = 1 + random.below(4); strikes > 0; strikes -= 1) {
    const at = random.below(Math.max(1, damaged.length))
    switch (random.below(6)) {
      case 0:
        damaged = damaged.slice(0, at)
        break
      case 1:
        damaged[at] = random.below(256)
        break
      case 2:
        // Headers matter most: most of the damage goes there.
        damaged[random.below(Math.min(44, Math.max(1, damaged.length)))] =
          EXTREMES[random.below(EXTREMES.length)]!
        break
      case 3:
        damaged = Uint8Array.from([
          ...damaged.subarray(0, at),
          ...file.subarray(0, random.below(60)),
          ...damaged.subarray(at),
        ])
        break
      case 4:
        damaged.copyWithin(at, random.below(Math.max(1, damaged.length)), damaged.length)
        break
      default:
        damaged.fill(0xff, at, Math.min(damaged.length, at + 8))
    }
  }
  return damaged
}

test('100,000 damaged WAV files: read, or refused with a reason', { timeout: 60_000 }, () => {
  const outcome = { read: 0, refused: 0 }
  for (let run = 0; run < 100_000; run += 1) {
    const bytes = damage(seedFile())
    let wav: Wav
    try {
      wav = parseWav(bytes)
    } catch (thrown) {
      if (!(thrown instanceof WavError)) throw thrown
      outcome.refused += 1
      continue
    }
    outcome.read += 1
    const mono = readMono(wav)
    if (mono.length !== wav.length || mono.length * (wav.bits / 8) > bytes.length) throw new Error('grew')
    for (const value of mono) if (!(value >= -1 && value <= 1)) throw new Error(`${value} is no sample`)
    // A resampler for a rate nobody uses costs a thousand times as much as reading.
    if (run % 100 === 0 && RATES.includes(wav.sample_rate) && wav.length > 0) recordingOf(wav)
  }
  expect(outcome.read).toBeGreaterThan(10_000)
  expect(outcome.refused).toBeGreaterThan(10_000)
})

test('any bytes at any speed: frames of 320 samples, in order of time, the loss counted', {
  timeout: 60_000,
}, async () => {
  const detectors = await loadVoiceDetectors()
  for (let run = 0; run < 20; run += 1) {
    const clock = new SimulatedClock()
    let frames = 0
    let dropped = 0
    let bytes = 0
    const microphone = new Microphone({
      clock,
      detector: detectors(),
      frame({ samples }) {
        if (samples.length === 320) frames += 1
      },
      end: () => undefined,
      dropped: (count) => {
        dropped += count
      },
    })
    for (let message = random.below(60); message > 0; message -= 1) {
      const pcm = random.bytes(random.below(random.below(8) === 0 ? 20_000 : 1_500))
      bytes += pcm.length
      microphone.push(pcm)
      if (random.below(3) > 0) clock.advance(random.below(60))
    }
    clock.advance(20_000)
    expect(frames + dropped).toBe(Math.floor(Math.floor(bytes / 2) / 320))
    microphone.close()
  }
})
