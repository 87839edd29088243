/** Topics: what is published reaches every subscriber of this node, in order of subscription. */
import type { Cell, Origin } from './cell.ts'
import type { Delivery } from './delivery.ts'
import type { Message } from './effects.ts'

export type Listener = (message: Message) => void

export class Topics {
  readonly #delivery: Delivery
  readonly #listenerFailed: (topic: string, thrown: unknown) => void
  readonly #subscribers = new Map<string, Set<Cell | Listener>>()

  constructor(delivery: Delivery, listenerFailed: (topic: string, thrown: unknown) => void) {
    this.#delivery = delivery
    this.#listenerFailed = listenerFailed
  }

  publish(topic: string, message: Message, origin: Origin): void {
    const subscribers = this.#subscribers.get(topic)
    if (subscribers === undefined) return
    for (const subscriber of subscribers) {
      if (typeof subscriber !== 'function') {
        this.#delivery.tellCell(subscriber, message, origin)
        continue
      }
      try {
        subscriber(message)
      } catch (thrown) {
        this.#listenerFailed(topic, thrown)
      }
    }
  }

  subscribe(topic: string, subscriber: Cell | Listener): void {
    const subscribers = this.#subscribers.get(topic)
    if (subscribers === undefined) this.#subscribers.set(topic, new Set([subscriber]))
    else subscribers.add(subscriber)
    if (typeof subscriber === 'function') return
    const own = subscriber.own()
    own.topics ??= new Set()
    own.topics.add(topic)
  }

  unsubscribe(topic: string, subscriber: Cell | Listener): void {
    const subscribers = this.#subscribers.get(topic)
    subscribers?.delete(subscriber)
    if (subscribers?.size === 0) this.#subscribers.delete(topic)
    if (typeof subscriber !== 'function') subscriber.extras.topics?.delete(topic)
  }

  leave(cell: Cell): void {
    const { topics } = cell.extras
    if (topics !== undefined) for (const topic of [...topics]) this.unsubscribe(topic, cell)
  }
}
