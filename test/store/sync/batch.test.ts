/** A batch holds whole transactions of one writer in order, signed by it; under another's name, changed, or out of order it is refused. */

import { describe, expect, test } from 'vitest'
import {
  hash,
  newSecret,
  sign,
  signingPublicKey,
  unhex,
  verify,
} from '../../../src/cluster/household/crypto.ts'
import { keyOf, nodeIdOf } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { type Header, SIGNATURE_BYTES } from '../../../src/store/sync/batch-bytes.ts'
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_ROWS,
  MAX_BATCH_SPAN,
  MAX_VALUE_BYTES,
} from '../../../src/store/sync/bounds.ts'
import {
  admitBatch,
  type ChangeRow,
  cutIntoBatches,
  packKey,
  readHeader,
  type Signatures,
  signBatch,
  siteOf,
  TransactionTooLargeError,
} from '../../../src/store/sync/index.ts'
import { A, B, NEXT_SCHEMA, SCHEMA, signaturesOf } from './signing.ts'

const origin = { node: A, life: 0 }
const signatures = signaturesOf(A)
const header: Header = { origin, schema: 1, edition: 0, base: 0, from: 0, to: 5 }

const rowAt = (db_version: number, seq: number, changes: Partial<ChangeRow> = {}): ChangeRow => ({
  table: 'timers',
  pk: packKey([`t${db_version}`]),
  cid: 'label',
  val: 'tea',
  col_version: 1,
  db_version,
  site_id: siteOf(origin, signatures),
  cl: 1,
  seq,
  ...changes,
})

const context = { signatures, schema: SCHEMA, known: () => undefined, mayWrite: () => true }
const faultOf = (bytes: Uint8Array, changes = {}): string => {
  const admission = admitBatch(bytes, { ...context, ...changes })
  return admission.ok ? 'ok' : admission.fault
}

test('what was signed comes back as it was: every kind of value, integers of 64 bits, in order', () => {
  const rows = [
    rowAt(1, 0),
    rowAt(1, 1, { val: null }),
    rowAt(2, 0, { cid: 'rings_at', val: 2n ** 62n }),
    rowAt(2, 1, { cid: 'rings_at', val: -7 }),
    rowAt(4, 0, { cid: 'sound', val: Uint8Array.of(0, 255) }),
    rowAt(5, 0, { val: '\ufeffmit BOM, NUL \0 und 🥐' }),
    rowAt(5, 1, { cid: '-1', val: null, col_version: 2, cl: 2 }),
  ]
  const bytes = signBatch(header, rows, signatures)
  const admission = admitBatch(bytes, context)
  expect(admission).toMatchObject({ ok: true, rows, parked: 0, leaping: [], wrong: [] })
  expect(readHeader(bytes)).toMatchObject(header)
})

test('the key of a household signs and verifies it', () => {
  const seed = newSecret(new SimulatedRandom(1))
  const node = nodeIdOf(signingPublicKey(seed))
  const real: Signatures = {
    sign: (bytes) => unhex(sign(seed, bytes)),
    verify: (signer, bytes, signature) => {
      const key = keyOf(signer)
      return key !== undefined && verify(key, bytes, Buffer.from(signature).toString('hex'))
    },
    hash,
  }
  const own = { node, life: 3 }
  const rows = [rowAt(1, 0, { site_id: siteOf(own, real) })]
  const bytes = signBatch({ ...header, origin: own }, rows, real)
  expect(admitBatch(bytes, { ...context, signatures: real })).toMatchObject({ ok: true, rows })
  bytes[bytes.length - SIGNATURE_BYTES - 1]! ^= 1
  expect(faultOf(bytes, { signatures: real })).toBe('forged')
})

describe('refused as a whole', () => {
  const good = signBatch(header, [rowAt(1, 0), rowAt(2, 0)], signatures)

  test('with any bit changed, cut, or longer', () => {
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bytes = new Uint8Array(good)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(['malformed', 'forged']).toContain(faultOf(bytes))
    }
    for (let length = 0; length < good.length; length += 1)
      expect(faultOf(good.subarray(0, length))).not.toBe('ok')
    expect(faultOf(Buffer.concat([good, Uint8Array.of(0)]))).not.toBe('ok')
  })

  test('signed by another than it names', () => {
    expect(faultOf(signBatch(header, [rowAt(1, 0)], { ...signaturesOf(B), hash: signatures.hash }))).toBe(
      'forged',
    )
  })

  test('of a node that was never a member', () => {
    expect(faultOf(good, { mayWrite: () => false })).toBe('stranger')
  })

  test('with rows out of order, or of transactions it does not cover', () => {
    expect(faultOf(signBatch(header, [rowAt(2, 0), rowAt(1, 0)], signatures))).toBe('disordered')
    expect(faultOf(signBatch(header, [rowAt(1, 1), rowAt(1, 0)], signatures))).toBe('disordered')
    expect(faultOf(signBatch(header, [rowAt(6, 0)], signatures))).toBe('disordered')
    expect(faultOf(signBatch({ ...header, from: 1 }, [rowAt(1, 0)], signatures))).toBe('disordered')
  })
})

