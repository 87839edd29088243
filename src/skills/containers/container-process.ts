/**
 * One container as a process of a sandbox: made, looked at, connected to, started; ended by removing it. Its life in phases:
 * `opening` until it runs, `running`, `ending` from the kill until the engine has removed it, `ended`.
 */
import type { Clock } from '../../host/index.ts'
import type { SandboxEvents, SandboxProcess } from '../sandbox/process.ts'
import { type Bounds, containerFor, createdSchema, looseIn } from './description.ts'
import type { Attached, EngineAnswer, EngineApi, EngineOrder } from './engine-http.ts'
import { StreamSplitter } from './streams.ts'

/** Making or starting one takes 0.1 to 1 s, on a loaded single-board computer several. */
const STEP_WITHIN_MS = 10_000
/** Kept of what a dying program says, for the log. */
const MAX_LAST_WORDS = 2_000
/** What it may say on its standard error between two orders. One connection carries all: who floods it has the node listen. */
const MAX_ERROR_BYTES = 64 * 1024
/** Of an engine's words about what it could not do. */
const MAX_REASON_CHARS = 300

export interface Place {
  readonly clock: Clock
  /** Errors: throws when no engine answers. */
  engine(): Promise<EngineApi>
  /** One at a time: what belongs to nobody is cleared away meanwhile. */
  inTurn<T>(make: () => Promise<T>): Promise<T>
  born(id: string): void
  /** The engine says that it is gone. */
  buried(id: string): void
  /** It should be gone, and the engine does not say so. */
  lost(id: string): void
  /** Undefined: it runs. Otherwise why it does not. */
  started(image: string, failure: string | undefined): void
  readonly node: string
}

type Phase = 'opening' | 'running' | 'ending' | 'ended'

export class ContainerProcess implements SandboxProcess {
  readonly pid = undefined
  readonly #place: Place
  readonly #events: SandboxEvents
  readonly #splitter = new StreamSplitter()
  #phase: Phase = 'opening'
  #engine: EngineApi | undefined
  #id: string | undefined
  #attached: Attached | undefined
  #lastWords = ''
  #errorBytes = 0

  constructor(place: Place, bounds: Bounds, skill: string, events: SandboxEvents) {
    this.#place = place
    this.#events = events
    void this.#open(bounds, skill)
  }

  send(frame: Uint8Array): void {
    this.#errorBytes = 0
    this.#attached?.send(frame)
  }

  /** What comes over a socket comes when it comes. */
  listen(): boolean {
    return false
  }

  kill(): void {
    // Told when the engine has removed it, or does not say so in time.
    const removed = this.#close()
    void removed?.finally(() => this.#exit('was ended'))
  }

  async #open(bounds: Bounds, skill: string): Promise<void> {
    try {
      const engine = await this.#place.engine()
      this.#engine = engine
      const id = await this.#place.inTurn(() => this.#create(engine, bounds, skill))
      const loose = looseIn((await this.#ask({ method: 'GET', path: `/containers/${id}/json` })).body, bounds)
      if (loose !== undefined) throw new Error(`the engine does not do as it is told: ${loose}`)
      const streams = 'stream=1&stdin=1&stdout=1&stderr=1'
      this.#attached = await engine.attach(
        `/containers/${id}/attach?${streams}`,
        { bytes: (chunk) => this.#heard(chunk), end: () => this.#end('ended') },
        STEP_WITHIN_MS,
      )
      if (this.#phase !== 'opening') this.#attached.close()
      await this.#ask({ method: 'POST', path: `/containers/${id}/start` })
      if (this.#phase !== 'opening') {
        // It was killed while it was being started, which an engine may finish all the same.
        void this.#remove(id)
        return
      }
      this.#phase = 'running'
      this.#place.started(bounds.image, undefined)
    } catch (thrown) {
      if (this.#phase !== 'opening') return
      const why = thrown instanceof Error ? thrown.message : 'unknown'
      this.#place.started(bounds.image, why)
      this.#end(`could not be started (${why})`)
    }
  }

  /** It is known as ours before anything else happens, so that it is never cleared away nor forgotten. */
  async #create(engine: EngineApi, bounds: Bounds, skill: string): Promise<string> {
    if (this.#phase !== 'opening') throw new Error('nobody wants it any more')
    const body = containerFor(bounds, this.#place.node, skill)
    const made = await engine.ask({ method: 'POST', path: '/containers/create', body }, STEP_WITHIN_MS)
    const { Id } = createdSchema.parse(succeeded(made).body)
    this.#id = Id
    this.#place.born(Id)
    // It was killed while it came into being.
    if (this.#phase !== 'opening') void this.#remove(Id)
    return Id
  }

  async #ask(order: EngineOrder): Promise<EngineAnswer> {
    if (this.#phase !== 'opening') throw new Error('nobody wants it any more')
    return succeeded(await this.#engine!.ask(order, STEP_WITHIN_MS))
  }

  #heard(chunk: Uint8Array): void {
    if (this.#phase === 'ending' || this.#phase === 'ended') return
    try {
      for (const { of, bytes } of this.#splitter.push(chunk)) {
        if (of === 'output') this.#events.bytes(bytes)
        else this.#complained(bytes)
      }
    } catch {
      this.#end('spoke through no engine')
    }
  }

  #complained(bytes: Uint8Array): void {
    const room = MAX_LAST_WORDS - this.#lastWords.length
    if (room > 0) this.#lastWords += Buffer.from(bytes.subarray(0, room)).toString('utf8')
    this.#errorBytes += bytes.length
    if (this.#errorBytes > MAX_ERROR_BYTES) this.#end('complained without end')
  }

  /** By itself, or for what it did: told at once. */
  #end(detail: string): void {
    if (this.#close() !== undefined) this.#exit(detail)
  }

  /** Undefined when it is over already. */
  #close(): Promise<void> | undefined {
    if (this.#phase === 'ending' || this.#phase === 'ended') return undefined
    this.#phase = 'ending'
    this.#attached?.close()
    return this.#id === undefined ? Promise.resolve() : this.#remove(this.#id)
  }

  #exit(detail: string): void {
    this.#phase = 'ended'
    this.#events.exit(this.#lastWords === '' ? detail : `${detail}: ${this.#lastWords}`)
  }

  async #remove(id: string): Promise<void> {
    try {
      const path = `/containers/${id}?force=true&v=true`
      const { status } = await this.#engine!.ask({ method: 'DELETE', path }, STEP_WITHIN_MS)
      // 404: it is gone already. An engine that is just starting or removing it refuses: whatever comes of that is looked at again.
      if (status < 300 || status === 404) this.#place.buried(id)
      else this.#place.lost(id)
    } catch {
      this.#place.lost(id)
    }
  }
}

/** Errors: throws with what the engine says. */
export function succeeded(answer: EngineAnswer): EngineAnswer {
  if (answer.status < 400) return answer
  const { body } = answer
  const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : ''
  throw new Error(
    said.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_CHARS) || `status ${answer.status}`,
  )
}
