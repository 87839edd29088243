/**
 * The runs of one engine process, and what they tell about its speed. Each open run hears exactly one last event; a cancelled one
 * hears nothing more, but keeps its place until the engine has let go of it.
 */
import type { Clock, ErrorShape, Monotonic } from '../host/index.ts'
import { errorShape, limits } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import type { EngineEvent, EngineRequest } from './engine.ts'
import { Following } from './lag.ts'
import { Recent } from './statistics.ts'

interface Run {
  readonly request: EngineRequest
  readonly onEvent: (event: EngineEvent) => void
  phase: 'open' | 'cancelling'
  /** From here the wait for the first result counts: opening, or for speech recognition the end of the input. */
  waitsSince: Monotonic
  waited: boolean
  readonly following: Following
}

const SAMPLES_PER_MS = limits.SAMPLE_RATE / 1_000
const RESULTS: ReadonlySet<EngineEvent['type']> = new Set(['final', 'token', 'audio', 'embedding'])

export class Runs {
  readonly #clock: Clock
  readonly #log: Log
  readonly #runs = new Map<number, Run>()
  readonly #waits = new Recent()
  readonly #factors = new Recent()
  readonly #rates = new Recent()
  readonly #lags = new Recent()
  /** Whether this engine says how far it is: not all do. */
  #saysHeard = false

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Open ones, and cancelled ones the engine still holds. */
  get size(): number {
    return this.#runs.size
  }
  /** Wait for the first result in ms. */
  get p95_ms(): number | null {
    return this.#waits.p95(this.#clock.monotonic())
  }
  /** Median of the last runs. */
  get realTimeFactor(): number | null {
    return this.#factors.median(this.#clock.monotonic())
  }
  /** Median of the last runs. */
  get tokensPerSecond(): number | null {
    return this.#rates.median(this.#clock.monotonic())
  }

  /** How far it was behind speech, ms: of runs that are over 95 of 100, and of those under way the worst. */
  get lag_ms(): number | undefined {
    if (!this.#saysHeard) return undefined
    const now = this.#clock.monotonic()
    const underway = [...this.#runs.values()].map(({ phase, following }) =>
      phase === 'open' ? (following.behind_ms(now) ?? 0) : 0,
    )
    return Math.max(this.#lags.p95(now) ?? 0, ...underway)
  }

  add(stream: number, request: EngineRequest, onEvent: (event: EngineEvent) => void): void {
    const waitsSince = this.#clock.monotonic()
    const following = new Following()
    this.#runs.set(stream, { request, onEvent, phase: 'open', waitsSince, waited: false, following })
  }

  isOpen(stream: number): boolean {
    return this.#runs.get(stream)?.phase === 'open'
  }

  /** Sound was given to the engine. */
  fed(stream: number, samples: number): void {
    this.#runs.get(stream)?.following.fed(samples / SAMPLES_PER_MS, this.#clock.monotonic())
  }

  /** The engine has worked through so much of it. */
  heard(stream: number, audio_ms: number): void {
    this.#saysHeard = true
    this.#runs.get(stream)?.following.heard(audio_ms, this.#clock.monotonic())
  }

  /** The input is complete. */
  finished(stream: number): void {
    const run = this.#runs.get(stream)
    if (run === undefined || (run.request.kind !== 'stt' && run.request.kind !== 'speaker')) return
    run.waitsSince = this.#clock.monotonic()
    run.waited = false
  }

  cancelled(stream: number): void {
    const run = this.#runs.get(stream)
    if (run === undefined) return
    run.phase = 'cancelling'
    // Given up while it was late: that counts as well.
    this.#noteLag(run)
  }

  released(stream: number): void {
    this.#runs.delete(stream)
  }

  /** Passes an event on, unless it crossed a cancel on the way. */
  event(stream: number, event: EngineEvent): void {
    const run = this.#runs.get(stream)
    if (run?.phase !== 'open') return
    this.#learn(run, event)
    if (event.type === 'done' || event.type === 'failed') this.#runs.delete(stream)
    this.#tell(run, event)
  }

  /** The node itself gives the run up: its last event, while the engine is still to be told. */
  abandon(stream: number, error: ErrorShape): void {
    const run = this.#runs.get(stream)
    if (run?.phase !== 'open') return
    run.phase = 'cancelling'
    this.#tell(run, { type: 'failed', error })
  }

  failAll(error: ErrorShape): void {
    const runs = [...this.#runs.values()]
    this.#runs.clear()
    for (const run of runs) {
      if (run.phase === 'open') this.#tell(run, { type: 'failed', error })
    }
  }

  /** A listener that throws spoils its own run only: this is called from where bytes come in, for everyone. */
  #tell(run: Run, event: EngineEvent): void {
    try {
      run.onEvent(event)
    } catch (thrown) {
      const { code, message } = errorShape(thrown)
      this.#log.error('a listener of an engine run failed', { code, reason: message })
    }
  }

  #learn(run: Run, event: EngineEvent): void {
    if (!run.waited && RESULTS.has(event.type)) {
      run.waited = true
      const now = this.#clock.monotonic()
      this.#waits.add(now - run.waitsSince, now)
    }
    if (event.type !== 'done') return
    this.#noteLag(run)
    const { compute_ms, audio_ms, output_tokens } = event.usage
    const now = this.#clock.monotonic()
    if (audio_ms !== undefined && audio_ms > 0) this.#factors.add(compute_ms / audio_ms, now)
    if (output_tokens !== undefined && compute_ms > 0)
      this.#rates.add((output_tokens / compute_ms) * 1_000, now)
  }
  #noteLag({ following }: Run): void {
    const now = this.#clock.monotonic()
    const behind_ms = following.behind_ms(now)
    if (behind_ms !== undefined) this.#lags.add(behind_ms, now)
  }
}
