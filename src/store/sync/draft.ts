/** The state while one input is being dealt with: `sync()` opens a draft, the rules fill it, it is closed again. Pure from outside. */
import { type Monotonic, monotonic, type NodeId, withEntry } from '../../host/index.ts'
import { FORGIVE_MS, MAX_PEERS, MAX_STRIKES, SHUNNED_MS } from './bounds.ts'
import type { LogExtent } from './log.ts'
import type { OriginKey } from './origin.ts'
import type { Peer, PeerFault, Repute, SyncContext, SyncEffect, SyncState, SyncStep } from './state.ts'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface Draft extends Writable<SyncState> {
  readonly now: Monotonic
  readonly mayWrite: (node: NodeId) => boolean
  readonly effects: SyncEffect[]
  /** Something may be pulled that could not be before. */
  replan: boolean
  entropy: number
}

export function open(state: SyncState, { now, entropy, mayWrite }: SyncContext): Draft {
  return { ...state, now, entropy, mayWrite, effects: [], replan: false }
}

export function close(draft: Draft): SyncStep {
  const { now: _now, mayWrite: _mayWrite, effects, replan: _replan, entropy: _entropy, ...state } = draft
  return { state, effects }
}

/** The draw of this input, and further ones made from it. */
export function draw(draft: Draft, below: number): number {
  draft.entropy = (Math.imul(draft.entropy, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((draft.entropy / 2 ** 32) * below)
}

export const after = (draft: Draft, ms: number): Monotonic => monotonic(draft.now + ms)

const NOTHING: LogExtent = { version: 0, edition: 0, bytes: 0 }

/** What is held of a log; nothing of one that is not known. */
export const heldOf = ({ held }: Pick<SyncState, 'held'>, origin: OriginKey): LogExtent =>
  held.get(origin) ?? NOTHING

export function putPeer(draft: Draft, id: NodeId, changes: Partial<Peer>): void {
  const peer = draft.peers.get(id)
  if (peer !== undefined) draft.peers = withEntry(draft.peers, id, { ...peer, ...changes })
}

/** Names who did something wrong. */
export function name(draft: Draft, node: NodeId, fault: PeerFault, origin?: OriginKey): void {
  draft.effects.push({ type: 'fault', node, fault, origin })
}

/** Names a peer, and leaves it alone for a while when it has done such things before. */
export function strike(draft: Draft, id: NodeId, fault: PeerFault, origin?: OriginKey): void {
  if (!draft.peers.has(id)) return
  name(draft, id, fault, origin)
  const before = draft.reputes.get(id)
  const recent = before !== undefined && draft.now - before.struck_at <= FORGIVE_MS
  const strikes = (recent ? before.strikes : 0) + 1
  const shunned = strikes >= MAX_STRIKES
  const repute: Repute = {
    strikes: shunned ? 0 : strikes,
    struck_at: draft.now,
    shunned_until: shunned ? after(draft, SHUNNED_MS) : (before?.shunned_until ?? draft.now),
  }
  const kept = [...draft.reputes].filter(([other, { struck_at, shunned_until }]) => {
    return other !== id && (shunned_until > draft.now || draft.now - struck_at <= FORGIVE_MS)
  })
  draft.reputes = new Map([...kept.slice(1 - MAX_PEERS), [id, repute]])
}

export const isShunned = (draft: Draft, id: NodeId): boolean =>
  (draft.reputes.get(id)?.shunned_until ?? draft.now) > draft.now
