/**
 * The only file of the household that touches cryptography: Ed25519 (RFC 8032) to sign, X25519 (RFC 7748) to agree,
 * HKDF-SHA-256 (RFC 5869) to derive, ChaCha20-Poly1305 (RFC 8439) to seal. Everything here is a pure function of its
 * arguments; seeds come from the Random door. Public keys, signatures and hashes are lower-case hex.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash as digest,
  sign as ed25519Sign,
  verify as ed25519Verify,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { Random } from '../../host/index.ts'
import { canonical } from './canonical.ts'
import { Secret } from './secret.ts'

/** 256 bits: seeds of both curves, symmetric keys, nonces. */
export const KEY_BYTES = 32
const TAG_BYTES = 16

// DER around 32 raw bytes (RFC 8410): Node takes keys in this wrapping only.
const wrapping = (hex: string): Buffer => Buffer.from(hex, 'hex')
const ED25519_PRIVATE = wrapping('302e020100300506032b657004220420')
const ED25519_PUBLIC = wrapping('302a300506032b6570032100')
const X25519_PRIVATE = wrapping('302e020100300506032b656e04220420')
const X25519_PUBLIC = wrapping('302a300506032b656e032100')

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

export const newSecret = (random: Random): Secret => new Secret(random.bytes(KEY_BYTES))

/** SHA-256. */
export const hash = (bytes: Uint8Array): Uint8Array => new Uint8Array(digest('sha256', bytes, 'buffer'))

/** Parsing a key costs as much as signing with it. Gone with its secret; a secret serves one curve only. */
const parsed = new WeakMap<Secret, KeyObject>()

function privateKey(prefix: Buffer, seed: Secret): KeyObject {
  let key = parsed.get(seed)
  if (key === undefined) {
    const der = Buffer.concat([prefix, seed.expose()])
    key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    parsed.set(seed, key)
  }
  return key
}

const publicKey = (prefix: Buffer, key: string): KeyObject =>
  createPublicKey({ key: Buffer.concat([prefix, unhex(key)]), format: 'der', type: 'spki' })

const publicHalf = (prefix: Buffer, seed: Secret): string =>
  createPublicKey(privateKey(prefix, seed))
    .export({ format: 'der', type: 'spki' })
    .subarray(-KEY_BYTES)
    .toString('hex')

export const signingPublicKey = (seed: Secret): string => publicHalf(ED25519_PRIVATE, seed)
export const sealingPublicKey = (seed: Secret): string => publicHalf(X25519_PRIVATE, seed)

export const sign = (seed: Secret, bytes: Uint8Array): string =>
  ed25519Sign(null, bytes, privateKey(ED25519_PRIVATE, seed)).toString('hex')

/** False for anything that is not this key's signature of these bytes, also when key or signature are no such thing. */
export function verify(key: string, bytes: Uint8Array, signature: string): boolean {
  try {
    return ed25519Verify(null, bytes, publicKey(ED25519_PUBLIC, key), unhex(signature))
  } catch {
    return false
  }
}

/** The shared secret, or undefined when the other key is a point of low order (RFC 7748, section 6.1). */
export function agree(seed: Secret, other: string): Secret | undefined {
  try {
    const shared = diffieHellman({
      privateKey: privateKey(X25519_PRIVATE, seed),
      publicKey: publicKey(X25519_PUBLIC, other),
    })
    return new Secret(shared)
  } catch {
    return undefined
  }
}

/** `count` independent keys; the salt binds them to what was said, the domain to what they are for. */
export function deriveKeys(shared: Secret, salt: Uint8Array, domain: string, count: number): Secret[] {
  const bytes = new Uint8Array(hkdfSync('sha256', shared.expose(), salt, domain, KEY_BYTES * count))
  return Array.from(
    { length: count },
    (_, i) => new Secret(bytes.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES)),
  )
}

/** `count` must never repeat under one key. */
export function seal(key: Secret, count: number, bound: Uint8Array, plain: Uint8Array): string {
  const cipher = createCipheriv('chacha20-poly1305', key.expose(), nonceOf(count), {
    authTagLength: TAG_BYTES,
  })
  cipher.setAAD(bound, { plaintextLength: plain.length })
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('hex')
}

/** The plain bytes, or undefined when key, count, binding or box are not those it was sealed with. */
export function unseal(key: Secret, count: number, bound: Uint8Array, box: string): Uint8Array | undefined {
  const bytes = unhex(box)
  if (bytes.length < TAG_BYTES) return undefined
  const body = bytes.subarray(0, -TAG_BYTES)
  try {
    const decipher = createDecipheriv('chacha20-poly1305', key.expose(), nonceOf(count), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(bound, { plaintextLength: body.length })
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]))
  } catch {
    return undefined
  }
}

function nonceOf(count: number): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(count), 4)
  return nonce
}

const SEALED_TO = 'loqa sealed to one key v1'

/** Seals for whoever holds the other half of `to`. `once` is used for this one box and forgotten. */
export function sealTo(to: string, once: Secret, bound: Uint8Array, plain: Uint8Array): string | undefined {
  const shared = agree(once, to)
  if (shared === undefined) return undefined
  const from = sealingPublicKey(once)
  const [key] = deriveKeys(shared, saltOf(from, to), SEALED_TO, 1)
  return from + seal(key!, 0, bound, plain)
}

export function unsealOwn(own: Secret, bound: Uint8Array, sealed: string): Uint8Array | undefined {
  const from = sealed.slice(0, KEY_BYTES * 2)
  const shared = agree(own, from)
  if (shared === undefined) return undefined
  const [key] = deriveKeys(shared, saltOf(from, sealingPublicKey(own)), SEALED_TO, 1)
  return unseal(key!, 0, bound, sealed.slice(KEY_BYTES * 2))
}

const saltOf = (from: string, to: string): Uint8Array => hash(canonical(SEALED_TO, [from, to]))
