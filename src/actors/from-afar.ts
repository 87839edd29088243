/** What other nodes may have done here: the runtime's side of the seam in `remote.ts`. */
import { type Clock, errorShape, InvalidInputError, type LoqaError, NotFoundError } from '../host/index.ts'
import { isSegment, type Ref } from './address.ts'
import type { Asks } from './asks.ts'
import { type Cell, FROM_OUTSIDE, type OpenAsk } from './cell.ts'
import type { DeadLetters } from './dead-letters.ts'
import { type Delivery, originOf } from './delivery.ts'
import type { Message, Target } from './effects.ts'
import { errorOf, StoppedError } from './errors.ts'
import type { Registry } from './registry.ts'
import { type FromAfar, type Spawned, type SpawnRequest, spawnAddress } from './remote.ts'
import type { Watches } from './watches.ts'

export function fromAfar(parts: {
  readonly delivery: Delivery
  readonly asks: Asks
  readonly watches: Watches
  readonly dead: DeadLetters
}): FromAfar {
  const { delivery, asks, watches, dead } = parts
  return {
    tell: (target, message, sender) =>
      delivery.arrive(target, message, sender === undefined ? FROM_OUTSIDE : originOf(sender)),
    ask(target, message, { sender, deadline_ms }, settle) {
      const ask = asks.ask({ settle, afar: { sender } }, target, message, deadline_ms)
      return () => asks.forget(ask)
    },
    answered(id, message, by) {
      const ask = asks.numbered(id)
      if (ask === undefined) dead.add('late-answer', 'outside', by?.address, message)
      else asks.answer(ask, message, originOf(by))
    },
    failed(id, error) {
      const ask = asks.numbered(id)
      if (ask !== undefined) asks.fail(ask, error)
    },
    watch: (target, gone) => watches.listen(target, gone),
    moved: (target, to) => watches.movedAfar(target, to),
    gone: (target, ref, reason) => watches.goneAfar(target, ref, reason),
    undelivered: (reason, to, from, type, count) => dead.addMany(reason, to, from, { type }, count),
  }
}

/** Starts actors on behalf of who asks for it at `spawnAddress`. */
export function spawning(parts: {
  readonly clock: Clock
  readonly registry: Registry
  readonly delivery: Delivery
  readonly asks: Asks
  readonly parent: () => Cell
}): (target: Target, message: Message, ask: OpenAsk) => boolean {
  const { clock, registry, delivery, asks, parent } = parts
  const own = spawnAddress(registry.node)

  const start = (message: Message): Spawned => {
    const { type, kind, key, args } = message as Partial<SpawnRequest>
    if (type !== 'actor.spawn' || typeof kind !== 'string') {
      throw new InvalidInputError('This is no request to start an actor')
    }
    const allowed = registry.allowsFromAfar(kind, args)
    if (allowed === 'not this kind') throw new NotFoundError('A kind of actor that may be started from afar')
    if (allowed !== 'yes' || typeof key !== 'string' || !isSegment(key)) {
      throw new InvalidInputError('An actor cannot be started with these arguments')
    }
    const address = registry.addressOf(kind, key)
    const living = delivery.find(address)
    if (living !== undefined) {
      if (living.phase === 'stopping') throw new StoppedError(address)
      return spawned(living.ref, true)
    }
    const cell = registry.createActor({
      kind,
      address,
      args,
      parent: parent(),
      restart: 'transient',
      fixed: false,
    })
    delivery.attend(cell)
    return spawned(cell.ref, false)
  }

  return (target, message, ask) => {
    if (target !== own) return false
    // The ask is not on the books yet: its answer must not come before it is.
    clock.soon(() => {
      const open = asks.find(ask.replyTo)
      if (open === undefined) return
      let answer: Spawned | LoqaError
      try {
        answer = start(message)
      } catch (thrown) {
        answer = errorOf(errorShape(thrown))
      }
      if ('type' in answer) asks.answer(open, answer, FROM_OUTSIDE)
      else asks.fail(open, answer)
    })
    return true
  }
}

const spawned = ({ address, incarnation }: Ref, existed: boolean): Spawned => ({
  type: 'actor.spawned',
  ref: { address, incarnation },
  existed,
})
