/**
 * The cryptography of noise by Node's own OpenSSL. Beside what the library brings it saves a fifth of the cost of a packet: a
 * cipher key is parsed once per connection and not once per packet.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { type ICryptoInterface, pureJsCrypto } from '@chainsafe/libp2p-noise'
import { Uint8ArrayList } from 'uint8arraylist'
import type { Random } from '../../host/index.ts'
import { agree, hash, hex, KEY_BYTES, sealingPublicKey, unhex } from '../household/crypto.ts'
import { Secret } from '../household/secret.ts'

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16

/** The same array serves a connection for its life, one each way. */
const parsed = new WeakMap<Uint8Array, KeyObject>()

function keyOf(bytes: Uint8Array): KeyObject {
  let key = parsed.get(bytes)
  if (key === undefined) {
    key = createSecretKey(bytes)
    parsed.set(bytes, key)
  }
  return key
}

/** Bytes in one or several pieces; pieces stay pieces, which saves copies of 64 KiB. */
type Bytes = Parameters<ICryptoInterface['hashSHA256']>[0]
const piecesOf = (bytes: Bytes): Iterable<Uint8Array> => (bytes instanceof Uint8Array ? [bytes] : bytes)

const pairOf = (seed: Uint8Array) => ({
  publicKey: unhex(sealingPublicKey(new Secret(seed))),
  privateKey: seed,
})

/** RFC 7748, RFC 8439; errors as the library's own: whatever is thrown ends the connection. */
export const noiseCrypto = (random: Random): ICryptoInterface => ({
  hashSHA256: (data) => hash(data.subarray()),
  getHKDF: pureJsCrypto.getHKDF,
  generateX25519KeyPair: () => pairOf(random.bytes(KEY_BYTES)),
  generateX25519KeyPairFromSeed: pairOf,

  generateX25519SharedKey(privateKey, publicKey) {
    const shared = agree(new Secret(privateKey.subarray()), hex(publicKey.subarray()))
    if (shared === undefined) throw new Error('the other side sent a point of low order')
    return shared.expose()
  },

  chaCha20Poly1305Encrypt(plaintext, nonce, ad, k) {
    const cipher = createCipheriv(CIPHER, keyOf(k), nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
    const pieces: Uint8Array[] = []
    for (const piece of piecesOf(plaintext)) pieces.push(cipher.update(piece))
    cipher.final()
    return Buffer.concat([...pieces, cipher.getAuthTag()])
  },

  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k) {
    const length = ciphertext.byteLength - TAG_BYTES
    const decipher = createDecipheriv(CIPHER, keyOf(k), nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(ad, { plaintextLength: length })
    decipher.setAuthTag(ciphertext.subarray(length))
    const pieces: Uint8Array[] = []
    const sealed =
      ciphertext instanceof Uint8Array ? ciphertext.subarray(0, length) : ciphertext.sublist(0, length)
    for (const piece of piecesOf(sealed)) pieces.push(decipher.update(piece))
    decipher.final()
    return pieces.length === 1 ? pieces[0]! : new Uint8ArrayList(...pieces)
  },
})