test('a node cannot sign rows of another, nor of its own earlier life', () => {
  const foreign = rowAt(1, 0, { site_id: siteOf({ node: B, life: 0 }, signatures) })
  expect(() => signBatch(header, [foreign], signatures)).toThrow()
  expect(() => signBatch({ ...header, origin: { node: A, life: 1 } }, [rowAt(1, 0)], signatures)).toThrow()
})

test('a batch covers something, on one side of what was compacted, and no more than a span', () => {
  const sign = (changes: Partial<Header>) => signBatch({ ...header, ...changes }, [], signatures)
  for (const changes of [
    { from: 5 },
    { from: 6 },
    { to: MAX_BATCH_SPAN + 1 },
    { edition: 1, base: 3 },
    { edition: 1 },
    { base: 5 },
    { schema: 0 },
  ]) {
    expect(() => sign(changes)).toThrow()
  }
  expect(faultOf(sign({ edition: 1, base: 5 }))).toBe('ok')
})

test('wrong rows are left out and named; the others count, those of a newer schema are kept for later', () => {
  const rows = [
    rowAt(1, 0),
    rowAt(1, 1, { table: 'rooms', cid: 'name' }),
    rowAt(2, 0, { cid: 'rings_at', val: 'a text' }),
    rowAt(3, 0, { col_version: 2 ** 45 }),
  ]
  const bytes = signBatch({ ...header, schema: NEXT_SCHEMA.version }, rows, signatures)
  expect(admitBatch(bytes, context)).toMatchObject({
    ok: true,
    rows: [rows[0]],
    parked: 1,
    wrong: [{ row: rows[2], fault: 'bad-value' }],
    leaping: [rows[3]],
  })
  expect(admitBatch(bytes, { ...context, schema: NEXT_SCHEMA })).toMatchObject({
    rows: [rows[0], rows[1]],
    parked: 0,
  })
})

describe('cutting', () => {
  const covered = (cuts: ReturnType<typeof cutIntoBatches>, from: number, to: number): void => {
    expect(cuts[0]!.from).toBe(from)
    expect(cuts.at(-1)!.to).toBe(to)
    for (let i = 1; i < cuts.length; i += 1) expect(cuts[i]!.from).toBe(cuts[i - 1]!.to)
    for (const cut of cuts) {
      for (const { db_version } of cut.rows) expect(db_version > cut.from && db_version <= cut.to).toBe(true)
      expect(signBatch({ ...header, ...cut }, cut.rows, signatures).length).toBeLessThanOrEqual(
        MAX_BATCH_BYTES,
      )
    }
  }

  test('by rows, without splitting a transaction', () => {
    const rows = Array.from({ length: 2_500 }, (_, i) => rowAt(1 + Math.floor(i / 300), i % 300))
    const cuts = cutIntoBatches(rows, 0, 20)
    covered(cuts, 0, 20)
    expect(cuts.map((cut) => cut.rows.length)).toEqual([900, 900, 700])
  })

  test('by bytes', () => {
    const val = 'x'.repeat(MAX_VALUE_BYTES)
    const cuts = cutIntoBatches(
      [1, 2, 3, 4, 5, 6, 7].map((version) => rowAt(version, 0, { val })),
      0,
      7,
    )
    covered(cuts, 0, 7)
    expect(cuts.map((cut) => cut.rows.length)).toEqual([2, 2, 2, 1])
  })

  test('by the span, with nothing between', () => {
    const far = 3 * MAX_BATCH_SPAN
    const cuts = cutIntoBatches([rowAt(1, 0), rowAt(far - 1, 0), rowAt(far, 0)], 0, far + 5)
    covered(cuts, 0, far + 5)
    expect(cuts.flatMap((cut) => cut.rows).length).toBe(3)
  })

  test('a transaction that fits no batch is refused where it is written', () => {
    const rows = Array.from({ length: MAX_BATCH_ROWS + 1 }, (_, seq) => rowAt(1, seq))
    expect(() => cutIntoBatches(rows, 0, 1)).toThrow(TransactionTooLargeError)
    const long = Array.from({ length: 7 }, (_, seq) => rowAt(1, seq, { val: 'x'.repeat(MAX_VALUE_BYTES) }))
    expect(() => cutIntoBatches(long, 0, 1)).toThrow(TransactionTooLargeError)
  })
})
