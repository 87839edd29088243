/**
 * Spans on their way to a collector: bounded, in batches, again after a while when it cannot be reached. Pure.
 *
 * Q1 What waits is never more than `MAX_WAITING`; the oldest are lost first, and counted. Q2 One request at a time. Q3 After a failure the
 * next try comes later each time, up to `LONGEST_MS`. Q4 What a collector refuses for good is lost, and counted; nothing else is.
 */
import type { Span } from './spans.ts'

/** Half an hour of a busy house: a few hundred kilobytes. */
export const MAX_WAITING = 2_048
/** One request: some 100 kB. */
export const MAX_BATCH = 256
/** Turns come seconds apart; nobody looks at them sooner. */
const GATHER_MS = 2_000
const FIRST_RETRY_MS = 1_000
const LONGEST_MS = 60_000

export interface SpanQueue {
  readonly waiting: readonly Span[]
  /** Being sent; they stand in front of `waiting`. */
  readonly sending: readonly Span[]
  /** In a row. */
  readonly failures: number
  readonly lost: number
}

export const NO_SPANS: SpanQueue = { waiting: [], sending: [], failures: 0, lost: 0 }

export function withSpans(queue: SpanQueue, spans: readonly Span[]): SpanQueue {
  const waiting = [...queue.waiting, ...spans]
  const over = Math.max(0, waiting.length + queue.sending.length - MAX_WAITING)
  return { ...queue, waiting: waiting.slice(over), lost: queue.lost + Math.min(over, waiting.length) }
}

/** Until the next request, in ms; undefined: there is nothing to send, or one is under way. */
export function nextIn({ waiting, sending, failures }: SpanQueue): number | undefined {
  if (waiting.length === 0 || sending.length > 0) return undefined
  return failures === 0 ? GATHER_MS : Math.min(LONGEST_MS, FIRST_RETRY_MS * 2 ** (failures - 1))
}

export const begunSending = (queue: SpanQueue): SpanQueue => ({
  ...queue,
  sending: queue.waiting.slice(0, MAX_BATCH),
  waiting: queue.waiting.slice(MAX_BATCH),
})

export type Sent = 'taken' | 'refused' | 'unreachable'

export function ended(queue: SpanQueue, how: Sent): SpanQueue {
  const { sending, waiting, lost, failures } = queue
  if (how === 'taken') return { ...queue, sending: [], failures: 0 }
  if (how === 'refused') return { ...queue, sending: [], failures: 0, lost: lost + sending.length }
  return { ...queue, sending: [], waiting: [...sending, ...waiting], failures: failures + 1 }
}

/** By the status of the answer, as the protocol has it: what may be tried again, and what never will be taken. */
export function sentBy(status: number): Sent {
  if (status >= 200 && status < 300) return 'taken'
  return [408, 429, 502, 503, 504].includes(status) || status === 0 ? 'unreachable' : 'refused'
}
