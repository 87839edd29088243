import { describe, expect, test } from 'vitest'
import { ANNOUNCE_MS, ANSWER_GAP_MS, BURST_MS, MAX_ASK_MS } from '../../../src/cluster/discovery/bounds.ts'
import { again, asked, begin, type Cadence, due, nextDue } from '../../../src/cluster/discovery/cadence.ts'
import { type Monotonic, monotonic } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const random = new SimulatedRandom(3)

/** Plays until `end`; gives when it spoke and when it asked. */
function play(start: Cadence, end: number): { says: number[]; asks: number[]; cadence: Cadence } {
  const says: number[] = []
  const asks: number[] = []
  let cadence = start
  for (let now: Monotonic = nextDue(cadence); now <= end; now = nextDue(cadence)) {
    const next = due(cadence, now, random)
    expect(nextDue(next.cadence)).toBeGreaterThan(now)
    cadence = next.cadence
    if (next.say) says.push(now)
    if (next.ask) asks.push(now)
  }
  return { says, asks, cadence }
}
const gaps = (times: readonly number[]): number[] => times.slice(1).map((at, i) => at - times[i]!)

describe('when a node speaks on one network', () => {
  test('a burst at the start, then again and again for ever', () => {
    const { says } = play(begin(monotonic(0)), 10 * 60_000)
    expect(says.slice(0, BURST_MS.length)).toEqual([...BURST_MS])
    for (const gap of gaps(says.slice(BURST_MS.length - 1))) {
      expect(gap).toBeGreaterThanOrEqual(ANNOUNCE_MS * 0.9)
      expect(gap).toBeLessThanOrEqual(ANNOUNCE_MS)
    }
  })

  test('questions further and further apart, to a minute', () => {
    const { asks } = play(begin(monotonic(0)), 20 * 60_000)
    expect(asks[0]).toBe(0)
    expect(Math.max(...gaps(asks))).toBeLessThanOrEqual(MAX_ASK_MS)
    expect(gaps(asks).at(-1)).toBeGreaterThanOrEqual(MAX_ASK_MS * 0.9)
    expect(asks.length).toBeLessThan(30)
  })

  test('a question is answered a little later, and a flood of them once a second', () => {
    let { cadence } = play(begin(monotonic(0)), 5_000)
    cadence = asked(cadence, monotonic(5_000), random)
    const [answer] = play(cadence, 5_200).says
    expect(answer).toBeGreaterThanOrEqual(5_020)
    expect(answer).toBeLessThanOrEqual(5_120)
    const says: number[] = []
    for (let now = 6_000; now < 16_000; now += 10) {
      cadence = asked(cadence, monotonic(now), random)
      const next = due(cadence, monotonic(now), random)
      cadence = next.cadence
      if (next.say) says.push(now)
    }
    expect(Math.min(...gaps(says))).toBeGreaterThanOrEqual(ANSWER_GAP_MS)
    expect(says.length).toBeGreaterThanOrEqual(8)
  })

  test('what changed is said at once, as at the start', () => {
    const { cadence } = play(begin(monotonic(0)), 60_000)
    const { says, asks } = play(again(cadence, monotonic(60_000)), 64_000)
    expect(says).toEqual(BURST_MS.map((at) => 60_000 + at))
    expect(asks[0]).toBe(60_000)
  })
})
