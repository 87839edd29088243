/**
 * What members sign. Records are facts that only accumulate: every node holds the same set in the end, whatever the order
 * they came in (`roster.ts`), and what the set means is computed from it alone (`authority.ts`).
 *
 *   charter      the household exists; signed once with a root key that is thrown away right after, so nobody can steal it
 *   warrant      a member may sign for the household; signed by a member that has one (the founder has it by the charter)
 *   card         a node's name and sealing key, signed by the node itself: no member can put its own key in another's place
 *   certificate  a node is a member until `expires`; signed by a member that has a warrant
 *   tombstone    a node is no member, for ever, and nothing it signed counts, except for those in `keep`
 *   window       until when nodes may enrol by themselves
 *   rotation     which household key counts from now on, named by its hash
 *
 * Signed are the canonical bytes of the fields, not the bytes that travelled: nothing rides along unsigned.
 */
import { z } from 'zod'
import { assertNever, keyOf, NODE_ID_PATTERN, type NodeId } from '../../host/index.ts'
import { MAX_LIMITS, MAX_MEMBERS, MAX_SERIAL } from './bounds.ts'
import { canonical, type Field } from './canonical.ts'
import { hash, hex, sign, verify } from './crypto.ts'
import type { Secret } from './secret.ts'

declare const mark: unique symbol
/** 32 hex digits: half the hash of the root key. */
export type HouseholdId = string & { readonly [mark]: 'household' }

/** Append only. 1: the first. */
export const RECORD_VERSION = 1

export const hexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
export const nodeIdSchema = z.string().regex(NODE_ID_PATTERN) as unknown as z.ZodType<NodeId>
export const householdIdSchema = hexOf(16) as unknown as z.ZodType<HouseholdId>
/** Wall time in ms since 1970. */
export const timeSchema = z.int().min(0).max(8.64e15)
/** What people read: no control, format or surrogate characters, which could make one name look like another. */
export const nameSchema = z.string().regex(/^(?=\S)[^\p{C}]{1,64}(?<=\S)$/u)

const version = z.literal(RECORD_VERSION)
const signature = hexOf(64)

export const cardSchema = z.strictObject({
  node: nodeIdSchema,
  name: nameSchema,
  /** X25519: household keys are sealed to it. */
  sealing_key: hexOf(32),
  signature,
})
export type Card = z.infer<typeof cardSchema>

const charterSchema = z.strictObject({
  kind: z.literal('charter'),
  version,
  root: hexOf(32),
  founder: nodeIdSchema,
  founded: timeSchema,
  signature,
})
const issued = { version, household: householdIdSchema, by: nodeIdSchema, at: timeSchema, signature }
const warrantSchema = z.strictObject({ kind: z.literal('warrant'), ...issued, node: nodeIdSchema })
export const certificateSchema = z.strictObject({
  kind: z.literal('certificate'),
  ...issued,
  card: cardSchema,
  expires: timeSchema,
  /** Capability tags the node may offer; `*` at the end matches any rest. */
  limits: z.array(z.string().regex(/^[\x21-\x7e]{1,64}$/)).max(MAX_LIMITS),
})
const tombstoneSchema = z.strictObject({
  kind: z.literal('tombstone'),
  ...issued,
  node: nodeIdSchema,
  /** Nodes whose certificates by it go on counting, and those among them whose warrants do. */
  keep: z.array(nodeIdSchema).max(MAX_MEMBERS),
  keep_signers: z.array(nodeIdSchema).max(MAX_MEMBERS),
})
const serial = z.int().min(0).max(MAX_SERIAL)
const windowSchema = z.strictObject({ kind: z.literal('window'), ...issued, serial, until: timeSchema })
const rotationSchema = z.strictObject({
  kind: z.literal('rotation'),
  ...issued,
  epoch: serial,
  /** Hash of the key: whoever is handed a key knows whether it is this one. */
  key_id: hexOf(32),
  /** Hash of the ids removed so far: who knows of more rotates again. */
  without: hexOf(32),
})

export const recordSchema = z.discriminatedUnion('kind', [
  charterSchema,
  warrantSchema,
  certificateSchema,
  tombstoneSchema,
  windowSchema,
  rotationSchema,
])
export type HouseholdRecord = z.infer<typeof recordSchema>
export type Charter = z.infer<typeof charterSchema>
export type Warrant = z.infer<typeof warrantSchema>
export type Certificate = z.infer<typeof certificateSchema>
export type Tombstone = z.infer<typeof tombstoneSchema>
export type Window = z.infer<typeof windowSchema>
export type Rotation = z.infer<typeof rotationSchema>

type Unsigned<T> = T extends HouseholdRecord ? Omit<T, 'signature'> : never

function fieldsOf(record: Unsigned<HouseholdRecord>): readonly Field[] {
  if (record.kind === 'charter') return [record.version, record.root, record.founder, record.founded]
  const common = [record.version, record.household, record.by, record.at]
  switch (record.kind) {
    case 'warrant':
      return [...common, record.node]
    case 'certificate': {
      const { node, name, sealing_key, signature: own } = record.card
      return [...common, [node, name, sealing_key, own], record.expires, record.limits]
    }
    case 'tombstone':
      return [...common, record.node, record.keep, record.keep_signers]
    case 'window':
      return [...common, record.serial, record.until]
    case 'rotation':
      return [...common, record.epoch, record.key_id, record.without]
    default:
      return assertNever(record)
  }
}

const signedBytes = (record: Unsigned<HouseholdRecord>): Uint8Array =>
  canonical(`loqa household ${record.kind}`, fieldsOf(record))

/** `seed` belongs to `by`, or to the root for a charter. */
export const signRecord = <T extends Unsigned<HouseholdRecord>>(
  seed: Secret,
  record: T,
): T & { readonly signature: string } => ({ ...record, signature: sign(seed, signedBytes(record)) })

/** Whether the one it names has signed it; says nothing about whether that one was entitled to. */
export function isSigned(record: HouseholdRecord): boolean {
  const key = record.kind === 'charter' ? record.root : keyOf(record.by)
  if (key === undefined || !verify(key, signedBytes(record), record.signature)) return false
  return record.kind !== 'certificate' || isOwnCard(record.card)
}

const cardBytes = ({ node, name, sealing_key }: Omit<Card, 'signature'>): Uint8Array =>
  canonical('loqa household card', [node, name, sealing_key])

export const signCard = (seed: Secret, card: Omit<Card, 'signature'>): Card => ({
  ...card,
  signature: sign(seed, cardBytes(card)),
})

export function isOwnCard(card: Card): boolean {
  const key = keyOf(card.node)
  return key !== undefined && verify(key, cardBytes(card), card.signature)
}

/** Names one record among all; two signatures over the same fields are the same record. */
export const recordId = (record: HouseholdRecord): string => hex(hash(signedBytes(record)))

export const householdIdOf = (root: string): HouseholdId =>
  hex(hash(canonical('loqa household id', [root])).subarray(0, 16)) as HouseholdId

/** The node a record is about. */
export function subjectOf(record: HouseholdRecord): NodeId {
  if (record.kind === 'charter') return record.founder
  if (record.kind === 'certificate') return record.card.node
  return 'node' in record ? record.node : record.by
}
