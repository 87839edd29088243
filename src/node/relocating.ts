/**
 * Conversations that move by themselves: to the node from which they are asked, and to one that came while others have more than their
 * share (`cluster/placement/relocation.ts`, read it first). Carried out as any other move, counted, logged and noted in the audit log.
 */
import type { Address, FromAfar } from '../actors/index.ts'
import { addressOf } from '../actors/index.ts'
import {
  type Cluster,
  type ClusterListener,
  type Moving,
  newRelocation,
  type Placements,
  type Relocate,
  type RelocationInput,
  type RelocationState,
  relocation,
} from '../cluster/index.ts'
import { type Cancel, type Clock, errorShape, type NodeId } from '../host/index.ts'

export interface RelocatingParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly cluster: () => Pick<Cluster, 'members' | 'linkTo' | 'sheets'> | undefined
  readonly map: { placements(): Placements }
  readonly moving: Pick<Moving, 'move'>
  /** Whether an actor of that address may move. */
  readonly moves: (address: string) => boolean
  /** Whether a microphone or loudspeaker of this node is in it: then nobody else has it. */
  readonly isHeld: (address: string) => boolean
  readonly done: (move: Relocate, outcome: 'moved' | 'refused', why_not: string | undefined) => void
}

export class Relocating {
  /** After that of the remote layer. */
  readonly listener: ClusterListener = {
    linked: () => this.#look(),
    unlinked: () => this.#look(),
    member: () => this.#look(),
  }
  readonly #parts: RelocatingParts
  #state: RelocationState
  #wake: Cancel = () => undefined

  constructor(parts: RelocatingParts) {
    this.#parts = parts
    this.#state = newRelocation(parts.self)
  }

  /** Before the first link. `hearing`: whose message is being handed over. Gives what the remote layer is to be connected to instead of `here`. */
  connect(here: FromAfar, hearing: () => NodeId | undefined): FromAfar {
    return {
      ...here,
      ask: (target, message, how, settle) => {
        const address = addressOf(target)
        // A text, of somebody who is at that node.
        if (message.type === 'turn.ask') this.asked(address, hearing() ?? this.#parts.self)
        return here.ask(target, message, how, settle)
      },
    }
  }

  /** Somebody at that node said something to it. */
  asked(address: Address, from: NodeId): void {
    const { self, moves, isHeld, map } = this.#parts
    if (!moves(address) || map.placements().entries.get(address)?.node !== self) return
    this.#input({ type: 'asked', address, from: isHeld(address) ? self : from })
  }

  /** It came from another node. */
  came(address: Address): void {
    this.#input({ type: 'came', address })
  }

  /** This node is about to go: nothing moves by itself any more. */
  stop(): void {
    this.#input({ type: 'leaves' })
    this.#wake()
  }

  #look(): void {
    const cluster = this.#parts.cluster()
    const neighbours = (cluster?.members() ?? [])
      .filter(({ id, standing }) => standing.status === 'alive' && cluster?.linkTo(id) !== undefined)
      .map(({ id, repute }) => ({
        ...{ node: id, steady: repute.steady },
        load: cluster?.sheets().get(id)?.sheet.load ?? null,
      }))
    this.#input({ type: 'house', neighbours })
  }

  #input(input: RelocationInput): void {
    const { clock } = this.#parts
    const { state, move, wake_at } = relocation(this.#state, input, {
      now: clock.monotonic(),
      homes: this.#homes(),
    })
    this.#state = state
    this.#wake()
    this.#wake = () => undefined
    if (move !== undefined) void this.#move(move)
    if (wake_at === undefined) return
    this.#wake = clock.after(Math.max(0, wake_at - clock.monotonic()), () => {
      this.#look()
      this.#input({ type: 'due' })
    })
  }

  #homes(): ReadonlyMap<string, NodeId> {
    const homes = new Map<string, NodeId>()
    for (const [address, { node }] of this.#parts.map.placements().entries) {
      if (node !== null && this.#parts.moves(address)) homes.set(address, node)
    }
    return homes
  }

  async #move(move: Relocate): Promise<void> {
    const { moving, done } = this.#parts
    const address = move.address as Address
    try {
      await moving.move(address, move.to)
      done(move, 'moved', undefined)
      this.#input({ type: 'moved', address })
    } catch (thrown) {
      done(move, 'refused', errorShape(thrown).code)
      this.#input({ type: 'refused', address })
    }
  }
}
