/** An answer on its way: what ends the wait for it, and how it goes out piece by piece. */
import type { FastifyReply } from 'fastify'
import { type Clock, TimeoutError } from '../../host/index.ts'

export interface Wait {
  /** Aborted when the caller goes away, or when nothing came for too long. */
  readonly signal: AbortSignal
  /** Something came: the wait begins again. */
  heard(): void
  /** Errors: `timeout` when the signal was aborted because of that. */
  check(): void
}

/** `most_ms`: between one sign of life and the next, not of the whole. */
export function waitFor(reply: FastifyReply, clock: Clock, most_ms: number): Wait {
  const deadline = new AbortController()
  let isLate = false
  const arm = () =>
    clock.after(most_ms, () => {
      isLate = true
      deadline.abort()
    })
  let over = arm()
  reply.raw.once('close', () => {
    over()
    deadline.abort()
  })
  return {
    signal: deadline.signal,
    heard() {
      over()
      if (!deadline.signal.aborted) over = arm()
    },
    check() {
      if (isLate) throw new TimeoutError('The answer', most_ms)
    },
  }
}

const DONE = 'data: [DONE]\n\n'

/**
 * Server-sent events. A failure in the midst is the last event: the status was sent long ago. `last`: what says that all is well,
 * where the API has such a mark.
 */
export async function* serverSent(
  events: AsyncIterable<object>,
  failed: (thrown: unknown) => object,
  last: 'done' | 'nothing',
): AsyncGenerator<string, void, void> {
  try {
    for await (const event of events) yield `data: ${JSON.stringify(event)}\n\n`
    if (last === 'done') yield DONE
  } catch (thrown) {
    yield `data: ${JSON.stringify(failed(thrown))}\n\n`
  }
}

/** The same items; what fails before the first of them fails here, while a proper answer is still possible. */
export async function begun<T>(items: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = items[Symbol.asyncIterator]()
  const first = await iterator.next()
  async function* all(): AsyncGenerator<T, void, void> {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return all()
}
