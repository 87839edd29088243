/**
 * A node's id is its public key, written as libp2p writes the peer id of an Ed25519 key: base58btc of an identity
 * multihash of the key's protobuf (libp2p specs, "Peer Ids and Keys"). So an id cannot be claimed without the key, and
 * the id a noise handshake proves is the id in the certificate.
 */
import { type NodeId, nodeId } from './ids.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** multihash identity (0x00), 36 bytes; protobuf: type Ed25519, data of 32 bytes. */
const PREFIX = '002408011220'
/** What every such id looks like: the prefix fixes the first characters, the length is always the same. */
export const NODE_ID_PATTERN = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/

/** `key` is 64 hex digits. */
export function nodeIdOf(key: string): NodeId {
  let rest = BigInt(`0x${PREFIX}${key}`)
  let text = ''
  while (rest > 0n) {
    text = ALPHABET[Number(rest % 58n)]! + text
    rest /= 58n
  }
  return nodeId(`1${text}`)
}

/** The key in an id, or undefined when it is not the id of an Ed25519 key. */
export function keyOf(id: string): string | undefined {
  if (!NODE_ID_PATTERN.test(id)) return undefined
  let value = 0n
  for (const letter of id.slice(1)) value = value * 58n + BigInt(ALPHABET.indexOf(letter))
  const digits = value.toString(16).padStart(74, '0')
  // The leading zero byte is the '1'; one id has one spelling, so what does not read back the same is none.
  const key = digits.slice(-64)
  return nodeIdOf(key) === id ? key : undefined
}
