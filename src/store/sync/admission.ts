/**
 * What of a batch from outside goes into the database. Runs where the database is, in its worker, because verifying and reading a batch
 * takes milliseconds. Pure: (bytes, context) → verdict.
 *
 * A batch whose signature or frame is wrong is refused as a whole: whoever passed it on should have looked. A signed batch with rows that
 * are wrong is kept as it is, and the wrong rows are left out: every node judges them alike, and the writer's later rows still arrive.
 */
import type { NodeId } from '../../host/index.ts'
import { inOrder, signedBytes } from './batch.ts'
import { type OpenedHeader, readHeader, readRows, SIGNATURE_BYTES } from './batch-bytes.ts'
import { type Signatures, siteOf } from './origin.ts'
import type { ChangeRow } from './rows.ts'
import type { ReplicatedSchema } from './schema.ts'
import { type RowContext, type RowFault, validateRow } from './validate.ts'

export type BatchFault =
  /** No batch, or out of its bounds. */
  | 'malformed'
  /** Not signed by the node whose changes it claims to hold. */
  | 'forged'
  /** The node was never one of this household. */
  | 'stranger'
  /** Rows out of order, or outside of what the batch covers. */
  | 'disordered'

export interface AdmissionContext {
  readonly signatures: Signatures
  readonly schema: ReplicatedSchema
  readonly known: RowContext['known']
  /** Whether this node is or was a member: what a former one wrote while it was one still counts. */
  readonly mayWrite: (node: NodeId) => boolean
}

/** A row left out, and why. */
export interface LeftOut {
  readonly row: ChangeRow
  readonly fault: RowFault
}

export type Admission =
  | {
      readonly ok: true
      readonly header: OpenedHeader
      /** To be inserted, in this order, each by `asInserted`. */
      readonly rows: readonly ChangeRow[]
      /** Of a newer schema: the log keeps them, and they are read again when this node has it. */
      readonly parked: number
      /** Leaping versions: to `quarantine.ts`. */
      readonly leaping: readonly ChangeRow[]
      /** Wrong in themselves: the writer's fault. */
      readonly wrong: readonly LeftOut[]
    }
  | { readonly ok: false; readonly fault: BatchFault }

export function admitBatch(bytes: Uint8Array, context: AdmissionContext): Admission {
  const header = readHeader(bytes)
  if (header === undefined) return { ok: false, fault: 'malformed' }
  const { origin } = header
  if (!context.mayWrite(origin.node)) return { ok: false, fault: 'stranger' }
  const body = bytes.subarray(0, -SIGNATURE_BYTES)
  const signature = bytes.subarray(-SIGNATURE_BYTES)
  const { signatures } = context
  if (!signatures.verify(origin.node, signedBytes(body), signature)) return { ok: false, fault: 'forged' }
  const site = siteOf(origin, signatures)
  const rows = readRows(bytes, header, site)
  if (rows === undefined) return { ok: false, fault: 'malformed' }
  if (!isOrdered(rows, header)) return { ok: false, fault: 'disordered' }
  return sort(rows, header, { ...context, site, written_under: header.schema })
}

function isOrdered(rows: readonly ChangeRow[], { from, to }: OpenedHeader): boolean {
  return rows.every((row, i) => {
    if (row.db_version <= from || row.db_version > to) return false
    return i === 0 || inOrder(rows[i - 1]!, row)
  })
}

function sort(rows: readonly ChangeRow[], header: OpenedHeader, context: RowContext): Admission {
  const good: ChangeRow[] = []
  const leaping: ChangeRow[] = []
  const wrong: LeftOut[] = []
  let parked = 0
  for (const row of rows) {
    const verdict = validateRow(row, context)
    if (verdict.ok) good.push(verdict.row)
    else if (verdict.fault === 'newer-schema') parked += 1
    else if (verdict.fault === 'version-jump') leaping.push(row)
    else wrong.push({ row, fault: verdict.fault })
  }
  return { ok: true, header, rows: good, parked, leaping, wrong }
}
