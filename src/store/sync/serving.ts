/** Answering the pulls of others: a few at a time, from the log, and no more a tick than anybody can use. */
import type { NodeId } from '../../host/index.ts'
import { MAX_SERVED_AT_ONCE, MAX_SERVED_BYTES, MAX_SERVED_PULLS, TICK_MS } from './bounds.ts'
import { type Draft, putPeer, strike } from './draft.ts'
import type { Pulling } from './messages.ts'
import { originKey } from './origin.ts'

export function serve(draft: Draft, to: NodeId, { number, node, life, above, edition }: Pulling): void {
  const peer = draft.peers.get(to)
  if (peer === undefined) return
  // The same question again, on its way twice.
  if (peer.reading.includes(number)) return
  const served_pulls = peer.served_pulls + 1
  putPeer(draft, to, { served_pulls })
  if (served_pulls > MAX_SERVED_PULLS) {
    // Named once a tick, and not answered: an answer to each would be what it wants.
    if (served_pulls === MAX_SERVED_PULLS + 1) strike(draft, to, 'flood')
    return
  }
  if (peer.reading.length >= MAX_SERVED_AT_ONCE || peer.served_bytes >= MAX_SERVED_BYTES) {
    draft.effects.push({ type: 'send', to, message: { type: 'busy', number } })
    return
  }
  const origin = originKey({ node, life })
  if (!draft.held.has(origin)) {
    draft.effects.push({ type: 'send', to, message: { type: 'batches', number, batches: [] } })
    return
  }
  putPeer(draft, to, { reading: [...peer.reading, number] })
  draft.effects.push({ type: 'read', peer: to, number, origin, above, edition })
}

export function give(draft: Draft, to: NodeId, number: number, batches: readonly Uint8Array[]): void {
  const peer = draft.peers.get(to)
  if (peer === undefined) return
  const bytes = batches.reduce((sum, { length }) => sum + length, 0)
  putPeer(draft, to, {
    reading: peer.reading.filter((other) => other !== number),
    served_bytes: peer.served_bytes + bytes,
  })
  draft.effects.push({ type: 'send', to, message: { type: 'batches', number, batches: [...batches] } })
}

/** Everybody may be served again, once a while. */
export function replenish(draft: Draft): void {
  if (draft.now - draft.replenished_at < TICK_MS) return
  draft.replenished_at = draft.now
  for (const [id, peer] of draft.peers) {
    if (peer.served_pulls > 0 || peer.served_bytes > 0)
      putPeer(draft, id, { served_pulls: 0, served_bytes: 0 })
  }
}
