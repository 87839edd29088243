/** Names of things, branded so that the compiler refuses to mix them. */
import type { Random } from './host.ts'

declare const mark: unique symbol
type Branded<Name extends string> = string & { readonly [mark]: Name }

/** A node: its public key, written as libp2p writes a peer id (52 characters). */
export type NodeId = Branded<'node'>
/** A conversation. */
export type SessionId = Branded<'session'>
/** One request through all hops and nodes. */
export type TraceId = Branded<'trace'>
/** Something an actor asked for and will hear back about; unique within that actor. */
export type RequestId = Branded<'request'>

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export const newSessionId = (random: Random): SessionId => hex(random.bytes(8)) as SessionId
export const newTraceId = (random: Random): TraceId => hex(random.bytes(16)) as TraceId
export const requestId = (name: string): RequestId => name as RequestId
export const sessionId = (name: string): SessionId => name as SessionId
export const nodeId = (name: string): NodeId => name as NodeId
