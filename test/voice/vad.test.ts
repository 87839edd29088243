import { beforeAll, describe, expect, test } from 'vitest'
import { EnergyGate } from '../../src/voice/energy-gate.ts'
import { loadVoiceDetectors, type VoiceDetector } from '../../src/voice/vad.ts'

let detector: () => VoiceDetector
beforeAll(async () => {
  detector = await loadVoiceDetectors()
})

const frame = (sample: (n: number) => number, index: number): Int16Array =>
  Int16Array.from({ length: 320 }, (_, n) => sample(index * 320 + n))

/** A vowel: a train of pulses at 120 Hz through three resonances, roughly. */
const vowel = (n: number): number =>
  [120, 240, 600, 720, 1_080, 1_200, 2_400].reduce(
    (sum, hz) => sum + 1_500 * Math.sin((2 * Math.PI * hz * n) / 16_000),
    0,
  )
let state = 1
const noise = (amplitude: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
  return ((state / 2 ** 32) * 2 - 1) * amplitude
}

const verdicts = (sample: (n: number) => number, frames: number, first = 0): boolean[] => {
  const one = detector()
  const heard = Array.from({ length: frames }, (_, index) => one.isVoiced(frame(sample, first + index)))
  one.close()
  return heard
}

describe('the voice detector', () => {
  test('hears a voice and no silence', () => {
    expect(verdicts(vowel, 50).filter(Boolean).length).toBeGreaterThan(40)
    expect(verdicts(() => 0, 50)).not.toContain(true)
    expect(verdicts(() => noise(20), 50)).not.toContain(true)
  })

  test('tells the end of a voice within two frames', () => {
    const heard = verdicts((n) => (n < 320 * 50 ? vowel(n) : noise(20)), 100)
    expect(heard.lastIndexOf(true)).toBeLessThanOrEqual(51)
    expect(heard.lastIndexOf(true)).toBeGreaterThanOrEqual(48)
  })

  test('keeps detectors apart', () => {
    const [one, other] = [detector(), detector()]
    for (let index = 0; index < 50; index += 1) one.isVoiced(frame(vowel, index))
    expect(other.isVoiced(frame(() => 0, 0))).toBe(false)
    one.close()
    other.close()
  })
})

describe('the energy gate', () => {
  const gate = (levels: readonly number[]): boolean[] => {
    const one = new EnergyGate()
    return levels.map((level) => one.isOpen(level))
  }

  test('learns a steady noise', () => {
    const fan = gate(Array.from({ length: 200 }, () => -40))
    expect(fan).not.toContain(true)
  })

  test('opens for a voice above the noise and closes behind it', () => {
    const levels = [...Array(50).fill(-45), ...Array(20).fill(-20), ...Array(10).fill(-45)]
    const open = gate(levels)
    expect(open.slice(50, 70)).not.toContain(false)
    expect(open.slice(70)).not.toContain(true)
  })

  test('a quiet voice in a quiet room counts', () => {
    expect(gate([...Array(50).fill(-75), ...Array(5).fill(-50)]).slice(50)).not.toContain(false)
  })
})
