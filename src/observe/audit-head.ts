/**
 * The beginning of a log whose oldest records were taken away: a first line, signed by the node, that says which record came
 * before. Without it a log that does not begin with record 1 is a log somebody cut. Pure.
 */
import { type Checkpoint, checkpointSchema, type IsSigned, type Sign } from './audit-checkpoint.ts'
import type { AuditPosition } from './audit-record.ts'

/** At once at most so much of the log goes, ms of its own times: a clock that is wrong for a night costs a month of the oldest. */
const STEP_MS = 31 * 24 * 60 * 60 * 1000

const DOMAIN = 'loqa audit head v1'

const signedBytes = ({ node, seq, hash, time }: Omit<Checkpoint, 'signature'>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([DOMAIN, node, seq, hash, time]))

/** The line, without its end. `last`: the last record that is taken away. */
export function headLine(node: string, { seq, hash }: AuditPosition, time: string, sign: Sign): string {
  const unsigned = { node, seq, hash, time }
  return JSON.stringify({ head: { ...unsigned, signature: sign(signedBytes(unsigned)) } })
}

/** Undefined for any other line, and for one its node did not sign. */
export function readHead(line: string, isSigned: IsSigned): Checkpoint | undefined {
  if (!line.startsWith('{"head":{')) return undefined
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  const read = checkpointSchema.safeParse((value as { head: unknown }).head)
  if (!read.success || line !== JSON.stringify({ head: inOrder(read.data) })) return undefined
  const { node, signature } = read.data
  return isSigned(node, signedBytes(read.data), signature) ? read.data : undefined
}

const inOrder = ({ node, seq, hash, time, signature }: Checkpoint): Checkpoint => ({
  ...{ node, seq, hash, time, signature },
})

/** Records before this time may go, ms since 1970; undefined while there is less than a month of them. All in ms. */
export function cutBefore(now: number, oldest: number, keep_ms: number): number | undefined {
  const limit = now - keep_ms
  return limit - oldest < STEP_MS ? undefined : oldest + STEP_MS
}
