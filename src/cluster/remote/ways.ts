/**
 * Words of moves on the links, and the way of those who send to an actor that moved (`migration/route.ts`, where the rules are). What is
 * told to a placed actor passes here, so its first question is a look into one map.
 */
import type { Settle, Target } from '../../actors/index.ts'
import type { Clock, NodeId } from '../../host/index.ts'
import type { Fence } from '../migration/fence.ts'
import type { MoveMessage } from '../migration/messages.ts'
import { noRoutes, type Routes, relinked, route } from '../migration/route.ts'
import type { RemoteMoves, RemoteOptions } from './face.ts'
import type { Line } from './line.ts'
import type { Places } from './places.ts'
import { MOVES_SINCE, ROW } from './wire.ts'

interface WaysParts {
  readonly line: (node: NodeId) => Line | undefined
  readonly settle: RemoteMoves['settle']
  readonly askedThere: RemoteMoves['askedThere']
}

export class Ways implements RemoteMoves {
  readonly #node: NodeId
  readonly #clock: Clock
  readonly #moving: RemoteOptions['moving']
  readonly #places: Places
  readonly #parts: WaysParts
  #routes: Routes
  #hearing: NodeId | undefined

  constructor(options: Pick<RemoteOptions, 'node' | 'clock' | 'moving'>, places: Places, parts: WaysParts) {
    this.#node = options.node
    this.#clock = options.clock
    this.#moving = options.moving
    this.#places = places
    this.#parts = parts
    this.#routes = noRoutes(options.moving?.first_mark ?? 0)
  }

  get hearing(): NodeId | undefined {
    return this.#hearing
  }

  hear(peer: NodeId | undefined): void {
    this.#hearing = peer
  }

  canSay(node: NodeId): boolean {
    return (this.#parts.line(node)?.speaks ?? 0) >= MOVES_SINCE
  }

  say(node: NodeId, message: MoveMessage): void {
    if (node === this.#node) this.#moving?.heard(node, message)
    else if (this.canSay(node)) {
      // What is not said again until a new link is.
      const weight = message.type === 'switched' || message.type === 'after' ? 'owed' : 'data'
      this.#parts.line(node)!.put([ROW.move, message], weight)
    }
  }

  claimAt(address: string, epoch: number): boolean {
    return this.#places.claimAt(address, epoch)
  }

  fenceOf(address: string): Fence | undefined {
    return this.#places.fenceOf(address)
  }

  toldHere(address: string): void {
    this.sending(address, this.#node)
  }

  /** A message to that actor is about to leave for `node`. */
  sending(address: string, node: NodeId): void {
    if (this.#moving === undefined || address.startsWith('loqa://')) return
    const place = this.#places.fenceOf(address)
    // Where the map does not say so, it is another place's actor, and none that moves.
    if (place?.node !== node) return
    const { routes, said } = route(this.#routes, address, place, this.#clock.monotonic())
    this.#routes = routes
    for (const { to, message } of said) this.say(to, message)
  }

  /** What may have been lost with the link before. */
  greeted(node: NodeId): void {
    if (this.#moving === undefined) return
    for (const { message } of relinked(this.#routes, node, this.#clock.monotonic())) this.say(node, message)
  }

  askedThere(node: NodeId, id: number, target: Target): void {
    this.#parts.askedThere(node, id, target)
  }

  settle(node: NodeId, id: number, target: Target): Settle | undefined {
    return this.#parts.settle(node, id, target)
  }
}
