/** What comes of a pull: an answer, a refusal, silence; then what the store says to it. */
import { type NodeId, withEntry, withoutEntry } from '../../host/index.ts'
import { readHeader } from './batch-bytes.ts'
import { ASIDE_MS, MAX_LOG_BYTES, PULL_TIMEOUT_MS, STORE_PAUSE_MS } from './bounds.ts'
import { after, type Draft, heldOf, name, putPeer, strike } from './draft.ts'
import type { Batches } from './messages.ts'
import { originKey, originOf } from './origin.ts'
import type { Pull, SyncInput } from './state.ts'
import { correct, grew } from './telling.ts'

type Stored = Extract<SyncInput, { type: 'stored' }>

const pullOf = (draft: Draft, number: number): Pull | undefined =>
  draft.pulls.find((pull) => pull.number === number)

export function endPull(draft: Draft, { number }: Pull): void {
  draft.pulls = draft.pulls.filter((pull) => pull.number !== number)
  draft.replan = true
}

/** Not asked for at this peer for a while. */
function setAside(draft: Draft, { peer: id, origin }: Pull): void {
  const peer = draft.peers.get(id)
  if (peer === undefined) return
  const aside = new Map([...peer.aside].filter(([, until]) => until > draft.now))
  putPeer(draft, id, { aside: aside.set(origin, after(draft, ASIDE_MS)) })
}

/** An answer that comes twice, late, or to a question nobody asked changes nothing. */
export function hearBatches(draft: Draft, from: NodeId, { number, batches }: Batches): void {
  const pull = pullOf(draft, number)
  if (pull === undefined || pull.peer !== from || pull.phase !== 'asked') return
  if (batches.length === 0) {
    nothingCame(draft, pull)
    return
  }
  if (!leadsOn(pull, batches)) {
    strike(draft, from, 'wrong-answer', pull.origin)
    setAside(draft, pull)
    endPull(draft, pull)
    return
  }
  const storing: Pull = { ...pull, phase: 'storing', since: draft.now }
  draft.pulls = draft.pulls.map((other) => (other === pull ? storing : other))
  draft.effects.push({ type: 'store', number, origin: pull.origin, batches })
}

/** It told of more than it has; or it has, and lies about that. An edition that never completes may be its writer's lie instead. */
function nothingCame(draft: Draft, pull: Pull): void {
  if (pull.kind === 'tidy') leaveTidying(draft, pull)
  else {
    strike(draft, pull.peer, 'false-head', pull.origin)
    correct(draft, pull.peer, pull.origin)
    setAside(draft, pull)
  }
  endPull(draft, pull)
}

/** Until the log may be tidied again. */
function leaveTidying(draft: Draft, { origin }: Pull): void {
  draft.tidying = withoutEntry(draft.tidying, origin)
  draft.tidied_at = withEntry(draft.tidied_at, origin, draft.now)
}

/** Whether the batches are of the log, in order and without a gap. What is in them the store looks at. */
function leadsOn({ origin, above, edition }: Pull, batches: readonly Uint8Array[]): boolean {
  let at = above
  for (const bytes of batches) {
    const header = readHeader(bytes)
    if (header === undefined || originKey(header.origin) !== origin || header.edition < edition) return false
    if (header.from > at || header.to <= at) return false
    at = header.to
  }
  return true
}

export function hearBusy(draft: Draft, from: NodeId, number: number): void {
  const pull = pullOf(draft, number)
  if (pull === undefined || pull.peer !== from || pull.phase !== 'asked') return
  setAside(draft, pull)
  endPull(draft, pull)
}

export function hearStored(draft: Draft, input: Stored): void {
  const pull = pullOf(draft, input.number)
  if (pull === undefined) return
  const { origin } = pull
  const { node, life } = originOf(origin)
  // Anybody can give a batch another name, or send back what was written since it was asked for: only what was admitted, and is
  // beyond what this machine knows, proves anything.
  const isUnremembered = input.through > heldOf(draft, origin).version
  grew(draft, origin, input.extent)
  if (input.parked) park(draft, pull, input.schema)
  if (input.wrong > 0) name(draft, node, 'wrong-rows', origin)
  if (input.extent.bytes >= MAX_LOG_BYTES) name(draft, node, 'endless-log', origin)
  // Of a writer this node has not heard of yet others may know already.
  if (input.fault === 'stranger') setAside(draft, pull)
  else if (input.fault !== undefined) {
    strike(draft, pull.peer, 'bad-batch', origin)
    setAside(draft, pull)
  }
  if (isUnremembered && node === draft.self.node && life === draft.self.life && !draft.outlived) {
    draft.outlived = true
    draft.effects.push({ type: 'outlived' })
  }
  if (pull.kind === 'tidy') tidied(draft, pull, input)
  endPull(draft, pull)
}

/** Read again once this node has the schema; at once when it got it while the batches were on their way to the store. */
function park(draft: Draft, { origin, above: from }: Pull, schema: number): void {
  const above = Math.min(from, draft.parked.get(origin)?.above ?? from)
  draft.parked = withEntry(draft.parked, origin, { above })
  if (schema < draft.schema) draft.effects.push({ type: 'replay', origin, above })
}

/** Done when what is held is of that edition; else it goes on from here. */
function tidied(draft: Draft, pull: Pull, { through, extent }: Stored): void {
  const { origin, edition } = pull
  if (extent.edition >= edition) leaveTidying(draft, pull)
  else draft.tidying = withEntry(draft.tidying, origin, { edition, above: through })
}

/** Nothing was stored: all is as before, and nothing more is pulled for a while. */
export function hearStoreFailed(draft: Draft, number: number): void {
  draft.paused_until = after(draft, STORE_PAUSE_MS)
  const pull = pullOf(draft, number)
  if (pull !== undefined) endPull(draft, pull)
}

/** Answers that are overdue; the store is waited for, however long it takes. */
export function giveUpWaiting(draft: Draft): void {
  for (const pull of draft.pulls) {
    if (pull.phase !== 'asked' || draft.now - pull.since < PULL_TIMEOUT_MS) continue
    strike(draft, pull.peer, 'silent', pull.origin)
    setAside(draft, pull)
    endPull(draft, pull)
  }
}

/** Its answers will not come any more. */
export function forgetPulls(draft: Draft, peer: NodeId): void {
  for (const pull of draft.pulls) {
    if (pull.peer === peer && pull.phase === 'asked') endPull(draft, pull)
  }
}
