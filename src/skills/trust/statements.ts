/**
 * What is signed. A publisher signs a package: name, version and the digest of all its files together, so that none of them can be
 * another's. A root signs a delegation: this key is that publisher, from then until then. Each statement says what kind it is, so
 * that a signature of one is never taken for one of another. Decoded with bounds; nothing here says who is trusted.
 */
import { z } from 'zod'
import { skillName } from '../manifest/index.ts'
import { isSignedBy, type Signer } from './keys.ts'

/** Who vouches for a publisher. `own`: a node of this household. */
export const LEVELS = ['official', 'vetted', 'own'] as const
export type Level = (typeof LEVELS)[number]

export const keyShape = z.string().regex(/^[0-9a-f]{64}$/)
const signatureShape = z.string().regex(/^[0-9a-f]{128}$/)
export const digestShape = z.string().regex(/^[0-9a-f]{64}$/)
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)

export const delegationSchema = z.strictObject({
  publisher: skillName,
  key: keyShape,
  level: z.enum(LEVELS),
  /** Days in UTC, both included. */
  from: day,
  until: day,
  /** The root. */
  by: keyShape,
  signature: signatureShape,
})
export type Delegation = z.infer<typeof delegationSchema>

export const signatureSchema = z.strictObject({
  version: z.literal(1),
  key: keyShape,
  signature: signatureShape,
  /** Absent when the key is a root itself, or when the household knows the publisher. */
  delegation: delegationSchema.optional(),
})
export type PackageSignature = z.infer<typeof signatureSchema>

/** What a package's signature is about. */
export interface Signed {
  readonly name: string
  readonly version: string
  readonly publisher: string
  readonly digest: string
}

const statement = (kind: string, about: object): Uint8Array =>
  Buffer.from(`loqa skill ${kind} 1\n${JSON.stringify(about)}`)

const packageStatement = ({ name, version, publisher, digest }: Signed): Uint8Array =>
  statement('package', { name, version, publisher, digest })

const delegationStatement = ({ publisher, key, level, from, until, by }: Omit<Delegation, 'signature'>) =>
  statement('publisher', { publisher, key, level, from, until, by })

export function signStatement(signed: Signed, signer: Signer, delegation?: Delegation): PackageSignature {
  const signature = signer.sign(packageStatement(signed))
  return { version: 1, key: signer.key, signature, ...(delegation === undefined ? {} : { delegation }) }
}

export const isSigned = (signed: Signed, { key, signature }: PackageSignature): boolean =>
  isSignedBy(key, packageStatement(signed), signature)

export function delegate(to: Omit<Delegation, 'signature' | 'by'>, root: Signer): Delegation {
  const about = { ...to, by: root.key }
  return { ...about, signature: root.sign(delegationStatement(about)) }
}

export const isDelegated = (delegation: Delegation): boolean =>
  isSignedBy(delegation.by, delegationStatement(delegation), delegation.signature)

/** Undefined for bytes that are no signature. */
export function decodeSignature(bytes: Uint8Array): PackageSignature | undefined {
  try {
    const read = signatureSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    return read.success ? read.data : undefined
  } catch {
    return undefined
  }
}

export const encodeSignature = (signature: PackageSignature): Uint8Array =>
  Buffer.from(`${JSON.stringify(signature)}\n`)
