/**
 * Whatever comes and goes in whatever order, the promises of the dialling machine hold (L1–L4 in `dialling.ts`): who is
 * wanted and reachable is dialled again in time, never more attempts at once than allowed, no storms, nobody else dialled.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DIALLING, type DiallingConfig } from '../../src/cluster/discovery/bounds.ts'
import {
  type Candidate,
  type DiallingEffect,
  type DiallingInput,
  type DiallingState,
  dialling,
  startDialling,
} from '../../src/cluster/discovery/dialling.ts'
import type { Place } from '../../src/cluster/transport/mesh.ts'
import { monotonic, type NodeId, nodeId } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'

/** The same runs every time: what they have to meet, they always meet. `LOQA_SEED` draws others. */
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

const SELF = nodeId('d+')
/** Timers of the machine are exact here; what comes on top is the time an attempt takes. */
const SLACK_MS = 1

type Fate = 'answers' | 'refuses' | 'hangs' | 'wrong-key'

interface Peer {
  readonly node: NodeId
  places: Place[]
  fate: Fate
  is_wanted: boolean
  link: boolean
  last_best_dial: number
  dials: number[]
}

/** The network around one machine, in virtual time. */
class Street {
  now = 0
  state: DiallingState = startDialling(SELF)
  readonly peers: Peer[]
  readonly config: DiallingConfig
  readonly random: SimulatedRandom
  readonly events: { at: number; run: () => void }[] = []
  wake = Number.POSITIVE_INFINITY
  in_flight = 0
  most_in_flight = 0

  constructor(seed: number, count: number, config: DiallingConfig = DIALLING) {
    this.random = new SimulatedRandom(seed)
    this.config = config
    this.peers = Array.from({ length: count }, (_, i) => ({
      node: nodeId(String.fromCharCode(97 + i)),
      places: [{ host: `10.0.0.${i + 1}`, port: 7421 }],
      fate: 'answers',
      is_wanted: true,
      link: false,
      last_best_dial: Number.NEGATIVE_INFINITY,
      dials: [],
    }))
  }

  input(input: DiallingInput): void {
    const { state, effects } = dialling(this.state, input, {
      now: monotonic(this.now),
      random: this.random,
      config: this.config,
    })
    this.state = state
    this.wake = Number.POSITIVE_INFINITY
    for (const effect of effects) this.carryOut(effect)
    expect(this.state.attempts.size).toBeLessThanOrEqual(this.config.max_dials)
  }

  carryOut(effect: DiallingEffect): void {
    if (effect.type === 'wake') {
      this.wake = effect.at
      return
    }
    const peer = this.peers.find(({ node }) => node === effect.expected)
    expect(peer?.is_wanted && !peer.link, 'who is linked or not wanted is not dialled').toBe(true)
    peer!.dials.push(this.now)
    if (effect.place === peer!.places[0]) peer!.last_best_dial = this.now
    const { attempt } = effect
    const end = (after_ms: number, code: string | undefined): void => {
      this.events.push({
        at: this.now + after_ms,
        run: () => {
          const works = code === undefined && peer!.fate === 'answers' && peer!.is_wanted
          this.input({ type: 'dialled', attempt, code: works ? undefined : (code ?? 'unreachable') })
          if (works && !peer!.link) this.link(peer!)
        },
      })
    }
    // Only the best address is the right one.
    const fate = effect.place === peer!.places[0] ? peer!.fate : 'hangs'
    if (fate === 'answers') end(this.random.float() * 40, undefined)
    else if (fate === 'refuses') end(1, 'unreachable')
    else if (fate === 'wrong-key') end(8, 'wrong-key')
    else end(5_000, 'timed-out')
  }

  link(peer: Peer): void {
    peer.link = true
    this.input({ type: 'linked', node: peer.node })
  }

  cut(peer: Peer, fate: Fate): void {
    peer.fate = fate
    if (!peer.link) return
    peer.link = false
    peer.last_best_dial = this.now
    this.input({ type: 'unlinked', node: peer.node })
  }

  tellCandidates(): void {
    const candidates: Candidate[] = this.peers
      .filter(({ is_wanted }) => is_wanted)
      .map(({ node, places }) => ({ key: node, node, places }))
    this.input({ type: 'candidates', candidates })
  }

  run(for_ms: number): void {
    const end = this.now + for_ms
    for (;;) {
      this.events.sort((a, b) => a.at - b.at)
      const next = Math.min(this.events[0]?.at ?? Number.POSITIVE_INFINITY, this.wake)
      if (next > end) break
      expect(next, 'the machine never spins').toBeGreaterThanOrEqual(this.now)
      this.now = next
      if (this.events[0] !== undefined && this.events[0].at <= next) this.events.shift()!.run()
      else this.input({ type: 'tick' })
    }
    this.now = end
  }
}

