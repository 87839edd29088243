import { describe, expect, test } from 'vitest'
import { type Example, fitLogistic, probability, rankedRight } from '../../training/logistic.ts'
import { seeded } from '../../training/seeded.ts'

/** Drawn from a known rule: the odds are exp(0.5 + 2a − b). */
function drawn(count: number): Example[] {
  const random = seeded(3)
  return Array.from({ length: count }, () => {
    const [a, b] = [random.next() * 4 - 2, random.next() * 4 - 2]
    const sure = 1 / (1 + Math.exp(-(0.5 + 2 * a - b)))
    return { inputs: [a, b], positive: random.chance(sure), weight: 1 }
  })
}

describe('logistic regression', () => {
  test('finds the rule that made the examples', () => {
    const [a, b, bias] = fitLogistic(drawn(20_000))
    expect(a).toBeCloseTo(2, 0)
    expect(b).toBeCloseTo(-1, 0)
    expect(bias).toBeCloseTo(0.5, 0)
  })

  test('says how often: of those it calls 70 %, about 70 % are', () => {
    const examples = drawn(20_000)
    const weights = fitLogistic(examples)
    const called = examples.filter(({ inputs }) => Math.abs(probability(weights, inputs) - 0.7) < 0.05)
    const share = called.filter(({ positive }) => positive).length / called.length
    expect(share).toBeGreaterThan(0.65)
    expect(share).toBeLessThan(0.75)
  })

  test('an example that counts double is two examples', () => {
    const some = drawn(50)
    const doubled = some.map((example) => ({ ...example, weight: 2 }))
    const [once, twice] = [fitLogistic([...some, ...some]), fitLogistic(doubled)]
    for (const [i, weight] of once.entries()) expect(twice[i]).toBeCloseTo(weight, 9)
  })

  test('stays finite on examples a line tells apart', () => {
    const apart = [-2, -1, 1, 2].map((a) => ({ inputs: [a], positive: a > 0, weight: 1 }))
    for (const weight of fitLogistic(apart)) expect(Number.isFinite(weight)).toBe(true)
  })
})

test.each([
  ['all above', [3, 4], [1, 2], 1],
  ['all below', [1, 2], [3, 4], 0],
  ['three of four', [2, 4], [1, 3], 0.75],
])('the share ranked right: %s', (_name, positive, negative, share) => {
  expect(rankedRight(positive, negative)).toBe(share)
})
