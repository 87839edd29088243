/**
 * The seam between the actors of one node and those of others. The runtime hands over what is not for its own actors
 * (`RemotePort`) and takes in what comes from others (`FromAfar`); how it travels is the cluster's business. Nothing here
 * throws or waits, and nothing of it is on the way of a message between two actors of one node.
 *
 * Asks are known by the id the asking runtime gave them, watches by the target as it was written in the effect.
 */
import type { LoqaError, NodeId } from '../host/index.ts'
import { type Address, fixedAddress, type Ref } from './address.ts'
import type { Gone, Settle } from './cell.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import type { ExitReason, Message, Target } from './effects.ts'

export interface AskAfar {
  readonly id: number
  readonly target: Target
  readonly message: Message
  readonly sender: Ref | undefined
  /** What the asker still waits. */
  readonly deadline_ms: number
}

/** Towards other nodes. Carried out by `cluster/remote`. */
export interface RemotePort {
  /** The other node a target is on, as far as this one knows; undefined: if it is anywhere, it is here. */
  locate(target: Target): NodeId | undefined
  /** In order per node. Why it certainly reached nobody; undefined when it is on its way, which proves nothing. */
  tell(node: NodeId, target: Target, message: Message, sender: Ref | undefined): DeadLetterReason | undefined
  /** Ends with one `answered` or `failed`, unless it is refused here or given up before. */
  ask(node: NodeId, ask: AskAfar): LoqaError | undefined
  /** Nobody waits for that ask any more. Unknown ids are no error. */
  giveUp(id: number): void
  /** Ends with one `gone`, unless it is called off. Watching twice is watching once. */
  watch(node: NodeId, target: Target): void
  unwatch(node: NodeId, target: Target): void
  /** The actors that were ready have had their turns: what they said to others may leave now rather than a turn of the loop later. */
  readonly turnsEnded?: () => void
}

/** From other nodes. What arrives is for actors of this node or for nobody: it never travels on. */
export interface FromAfar {
  /** Why it reached nobody: counted here, to be told back. */
  tell(target: Target, message: Message, sender: Ref | undefined): DeadLetterReason | undefined
  /** `settle` hears once how it ended, perhaps before this returns. Returns how to give it up. */
  ask(
    target: Target,
    message: Message,
    options: { readonly sender: Ref | undefined; readonly deadline_ms: number },
    settle: Settle,
  ): () => void
  /** How an ask of this node ended. One that is over is a late answer. */
  answered(id: number, message: Message, by: Ref | undefined): void
  failed(id: number, error: LoqaError): void
  /** Calls `gone` once when that actor has ended for good or left this node, at once when it is not here. Returns how to call it off. */
  watch(target: Target, gone: Gone): () => void
  /** What an actor of this node watched lives on that node now. */
  moved(target: Target, to: NodeId): void
  /** What an actor of this node watched is gone. */
  gone(target: Target, ref: Ref, reason: ExitReason): void
  /** Messages of one kind from here reached nobody there. */
  undelivered(
    reason: DeadLetterReason,
    to: string,
    from: Address | undefined,
    type: string,
    count: number,
  ): void
}

/**
 * Where to ask a node to start an actor: `ask` this address with `SpawnRequest`; the answer is `Spawned`. Kinds are started from
 * afar when their registration says so. Asking again for the same key gives the actor that is there, so that a lost answer
 * does not matter. Errors: `not-found` (no such kind, or not from afar), `invalid-input` (arguments or key).
 */
export const spawnAddress = (node: NodeId): Address => fixedAddress(node, 'spawn')

export interface SpawnRequest extends Message {
  readonly type: 'actor.spawn'
  readonly kind: string
  readonly key: string
  readonly args?: unknown
}

export interface Spawned extends Message {
  readonly type: 'actor.spawned'
  readonly ref: Ref
  /** It lived already. */
  readonly existed: boolean
}

/**
 * Incarnations carry the life of the node they were given in: boot number times this, plus a count. So an actor of a node that
 * was started anew is never taken for one before, nor for one of another node, and a ref alone says whose it is.
 */
export const INCARNATIONS_PER_BOOT = 2 ** 20
/** Drawn anew at each start of a node, as in membership. */
export const MAX_BOOT = 2 ** 32 - 1
