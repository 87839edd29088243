/** Keys for tests, quick and repeatable: a node's signature is a keyed hash that only the test can compute. */
import { createHash } from 'node:crypto'
import { type NodeId, nodeId } from '../../../src/host/index.ts'
import type { ReplicatedSchema, Signatures, TableRule } from '../../../src/store/sync/index.ts'

const tag = (node: NodeId, bytes: Uint8Array): Uint8Array =>
  createHash('sha512').update(`key of ${node}\0`).update(bytes).digest()

export const signaturesOf = (node: NodeId): Signatures => ({
  sign: (bytes) => tag(node, bytes),
  verify: (signer, bytes, signature) => Buffer.compare(tag(signer, bytes), signature) === 0,
  hash: (bytes) => createHash('sha256').update(bytes).digest(),
})

export const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((name) => nodeId(name)) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
]

const text = { type: 'text', nullable: true } as const
const integer = { type: 'integer', nullable: false } as const

const timers: TableRule = {
  key: ['text'],
  columns: new Map<string, TableRule['columns'] extends ReadonlyMap<string, infer Rule> ? Rule : never>([
    ['label', text],
    ['rings_at', integer],
    ['sound', { type: 'blob', nullable: true }],
  ]),
}

/** A table of timers, and one keyed by two columns. */
export const SCHEMA: ReplicatedSchema = {
  version: 1,
  tables: new Map([
    ['timers', timers],
    ['seats', { key: ['text', 'integer'], columns: new Map([['node', text]]) }],
  ]),
}

/** One more column and one more table. */
export const NEXT_SCHEMA: ReplicatedSchema = {
  version: 2,
  tables: new Map([
    ...SCHEMA.tables,
    ['timers', { ...timers, columns: new Map([...timers.columns, ['room', text]]) }],
    ['rooms', { key: ['text'], columns: new Map([['name', text]]) }],
  ]),
}
