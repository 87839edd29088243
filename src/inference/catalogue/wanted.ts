/** One file to be fetched, and what is written beside its unfinished part. Data and its schema. */
import { z } from 'zod'
import { limits } from '../../host/index.ts'
import type { Format } from './formats.ts'

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)
export const bytesSchema = z.int().min(0).max(limits.MAX_MODEL_BYTES)

export interface Wanted {
  /** For messages: model and file. */
  readonly name: string
  /** Absent when nobody could say. */
  readonly bytes?: number
  /** Absent for what is fetched the first time and recorded then. */
  readonly sha256?: string
  readonly format: Format
  /** `http:`, `https:` or `file:` addresses, the preferred one first; at least one. */
  readonly sources: readonly string[]
}

/** What the unfinished part is a part of; without it nobody could say whether the rest fits. */
const journalSchema = z.strictObject({
  version: z.literal(1),
  url: z.string().max(4_096),
  /** A strong ETag: the server's word that the bytes are the same. */
  etag: z.string().max(512).optional(),
  total: bytesSchema.optional(),
  sha256: sha256Schema.optional(),
})
export type Journal = z.infer<typeof journalSchema>

/** A journal is four short values. */
export const MAX_JOURNAL_BYTES = 8_192

/** Undefined for what is no journal: the part beside it is then of no use. */
export function readJournal(bytes: Uint8Array): Journal | undefined {
  if (bytes.length > MAX_JOURNAL_BYTES) return undefined
  try {
    return journalSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data
  } catch {
    return undefined
  }
}

export const writeJournal = (journal: Journal): Uint8Array => Buffer.from(`${JSON.stringify(journal)}\n`)
