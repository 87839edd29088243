/**
 * The way of those who send. What went to the old place and what goes to the new one travel on different links: before the first message
 * to the new place the old one is told that no more comes (`switched`), and the new one that something may still be on that way (`after`).
 * Both come ahead of what is sent later on the same links, so that order holds. Words that may be lost with a link are said again first
 * on the next one. Pure.
 */
import type { NodeId } from '../../host/index.ts'
import { WORD_MS } from './bounds.ts'
import type { Fence } from './fence.ts'
import type { MoveMessage } from './messages.ts'

/** Addresses whose last way is known: all that a map of placements holds. The oldest is forgotten, which costs order at most in a move of it. */
export const MAX_ROUTES = 16_384
/** Words that may have to be said again: changes of way within seconds. */
export const MAX_WORDS = 1_024

interface Word {
  readonly to: NodeId
  readonly message: MoveMessage
}

/** Where it was sent last, and before that a moment ago. */
interface Way extends Fence {
  readonly former?: { readonly node: NodeId; readonly until: number }
}

export interface Routes {
  /** Numbers of words said; drawn anew for each life of the node. */
  readonly mark: number
  readonly last: ReadonlyMap<string, Way>
  readonly words: readonly (Word & { readonly until: number })[]
}

export const noRoutes = (first_mark: number): Routes => ({ mark: first_mark, last: new Map(), words: [] })

export interface Routed {
  readonly routes: Routes
  /** To be said first. */
  readonly said: readonly Word[]
}

/** Something is about to be sent to `address`, which lives at `place`. */
export function route(routes: Routes, address: string, place: Fence, now: number): Routed {
  const before = routes.last.get(address)
  if (before !== undefined && before.node === place.node && before.epoch === place.epoch) {
    return { routes, said: [] }
  }
  const former = formerOf(before, place, now)
  const last = new Map(routes.last)
  last.delete(address)
  last.set(address, former === undefined ? place : { ...place, former })
  for (const oldest of last.keys()) {
    if (last.size <= MAX_ROUTES) break
    last.delete(oldest)
  }
  if (former === undefined) return { routes: { ...routes, last }, said: [] }
  const word = { address, epoch: place.epoch, mark: routes.mark }
  const said: readonly Word[] = [
    { to: former.node, message: { type: 'switched', ...word } },
    { to: place.node, message: { type: 'after', ...word } },
  ]
  const fresh = routes.words.filter(({ until }) => until > now)
  const words = [...fresh, ...said.map((each) => ({ ...each, until: now + WORD_MS }))].slice(-MAX_WORDS)
  return { routes: { mark: routes.mark + 1, last, words }, said }
}

/**
 * The other node on whose way something may still be. Also when only the epoch is another one: a copy of a partition, which did not
 * count, may have lived in the same place in between, and its words were of no move.
 */
function formerOf(before: Way | undefined, place: Fence, now: number): Way['former'] {
  if (before === undefined) return undefined
  if (before.node !== place.node) return { node: before.node, until: now + WORD_MS }
  const { former } = before
  return former !== undefined && former.until > now && former.node !== place.node ? former : undefined
}

/** A new link to `node`: what may have been lost with the one before. */
export const relinked = ({ words }: Routes, node: NodeId, now: number): readonly Word[] =>
  words.filter(({ to, until }) => to === node && until > now).map(({ to, message }) => ({ to, message }))
