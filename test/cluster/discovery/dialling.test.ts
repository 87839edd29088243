/** Somebody who just became a member may live at an address given by hand that had another key: it is tried anew, for a while. */
import { expect, test } from 'vitest'
import { DIALLING } from '../../../src/cluster/discovery/bounds.ts'
import {
  type Candidate,
  type DiallingInput,
  dialling,
  keyOfPlace,
  startDialling,
} from '../../../src/cluster/discovery/dialling.ts'
import { monotonic, nodeId } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const place = { host: '10.0.0.2', port: 7421 }
const byHand: Candidate = { key: keyOfPlace(place), node: undefined, places: [place] }
const member: Candidate = { key: 'b', node: nodeId('b'), places: [] }

/** Answers every dial with another key; the times at which it was dialled within `for_ms`. */
function street() {
  const random = new SimulatedRandom(1)
  let state = startDialling(nodeId('a'))
  let now = 0
  let wake = Number.POSITIVE_INFINITY
  const dials: number[] = []
  const input = (one: DiallingInput): void => {
    const next = dialling(state, one, { now: monotonic(now), random, config: DIALLING })
    state = next.state
    wake = Number.POSITIVE_INFINITY
    for (const effect of next.effects) {
      if (effect.type === 'wake') wake = effect.at
      else {
        dials.push(now)
        input({ type: 'dialled', attempt: effect.attempt, code: 'wrong-key' })
      }
    }
  }
  const run = (for_ms: number): number[] => {
    const [from, end] = [dials.length, now + for_ms]
    while (wake <= end) {
      now = wake
      input({ type: 'tick' })
    }
    now = end
    return dials.slice(from)
  }
  return { input, run }
}

test('an address with another key is dialled rarely, until somebody becomes a member', () => {
  const { input, run } = street()
  input({ type: 'candidates', candidates: [byHand] })
  expect(run(8_000)).toHaveLength(1)
  input({ type: 'candidates', candidates: [byHand, member] })
  const dials = run(5_000)
  // At once, and again after pauses that double.
  expect(dials[0]! - 8_000).toBeLessThan(100)
  expect(dials.length).toBeGreaterThanOrEqual(4)
  // It is another household after all.
  expect(run(60_000).length).toBeLessThanOrEqual(6 + 1)
})

test('the same members told again are no reason', () => {
  const { input, run } = street()
  input({ type: 'candidates', candidates: [byHand, member] })
  run(20_000)
  input({ type: 'candidates', candidates: [member, byHand] })
  expect(run(5_000).length).toBeLessThanOrEqual(1)
})
