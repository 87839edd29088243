/**
 * How two nodes find the household key they share before either says who it is. The handshake of noise alone would not do:
 * it shows the answering side's identity to anybody who asks, and takes one key only, where a household has two while it
 * changes its key.
 *
 *   answering → dialling   nonce
 *   dialling → answering   nonce, and for each of its keys a tag over both nonces (random bytes fill the places left)
 *   answering → dialling   its own tag under the first of those keys it holds; random bytes when it holds none
 *
 * Then follows the handshake of noise with a prologue made of that key and both nonces.
 *
 * H1 Without a household key all of this cannot be told from random bytes, nor which key was meant, nor how many there are.
 * H2 A tag answers one nonce of the other side: what was recorded opens nothing later.
 */
import { assert, type Random } from '../../host/index.ts'
import { deriveKeys, KEY_BYTES } from '../household/crypto.ts'
import type { Secret } from '../household/secret.ts'
import { MAX_KEYS } from './bounds.ts'

export const NONCE_BYTES = KEY_BYTES
export const TAG_BYTES = KEY_BYTES
export const CLAIM_BYTES = NONCE_BYTES + MAX_KEYS * TAG_BYTES

const DOMAIN = 'loqa household link v1'

/** What follows from one household key and the nonces of one connection. */
interface Derived {
  readonly dialler: Uint8Array
  readonly answerer: Uint8Array
  readonly prologue: Uint8Array
}

function derived(key: Secret, asked: Uint8Array, nonce: Uint8Array): Derived {
  const [dialler, answerer, prologue] = deriveKeys(key, Buffer.concat([asked, nonce]), DOMAIN, 3)
  return { dialler: dialler!.expose(), answerer: answerer!.expose(), prologue: prologue!.expose() }
}

export interface Claim {
  /** To be sent. */
  readonly bytes: Uint8Array
  /** The prologue, once the other side's tag has come; undefined when it shares no key with us. */
  conclude(tag: Uint8Array): Uint8Array | undefined
}

/** The dialling side, after the other's nonce. `keys`: at most MAX_KEYS, the preferred one first. */
export function claim(keys: readonly Secret[], asked: Uint8Array, random: Random): Claim {
  assert(keys.length <= MAX_KEYS && asked.length === NONCE_BYTES, 'keys and nonce are within their bounds')
  const nonce = random.bytes(NONCE_BYTES)
  const candidates = keys.map((key) => derived(key, asked, nonce))
  const tags = Array.from({ length: MAX_KEYS }, (_, i) => candidates[i]?.dialler ?? random.bytes(TAG_BYTES))
  return {
    bytes: Buffer.concat([nonce, ...tags]),
    conclude: (tag) => candidates.find(({ answerer }) => equal(answerer, tag))?.prologue,
  }
}

/** The answering side, after the claim. No prologue: hang up after the tag, which then means nothing. */
export function judge(
  keys: readonly Secret[],
  asked: Uint8Array,
  claimed: Uint8Array,
  random: Random,
): { readonly tag: Uint8Array; readonly prologue: Uint8Array | undefined } {
  assert(claimed.length === CLAIM_BYTES, 'a claim has a nonce and its tags')
  const nonce = claimed.subarray(0, NONCE_BYTES)
  const candidates = keys.map((key) => derived(key, asked, nonce))
  for (let at = NONCE_BYTES; at < CLAIM_BYTES; at += TAG_BYTES) {
    const tag = claimed.subarray(at, at + TAG_BYTES)
    const shared = candidates.find(({ dialler }) => equal(dialler, tag))
    if (shared !== undefined) return { tag: shared.answerer, prologue: shared.prologue }
  }
  return { tag: random.bytes(TAG_BYTES), prologue: undefined }
}

/** In a time that does not tell where they differ. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i += 1) difference |= a[i]! ^ b[i]!
  return difference === 0
}
