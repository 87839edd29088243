/** One run of an engine of a server: work that begins once, events until it is given up, one last event. */
import { type ErrorShape, errorShape } from '../../host/errors.ts'
import type { EngineEvent, EngineInput, EngineStream } from '../engine.ts'
import type { Server } from './elsewhere.ts'
import { ElsewhereError } from './patience.ts'

export type OnEvent = (event: EngineEvent) => void

export const JSON_TYPE = { 'content-type': 'application/json' }

/** A model of a server. */
export interface Loaded {
  readonly server: Server
  readonly model: string
  readonly voice: string
}

export class Run implements EngineStream {
  readonly #onEvent: OnEvent
  readonly #abort = new AbortController()
  readonly #start = performance.now()
  #ended = false

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }
  get over(): boolean {
    return this.#ended || this.#abort.signal.aborted
  }
  get compute_ms(): number {
    return performance.now() - this.#start
  }

  feed(_input: EngineInput): void {}
  finish(): void {}
  cancel(): void {
    this.#abort.abort()
  }

  tell(event: EngineEvent): void {
    if (this.over) return
    if (event.type === 'done' || event.type === 'failed') this.#ended = true
    this.#onEvent(event)
  }

  fail(error: ErrorShape): void {
    this.tell({ type: 'failed', error })
  }

  /** Never at once: `open` returns its stream before the first event. */
  begin(work: () => Promise<void>): void {
    queueMicrotask(() => {
      if (this.over) return
      work().catch((thrown: unknown) => {
        this.fail(thrown instanceof ElsewhereError ? thrown.shape : errorShape(thrown))
      })
    })
  }
}
