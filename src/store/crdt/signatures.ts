/** The node's own key and everybody's public one, for the logs of changes: Ed25519 (RFC 8032), with ids that are keys (`host/node-key.ts`). */
import {
  createPrivateKey,
  createPublicKey,
  hash as digest,
  sign as ed25519Sign,
  verify as ed25519Verify,
  type KeyObject,
} from 'node:crypto'
import { keyOf, type NodeId } from '../../host/index.ts'
import { MAX_PEERS } from '../sync/bounds.ts'
import type { Signatures } from '../sync/origin.ts'

// DER around 32 raw bytes (RFC 8410): Node takes keys in this wrapping only.
const PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC = Buffer.from('302a300506032b6570032100', 'hex')

export const sha256: Signatures['hash'] = (bytes) => digest('sha256', bytes, 'buffer')

/** `seed`: 32 bytes, the node's private key. */
export function signaturesWith(seed: Uint8Array): Signatures {
  const own = createPrivateKey({ key: Buffer.concat([PRIVATE, seed]), format: 'der', type: 'pkcs8' })
  /** Reading an id takes longer than verifying with it. */
  const keys = new Map<NodeId, KeyObject>()
  const publicKey = (node: NodeId): KeyObject | undefined => {
    const known = keys.get(node)
    if (known !== undefined) return known
    const raw = keyOf(node)
    if (raw === undefined) return undefined
    const key = createPublicKey({
      key: Buffer.concat([PUBLIC, Buffer.from(raw, 'hex')]),
      format: 'der',
      type: 'spki',
    })
    if (keys.size >= MAX_PEERS) keys.clear()
    keys.set(node, key)
    return key
  }
  return {
    sign: (bytes) => ed25519Sign(null, bytes, own),
    verify(node, bytes, signature) {
      try {
        const key = publicKey(node)
        return key !== undefined && ed25519Verify(null, bytes, key, signature)
      } catch {
        return false
      }
    },
    hash: sha256,
  }
}
