/** What a microphone that waits for the wake word lets through: `src/voice/wake/gate.ts`, `spotting.ts`, `loudness.ts`. */
import { describe, expect, test } from 'vitest'
import { ASLEEP, type Gate, type GateInput, type GateOrder, gate } from '../../../src/voice/wake/gate.ts'
import { loudNow, loudness, NO_LOUDNESS } from '../../../src/voice/wake/loudness.ts'
import { NOT_SPOTTING, type SpotOrder, spot } from '../../../src/voice/wake/spotting.ts'

const samples = (value: number): Int16Array => new Int16Array(320).fill(value)
const quiet: GateInput = { type: 'frame', samples: samples(3), voiced: false }
const voice: GateInput = { type: 'frame', samples: samples(3_000), voiced: true }

class Bench {
  state: Gate = ASLEEP
  orders: GateOrder[] = []
  give(input: GateInput, times = 1): this {
    for (let i = 0; i < times; i += 1) {
      const next = gate(this.state, input)
      this.state = next.state
      this.orders.push(...next.orders)
    }
    return this
  }
  did(what: GateOrder['do']): number {
    return this.orders.filter((order) => order.do === what).length
  }
  heard(): number {
    return this.orders.reduce((sum, order) => sum + (order.do === 'hear' ? order.frames.length : 0), 0)
  }
}
const asleepWithRun = (): Bench => new Bench().give(quiet, 40).give(voice, 30)
const word: GateInput = { type: 'words', run: 1, count: 1 }

describe('the gate', () => {
  test('G1: asleep, nothing is let through, and the engine only hears where somebody speaks', () => {
    const bench = new Bench().give(quiet, 100)
    expect(bench.orders).toEqual([])
    bench.give(voice, 100)
    expect(bench.did('open')).toBe(1)
    expect(bench.heard()).toBe(0)
  })

  test('G2 and G3: frames between the word and the verdict wait and are not lost', () => {
    const bench = asleepWithRun().give(word)
    expect(bench.state.phase).toBe('deciding')
    expect(bench.did('claim')).toBe(1)
    bench.give(voice, 5)
    expect(bench.heard()).toBe(0)
    bench.give({ type: 'verdict', verdict: 'won' }).give(voice)
    // 120 ms that were heard while the engine still listened, the five frames, and the one after.
    expect(bench.heard()).toBe(6 + 5 + 1)
    expect(bench.did('wake')).toBe(1)
  })

  test('G3: without a verdict it answers', () => {
    expect(asleepWithRun().give(word).give(voice, 26).state.phase).toBe('awake')
  })

  test.each(['lost', 'aside'] as const)('G4: %s: what waited is forgotten', (verdict) => {
    const bench = asleepWithRun().give(word).give(voice, 5).give({ type: 'verdict', verdict })
    expect(bench.state.phase).toBe('asleep')
    expect(bench.heard()).toBe(0)
  })

  test('G4: a winner that yields sleeps; so does one whose conversation was idle for seven seconds, and no sooner', () => {
    const won = (): Bench => asleepWithRun().give(word).give({ type: 'verdict', verdict: 'won' })
    expect(won().give({ type: 'verdict', verdict: 'lost' }).state.phase).toBe('asleep')
    expect(won().give(quiet, 349).state.phase).toBe('awake')
    expect(won().give(quiet, 350).state.phase).toBe('asleep')
    const busy = won().give({ type: 'phase', idle: false }).give(quiet, 1_000)
    expect(busy.state.phase).toBe('awake')
    expect(busy.give({ type: 'phase', idle: true }).give(quiet, 350).state.phase).toBe('asleep')
  })
})

describe('spotting', () => {
  test('S5: a run that silence ended still tells its word, and is let go when the microphone listens', () => {
    const bench = asleepWithRun().give(quiet, 60)
    expect([bench.did('finish'), bench.did('close')]).toEqual([1, 0])
    bench.give(word)
    expect(bench.state.phase).toBe('deciding')
    expect(bench.did('close')).toBe(1)
  })

  test('S5: of an engine that never ends, no more than four runs are waited for', () => {
    const bench = new Bench()
    for (let i = 0; i < 6; i += 1) bench.give(voice, 30).give(quiet, 60)
    expect([bench.did('open'), bench.did('finish'), bench.did('close')]).toEqual([6, 6, 2])
    expect(bench.state.spotting.ending.map(({ id }) => id)).toEqual([3, 4, 5, 6])
  })

  test('S3: every two seconds of a long talk are whole in one run', () => {
    let state = NOT_SPOTTING
    const spans = new Map<number, { from: number; to: number }>()
    for (let at = 0; at < 3_000; at += 1) {
      const next = spot(state, { type: 'frame', samples: samples(1), voiced: true })
      state = next.state
      for (const order of next.orders as SpotOrder[]) {
        if (order.do === 'open') spans.set(order.run, { from: at, to: at })
        if (order.do === 'feed') spans.get(order.run)!.to = at
      }
    }
    const runs = [...spans.values()]
    expect(runs.length).toBeGreaterThan(4)
    for (let at = 10; at + 100 < 2_990; at += 1) {
      expect(
        runs.some(({ from, to }) => from - 15 <= at && to >= at + 99),
        `from frame ${at}`,
      ).toBe(true)
    }
  })

  test('S4: the same word in two runs is told once, a second word again', () => {
    let state = NOT_SPOTTING
    let words = 0
    const give = (input: Parameters<typeof spot>[1]): void => {
      const next = spot(state, input)
      state = next.state
      words += next.orders.filter((order) => order.do === 'word').length
    }
    for (let at = 0; at < 520; at += 1) give({ type: 'frame', samples: samples(1), voiced: true })
    give({ type: 'words', run: 1, count: 1 })
    give({ type: 'words', run: 2, count: 1 })
    expect(words).toBe(1)
    for (let at = 0; at < 55; at += 1) give({ type: 'frame', samples: samples(1), voiced: true })
    give({ type: 'words', run: 2, count: 2 })
    expect(words).toBe(2)
  })
})

test('half the amplitude is 6 dB less, and as far above noise that is halved with it', () => {
  const at = (gain: number) => {
    let state = NO_LOUDNESS
    for (let i = 0; i < 50; i += 1) state = loudness(state, samples(40 * gain), false)
    for (let i = 0; i < 30; i += 1) state = loudness(state, samples(4_000 * gain), true)
    return loudNow(state)
  }
  expect(at(1).energy_db - at(0.5).energy_db).toBeCloseTo(6.02, 1)
  expect(at(1).snr_db).toBeCloseTo(40, 1)
  expect(at(0.5).snr_db).toBeCloseTo(40, 1)
})
