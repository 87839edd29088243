import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'

const simulated = new SimulatedClock()
/** Lets pending work run: real time passes by itself, virtual time must be moved. */
const doors: { name: string; clock: Clock; pass: (ms: number) => Promise<void> }[] = [
  { name: 'real', clock: realHost().clock, pass: (ms) => new Promise((done) => setTimeout(done, ms)) },
  {
    name: 'simulated',
    clock: simulated,
    pass: async (ms) => {
      simulated.advance(ms)
    },
  },
]

describe.each(doors)('the $name clock', ({ clock, pass }) => {
  it('never goes back and counts milliseconds', async () => {
    const start = clock.monotonic()
    await pass(20)
    expect(clock.monotonic() - start).toBeGreaterThanOrEqual(19)
  })

  it('runs scheduled work once, later, and in order of time', async () => {
    const seen: string[] = []
    clock.after(15, () => seen.push('late'))
    clock.after(1, () => seen.push('early'))
    clock.soon(() => seen.push('soon'))
    expect(seen).toEqual([])
    await pass(60)
    await pass(60)
    expect(seen).toEqual(['soon', 'early', 'late'])
  })

  it('forgets cancelled work, and cancelling again is harmless', async () => {
    let ran = false
    const cancel = clock.after(1, () => {
      ran = true
    })
    cancel()
    cancel()
    await pass(20)
    expect(ran).toBe(false)
  })
})

describe('the simulated clock', () => {
  it('lets the wall clock jump without touching durations', () => {
    const clock = new SimulatedClock()
    const before = { monotonic: clock.monotonic(), wall: clock.wall() }
    clock.jumpWall(-86_400_000)
    clock.advance(5)
    expect(clock.monotonic() - before.monotonic).toBe(5)
    expect(clock.wall() - before.wall).toBe(5 - 86_400_000)
  })

  it('says so when work reschedules itself for ever', () => {
    const clock = new SimulatedClock()
    const again = (): void => clock.soon(again)
    again()
    expect(() => clock.runUntilIdle(1000)).toThrow(/still busy/)
  })
})
