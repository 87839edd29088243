/**
 * One word, eight microphones: exactly one answers, whatever the network does to the claims. Virtual time, fixed seed; what the trials met is
 * counted, so that no fault is only believed in.
 */
import { describe, expect, test } from 'vitest'
import type { Context, Effect } from '../../src/actors/index.ts'
import type { Monotonic, NodeId } from '../../src/host/index.ts'
import {
  type ArbiterMessage,
  type ArbiterState,
  arbiter,
  arbiterOf,
  type WakeDecided,
} from '../../src/voice/wake/arbiter.ts'
import { type Claim, compareClaims } from '../../src/voice/wake/arbitration.ts'
import { type Seeded, seeded } from '../../training/seeded.ts'

const TRIALS = 500
const NODES = 8

interface Trial {
  /** What each node said last of its claim, and when it said so first, ms after claiming. */
  readonly last: ReadonlyMap<string, WakeDecided>
  readonly first_ms: readonly number[]
  readonly claims: readonly Claim[]
  readonly yielded: number
}

interface Knobs {
  /** Ms between the first and the last microphone that tells of the word. */
  readonly spread: number
  readonly hop: () => number
  readonly cut?: number
  readonly alike?: boolean
}

function play(random: Seeded, { spread, hop, cut, alike = false }: Knobs): Trial {
  const names = Array.from({ length: NODES }, (_, i) => `node-${i}`)
  const queue: { at: number; to: string; from: string; message: ArbiterMessage }[] = []
  const states = new Map<string, ArbiterState>()
  const last = new Map<string, WakeDecided>()
  const first_ms: number[] = []
  let yielded = 0
  const context = (node: string, from: string, now: number): Context => ({
    self: { address: arbiterOf(node), incarnation: 1 },
    sender: { address: arbiterOf(from), incarnation: 1 },
    now: now as Monotonic,
    wall: 0 as never,
    entropy: 0,
    replyTo: undefined,
    deadline_ms: undefined,
  })
  const carry = (node: string, effects: readonly Effect[], now: number): void => {
    for (const effect of effects) {
      if (effect.type === 'schedule')
        queue.push({
          at: now + effect.delay_ms + random.below(10),
          to: node,
          from: node,
          message: effect.message as ArbiterMessage,
        })
      if (effect.type === 'publish') {
        const told = effect.message as WakeDecided
        if (last.has(node)) yielded += 1
        else first_ms.push(told.after_ms)
        last.set(node, told)
      }
      if (effect.type !== 'send') continue
      const to = names.find((name) => arbiterOf(name) === effect.to)!
      const isCut = cut !== undefined && (to === names[cut] || node === names[cut])
      if (!isCut) queue.push({ at: now + hop(), to, from: node, message: effect.message as ArbiterMessage })
    }
  }
  const claims = names.map(
    (node): Claim => ({
      id: `${node}/${random.below(1e9)}`,
      ...{
        node,
        room: node,
        snr_db: alike ? 20 : random.below(40),
        energy_db: alike ? -20 : -random.below(50),
      },
    }),
  )
  for (const [i, node] of names.entries()) {
    states.set(node, arbiter.start(undefined, context(node, node, 0)).state)
    const peers = names.filter((name) => name !== node) as NodeId[]
    queue.push({
      at: random.next() * spread,
      to: node,
      from: node,
      message: { type: 'wake.heard', claim: claims[i]!, peers },
    })
  }
  while (queue.length > 0) {
    const next = queue.reduce((least, { at }, i) => (at < queue[least]!.at ? i : least), 0)
    const [{ at, to, from, message }] = queue.splice(next, 1) as [(typeof queue)[number]]
    const { state, effects } = arbiter.receive(states.get(to)!, message, context(to, from, at))
    states.set(to, state)
    carry(to, effects, at)
  }
  return { last, first_ms, claims, yielded }
}

const winners = ({ last }: Trial): string[] =>
  [...last].filter(([, { verdict }]) => verdict === 'won').map(([node]) => node)

describe('eight microphones hear the same word', () => {
  test(`exactly one answers in ${TRIALS} of ${TRIALS} trials, decided within 100 ms`, () => {
    const random = seeded(500)
    let [best, late] = [0, 0]
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const spread = random.below(40)
      const ended = play(random, { spread, hop: () => 0.2 + random.next() * 20 })
      expect(winners(ended), `trial ${trial}`).toHaveLength(1)
      expect(Math.max(...ended.first_ms)).toBeLessThanOrEqual(100)
      expect(ended.last.size).toBe(NODES)
      if (winners(ended)[0] === ended.claims.toSorted(compareClaims)[0]!.node) best += 1
      if (ended.first_ms.includes(0)) late += 1
    }
    // All were heard in time, so the nearest answers every time.
    expect(best).toBe(TRIALS)
    expect(late).toBe(0)
  })

  test('exactly one of the linked ones answers with one node cut off, which stays silent', () => {
    const random = seeded(501)
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const cut = random.below(NODES)
      const ended = play(random, { spread: random.below(40), hop: () => 0.2 + random.next() * 20, cut })
      expect(winners(ended), `trial ${trial}`).toHaveLength(1)
      expect(ended.last.get(`node-${cut}`)?.verdict).toBe('aside')
    }
  })

  test('microphones that tell late, and claims that are late: one is left over, the others yield', () => {
    const random = seeded(502)
    let [yielded, joined_late] = [0, 0]
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const ended = play(random, { spread: 150, hop: () => random.next() ** 4 * 200 })
      expect(winners(ended), `trial ${trial}`).toHaveLength(1)
      expect(Math.max(...ended.first_ms)).toBeLessThanOrEqual(100)
      yielded += ended.yielded
      if (ended.first_ms.includes(0)) joined_late += 1
    }
    expect(yielded).toBeGreaterThan(10)
    expect(joined_late).toBeGreaterThan(10)
  })

  test('where all hear it alike, the order of their ids decides', () => {
    const random = seeded(503)
    for (let trial = 0; trial < 50; trial += 1) {
      const ended = play(random, { spread: 30, hop: () => random.next() * 10, alike: true })
      expect(winners(ended)).toEqual(['node-0'])
    }
  })
})
