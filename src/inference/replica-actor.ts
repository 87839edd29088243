/**
 * A replica as an actor, `loqa:/replica/<name>`: what other actors may ask and watch. It mirrors the engine process instead of
 * owning it: a process has to be killed within milliseconds of its deadline and its samples must not pass mailboxes, so its
 * supervision is a machine of its own (`replica-machine.ts`) under the pool, and this actor is told what became of it.
 */
import { type Behavior, type Effect, type Message, next, same } from '../actors/index.ts'
import { assertNever } from '../host/index.ts'
import type { Capability } from './pool.ts'

/** pool → replica: its row changed. The first one comes with its arguments. */
export interface ReplicaChanged extends Message {
  readonly type: 'replica.changed'
  readonly capability: Capability
}

/** anyone → replica, as an ask: answered with `replica.changed`. */
export interface ReplicaDescribe extends Message {
  readonly type: 'replica.describe'
}

export type ReplicaMessage = ReplicaChanged | ReplicaDescribe

/** Whoever wants to know of every change subscribes to it. */
export const REPLICA_TOPIC = 'replica.changed'

export const replicaChanged = (capability: Capability): ReplicaChanged => ({
  type: 'replica.changed',
  capability,
})

export const replicaActor: Behavior<Capability, ReplicaMessage, Capability> = {
  kind: 'replica',
  // The latest row says all that the ones before it said.
  mailbox: { capacity: 8, overflow: 'drop-oldest' },
  start: (capability) => next(capability),
  receive(state, message, { replyTo }) {
    switch (message.type) {
      case 'replica.changed':
        return next(message.capability, changes(state, message))
      case 'replica.describe':
        if (replyTo === undefined) return same(state)
        return next(state, [{ type: 'reply', to: replyTo, message: replicaChanged(state) }])
      default:
        return assertNever(message)
    }
  },
}

function changes(before: Capability, message: ReplicaChanged): readonly Effect[] {
  const { capability } = message
  const published: Effect = { type: 'publish', topic: REPLICA_TOPIC, message }
  if (capability.restarts === before.restarts) return [published]
  return [
    published,
    {
      type: 'metric',
      name: 'loqa_engine_restarts_total',
      add: capability.restarts - before.restarts,
      labels: { engine: capability.name },
    },
  ]
}
