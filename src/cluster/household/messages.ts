/**
 * What travels about a household. Enrolment: between a node and a member on a listener that serves nothing else, from
 * strangers, so small and checked before anything is computed. Members: over their authenticated stream.
 *
 *   joiner  → admitter   hello    who asks; binds the joiner to a nonce it does not show yet (commitment)
 *   admitter → joiner    offer    who answers, and its nonce
 *   joiner  → admitter   reveal   the nonce behind the commitment; sealed from here on: card and proof of the key
 *   admitter → joiner    sealed   proof; later, when a window or a person let it: welcome
 *   joiner  → admitter   sealed   joined, after the welcome was checked and kept
 *   either               refused  why not; in the clear, hence nothing but a code
 */
import { z } from 'zod'
import { decodeFrame, type Envelope, encodeFrame } from '../../host/index.ts'
import { MAX_BATCH, MAX_BATCH_BYTES, MAX_GREETING_BYTES, MAX_WELCOME_BYTES } from './bounds.ts'
import { hex, unhex } from './crypto.ts'
import { HouseholdError } from './errors.ts'
import { grantSchema } from './keychain.ts'
import {
  cardSchema,
  type HouseholdRecord,
  hexOf,
  householdIdSchema,
  nodeIdSchema,
  recordSchema,
  timeSchema,
} from './records.ts'
import { Secret } from './secret.ts'

/** Append only. 1: the first. */
export const ENROLMENT_VERSION = 1

const standing = z.strictObject({ household: householdIdSchema, movable: z.boolean() }).nullable()
const greeting = {
  version: z.literal(ENROLMENT_VERSION),
  node: nodeIdSchema,
  /** X25519, for this enrolment alone. */
  ephemeral: hexOf(32),
  time: timeSchema,
  /** Null when closed: a stranger is told nothing. */
  standing,
}
/** ChaCha20-Poly1305 of one sealed message, hex. */
const box = (most_bytes: number) =>
  z
    .string()
    .max(most_bytes * 2)
    .regex(/^(?:[0-9a-f]{2}){16,}$/)

const refusalCode = z.string().regex(/^[a-z-]{1,40}$/)

export const enrolmentSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    ...greeting,
    commitment: hexOf(32),
    /** Where the sender lets others in itself, TCP: it may be this side that has to go there. A hint, proved by nothing. */
    door: z.int().min(1).max(65_535).exactOptional(),
  }),
  z.strictObject({ type: z.literal('offer'), ...greeting, nonce: hexOf(32) }),
  z.strictObject({ type: z.literal('reveal'), nonce: hexOf(32), box: box(1024) }),
  z.strictObject({ type: z.literal('sealed'), box: box(MAX_WELCOME_BYTES / 2) }),
  z.strictObject({ type: z.literal('refused'), code: refusalCode }),
])
export type EnrolmentMessage = z.infer<typeof enrolmentSchema>
export type Hello = Extract<EnrolmentMessage, { type: 'hello' }>
export type Offer = Extract<EnrolmentMessage, { type: 'offer' }>

/** A household key as it travels, inside a sealed box only; a Secret from the moment it is read. */
const travellingKey = hexOf(32).transform((text) => new Secret(unhex(text)))

export const sealedSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('joiner-proof'), card: cardSchema, signature: hexOf(64) }),
  z.strictObject({ type: z.literal('admitter-proof'), signature: hexOf(64) }),
  z.strictObject({
    type: z.literal('welcome'),
    records: z.array(recordSchema).min(1).max(MAX_BATCH),
    key: travellingKey,
  }),
  z.strictObject({ type: z.literal('joined') }),
  z.strictObject({ type: z.literal('withdrawn'), code: refusalCode }),
])
export type SealedMessage = z.infer<typeof sealedSchema>
export type Welcome = Extract<SealedMessage, { type: 'welcome' }>

export const memberSchema = z.discriminatedUnion('type', [
  /** From a member that learned something: take it up, and tell the others what was new. */
  z.strictObject({ type: z.literal('records'), records: z.array(recordSchema).min(1).max(MAX_BATCH) }),
  /** From a member that holds the current key: keep it. */
  z.strictObject({ type: z.literal('grant'), grant: grantSchema }),
])
export type MemberMessage = z.infer<typeof memberSchema>

const broken = (what: string): HouseholdError =>
  new HouseholdError('enrolment-broken', `${what} was not understood`)

/** A frame as the codec cuts and reads it. */
export function encodeEnrolment(message: EnrolmentMessage): Uint8Array {
  const envelope: Envelope = {
    trace_id: 'enrolment',
    session_id: null,
    actor_id: 'loqa://enrolment',
    capability_tier: 'balanced',
    privacy_scope: 'ephemeral',
    type: 'household.enrolment',
    body: message,
  }
  return encodeFrame(envelope)
}

/** Decodes the bytes after a frame's length. Errors: `FrameError`, `enrolment-broken`. */
export function decodeEnrolment(bytes: Uint8Array): EnrolmentMessage {
  const { type, body } = decodeFrame(bytes)
  const message = type === 'household.enrolment' ? enrolmentSchema.safeParse(body) : undefined
  if (!message?.success) throw broken('an enrolment message')
  // Only what was sealed by somebody who got so far may be long.
  if (message.data.type !== 'sealed' && bytes.length > MAX_GREETING_BYTES) throw broken('a greeting')
  return message.data
}

/** The one place where a household key is written out: into a box that is sealed at once. */
export function encodeSealed(message: SealedMessage): Uint8Array {
  const shown = message.type === 'welcome' ? { ...message, key: hex(message.key.expose()) } : message
  return Buffer.from(JSON.stringify(shown))
}

/** Undefined for anything else: whoever sealed it speaks another language. */
export function decodeSealed(bytes: Uint8Array): SealedMessage | undefined {
  if (bytes.length > MAX_WELCOME_BYTES / 2) return undefined
  try {
    return sealedSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch {
    return undefined
  }
}

/** Errors: `enrolment-broken`. */
export function decodeMember(body: unknown): MemberMessage {
  const message = memberSchema.safeParse(body)
  if (!message.success) throw broken('a message about the household')
  return message.data
}

/** Cuts records into messages that fit a frame, in the order given. */
export function batches(records: readonly HouseholdRecord[]): HouseholdRecord[][] {
  const cut: HouseholdRecord[][] = []
  let batch: HouseholdRecord[] = []
  let bytes = 0
  for (const record of records) {
    const size = JSON.stringify(record).length
    if (batch.length > 0 && (batch.length === MAX_BATCH || bytes + size > MAX_BATCH_BYTES)) {
      cut.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(record)
    bytes += size
  }
  if (batch.length > 0) cut.push(batch)
  return cut
}
