/** One record of the audit log as it is written and hashed. Pure. */
import { hash } from 'node:crypto'

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
  /** Counts from 1. */
  readonly seq: number
  /** ISO 8601; may go back when the clock was turned, the chain does not depend on it. */
  readonly time: string
  readonly node: string
  /** Hex sha-256 of the record before; 64 zeros in the first. */
  readonly prev_hash: string
  readonly hash: string
}

export const FIRST_HASH = '0'.repeat(64)
/** At a thousand a second a node gets here in 8,900 years. Numbers beyond are no record's. */
export const MAX_SEQ = 2 ** 48
/** A longer field is cut: references are short, and content does not belong here. */
const MAX_FIELD_CHARS = 1_024
/** Five full fields, each character escaped, and the rest of a record stay below this. */
export const MAX_LINE_BYTES = 64 * 1024

/** The hash covers the fields in this order, as a JSON array. */
const FIELDS = ['seq', 'time', 'node', 'actor', 'who', 'what', 'object', 'outcome', 'prev_hash'] as const

export const sha256 = (text: string): string => hash('sha256', text, 'hex')

export const hashOf = (record: Omit<AuditRecord, 'hash'>): string =>
  sha256(JSON.stringify(FIELDS.map((field) => record[field])))

/** Where a chain has come to. */
export interface AuditPosition {
  /** Number of the last record; 0 before the first. */
  readonly seq: number
  readonly hash: string
}

/** `time`: ISO 8601. */
export function recordAfter(
  { seq, hash: prev_hash }: AuditPosition,
  entry: AuditEntry,
  node: string,
  time: string,
): AuditRecord {
  const short = (text: string): string => text.slice(0, MAX_FIELD_CHARS)
  const unsealed = {
    seq: seq + 1,
    time,
    node,
    actor: short(entry.actor),
    who: short(entry.who),
    what: short(entry.what),
    object: short(entry.object),
    outcome: short(entry.outcome),
    prev_hash,
  }
  return { ...unsealed, hash: hashOf(unsealed) }
}

/** The one way a record is written down, without the line's end. */
export const lineOf = (record: AuditRecord): string => JSON.stringify(record)

/** The record in a line, or undefined when it is none; whether it is true is another question. */
export function parseRecord(line: string): AuditRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Record<string, unknown>
  const names = Object.keys(record)
  if (names.length !== FIELDS.length + 1) return undefined
  const { seq } = record
  if (!Number.isSafeInteger(seq) || (seq as number) < 1 || (seq as number) > MAX_SEQ) return undefined
  const texts = [...FIELDS.slice(1), 'hash'].every((field) => typeof record[field] === 'string')
  return texts ? (value as AuditRecord) : undefined
}
