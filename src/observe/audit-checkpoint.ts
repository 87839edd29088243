/**
 * Checkpoints: what a node signs of its audit log now and then, so that others can say how far the log had come and what
 * its last record was. A hash chain alone shows neither a cut-off tail nor a log that was rewritten from some record on.
 * What to sign when, what to keep, who holds whose: pure; signing and checking are given as functions.
 */
import { z } from 'zod'
import { type AuditPosition, MAX_SEQ, sha256 } from './audit-record.ts'

/** A log that is cut between two checkpoints loses at most so many records unnoticed … */
export const CHECKPOINT_RECORDS = 1_000
/** … and at most so much time, ms. */
export const CHECKPOINT_MS = 60 * 60 * 1000
/** Of one node's, in one entry: at one an hour a day and more, in 11 KB. */
export const MAX_KEPT = 32
/** Of these so many may be ones the log contradicts: evidence, which newer ones do not push out. */
const MAX_EVIDENCE = 16
/** Of another node's: the newest ones vouch for all before them. */
export const MAX_HELD = 4
/** So many others keep a copy under their own name, which a node that loses or rewrites its own does not reach. */
export const HOLDERS = 3

/** Nothing else a node signs begins like this: other signed bytes are no JSON. */
const DOMAIN = 'loqa audit checkpoint v1'
const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))

export const checkpointSchema = z.strictObject({
  node: z.string().min(1).max(128),
  seq: z.int().min(1).max(MAX_SEQ),
  hash: hex(64),
  time: z.iso.datetime().max(32),
  signature: hex(128),
})
/** Signed by `node`: its log's record `seq` had `hash`. `time` is its wall clock, for people. */
export type Checkpoint = z.infer<typeof checkpointSchema>

/** What one entry holds, of one node. */
const shelfSchema = z.strictObject({ checkpoints: z.array(checkpointSchema).max(MAX_KEPT) })

/** Ed25519, hex, by the key of this node's id. */
export type Sign = (bytes: Uint8Array) => string
/** Whether `signature` over `bytes` is that of the key in the id `node`. */
export type IsSigned = (node: string, bytes: Uint8Array, signature: string) => boolean

/** JSON of a list of texts and one integer: two different checkpoints never give the same bytes. */
const signedBytes = ({ node, seq, hash, time }: Omit<Checkpoint, 'signature'>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([DOMAIN, node, seq, hash, time]))

/** `time`: ISO 8601. */
export function signCheckpoint(
  node: string,
  { seq, hash }: AuditPosition,
  time: string,
  sign: Sign,
): Checkpoint {
  const unsigned = { node, seq, hash, time }
  return { ...unsigned, signature: sign(signedBytes(unsigned)) }
}

export const isAuthentic = (checkpoint: Checkpoint, isSigned: IsSigned): boolean =>
  isSigned(checkpoint.node, signedBytes(checkpoint), checkpoint.signature)

/** `since_ms`: since the last one was signed. At start and at an orderly end whatever is new is signed. */
export const isDue = (seq: number, signed: number, since_ms: number): boolean =>
  seq > signed && (seq - signed >= CHECKPOINT_RECORDS || since_ms >= CHECKPOINT_MS)

export const sameCheckpoint = (a: Checkpoint, b: Checkpoint): boolean => a.signature === b.signature

/** What stays of a node's own ones, oldest first, when the log contradicts those in `evidence`; at most `MAX_KEPT`. */
export function kept(signed: readonly Checkpoint[], evidence: readonly Checkpoint[]): readonly Checkpoint[] {
  const proofs = evidence.toSorted((a, b) => b.seq - a.seq).slice(0, MAX_EVIDENCE)
  const isProof = (checkpoint: Checkpoint): boolean =>
    proofs.some((proof) => sameCheckpoint(proof, checkpoint))
  const checkpoints = signed.filter((one, at) => signed.findIndex((same) => sameCheckpoint(same, one)) === at)
  const others = checkpoints.filter((checkpoint) => !isProof(checkpoint))
  const newest = new Set(others.slice(-(MAX_KEPT - proofs.length)))
  return checkpoints.filter((checkpoint) => newest.has(checkpoint) || isProof(checkpoint))
}

/** Of another node's, those that reach furthest; where two say different things of one record, both. */
export function held(
  before: readonly Checkpoint[],
  told: readonly Checkpoint[],
): readonly Checkpoint[] | undefined {
  const fresh = told.filter(
    (one) => !before.some((other) => other.seq === one.seq && other.hash === one.hash),
  )
  if (fresh.length === 0) return undefined
  const all = [...before, ...fresh].toSorted((a, b) => a.seq - b.seq).slice(-MAX_HELD)
  return fresh.some((one) => all.includes(one)) ? all : undefined
}

/** Which of `nodes` hold the checkpoints of `node`: all reckon the same, and nobody's load depends on how many there are. */
export const holdersOf = (node: string, nodes: readonly string[]): readonly string[] =>
  nodes
    .filter((other) => other !== node)
    .map((other) => ({ other, rank: sha256(`${node} ${other}`) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, HOLDERS)
    .map(({ other }) => other)

/** One entry: what `holder` keeps of `of`. */
export interface Shelved {
  readonly holder: string
  readonly of: string
  /** As they were written, whoever wrote them: to be checked. */
  readonly checkpoints: readonly Checkpoint[]
}

/** Node ids have no slash. */
export const shelfKey = (holder: string, of: string): string => `${holder}/${of}`

/** Undefined for anything that is no such entry; checkpoints of other nodes than the key says are left out. */
export function readShelved(key: string, value: unknown): Shelved | undefined {
  const [holder, of, more] = key.split('/')
  if (!holder || !of || more !== undefined) return undefined
  const read = shelfSchema.safeParse(value)
  if (!read.success) return undefined
  return { holder, of, checkpoints: read.data.checkpoints.filter(({ node }) => node === of) }
}

/** A checkpoint and who has it. */
export interface KnownCheckpoint {
  readonly checkpoint: Checkpoint
  /** Ids of nodes, and `LOCAL_HOLDER`. */
  readonly holders: readonly string[]
}

/** The file beside the log. */
export const LOCAL_HOLDER = 'audit.checkpoint'
