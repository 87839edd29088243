/**
 * Which links to which peers are open, which one is used, and which are superfluous. Two nodes that dial each other at once
 * get two links, and a link may live on one side only; both sides must end with the same single one, without ever having
 * closed the last that worked. Pure.
 *
 * N1 Nothing is sent over a link, nor heard, before the peer's hello was judged; then it counts as admitted.
 * N2 A link is closed as superfluous only while a better one is there that the peer has accepted too. Better is, on both sides
 *    alike, the one dialled by the smaller id; of several such, the one with the smaller number.
 * N3 A link the peer no longer holds, by its own newer word, is dead, however alive it looks here.
 * N4 Links of another life of the peer end when a new life is admitted.
 * N5 A peer is down when its last admitted link ends, never between two that overlap.
 * N6 At most MAX_LINKS_PER_PEER links per peer.
 */
import { assertNever, type NodeId } from '../../host/index.ts'
import { MAX_LINKS_PER_PEER } from './messages.ts'

interface Link {
  /** Ours alone: which link of the shell. */
  readonly key: number
  readonly peer: NodeId
  readonly dialled: boolean
  /** Known to both, from the dialler's hello on. */
  readonly id: number | undefined
  /** Of the peer, once it was admitted. */
  readonly boot: string | undefined
  /** The peer's count when it accepted; undefined until it said so. */
  readonly accepted_at: number | undefined
}

export interface PeersState {
  readonly self: NodeId
  /** Goes up with everything done; orders what we say on different links. */
  readonly count: number
  readonly links: ReadonlyMap<number, Link>
  /** The link in use, by peer, and the life it leads to. */
  readonly using: ReadonlyMap<NodeId, Used>
}

interface Used {
  readonly key: number
  readonly boot: string
}

export type PeersInput =
  /** `id` when we dialled: drawn for it. */
  | {
      readonly type: 'opened'
      readonly key: number
      readonly peer: NodeId
      readonly dialled: boolean
      readonly id?: number
    }
  /** Its hello came, and the household lets it in. */
  | {
      readonly type: 'admitted'
      readonly key: number
      readonly link: number
      readonly at: number
      readonly holding: readonly number[]
      readonly boot: string
    }
  | { readonly type: 'accepted'; readonly key: number; readonly at: number }
  | { readonly type: 'closed'; readonly key: number }
  /** Every link to this peer ends: it was removed, or given up for dead. */
  | { readonly type: 'part'; readonly peer: NodeId; readonly why: string; readonly gently: boolean }

export type PeersEffect =
  | {
      readonly type: 'greet'
      readonly key: number
      readonly link: number
      readonly at: number
      readonly holding: readonly number[]
    }
  | { readonly type: 'accept'; readonly key: number; readonly at: number }
  | { readonly type: 'close'; readonly key: number; readonly why: string; readonly gently: boolean }
  /** The first link both have accepted; or another life of a peer that was up. */
  | { readonly type: 'up'; readonly peer: NodeId; readonly key: number; readonly boot: string }
  | { readonly type: 'use'; readonly peer: NodeId; readonly key: number }
  | { readonly type: 'down'; readonly peer: NodeId }

export interface PeersNext {
  readonly state: PeersState
  readonly effects: readonly PeersEffect[]
}

export const noPeers = (self: NodeId): PeersState => ({ self, count: 0, links: new Map(), using: new Map() })

export function peers(state: PeersState, input: PeersInput): PeersNext {
  const next: Draft = {
    self: state.self,
    count: state.count + 1,
    links: new Map(state.links),
    using: new Map(state.using),
    effects: [],
  }
  switch (input.type) {
    case 'opened':
      opened(next, input)
      break
    case 'admitted':
      admitted(next, input)
      break
    case 'accepted': {
      const link = next.links.get(input.key)
      if (link === undefined) break
      next.links.set(link.key, { ...link, accepted_at: input.at })
      settle(next, link.peer)
      break
    }
    case 'closed': {
      const link = next.links.get(input.key)
      next.links.delete(input.key)
      if (link !== undefined) settle(next, link.peer)
      break
    }
    case 'part':
      for (const { key } of linksOf(next, input.peer)) end(next, key, input.why, input.gently)
      settle(next, input.peer)
      break
    default:
      assertNever(input)
  }
  const { effects, ...after } = next
  return { state: after, effects }
}

