/**
 * What moves: the state as plain data and all that the runtime keeps beside it. Packed into bytes once, cut into chunks; unpacked by
 * size, shape and schema in that order. Pure.
 */
import { z } from 'zod'
import type { Address, Message } from '../../actors/index.ts'
import { encodeValue, type NodeId, UnwritableError, ValueSequence } from '../../host/index.ts'
import { MAX_ADDRESS, MAX_DEADLINE_MS, MAX_TYPE } from '../remote/bounds.ts'
import {
  CHUNK_BYTES,
  MAX_BUNDLE_BYTES,
  MAX_BUNDLE_ITEMS,
  MAX_CARRIED,
  MAX_SCHEDULES,
  MAX_WATCHERS,
  MAX_WATCHING,
} from './bounds.ts'

const addressSchema = z
  .string()
  .min(7)
  .max(MAX_ADDRESS)
  .startsWith('loqa:/')
  .transform((address) => address as Address)
export const nodeSchema = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9_-]+$/)
  .transform((id) => id as NodeId)
const ref = z.strictObject({ address: addressSchema, incarnation: z.int().min(0) })
/** Its content is the business of the actor. */
const message = z.custom<Message>(isMessage)

/** One message and all that is known of where it came from. */
export const parcelSchema = z.strictObject({
  lane: z.enum(['control', 'data']),
  sender: ref.nullable(),
  /** An answer is awaited: its number at the node it moves from, through which the answer goes back, and what the asker still waits. */
  ask: z.strictObject({ id: z.int().min(1), deadline_ms: z.number().min(0).max(MAX_DEADLINE_MS) }).nullable(),
  message,
})
export type Parcel = Readonly<z.infer<typeof parcelSchema>>

const bundleSchema = z.strictObject({
  /** Refs taken before the move go on reaching it. */
  incarnation: z.int().min(0),
  state: z.unknown(),
  /** In the order in which they would have been handled. */
  mailbox: z.array(parcelSchema).max(MAX_CARRIED),
  /** What was left of each time when it froze. The way is not counted: they come late by it, never early. */
  schedules: z
    .array(
      z.strictObject({
        id: z.string().max(MAX_TYPE),
        remaining_ms: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
        message,
      }),
    )
    .max(MAX_SCHEDULES),
  /** Who hears when it ends: by node, with the target as it was written. */
  watchers: z
    .array(z.strictObject({ node: nodeSchema, target: z.union([addressSchema, ref]) }))
    .max(MAX_WATCHERS),
  /** Whose end it hears. What ended on the way is reported as soon as it watches again. */
  watching: z.array(z.union([addressSchema, ref])).max(MAX_WATCHING),
})
export type Bundle = Readonly<z.infer<typeof bundleSchema>>

export type PackFault = 'too-large' | 'unsendable'

/** Where bundles are written; what does not fit is written again into much more, of which only what is written costs memory. */
const FIRST_BYTES = 16 * 1024

export function pack(bundle: Bundle): Uint8Array<ArrayBuffer> | PackFault {
  for (let size = FIRST_BYTES; ; size = Math.min(size * 32, MAX_BUNDLE_BYTES)) {
    const into = Buffer.allocUnsafe(size)
    let end: number
    try {
      end = encodeValue(bundle, into, 0, size)
    } catch (error) {
      if (error instanceof UnwritableError) return 'unsendable'
      throw error
    }
    if (end >= 0) return into.subarray(0, end)
    if (size === MAX_BUNDLE_BYTES) return 'too-large'
  }
}

/** Undefined when it is not one whole bundle. */
export function unpack(bytes: Uint8Array): Bundle | undefined {
  if (bytes.length > MAX_BUNDLE_BYTES) return undefined
  const values = new ValueSequence(bytes, 0, MAX_BUNDLE_ITEMS)
  const read = values.next()
  if (read === 'broken' || read === 'unacceptable' || !values.atEnd) return undefined
  const checked = bundleSchema.safeParse(read.value)
  return checked.success ? checked.data : undefined
}

export const chunksOf = (bytes: Uint8Array<ArrayBuffer>): readonly Uint8Array<ArrayBuffer>[] =>
  Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, i) =>
    bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  )

export function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false
  const { type } = value as { type?: unknown }
  return typeof type === 'string' && type.length >= 1 && type.length <= MAX_TYPE
}
