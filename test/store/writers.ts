/** Nodes that write: real keys, the same in every run. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { nodeIdOf } from '../../src/host/index.ts'
import type { Writer } from '../../src/store/crdt/index.ts'

const PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex')

export function writerOf(number: number): Writer {
  const seed = Buffer.alloc(32, number)
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE, seed]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { node: nodeIdOf(raw.toString('hex')), seed: new Uint8Array(seed) }
}
