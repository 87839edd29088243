/** The page's sound: speech passes the change of rates unharmed, and its end is found in a room that is not silent. */
import { describe, expect, it } from 'vitest'
import { follow, type Loudness, UNHEARD } from '../../src/web/loudness.ts'
import { Resampler } from '../../src/web/resample.ts'
import { shown, waterfall } from '../../src/web/waterfall.ts'

const tone = (hz: number, rate: number, seconds: number): Float32Array =>
  Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate))

/** In blocks of 128, as a worklet is given them. */
function through(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to)
  const parts: number[] = []
  for (let at = 0; at < samples.length; at += 128)
    parts.push(...resampler.process(samples.subarray(at, at + 128)))
  return Float32Array.from(parts)
}

const rms = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)

describe('the change of rates', () => {
  it.each([
    [48_000, 16_000],
    [44_100, 16_000],
    [16_000, 48_000],
    [16_000, 44_100],
    [16_000, 16_000],
  ])('%i → %i Hz keeps a voice to a thousandth, sample for sample, however it is cut', (from, to) => {
    const made = through(tone(1_000, from, 1), from, to)
    expect(Math.abs(made.length - to)).toBeLessThan(100)
    const ideal = tone(1_000, to, 1)
    const middle = made.subarray(1_000, 12_000)
    expect(rms(middle.map((sample, i) => sample - ideal[i + 1_000]!))).toBeLessThan(0.001)
  })

  it('lets nothing through that 16 kHz cannot hold', () => {
    const made = through(tone(11_000, 48_000, 1), 48_000, 16_000)
    expect(20 * Math.log10(rms(made.subarray(500)) / 0.35)).toBeLessThan(-60)
  })
})

describe('speech in a room', () => {
  const seed = { value: 1 }
  const noise = (level: number): Int16Array =>
    Int16Array.from({ length: 320 }, () => {
      seed.value = (seed.value * 48_271) % 2_147_483_647
      return Math.round((seed.value / 1_073_741_823 - 1) * level)
    })

  it.each([0, 40, 300])('ends with its last frame, whatever the room hums (%i)', (hum) => {
    let loudness: Loudness = UNHEARD
    const heard: boolean[] = []
    const hear = (level: number, frames: number): void => {
      for (let i = 0; i < frames; i += 1) {
        const next = follow(loudness, noise(level))
        loudness = next.loudness
        heard.push(next.speech)
      }
    }
    hear(hum, 50)
    hear(6_000, 60)
    hear(hum, 50)
    expect(heard.slice(0, 50)).not.toContain(true)
    expect(heard.slice(50, 110)).not.toContain(false)
    expect(heard.slice(110)).not.toContain(true)
  })
})

describe('the waterfall', () => {
  const latency = { endpoint: 100, stt: 5, nlu: null, skill: 7, tts: 4, total: 119 }

  it('has each hop begin where the one before ended, and the way as the rest', () => {
    const { total_ms, bars } = waterfall(latency)
    expect(total_ms).toBe(119)
    expect(bars.map(({ hop, from_ms, ms }) => [hop, from_ms, ms])).toEqual([
      ['endpoint', 0, 100],
      ['stt', 100, 5],
      ['skill', 105, 7],
      ['tts', 112, 4],
      ['way', 116, 3],
    ])
  })

  it('is never shorter than what was measured in the node', () => {
    expect(waterfall({ ...latency, total: null }).total_ms).toBe(116)
    expect(waterfall({ endpoint: null, stt: null, nlu: null, skill: null, tts: null, total: null })).toEqual({
      total_ms: 0,
      bars: [],
    })
  })

  it('says times as people read them', () => {
    expect([0.01, 4.56, 119.4, 1_432].map(shown)).toEqual(['0 ms', '4.6 ms', '119 ms', '1.4 s'])
  })
})