interface Draft {
  readonly self: NodeId
  readonly count: number
  readonly links: Map<number, Link>
  readonly using: Map<NodeId, Used>
  readonly effects: PeersEffect[]
}

const linksOf = ({ links }: Pick<PeersState, 'links'>, peer: NodeId): Link[] =>
  [...links.values()].filter((link) => link.peer === peer)

function end(draft: Draft, key: number, why: string, gently = true): void {
  draft.links.delete(key)
  draft.effects.push({ type: 'close', key, why, gently })
}

function opened(draft: Draft, { key, peer, dialled, id }: Extract<PeersInput, { type: 'opened' }>): void {
  if (peer === draft.self || linksOf(draft, peer).length >= MAX_LINKS_PER_PEER) {
    draft.effects.push({ type: 'close', key, why: 'too many links to one node', gently: false })
    return
  }
  draft.links.set(key, { key, peer, dialled, id, boot: undefined, accepted_at: undefined })
  if (id !== undefined) greet(draft, key, peer, id)
}

/** Names all links to the peer that are open here, whatever their phase. */
function greet(draft: Draft, key: number, peer: NodeId, link: number): void {
  const holding = linksOf(draft, peer).flatMap(({ id }) => (id === undefined ? [] : [id]))
  draft.effects.push({ type: 'greet', key, link, at: draft.count, holding })
}

function admitted(draft: Draft, input: Extract<PeersInput, { type: 'admitted' }>): void {
  const link = draft.links.get(input.key)
  if (link === undefined) return
  if (link.boot !== undefined || (link.dialled && link.id !== input.link)) {
    end(draft, link.key, 'a second or a strange greeting', false)
    settle(draft, link.peer)
    return
  }
  draft.links.set(link.key, { ...link, id: input.link, boot: input.boot })
  if (!link.dialled) greet(draft, link.key, link.peer, input.link)
  draft.effects.push({ type: 'accept', key: link.key, at: draft.count })
  for (const other of linksOf(draft, link.peer)) {
    if (other.key === link.key || other.boot === undefined) continue
    const forgotten =
      other.accepted_at !== undefined &&
      input.at > other.accepted_at &&
      !input.holding.includes(other.id ?? -1)
    if (other.boot !== input.boot) end(draft, other.key, 'the other side started anew', false)
    else if (forgotten) end(draft, other.key, 'the other side no longer holds it', false)
  }
  settle(draft, link.peer)
}

/** Chooses the link to use, ends what is worse than one both have accepted, and says what changed. */
function settle(draft: Draft, peer: NodeId): void {
  const usable = linksOf(draft, peer).filter(({ boot }) => boot !== undefined)
  const agreed = usable.filter(({ accepted_at }) => accepted_at !== undefined)
  const before = draft.using.get(peer)
  const best = agreed.sort((a, b) => rank(draft, a) - rank(draft, b))[0]
  if (best !== undefined) {
    // One that ranks higher but is not agreed yet may be the one the other side has chosen: it stays.
    const worse = usable.filter((link) => rank(draft, link) > rank(draft, best))
    for (const { key } of worse) end(draft, key, 'there is a better link')
  }
  // The first to be used is one both have accepted, so that both are likely to begin with the same. Once there was one, any will do.
  const stopgap = before === undefined ? undefined : usable[0]
  const chosen = best ?? usable.find(({ key }) => key === before?.key) ?? stopgap
  announce(draft, peer, chosen)
}

function announce(draft: Draft, peer: NodeId, chosen: Link | undefined): void {
  const before = draft.using.get(peer)
  if (chosen?.key === before?.key) return
  const boot = chosen?.boot
  if (before !== undefined && boot !== before.boot) draft.effects.push({ type: 'down', peer })
  if (chosen === undefined || boot === undefined) {
    draft.using.delete(peer)
    return
  }
  draft.using.set(peer, { key: chosen.key, boot })
  if (boot === before?.boot) draft.effects.push({ type: 'use', peer, key: chosen.key })
  else draft.effects.push({ type: 'up', peer, key: chosen.key, boot })
}

/** Smaller is better; the same on both sides, because both know who dialled and the number. */
function rank({ self }: Draft, { peer, dialled, id }: Link): number {
  const dialler = dialled ? self : peer
  const other = dialled ? peer : self
  return (dialler < other ? 0 : 2 ** 32) + (id ?? 0)
}