type Action =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'cut'; readonly peer: number; readonly fate: Fate }
  | { readonly do: 'mend'; readonly peer: number }
  | { readonly do: 'present'; readonly peer: number }
  | { readonly do: 'address'; readonly peer: number; readonly front: boolean }
  | { readonly do: 'want'; readonly peer: number; readonly is_wanted: boolean }
  | { readonly do: 'changed' }
  | { readonly do: 'accepted'; readonly peer: number }

const PEERS = 8
const peer = fc.nat({ max: PEERS - 1 })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 30_000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('cut' as const),
      peer,
      fate: fc.constantFrom<Fate>('answers', 'refuses', 'hangs', 'wrong-key'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mend' as const), peer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('present' as const), peer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('address' as const), peer, front: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('want' as const), peer, is_wanted: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'changed' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('accepted' as const), peer }) },
)

function act(street: Street, one: Action): void {
  const who = 'peer' in one ? street.peers[one.peer]! : undefined
  switch (one.do) {
    case 'pass':
      street.run(one.ms)
      break
    case 'cut':
      street.cut(who!, one.fate)
      break
    case 'mend':
      who!.fate = 'answers'
      break
    case 'present':
      street.input({ type: 'present', node: who!.node })
      break
    case 'address': {
      if (who!.places.length >= 8) break
      const place = { host: `10.0.1.${street.random.uint32() % 250}`, port: 7421 }
      who!.places = one.front ? [place, ...who!.places] : [...who!.places, place]
      street.tellCandidates()
      break
    }
    case 'want':
      who!.is_wanted = one.is_wanted
      street.tellCandidates()
      if (!one.is_wanted && who!.link) {
        who!.link = false
        street.input({ type: 'unlinked', node: who!.node })
      }
      break
    case 'changed':
      street.input({ type: 'changed' })
      break
    case 'accepted':
      if (who!.is_wanted && !who!.link && who!.fate === 'answers') street.link(who!)
      break
  }
}

describe('whom the dialling machine dials, and when', () => {
  test('whatever happened before, all that are wanted and answer are linked within the longest pause', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(action, { maxLength: 60 }), (seed, actions) => {
        const street = new Street(seed, PEERS)
        street.tellCandidates()
        for (const one of actions) act(street, one)
        for (const one of street.peers) one.fate = 'answers'
        street.run(DIALLING.long_pause_ms + DIALLING.give_up_ms + 1_000)
        for (const one of street.peers) expect(one.link).toBe(one.is_wanted)
      }),
      { numRuns: 500 },
    )
  })

  test('whoever was connected within the hour is dialled again within the short pause of answering', () => {
    let late = 0
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom<Fate>('refuses', 'hangs'),
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: PEERS }),
        fc.nat({ max: 7 }),
        (seed, fate, away_ms, cut, more_addresses) => {
          const street = new Street(seed, PEERS)
          street.tellCandidates()
          street.run(20_000)
          const away = street.peers.slice(0, cut)
          for (const one of away) {
            for (let i = 0; i < more_addresses; i += 1) one.places.push({ host: `10.9.9.${i}`, port: 7421 })
          }
          street.tellCandidates()
          for (const one of away) street.cut(one, fate)
          street.run(away_ms)
          for (const one of away) one.fate = 'answers'
          const healed = street.now
          street.run(DIALLING.short_pause_ms + 40 + SLACK_MS)
          for (const one of away) {
            expect(one.link).toBe(true)
            late = Math.max(late, one.last_best_dial - healed)
          }
        },
      ),
      { numRuns: 500, seed: SEED },
    )
    // The test would mean nothing if everybody were dialled all the time.
    expect(late).toBeGreaterThan(500)
  })

  test('nobody is stormed: rounds lie apart, also when somebody announces a node a thousand times', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom<Fate>('refuses', 'hangs', 'wrong-key'), (seed, fate) => {
        const street = new Street(seed, 2)
        for (const one of street.peers) one.fate = fate
        street.tellCandidates()
        for (let i = 0; i < 1_000; i += 1) {
          street.input({ type: 'present', node: street.peers[0]!.node })
          street.run(10)
        }
        const [stormed, quiet] = street.peers
        expect(stormed!.dials.length).toBeLessThanOrEqual(10_000 / DIALLING.least_gap_ms + 1)
        // Left alone: 0.2, 0.4, 0.8 … apart.
        expect(quiet!.dials.length).toBeLessThanOrEqual(8)
        for (let i = 1; i < stormed!.dials.length; i += 1) {
          expect(stormed!.dials[i]! - stormed!.dials[i - 1]!).toBeGreaterThanOrEqual(DIALLING.least_gap_ms)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('with more that hang than may be waited for, all get their turn', () => {
    const config = { ...DIALLING, max_dials: 4 }
    const street = new Street(7, 20, config)
    street.tellCandidates()
    street.run(60_000)
    for (const one of street.peers) expect(one.link).toBe(true)
    for (const one of street.peers) street.cut(one, 'hangs')
    street.run(60_000)
    for (const one of street.peers) {
      const dials = one.dials.filter((at) => at > street.now - 60_000)
      expect(dials.length).toBeGreaterThanOrEqual(2)
    }
  })
})
