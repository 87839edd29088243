/**
 * Why a node that was seen is not connected: one reason per node, the most useful one, with a sentence for people and what
 * to do about it.
 */
import type { NodeId } from '../../host/index.ts'

/** What the rest of the node knows, to be put beside what was seen. */
export interface Known {
  readonly self: KnownNode & { readonly id: NodeId }
  /** Members of the household. */
  readonly members: ReadonlyMap<NodeId, KnownNode>
  readonly revoked: ReadonlySet<NodeId>
  /** Nodes that wait here for a person, with the six digits to compare. */
  readonly pending: ReadonlyMap<NodeId, { readonly name: string; readonly code: string }>
  /** This node asks there to be let in; `code` once both sides show it. */
  readonly joining: { readonly node: NodeId; readonly code: string | undefined } | undefined
}

export interface KnownNode {
  readonly name: string
  readonly room: string
  /** Of membership: `alive`, `suspect`, `dead`, `left`; undefined before it was heard of. */
  readonly state: 'alive' | 'suspect' | 'dead' | 'left' | undefined
  readonly rtt_ms: number | null
  readonly capabilities: readonly string[]
}

export type Reason =
  | 'other-household'
  | 'unknown-household'
  | 'pending'
  | 'joining'
  | 'connecting'
  | 'unreachable'
  | 'no-address'
  | 'version-too-old'
  | 'version-too-new'
  | 'clock-wrong'
  | 'revoked'
  | 'wrong-key'
  | 'wrong-peer'
  | 'cloned'
  | 'self-elsewhere'
  | 'refused'

export interface WhyNot {
  readonly reason: Reason
  /** One sentence for people: what, since when. */
  readonly message: string
  /** What to do; absent when waiting is all there is. */
  readonly hint?: string
  /** Six digits to compare, for `pending` and `joining`. */
  readonly code?: string
  /** For `unreachable`: where it was tried, and how that ended last. */
  readonly tried?: readonly { readonly address: string; readonly error: string; readonly failing_s: number }[]
  /** Seconds until it is dialled again. */
  readonly next_try_s?: number
}

/** A row of `loqa nodes --json`. */
export interface NodeRow {
  readonly id: string
  readonly name: string
  readonly room: string
  readonly self: boolean
  /** `alive`, `suspect`, `dead`, `left` of members; `connecting` of members not heard of yet; `seen` of everybody else. */
  readonly state: 'alive' | 'suspect' | 'dead' | 'left' | 'connecting' | 'seen' | 'revoked' | 'pending'
  /** `192.168.1.20:7421`, `[fe80::1%eth0]:7421`, the best first. */
  readonly addresses: readonly string[]
  readonly rtt_ms: number | null
  readonly capabilities: readonly string[]
  /** Null when connected, and for this node. */
  readonly why_not_connected: WhyNot | null
}
