/** What stands beside the log and what other nodes say of it is taken or refused, never thrown on; the log itself is named, never thrown on. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_KEPT, readShelved } from '../../src/observe/audit-checkpoint.ts'
import { decodeVault } from '../../src/observe/audit-vault.ts'
import { verifyAudit } from '../../src/observe/index.ts'

const ROUNDS = Number(process.env.LOQA_FUZZ_ROUNDS ?? 2_000)

const checkpoint = {
  node: 'attic',
  seq: 7,
  hash: '1'.repeat(64),
  time: '2026-01-02T03:04:05.000Z',
  signature: '2'.repeat(128),
}
const acknowledged = {
  node: 'attic',
  time: '2026-01-02T03:04:05.000Z',
  marks: ['3'.repeat(32)],
  signature: '2'.repeat(128),
}
const vault = { version: 1, checkpoints: [checkpoint], acknowledged: [acknowledged] }
const record = {
  ...{ seq: 1, time: '2026-01-02T03:04:05.000Z', node: 'attic', actor: 'a', who: '-', what: 'skill.call' },
  ...{ object: 'o', outcome: 'ok', prev_hash: '0'.repeat(64), hash: '1'.repeat(64) },
}
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

test('takes what a node of this version writes', () => {
  expect(decodeVault(bytesOf(vault))).toEqual({ checkpoints: [checkpoint], acknowledged: [acknowledged] })
  expect(readShelved('cellar/attic', { checkpoints: [checkpoint] })).toEqual({
    holder: 'cellar',
    of: 'attic',
    checkpoints: [checkpoint],
  })
})

test.each([
  ['too many', 'cellar/attic', { checkpoints: Array(MAX_KEPT + 1).fill(checkpoint) }],
  ['a number that is none', 'cellar/attic', { checkpoints: [{ ...checkpoint, seq: 2 ** 53 }] }],
  ['a time that is none', 'cellar/attic', { checkpoints: [{ ...checkpoint, time: 'then' }] }],
  ['a word more', 'cellar/attic', { checkpoints: [{ ...checkpoint, shell: 'rm' }] }],
  ['a key with a third name', 'cellar/attic/x', { checkpoints: [checkpoint] }],
  ['a key with no holder', '/attic', { checkpoints: [checkpoint] }],
  ['no object', 'cellar/attic', null],
])('refuses an entry with %s', (_, key, value) => {
  expect(readShelved(key, value)).toBeUndefined()
})

test('leaves out checkpoints of another node than the key says', () => {
  const entry = readShelved('cellar/attic', { checkpoints: [checkpoint, { ...checkpoint, node: 'hall' }] })
  expect(entry?.checkpoints).toEqual([checkpoint])
})

test(`${ROUNDS} damaged files, entries and lines are refused or read, never thrown on`, () => {
  let refused = 0
  const good = [bytesOf(vault), bytesOf({ checkpoints: [checkpoint] }), bytesOf(record)]
  fc.assert(
    fc.property(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(2_000),
      (bytes, changes, length) => {
        const damaged = bytes.slice(0, Math.max(1, bytes.length - (length % 40)))
        for (const [place, byte] of changes) damaged[place % damaged.length] = byte
        if (decodeVault(damaged) === undefined) refused += 1
        const text = new TextDecoder().decode(damaged)
        expect(verifyAudit(`${text}\n`).ok).toBe(false)
        let value: unknown
        try {
          value = JSON.parse(text)
        } catch {
          return
        }
        readShelved('cellar/attic', value)
      },
    ),
    { numRuns: ROUNDS, seed: 66 },
  )
  expect(refused).toBeGreaterThan(ROUNDS / 2)
})

test('any JSON at all is refused or read', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (key, value) => {
      expect(decodeVault(bytesOf(value))).toBeUndefined()
      expect(readShelved(key, value)).toBeUndefined()
      expect(verifyAudit(`${JSON.stringify(value)}\n`).ok).toBe(false)
    }),
    { numRuns: ROUNDS, seed: 66 },
  )
})
