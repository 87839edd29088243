/**
 * What to pull next, and from whom. One pull a log, so that its batches arrive in order; several logs and peers at once; what is missing
 * before what is only to be tidied. Where to begin is drawn, so that no log waits behind an endless one.
 */
import { monotonic, type NodeId, withEntry } from '../../host/index.ts'
import { MAX_LOG_BYTES, MAX_PULLS, MAX_PULLS_PER_PEER, TIDY_PAUSE_MS } from './bounds.ts'
import { type Draft, draw, heldOf, isShunned } from './draft.ts'
import { type OriginKey, originKey, originOf } from './origin.ts'
import type { Pull, Told } from './state.ts'

type Kind = Pull['kind']

/** Starts as many pulls as there is room and reason for. */
export function plan(draft: Draft): void {
  if (!draft.replan || draft.pulls.length >= MAX_PULLS || draft.now < draft.paused_until) return
  const { gaps, untidy } = wantedLogs(draft)
  for (const [kind, wanted] of [['gap', gaps] as const, ['tidy', untidy] as const]) {
    const first = draw(draft, wanted.length)
    for (let i = 0; i < wanted.length && draft.pulls.length < MAX_PULLS; i += 1) {
      const origin = wanted[(first + i) % wanted.length]!
      const peer = bestPeer(draft, kind, origin)
      if (peer !== undefined) ask(draft, kind, origin, peer)
    }
  }
}

/** Logs some peer has more of, and those some peer has a later edition of; in the order they were first heard of. */
function wantedLogs(draft: Draft): { gaps: readonly OriginKey[]; untidy: readonly OriginKey[] } {
  const gaps = new Set<OriginKey>()
  const untidy = new Set<OriginKey>()
  const busy = new Set(draft.pulls.map(({ origin }) => origin))
  for (const [id, peer] of draft.peers) {
    if (isShunned(draft, id)) continue
    for (const [origin, told] of peer.told) {
      if (isWanted(draft, 'gap', origin, told)) {
        if (!busy.has(origin)) gaps.add(origin)
      } else if (isWanted(draft, 'tidy', origin, told) && !busy.has(origin)) untidy.add(origin)
    }
  }
  return { gaps: [...gaps], untidy: [...untidy].filter((origin) => !gaps.has(origin)) }
}

function isWanted(draft: Draft, kind: Kind, origin: OriginKey, told: Told): boolean {
  const held = heldOf(draft, origin)
  // A log that is too long is pulled again when its writer has compacted it; nobody tidies this node's own but itself.
  if (kind === 'gap') return told.version > held.version && held.bytes < MAX_LOG_BYTES
  if (held.version === 0 || told.edition <= held.edition || origin === originKey(draft.self)) return false
  const last = draft.tidied_at.get(origin)
  return last === undefined || draft.now - last >= TIDY_PAUSE_MS
}

/** The one with the fewest pulls under way; drawn among equals. */
function bestPeer(draft: Draft, kind: Kind, origin: OriginKey): NodeId | undefined {
  let best: NodeId | undefined
  let fewest = MAX_PULLS_PER_PEER
  let equals = 0
  for (const [id, peer] of draft.peers) {
    const told = peer.told.get(origin)
    if (told === undefined || isShunned(draft, id) || !isWanted(draft, kind, origin, told)) continue
    if ((peer.aside.get(origin) ?? 0) > draft.now) continue
    const under = draft.pulls.filter((pull) => pull.peer === id).length
    if (under > fewest || under >= MAX_PULLS_PER_PEER) continue
    equals = under < fewest ? 1 : equals + 1
    if (under < fewest || draw(draft, equals) === 0) best = id
    fewest = under
  }
  return best
}

function ask(draft: Draft, kind: Kind, origin: OriginKey, peer: NodeId): void {
  const held = heldOf(draft, origin)
  let above = held.version
  let edition = 0
  if (kind === 'tidy') {
    const told = draft.peers.get(peer)!.told.get(origin)!
    const begun = draft.tidying.get(origin)
    // Resumed where it ended, unless the writer has compacted once more since.
    const tidying = begun?.edition === told.edition ? begun : { edition: told.edition, above: 0 }
    draft.tidying = withEntry(draft.tidying, origin, tidying)
    above = tidying.above
    edition = tidying.edition
  }
  draft.number += 1
  const number = draft.number
  const since = monotonic(draft.now)
  draft.pulls = [...draft.pulls, { number, kind, origin, peer, above, edition, phase: 'asked', since }]
  const message = { type: 'pull', number, ...originOf(origin), above, edition } as const
  draft.effects.push({ type: 'send', to: peer, message })
}
