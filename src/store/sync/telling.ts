/** Telling peers what this node holds, and hearing what they hold. */
import { monotonic, type NodeId, withEntry, withoutEntry } from '../../host/index.ts'
import { MAX_LIVES_PER_NODE, MAX_ORIGINS, RELAY_PAUSE_MS, TELL_EVERY_MS, TELL_PAUSE_MS } from './bounds.ts'
import { type Draft, heldOf, putPeer, strike } from './draft.ts'
import type { LogExtent } from './log.ts'
import type { Head, SyncMessage } from './messages.ts'
import { type OriginKey, originKey, originOf } from './origin.ts'
import type { Told } from './state.ts'

type Heads = Extract<SyncMessage, { type: 'heads' }>

/** What the peer says is never forgotten for less: messages overtake each other, and logs only grow. */
export function hearHeads(draft: Draft, from: NodeId, { heads }: Heads): void {
  const peer = draft.peers.get(from)
  if (peer === undefined) return
  const told = new Map(peer.told)
  let refused = 0
  for (const head of heads) {
    const key = originKey(head)
    const before = told.get(key)
    // A writer this node has not heard of yet: its log is told of again.
    if (!draft.mayWrite(head.node)) continue
    if (before === undefined && !hasRoom(draft, told, head)) {
      refused += 1
      continue
    }
    told.set(key, {
      version: Math.max(head.version, before?.version ?? 0),
      edition: Math.max(head.edition, before?.edition ?? 0),
    })
  }
  putPeer(draft, from, { told })
  // What is held already is most of what is told: looking through all logs for it would be most of the work.
  draft.replan = heads.some((head) => isNews(head, heldOf(draft, originKey(head))))
  if (refused > 0) strike(draft, from, 'too-many-logs')
}

/** Not more lives of one node than it can have had. */
function hasRoom(draft: Draft, told: ReadonlyMap<OriginKey, Told>, { node, life }: Head): boolean {
  if (told.size >= MAX_ORIGINS) return false
  if (draft.held.has(originKey({ node, life }))) return true
  if (draft.held.size >= MAX_ORIGINS) return false
  return livesOf(draft.held, node) < MAX_LIVES_PER_NODE && livesOf(told, node) < MAX_LIVES_PER_NODE
}

function livesOf(logs: ReadonlyMap<OriginKey, unknown>, node: NodeId): number {
  let lives = 0
  for (const key of logs.keys()) if (key.startsWith(`${node}/`)) lives += 1
  return lives
}

const headOf = (draft: Draft, key: OriginKey): Head => {
  const { version, edition } = heldOf(draft, key)
  return { ...originOf(key), version, edition }
}

/** To one peer, everything. */
export function tellAll(draft: Draft, to: NodeId): void {
  const heads = [...draft.held.keys()].map((key) => headOf(draft, key))
  draft.effects.push({ type: 'send', to, message: { type: 'heads', heads } })
}

/**
 * Every so often everything, because messages are lost; else what has changed, to those that do not hold it already, and to whoever
 * wrote it.
 */
export function tell(draft: Draft): void {
  if (draft.now - draft.told_all_at >= TELL_EVERY_MS) {
    for (const peer of draft.peers.keys()) tellAll(draft, peer)
    draft.told_all_at = draft.now
    draft.untold = new Set()
    draft.tell_at = undefined
    return
  }
  if (draft.tell_at === undefined || draft.now < draft.tell_at) return
  for (const [id, { told }] of draft.peers) {
    const heads = [...draft.untold]
      .map((key) => headOf(draft, key))
      // The writer has it, and waits to hear who else does.
      .filter((head) => head.node === id || isNews(head, told.get(originKey(head))))
    if (heads.length > 0) draft.effects.push({ type: 'send', to: id, message: { type: 'heads', heads } })
  }
  draft.untold = new Set()
  draft.tell_at = undefined
}

const isNews = ({ version, edition }: Head, told: Told | undefined): boolean =>
  told === undefined || told.version < version || told.edition < edition

/** A log is held farther, or compacted: others are to hear of it. */
export function grew(draft: Draft, key: OriginKey, extent: LogExtent): void {
  const before = draft.held.get(key)
  draft.held = withEntry(draft.held, key, extent)
  if (before?.version !== extent.version || before.edition !== extent.edition) {
    draft.untold = new Set(draft.untold).add(key)
    const pause_ms = key === originKey(draft.self) ? TELL_PAUSE_MS : RELAY_PAUSE_MS
    draft.tell_at = monotonic(Math.min(draft.now + pause_ms, draft.tell_at ?? Infinity))
  }
}

/** The peer was found not to hold what it told: it holds what was got from it, as far as is known. */
export function correct(draft: Draft, id: NodeId, key: OriginKey): void {
  const peer = draft.peers.get(id)
  const told = peer?.told.get(key)
  if (peer === undefined || told === undefined) return
  const { version } = heldOf(draft, key)
  const corrected =
    version === 0 ? withoutEntry(peer.told, key) : withEntry(peer.told, key, { ...told, version })
  putPeer(draft, id, { told: corrected })
}
