/** Sends spans to a collector of the house over OTLP/HTTP, when `observe.otlp_url` names one. */
import type { Cancel, Clock, HttpDoor } from '../host/index.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { encodeSpans, type Resource } from './otlp.ts'
import { begunSending, ended, NO_SPANS, nextIn, type Sent, sentBy, withSpans } from './span-queue.ts'
import { type StepSeen, spansOf } from './spans.ts'

/** A collector of the house answers in milliseconds. */
const ANSWER_MS = 10_000

export interface SpanSenderParts {
  readonly clock: Clock
  readonly door: HttpDoor
  /** Of the collector; without a path it is `/v1/traces`. */
  readonly url: string
  readonly resource: Resource
  readonly log: Log
  readonly metrics: Pick<Metrics, 'add'>
}

export class SpanSender {
  readonly #parts: SpanSenderParts
  readonly #url: URL
  readonly #closing = new AbortController()
  #queue = NO_SPANS
  #next: Cancel | undefined
  #lost = 0

  constructor(parts: SpanSenderParts) {
    this.#parts = parts
    this.#url = new URL(parts.url)
    if (this.#url.pathname === '/') this.#url.pathname = '/v1/traces'
  }

  /** The steps of a turn that has ended. */
  turn(steps: readonly StepSeen[]): void {
    this.#become(withSpans(this.#queue, spansOf(steps)))
  }

  close(): void {
    this.#closing.abort()
    this.#next?.()
  }

  #become(queue: typeof NO_SPANS): void {
    this.#queue = queue
    if (queue.lost > this.#lost) {
      this.#parts.metrics.add('loqa_spans_lost_total', queue.lost - this.#lost)
      this.#lost = queue.lost
    }
    const delay_ms = nextIn(queue)
    if (delay_ms === undefined || this.#next !== undefined || this.#closing.signal.aborted) return
    this.#next = this.#parts.clock.after(delay_ms, () => {
      this.#next = undefined
      void this.#send()
    })
  }

  async #send(): Promise<void> {
    this.#queue = begunSending(this.#queue)
    const body = encodeSpans(this.#parts.resource, this.#queue.sending)
    const how = await this.#post(body)
    const was = this.#queue.failures
    if (how === 'refused') {
      this.#parts.log.warn('The collector refuses spans', { url: this.#url.href })
    } else if (how === 'unreachable' && was === 0) {
      this.#parts.log.warn('The collector of spans cannot be reached; they wait', { url: this.#url.href })
    }
    this.#become(ended(this.#queue, how))
  }

  async #post(body: string): Promise<Sent> {
    const { door, clock } = this.#parts
    const url = this.#url
    const late = new AbortController()
    const cancel = clock.after(ANSWER_MS, () => late.abort())
    const signal = AbortSignal.any([late.signal, this.#closing.signal])
    try {
      const [address] = await door.resolve(url.hostname.replace(/^\[|\]$/g, ''))
      const secure = url.protocol === 'https:'
      const answer = await door.open(
        {
          ...{
            address: address!,
            secure,
            host: url.hostname,
            path: url.pathname + url.search,
            method: 'POST',
          },
          port: Number(url.port) || (secure ? 443 : 80),
          headers: {
            Host: url.host,
            'Content-Type': 'application/json',
            'Content-Length': String(Buffer.byteLength(body)),
          },
          body,
        },
        signal,
      )
      answer.close()
      return sentBy(answer.status)
    } catch {
      return 'unreachable'
    } finally {
      cancel()
    }
  }
}
