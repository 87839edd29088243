/**
 * The way of those who send. What went to the old place and what goes to the new one travel on different links: before the first message
 * to the new place the old one is told that no more comes (`switched`), and the new one that something may still be on that way (`after`).
 * Both come ahead of what is sent later on the same links, so that order holds. Pure.
 */
import type { NodeId } from '../../host/index.ts'
import type { Fence } from './fence.ts'
import type { MoveMessage } from './messages.ts'

/** Addresses whose last way is known: all that a map of placements holds. The oldest is forgotten, which costs order at most in a move of it. */
export const MAX_ROUTES = 16_384

export interface Routes {
  /** Numbers of words said; drawn anew for each life of the node. */
  readonly mark: number
  readonly last: ReadonlyMap<string, Fence>
}

export const noRoutes = (first_mark: number): Routes => ({ mark: first_mark, last: new Map() })

export interface Routed {
  readonly routes: Routes
  /** To be said first. */
  readonly said: readonly { readonly to: NodeId; readonly message: MoveMessage }[]
}

/** Something is about to be sent to `address`, which lives at `now`. */
export function route(routes: Routes, address: string, now: Fence): Routed {
  const before = routes.last.get(address)
  if (before !== undefined && before.node === now.node && before.epoch === now.epoch)
    return { routes, said: [] }
  const last = new Map(routes.last)
  last.delete(address)
  last.set(address, now)
  for (const oldest of last.keys()) {
    if (last.size <= MAX_ROUTES) break
    last.delete(oldest)
  }
  if (before === undefined || before.node === now.node) return { routes: { ...routes, last }, said: [] }
  const word = { address, epoch: now.epoch, mark: routes.mark }
  return {
    routes: { mark: routes.mark + 1, last },
    said: [
      { to: before.node, message: { type: 'switched', ...word } },
      { to: now.node, message: { type: 'after', ...word } },
    ],
  }
}
