/**
 * The audit log: who did what to which object, with what outcome; never the content. One JSON object per line, each
 * holding the hash of the one before, so that a changed, removed or reordered record is found and named. What a hash
 * chain cannot find, a cut-off tail, is left to checkpoints held elsewhere.
 */
import { createHash } from 'node:crypto'
import type { Clock, Disk } from '../host/index.ts'

export interface AuditEntry {
  /** The actor or part of the node that acted. */
  readonly actor: string
  /** The person or peer on whose behalf; `-` when nobody. */
  readonly who: string
  readonly what: string
  readonly object: string
  readonly outcome: string
}

export interface AuditRecord extends AuditEntry {
  readonly seq: number
  /** ISO 8601; may go back when the clock was turned, the chain does not depend on it. */
  readonly time: string
  readonly node: string
  /** Hex sha-256 of the record before; 64 zeros in the first. */
  readonly prev_hash: string
  readonly hash: string
}

export type AuditVerdict =
  | { readonly ok: true; readonly records: number; readonly head: string }
  | { readonly ok: false; readonly line: number; readonly reason: string }

const FIRST_HASH = '0'.repeat(64)
/** The hash covers the fields in this order, as a JSON array: one canonical form, whatever order a file has. */
const FIELDS = ['seq', 'time', 'node', 'actor', 'who', 'what', 'object', 'outcome', 'prev_hash'] as const

const hashOf = (record: Omit<AuditRecord, 'hash'>): string =>
  createHash('sha256')
    .update(JSON.stringify(FIELDS.map((field) => record[field])))
    .digest('hex')

/** Checks the whole text of a log; names the first bad line (counted from 1). */
export function verifyAudit(text: string): AuditVerdict {
  const lines = text.split('\n')
  const unfinished = lines.pop()
  let head = FIRST_HASH
  for (const [index, line] of lines.entries()) {
    const record = parseRecord(line)
    const reason = record === undefined ? 'is not an audit record' : faultOf(record, index, head)
    if (record === undefined || reason !== undefined) return { ok: false, line: index + 1, reason: reason! }
    head = record.hash
  }
  if (unfinished !== '') return { ok: false, line: lines.length + 1, reason: 'is cut off' }
  return { ok: true, records: lines.length, head }
}

function faultOf(record: AuditRecord, index: number, head: string): string | undefined {
  if (record.seq !== index + 1) return `has number ${record.seq}, expected ${index + 1}`
  if (record.prev_hash !== head) return 'does not follow the record before it'
  if (record.hash !== hashOf(record)) return 'was changed'
  return undefined
}

function parseRecord(line: string): AuditRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Record<string, unknown>
  const names = Object.keys(record)
  if (names.length !== FIELDS.length + 1 || !Number.isSafeInteger(record.seq)) return undefined
  const texts = [...FIELDS.slice(1), 'hash'].every((field) => typeof record[field] === 'string')
  return texts ? (value as AuditRecord) : undefined
}

export interface Audit {
  /** Returns when the record is durable. Records are written in the order of the calls. */
  append(entry: AuditEntry): Promise<AuditRecord>
  verify(): Promise<AuditVerdict>
}

/**
 * Opens the log at `path`. A last line torn by a power cut was never acknowledged and is taken away; any other fault
 * is left in place for `verify` to name, and the chain goes on behind it.
 */
export async function openAudit(disk: Disk, clock: Clock, path: string, node: string): Promise<Audit> {
  const readText = async (): Promise<string> =>
    (await disk.info(path)) === undefined ? '' : new TextDecoder().decode(await disk.read(path))

  let seq = 0
  let head = FIRST_HASH
  let queue: Promise<unknown> = Promise.resolve()
  /** A write failed half way (a full disk): what the file ends in is unknown. */
  let uncertain = false

  /** Takes away a torn last line and goes on behind what is left. */
  const resume = async (): Promise<void> => {
    const text = await readText()
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole !== text) await disk.write(path, new TextEncoder().encode(whole))
    const lines = whole.split('\n').slice(0, -1)
    const last = lines.length === 0 ? undefined : parseRecord(lines.at(-1)!)
    seq = lines.length
    head = last?.hash ?? FIRST_HASH
  }

  const write = async (entry: AuditEntry): Promise<AuditRecord> => {
    if (uncertain) await resume()
    uncertain = true
    const unsealed = {
      seq: seq + 1,
      time: new Date(clock.wall()).toISOString(),
      node,
      actor: entry.actor,
      who: entry.who,
      what: entry.what,
      object: entry.object,
      outcome: entry.outcome,
      prev_hash: head,
    }
    const record: AuditRecord = { ...unsealed, hash: hashOf(unsealed) }
    await disk.append(path, new TextEncoder().encode(`${JSON.stringify(record)}\n`))
    await disk.sync(path)
    uncertain = false
    seq = record.seq
    head = record.hash
    return record
  }

  await resume()
  return {
    append(entry) {
      const written = queue.then(() => write(entry))
      queue = written.catch(() => undefined)
      return written
    },
    async verify() {
      await queue
      return verifyAudit(await readText())
    },
  }
}
