/**
 * Batches: what one writer changed, signed by it. A batch covers the writer's transactions above `from` up to `to` and carries all rows of
 * them that still count with the writer; it is kept and passed on as the bytes that were signed, so nobody can change, add or leave out a
 * row of another. Several batches without a gap are the writer's log.
 *
 * When a writer compacts its log it signs anew, under the next edition, what still counts of everything up to `base`. That is also the
 * snapshot a late joiner starts from: no other format, and no trust in whoever hands it over.
 */
import { assert } from '../../host/index.ts'
import { encodeBatch, type Header, SIGNATURE_BYTES, sizeOfRow } from './batch-bytes.ts'
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS, MAX_BATCH_SPAN } from './bounds.ts'
import { type Signatures, siteOf } from './origin.ts'
import type { ChangeRow } from './rows.ts'

/** A transaction that fits no batch: refused where it is written, because it could never be told to the others. */
export class TransactionTooLargeError extends Error {}

export interface Cut {
  readonly from: number
  readonly to: number
  readonly rows: readonly ChangeRow[]
}

/**
 * Cuts rows, in order of (db_version, seq), into what fits a batch each, covering `from` to `to` without a gap. No transaction is split.
 * Errors: `TransactionTooLargeError`.
 */
export function cutIntoBatches(rows: readonly ChangeRow[], from: number, to: number): readonly Cut[] {
  assert(from < to, 'a batch covers at least one transaction')
  const cuts: Cut[] = []
  let start = from
  let taken: ChangeRow[] = []
  let bytes = 0
  const close = (end: number): void => {
    for (; end - start > MAX_BATCH_SPAN; start += MAX_BATCH_SPAN) {
      // Only what precedes the next step belongs into it; rows of later transactions wait.
      const inside = taken.filter(({ db_version }) => db_version <= start + MAX_BATCH_SPAN)
      cuts.push({ from: start, to: start + MAX_BATCH_SPAN, rows: inside })
      taken = taken.slice(inside.length)
    }
    cuts.push({ from: start, to: end, rows: taken })
    start = end
    taken = []
    bytes = 0
  }
  for (const transaction of transactionsOf(rows)) {
    const size = transaction.reduce((sum, row) => sum + sizeOfRow(row), 0)
    if (transaction.length > MAX_BATCH_ROWS || size > MAX_ROWS_BYTES) {
      throw new TransactionTooLargeError(`a transaction of ${transaction.length} rows and ${size} bytes`)
    }
    const version = transaction[0]!.db_version
    assert(version > from && version <= to, 'every row is within what is covered')
    const full = taken.length + transaction.length > MAX_BATCH_ROWS || bytes + size > MAX_ROWS_BYTES
    if (full) close(taken.at(-1)!.db_version)
    for (const row of transaction) taken.push(row)
    bytes += size
  }
  close(to)
  return cuts
}

/** Room for the header and the signature. */
const MAX_ROWS_BYTES = MAX_BATCH_BYTES - 512

function transactionsOf(rows: readonly ChangeRow[]): readonly (readonly ChangeRow[])[] {
  const transactions: ChangeRow[][] = []
  let last: ChangeRow | undefined
  for (const row of rows) {
    assert(last === undefined || inOrder(last, row), 'rows come in the order they were written')
    if (last?.db_version === row.db_version) transactions.at(-1)!.push(row)
    else transactions.push([row])
    last = row
  }
  return transactions
}

/** Whether `later` may follow `row` in a batch. */
export const inOrder = (row: ChangeRow, later: ChangeRow): boolean =>
  later.db_version > row.db_version || (later.db_version === row.db_version && later.seq >= row.seq)

const SIGNED_DOMAIN = Buffer.from('loqa sync batch v1\0', 'utf8')

/** What is signed: behind a domain, so that the signature can be taken for nothing else. */
export const signedBytes = (body: Uint8Array): Uint8Array => Buffer.concat([SIGNED_DOMAIN, body])

/** The bytes of a batch, signed. The rows are the origin's own, in order, within the header's bounds. */
export function signBatch(header: Header, rows: readonly ChangeRow[], signatures: Signatures): Uint8Array {
  const site = siteOf(header.origin, signatures)
  assert(
    rows.every(({ site_id }) => Buffer.compare(site_id, site) === 0),
    'a node signs its own rows only',
  )
  const body = encodeBatch(header, rows)
  const bytes = new Uint8Array(body.length + SIGNATURE_BYTES)
  bytes.set(body)
  bytes.set(signatures.sign(signedBytes(body)), body.length)
  assert(bytes.length <= MAX_BATCH_BYTES, 'a batch that was cut fits')
  return bytes
}
