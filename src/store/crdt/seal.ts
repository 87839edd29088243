/**
 * Sealing: AES-256-GCM with a key per purpose, derived from the node's key and a salt of the file (HKDF-SHA256, RFC 5869). What a
 * sealed piece is bound to (its place, its epoch) goes in as associated data: elsewhere it does not open.
 *
 * Nonces are random, 96 bits; NIST SP 800-38D draws the line at 2³² pieces for a key. A log has a key of its own and at most 64 MiB. The
 * pages of a file have one for as long as it lives: at a write a second for ten years that is some 3·10⁸ pieces, a tenth.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { assert, type Host } from '../../host/index.ts'

export const KEY_BYTES = 32
export const SALT_BYTES = 16
export const NONCE_BYTES = 12
export const TAG_BYTES = 16
export const CHECK_BYTES = 16

/** Nonces drawn at once: a system call for each would cost as much as the sealing. */
const NONCES_AT_ONCE = 256

export interface Sealed {
  readonly nonce: Uint8Array
  readonly tag: Uint8Array
  /** As long as the plaintext. */
  readonly bytes: Uint8Array
}

export interface Sealer {
  seal(plaintext: Uint8Array, boundTo: Uint8Array): Sealed
  /** Undefined when a bit of it, or of what it is bound to, is not what was sealed, or the key is another. */
  open(sealed: Sealed, boundTo: Uint8Array): Uint8Array | undefined
}

/** The sealers of one file. */
export interface Sealers {
  sealer(purpose: string): Sealer
  /** Says whether the key is the one the file was written with; says nothing about the key. */
  readonly check: Uint8Array
}

/** From the salt of a file to its sealers. */
export type SealersOf = (salt: Uint8Array) => Sealers

/** `key`: `KEY_BYTES` of the node's key file. */
export function gcmSealers(key: Uint8Array, random: Host['random']): SealersOf {
  assert(key.length === KEY_BYTES, `a key of the store has ${KEY_BYTES} bytes`)
  const nonce = nonces(random)
  return (salt) => {
    const derive = (purpose: string, length: number): Uint8Array =>
      new Uint8Array(hkdfSync('sha256', key, salt, `loqa store ${purpose}`, length))
    return {
      sealer: (purpose) => gcm(derive(purpose, KEY_BYTES), nonce),
      check: derive('check', CHECK_BYTES),
    }
  }
}

function nonces(random: Host['random']): () => Uint8Array {
  let pool: Uint8Array = new Uint8Array()
  return () => {
    if (pool.length === 0) pool = random.bytes(NONCE_BYTES * NONCES_AT_ONCE)
    const drawn = pool.subarray(0, NONCE_BYTES)
    pool = pool.subarray(NONCE_BYTES)
    return drawn
  }
}

function gcm(key: Uint8Array, nextNonce: () => Uint8Array): Sealer {
  return {
    seal(plaintext, boundTo) {
      const nonce = nextNonce()
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(boundTo)
      // In this mode everything comes out of `update`; `final` only makes the tag.
      const bytes = cipher.update(plaintext)
      cipher.final()
      return { nonce, tag: cipher.getAuthTag(), bytes }
    },
    open({ nonce, tag, bytes }, boundTo) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(boundTo)
      decipher.setAuthTag(tag)
      const plaintext = decipher.update(bytes)
      try {
        decipher.final()
      } catch {
        return undefined
      }
      return plaintext
    },
  }
}
