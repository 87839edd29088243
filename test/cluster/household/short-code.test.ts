/** The six digits: how often somebody in between can make both sides show the same, and what guessing is worth. */
import { describe, expect, it } from 'vitest'
import {
  GREETINGS_IN_ALL,
  GREETINGS_PER_SOURCE,
  LOCKOUT_MS,
  MAX_SOURCES,
} from '../../../src/cluster/household/bounds.ts'
import { greet, isLocked, openGate, wrongCode } from '../../../src/cluster/household/gate.ts'
import type { Hello, Offer } from '../../../src/cluster/household/messages.ts'
import { codeOf, commitmentTo, transcriptOf } from '../../../src/cluster/household/short-code.ts'
import { monotonic, nodeId } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const ATTEMPTS = 100_000

/** Both conversations of a man in the middle: with the joiner as admitter, with the admitter as joiner. */
function codes(nonces: {
  joiner: string
  to_joiner: string
  to_admitter: string
  admitter: string
}): [string, string] {
  const say = (type: 'hello' | 'offer', node: string) => ({
    type,
    version: 1 as const,
    node: nodeId(node),
    ephemeral: node,
    time: 0,
    standing: null,
  })
  const hello = (node: string, nonce: string): Hello => ({
    ...say('hello', node),
    type: 'hello',
    commitment: commitmentTo(nonce, node, node),
  })
  const offer = (node: string, nonce: string): Offer => ({ ...say('offer', node), type: 'offer', nonce })
  return [
    codeOf(transcriptOf(hello('joiner', nonces.joiner), offer('evil', nonces.to_joiner), nonces.joiner)),
    codeOf(
      transcriptOf(hello('evil', nonces.to_admitter), offer('admitter', nonces.admitter), nonces.to_admitter),
    ),
  ]
}

describe('a man in the middle', () => {
  it(`bound by the commitment, hits by chance alone: ${ATTEMPTS} enrolments`, () => {
    const random = new SimulatedRandom(7)
    const nonce = (): string => random.uint32().toString(16)
    let [six, three] = [0, 0]
    for (let i = 0; i < ATTEMPTS; i += 1) {
      const [near, far] = codes({
        joiner: nonce(),
        to_joiner: nonce(),
        to_admitter: nonce(),
        admitter: nonce(),
      })
      six += Number(near === far)
      three += Number(near.slice(0, 3) === far.slice(0, 3))
    }
    // 10⁻⁶ each: 0.1 expected, more than 3 would happen once in 250,000 such tests.
    expect(six).toBeLessThanOrEqual(3)
    // The same on three digits, where chance can be seen: 100 expected, five standard deviations either way.
    expect(three).toBeGreaterThan(50)
    expect(three).toBeLessThan(150)
  }, 60_000)

  it('without the commitment would search until it hits: three digits in about a thousand tries', () => {
    const random = new SimulatedRandom(8)
    const nonce = (): string => random.uint32().toString(16)
    const fixed = { joiner: nonce(), to_joiner: nonce(), admitter: nonce() }
    let tries = 0
    for (; tries < 20_000; tries += 1) {
      // It knows the joiner's code already, and may still choose what it tells the admitter.
      const [near, far] = codes({ ...fixed, to_admitter: nonce() })
      if (near.slice(0, 3) === far.slice(0, 3)) break
    }
    expect(tries).toBeLessThan(20_000)
  })
})

it('codes are spread evenly, with their leading zeros', () => {
  const random = new SimulatedRandom(9)
  const first = new Map<string, number>()
  for (let i = 0; i < 20_000; i += 1) {
    const code = codeOf(random.bytes(32))
    expect(code).toMatch(/^[0-9]{6}$/)
    first.set(code[0]!, (first.get(code[0]!) ?? 0) + 1)
  }
  expect(first.size).toBe(10)
  for (const count of first.values()) expect(Math.abs(count - 2_000)).toBeLessThan(250)
})

describe('guessing', () => {
  it(`${ATTEMPTS} guesses at one a second: five in each lock-out are looked at`, () => {
    let gate = openGate(monotonic(0))
    let looked = 0
    for (let second = 0; second < ATTEMPTS; second += 1) {
      const now = monotonic(second * 1_000)
      if (isLocked(gate, now)) continue
      looked += 1
      gate = wrongCode(gate, now).gate
    }
    const lockouts = Math.ceil((ATTEMPTS * 1_000) / LOCKOUT_MS)
    expect(looked).toBeGreaterThan(0)
    expect(looked).toBeLessThanOrEqual(5 * lockouts)
    // More than a day of guessing one code: under one in a thousand.
    expect(looked / 1_000_000).toBeLessThan(0.001)
  })

  it('in a burst: five are looked at', () => {
    let gate = openGate(monotonic(0))
    let looked = 0
    for (let i = 0; i < ATTEMPTS; i += 1) {
      if (isLocked(gate, monotonic(1))) continue
      looked += 1
      gate = wrongCode(gate, monotonic(1)).gate
    }
    expect(looked).toBe(5)
  })
})

describe('a flood of greetings', () => {
  it('from one address gets its share, and takes nothing from the others', () => {
    let gate = openGate(monotonic(0))
    let answered = 0
    for (let i = 0; i < 10_000; i += 1) {
      const next = greet(gate, 'flooder', monotonic(i))
      gate = next.gate
      answered += Number(next.allowed)
    }
    expect(answered).toBe(GREETINGS_PER_SOURCE)
    expect(greet(gate, 'honest', monotonic(10_000)).allowed).toBe(true)
  })

  it('from ever new addresses gets what all share, and the memory of it stays small', () => {
    let gate = openGate(monotonic(0))
    let answered = 0
    for (let i = 0; i < 10_000; i += 1) {
      const next = greet(gate, `fe80::${i}`, monotonic(i))
      gate = next.gate
      answered += Number(next.allowed)
      expect(gate.sources.size).toBeLessThanOrEqual(MAX_SOURCES)
    }
    expect(answered).toBe(GREETINGS_IN_ALL)
    expect(greet(gate, 'honest', monotonic(61_000)).allowed).toBe(true)
  })
})
