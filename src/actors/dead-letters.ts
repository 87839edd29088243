/**
 * Messages that reached nobody: all counted by reason, the last ones kept for inspection without their content.
 */
import type { Clock, Wall } from '../host/index.ts'
import type { Address } from './address.ts'
import type { Message } from './effects.ts'
import type { Observe, Trace } from './observation.ts'

export type DeadLetterReason =
  /** No actor lives at the address. */
  | 'unknown-actor'
  /** The ref is of an earlier actor at this address. */
  | 'stale-incarnation'
  /** The address is on another node, and no link leads there. */
  | 'unreachable'
  /** Its content may not leave this node, and the receiver is on another. */
  | 'private'
  /** It cannot be written down for the way to another node, or is larger than a frame. */
  | 'unsendable'
  /** The receiver does not take this from other nodes. */
  | 'refused'
  /** The receiver stopped before it came to this message. */
  | 'stopped'
  /** The mailbox was full and kept what it had. */
  | 'overflow'
  /** The mailbox was full and this was its oldest. */
  | 'dropped-oldest'
  /** The receiver failed on it. */
  | 'failed-on'
  /** An ask that was over before it was handled. */
  | 'expired'
  /** An answer nobody waits for any more. */
  | 'late-answer'

/** All of the above, as they are told between nodes. */
export const DEAD_LETTER_REASONS: readonly DeadLetterReason[] = [
  'unknown-actor',
  'stale-incarnation',
  'unreachable',
  'private',
  'unsendable',
  'refused',
  'stopped',
  'overflow',
  'dropped-oldest',
  'failed-on',
  'expired',
  'late-answer',
]

export interface DeadLetter {
  readonly reason: DeadLetterReason
  readonly to: string
  readonly from: Address | undefined
  /** The message's type; its content is not kept. */
  readonly type: string
  readonly at: Wall
}

export interface DeadLetterReport {
  readonly counts: Readonly<Partial<Record<DeadLetterReason, number>>>
  /** Newest last, at most 100. */
  readonly last: readonly DeadLetter[]
}

const KEPT = 100

export class DeadLetters {
  readonly #clock: Clock
  readonly #observe: Observe
  readonly #trace: Trace | undefined
  readonly #counts: Partial<Record<DeadLetterReason, number>> = {}
  readonly #last: DeadLetter[] = []
  #next = 0

  constructor(clock: Clock, observe: Observe, trace: Trace | undefined) {
    this.#clock = clock
    this.#observe = observe
    this.#trace = trace
  }

  add(reason: DeadLetterReason, to: string, from: Address | undefined, message: Message): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1
    this.#last[this.#next] = { reason, to, from, type: message.type, at: this.#clock.wall() }
    this.#next = (this.#next + 1) % KEPT
    this.#observe.metric({ name: 'loqa_dead_letters_total', add: 1 })
    this.#trace?.({ what: 'dead-letter', to, message, reason })
  }

  /** Several alike, as another node tells them: kept as one. */
  addMany(
    reason: DeadLetterReason,
    to: string,
    from: Address | undefined,
    message: Message,
    count: number,
  ): void {
    this.add(reason, to, from, message)
    this.#counts[reason] = (this.#counts[reason] ?? 0) + count - 1
    if (count > 1) this.#observe.metric({ name: 'loqa_dead_letters_total', add: count - 1 })
  }

  report(): DeadLetterReport {
    return {
      counts: { ...this.#counts },
      last: [...this.#last.slice(this.#next), ...this.#last.slice(0, this.#next)],
    }
  }
}
