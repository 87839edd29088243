/** Keys of publishers and of those who vouch for them: Ed25519 (RFC 8032), public halves as 64 lower-case hex digits. */
import {
  createPrivateKey,
  createPublicKey,
  sign as ed25519Sign,
  verify as ed25519Verify,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { InvalidInputError } from '../../host/index.ts'

const KEY_BYTES = 32
// DER around 32 raw bytes (RFC 8410): Node takes keys in this wrapping only.
const PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC = Buffer.from('302a300506032b6570032100', 'hex')

export interface Signer {
  /** Hex. */
  readonly key: string
  /** Hex. */
  sign(bytes: Uint8Array): string
}

/** `seed`: 32 bytes. */
export const signerOf = (seed: Uint8Array): Signer =>
  signerWith(createPrivateKey({ key: Buffer.concat([PRIVATE, seed]), format: 'der', type: 'pkcs8' }))

/** A key file as `loqa skill key` or `openssl genpkey -algorithm ed25519` writes it (PEM). Errors: `invalid-input`. */
export function signerFrom(pem: string): Signer {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new InvalidInputError('This file holds no private key', 'Make one: loqa skill key my.key')
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new InvalidInputError('Packages are signed with Ed25519 keys', 'Make one: loqa skill key my.key')
  return signerWith(key)
}

/** The private half as PEM, for a file of its owner alone. */
export const newKeyFile = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

function signerWith(key: KeyObject): Signer {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    key: der.subarray(-KEY_BYTES).toString('hex'),
    sign: (bytes) => ed25519Sign(null, bytes, key).toString('hex'),
  }
}

/** False for anything that is not this key's signature of these bytes, also when key or signature are no such thing. */
export function isSignedBy(key: string, bytes: Uint8Array, signature: string): boolean {
  try {
    const der = Buffer.concat([PUBLIC, Buffer.from(key, 'hex')])
    const object = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return ed25519Verify(null, bytes, object, Buffer.from(signature, 'hex'))
  } catch {
    return false
  }
}
