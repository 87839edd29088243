/** Whatever bytes come to the enrolment listener, from a member, or out of the key file: read or refused, never thrown on. */
import { describe, expect, it } from 'vitest'
import { decodeKeyring, encodeKeyring } from '../../src/cluster/household/keyring.ts'
import {
  decodeEnrolment,
  decodeMember,
  decodeSealed,
  type EnrolmentMessage,
  encodeEnrolment,
  encodeSealed,
} from '../../src/cluster/household/messages.ts'
import { recordSchema } from '../../src/cluster/household/records.ts'
import { merge, recordsOf } from '../../src/cluster/household/roster.ts'
import { makeWelcome } from '../../src/cluster/household/welcome.ts'
import { keyOf, LoqaError } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { id, Town } from '../cluster/household/town.ts'

const ROUNDS = Number(process.env.LOQA_FUZZ_ROUNDS ?? 100_000)
const seed = Number(process.env.LOQA_SEED ?? 20_261_126)

// One real enrolment, from which everything is made that is then damaged.
const said: EnrolmentMessage[] = []
const town = new Town(1)
const [member, fresh] = [town.settle('member'), town.settle('fresh')]
town.tap = (message) => {
  said.push(message)
  return message
}
town.input(fresh, { type: 'join', node: id(member) })
town.deliverAll()
const { self, roster, keychain, locked } = member.state
const records = recordsOf(roster)
const frames = said.map((message) => encodeEnrolment(message).subarray(4))
const welcome = makeWelcome(roster, id(fresh), keychain[0]!.key)
const sealed = [welcome, { type: 'joined' } as const, { type: 'withdrawn', code: 'x' } as const].map(
  encodeSealed,
)
const keyring = encodeKeyring({ self, roster, keychain, locked, incarnation: 1 })

function mutate(random: SimulatedRandom, corpus: readonly Uint8Array[]): Uint8Array {
  const bytes = corpus[random.below(corpus.length)]!.slice()
  const other = corpus[random.below(corpus.length)]!
  const at = random.below(bytes.length)
  switch (random.below(5)) {
    case 0:
      for (let i = random.below(6); i >= 0; i -= 1) bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
      return bytes
    case 1:
      return bytes.subarray(0, at)
    case 2:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length))])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(24)), bytes.subarray(at)])
    default:
      return random.bytes(random.below(200))
  }
}

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  2 ** 60,
  Number.NaN,
  '',
  '\ud800',
  '\u202egnirts',
  'x'.repeat(70_000),
  [],
  {},
  [[[[]]]],
  new Uint8Array(9),
]

/** A deep copy with one value somewhere replaced, removed or added. */
function distort(random: SimulatedRandom, value: unknown): unknown {
  if (random.below(4) === 0 || typeof value !== 'object' || value === null)
    return ODD[random.below(ODD.length)]
  if (Array.isArray(value)) {
    if (value.length === 0 || random.below(6) === 0) return Array(random.below(600)).fill(value[0] ?? null)
    const at = random.below(value.length)
    return value.map((item, i) => (i === at ? distort(random, item) : item))
  }
  const entries = Object.entries(value)
  const [key, item] = entries[random.below(entries.length)]!
  if (random.below(8) === 0) return { ...value, extra: 1 }
  return { ...value, [key]: random.below(8) === 0 ? undefined : distort(random, item) }
}

/** Runs `decode` on each input; only errors with a code may come out. Returns how many were read and refused. */
function hold(
  rounds: number,
  decode: (random: SimulatedRandom) => boolean,
): { read: number; refused: number } {
  const random = new SimulatedRandom(seed)
  const counts = { read: 0, refused: 0 }
  for (let i = 0; i < rounds; i += 1) {
    try {
      counts[decode(random) ? 'read' : 'refused'] += 1
    } catch (error) {
      if (!(error instanceof LoqaError) || error.code === 'invariant') throw error
      counts.refused += 1
    }
  }
  return counts
}

describe(`hostile input (seed ${seed})`, () => {
  it(`${ROUNDS * 0.5} frames on the enrolment listener`, () => {
    const counts = hold(ROUNDS * 0.5, (random) => Boolean(decodeEnrolment(mutate(random, frames))))
    expect(counts.refused).toBeGreaterThan(ROUNDS * 0.2)
    expect(counts.read).toBeGreaterThan(ROUNDS / 1_000)
  }, 120_000)

  it(`${ROUNDS * 0.2} well-formed greetings with one value wrong`, () => {
    const counts = hold(ROUNDS * 0.2, (random) => {
      const message = distort(random, said[random.below(said.length)]) as EnrolmentMessage
      return Boolean(decodeEnrolment(encodeEnrolment(message).subarray(4)))
    })
    expect(counts.refused).toBeGreaterThan(ROUNDS * 0.1)
  }, 120_000)

  it(`${ROUNDS * 0.2} opened boxes`, () => {
    const counts = hold(ROUNDS * 0.2, (random) => decodeSealed(mutate(random, sealed)) !== undefined)
    expect(counts.refused).toBeGreaterThan(ROUNDS * 0.1)
    expect(counts.read).toBeGreaterThan(0)
  }, 120_000)

  it(`${ROUNDS * 0.08} messages of a member; what is read and not signed as it stands is not taken up`, () => {
    const base = { type: 'records', records }
    let unharmed = 0
    const counts = hold(ROUNDS * 0.08, (random) => {
      const message = decodeMember(distort(random, base))
      if (message.type !== 'records') return true
      const before = JSON.stringify(recordsOf(roster))
      // Checking a signature takes a while: one in twenty is enough to see it.
      if (random.below(20) === 0) {
        expect(JSON.stringify(recordsOf(merge(roster, message.records).roster))).toBe(before)
        unharmed += 1
      }
      return true
    })
    expect(counts.refused).toBeGreaterThan(ROUNDS * 0.02)
    expect(unharmed).toBeGreaterThan(0)
  }, 120_000)

  it(`${ROUNDS * 0.02} key files`, () => {
    const counts = hold(ROUNDS * 0.02, (random) =>
      Boolean(decodeKeyring('keyring', mutate(random, [keyring]))),
    )
    // A mutation may leave the file as it was: a flip undone by another, a splice at the same place.
    expect(counts.read).toBeLessThan(ROUNDS * 0.0005)
  }, 120_000)

  it(`${ROUNDS * 0.05} node ids: one key has one spelling`, () => {
    const ids = [id(member), id(fresh)]
    hold(ROUNDS * 0.05, (random) => {
      const letters = [...ids[random.below(2)]!]
      const at = random.below(letters.length)
      letters[at] = String.fromCharCode(33 + random.below(90))
      const key = keyOf(letters.join(''))
      if (key !== undefined) expect(key).toMatch(/^[0-9a-f]{64}$/)
      return key !== undefined
    })
    for (const known of ids) expect(keyOf(known)).toBeDefined()
  })

  it('records that are read are exactly what their schema says', () => {
    for (const record of records) expect(recordSchema.parse(record)).toEqual(record)
  })
})
