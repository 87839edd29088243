/**
 * One engine process and its runs: carries out the orders of `replica-machine.ts` and passes events of runs through.
 * A run that is open when the process is lost fails with the reason; one that was cancelled stays silent.
 */
import type { Cancel, Clock, ErrorShape, Monotonic, Random } from '../host/index.ts'
import { errorShape } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import type {
  EngineEvent,
  EngineInput,
  EngineKind,
  EngineRequest,
  EngineStream,
  Measurement,
  ModelFiles,
} from './engine.ts'
import { engineUnavailable, invalidInput } from './errors.ts'
import { encodeToChild, FrameCutter, MAX_ENGINE_FRAME_BYTES, type ToChild } from './frames.ts'
import type { EngineProcess, ProcessEvents, StartProcess } from './process.ts'
import {
  decide,
  idle,
  type Life,
  type ReplicaEvent,
  type ReplicaOrder,
  type ReplicaSettings,
  type ReplicaState,
  type Timer,
} from './replica-machine.ts'
import { RecentWaits } from './statistics.ts'
import { decodeFromChild, type FromChild } from './wire.ts'

export interface ReplicaSpec {
  /** Unique in the node, e.g. `stt.sherpa.starter-en`. */
  readonly name: string
  /** What it offers, e.g. `stt.sherpa:starter-en`. */
  readonly tag: string
  readonly kind: EngineKind
  readonly engine: string
  readonly model: string
  /** Checks the files against their checksums, unpacks them where needed. Errors: `LoqaError`. */
  readonly prepare: () => Promise<ModelFiles>
}

export interface ReplicaDoors {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly startProcess: StartProcess
  /** The state seen from outside changed. */
  readonly onChange: (replica: Replica) => void
}

const TOO_LARGE = invalidInput('The input is larger than an engine takes at once')

interface Run {
  readonly request: EngineRequest
  readonly onEvent: (event: EngineEvent) => void
  phase: 'open' | 'cancelling'
  /** From here the wait for the first result counts: opening, or for speech recognition the end of the input. */
  waitsSince: Monotonic
  waited: boolean
}

export class Replica {
  readonly spec: ReplicaSpec
  readonly #settings: ReplicaSettings
  readonly #doors: ReplicaDoors
  readonly #runs = new Map<number, Run>()
  readonly #timers = new Map<Timer, Cancel>()
  readonly #waits = new RecentWaits()
  #state: ReplicaState = idle
  #process: EngineProcess | undefined
  #files: ModelFiles | undefined
  #measurement: Measurement | undefined
  #realTimeFactor: number | undefined
  #tokensPerSecond: number | undefined
  #admits = 0
  #rss_mb: number | null = null
  #lastStream = 0

  constructor(spec: ReplicaSpec, settings: ReplicaSettings, doors: ReplicaDoors) {
    this.spec = spec
    this.#settings = settings
    this.#doors = doors
  }

  get life(): Life {
    return this.#state.life
  }
  get restarts(): number {
    return this.#state.restarts
  }
  /** Runs it has, cancelled ones that the engine still holds included. */
  get load(): number {
    return this.#runs.size
  }
  /** Runs its engine takes at once; 0 until it is ready. */
  get admits(): number {
    return this.#state.life.phase === 'ready' ? this.#admits : 0
  }
  /** Resident memory of the process at the last ping, in MB. */
  get rss_mb(): number | null {
    return this.#rss_mb
  }
  /** Wait for the first result: from live runs, or the self-benchmark before there were any. */
  get p95_ms(): number | null {
    return this.#waits.p95() ?? this.#measurement?.p95_ms ?? null
  }
  get real_time_factor(): number | null {
    return this.#realTimeFactor ?? this.#measurement?.real_time_factor ?? null
  }
  get tokens_per_s(): number | null {
    return this.#tokensPerSecond ?? this.#measurement?.tokens_per_s ?? null
  }
  get pid(): number | undefined {
    return this.#process?.pid
  }

  start(): void {
    this.#handle({ type: 'start' })
  }

  /** Ends the process and fails what runs; nothing is started again. */
  stop(): void {
    this.#handle({ type: 'stop' })
  }

  /** Starts a run. When the replica is not ready the run fails at once, with the reason, after this returned. */
  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (this.#state.life.phase !== 'ready') {
      const error = engineUnavailable(`The engine ${this.spec.name}`, `it is ${this.#state.life.phase}`)
      return failedStream(this.#doors.clock, onEvent, error)
    }
    this.#lastStream = (this.#lastStream + 1) % 0xffff_ffff
    const stream = this.#lastStream
    const frame = encodeToChild({ type: 'open', stream, request })
    if (frame.byteLength > MAX_ENGINE_FRAME_BYTES) return failedStream(this.#doors.clock, onEvent, TOO_LARGE)
    const waitsSince = this.#doors.clock.monotonic()
    this.#runs.set(stream, { request, onEvent, phase: 'open', waitsSince, waited: false })
    this.#process?.write(frame)
    return {
      feed: (input) => this.#feed(stream, input),
      finish: () => this.#finish(stream),
      cancel: () => this.#cancel(stream),
    }
  }

  #feed(stream: number, input: EngineInput): void {
    const run = this.#runs.get(stream)
    if (run?.phase !== 'open') return
    const frame = encodeToChild(
      input.type === 'audio'
        ? { type: 'audio', stream, samples: input.samples }
        : { type: 'text', stream, text: input.text },
    )
    if (frame.byteLength <= MAX_ENGINE_FRAME_BYTES) this.#process?.write(frame)
    else {
      this.#cancel(stream)
      this.#tell(run, { type: 'failed', error: TOO_LARGE })
    }
  }

  #finish(stream: number): void {
    const run = this.#runs.get(stream)
    if (run?.phase !== 'open') return
    if (run.request.kind === 'stt') {
      run.waitsSince = this.#doors.clock.monotonic()
      run.waited = false
    }
    this.#send({ type: 'finish', stream })
  }

  #cancel(stream: number): void {
    const run = this.#runs.get(stream)
    if (run?.phase !== 'open') return
    run.phase = 'cancelling'
    this.#send({ type: 'cancel', stream })
    this.#handle({ type: 'cancelling', stream })
  }

  #handle(event: ReplicaEvent): void {
    const before = this.#state
    const { state, orders } = decide(before, event, this.#settings, this.#doors.random.float())
    this.#state = state
    for (const order of orders) this.#carryOut(order)
    if (before.life.phase !== state.life.phase) this.#doors.onChange(this)
  }

  #carryOut(order: ReplicaOrder): void {
    switch (order.do) {
      case 'check-files':
        void this.#checkFiles()
        break
      case 'start-process':
        this.#startProcess()
        break
      case 'kill-process':
        this.#process?.kill()
        this.#process = undefined
        this.#rss_mb = null
        break
      case 'load':
        if (this.#files !== undefined) this.#send({ type: 'load', model: this.#files })
        break
      case 'ping':
        this.#send({ type: 'ping', ping: order.ping })
        break
      case 'fail-runs':
        this.#failRuns(order.error)
        break
      case 'arm':
        this.#timers.get(order.timer)?.()
        this.#timers.set(
          order.timer,
          this.#doors.clock.after(order.delay_ms, () => this.#timerFired(order.timer)),
        )
        break
      case 'disarm':
        this.#timers.get(order.timer)?.()
        this.#timers.delete(order.timer)
        break
      case 'disarm-all':
        for (const cancel of this.#timers.values()) cancel()
        this.#timers.clear()
        break
      case 'log':
        this.#doors.log[order.level](order.message, {
          engine: this.spec.name,
          ...(order.error === undefined ? {} : { code: order.error.code, reason: order.error.message }),
        })
        break
    }
  }

  #timerFired(timer: Timer): void {
    this.#timers.delete(timer)
    this.#handle({ type: 'timer', timer })
  }

  async #checkFiles(): Promise<void> {
    try {
      this.#files = await this.spec.prepare()
      this.#handle({ type: 'checked' })
    } catch (thrown) {
      this.#handle({ type: 'check-failed', error: errorShape(thrown) })
    }
  }

  #startProcess(): void {
    const cutter = new FrameCutter((frame) => {
      const message = decodeFromChild(frame)
      // Frames cut together with the one that gave the process up are no longer wanted.
      if (this.#process !== started) return
      if (message === undefined) this.#handle({ type: 'garbled' })
      else this.#receive(message)
    })
    const started = this.#tryToStart({
      data: (bytes) => {
        if (this.#process === started && !cutter.push(bytes)) this.#handle({ type: 'garbled' })
      },
      exited: (how) => {
        if (this.#process !== started) return
        const words = started?.lastWords() ?? ''
        if (words !== '') this.#doors.log.warn('last words of an engine', { engine: this.spec.name, words })
        this.#handle({ type: 'exited', how })
      },
    })
    this.#process = started
    // No descriptors, no memory: as if it had ended at once.
    if (started === undefined) {
      this.#doors.clock.soon(() => this.#handle({ type: 'exited', how: 'before it started' }))
    }
  }

  #tryToStart(events: ProcessEvents): EngineProcess | undefined {
    try {
      return this.#doors.startProcess(events)
    } catch (thrown) {
      this.#doors.log.error('an engine could not be started', {
        engine: this.spec.name,
        reason: String(thrown),
      })
      return undefined
    }
  }

  #receive(message: FromChild): void {
    switch (message.type) {
      case 'started':
        this.#handle({ type: 'started' })
        break
      case 'loaded':
        this.#admits = message.admits
        this.#handle({ type: 'loaded' })
        if (this.#measurement === undefined) this.#send({ type: 'measure' })
        break
      case 'load-failed':
        this.#handle({ type: 'load-failed', error: message.error })
        break
      case 'event':
        this.#eventOf(message.stream, message.event)
        break
      case 'released':
        this.#runs.delete(message.stream)
        this.#handle({ type: 'released', stream: message.stream })
        break
      case 'measured':
        this.#measurement = message.measurement
        this.#doors.onChange(this)
        break
      case 'pong':
        this.#rss_mb = message.rss_bytes / 2 ** 20
        this.#handle({ type: 'pong', ping: message.ping, rss_mb: this.#rss_mb })
        break
    }
  }

  #eventOf(stream: number, event: EngineEvent): void {
    const run = this.#runs.get(stream)
    // An event that crossed our `cancel` on the way.
    if (run?.phase !== 'open') return
    this.#noteWait(run, event)
    if (event.type === 'done' || event.type === 'failed') this.#runs.delete(stream)
    this.#tell(run, event)
  }

  /** A listener that throws spoils its own run only: this is called from where bytes come in, for everyone. */
  #tell(run: Run, event: EngineEvent): void {
    try {
      run.onEvent(event)
    } catch (thrown) {
      const { code, message } = errorShape(thrown)
      this.#doors.log.error('a listener of an engine run failed', {
        engine: this.spec.name,
        code,
        reason: message,
      })
    }
  }

  #noteWait(run: Run, event: EngineEvent): void {
    if (!run.waited && (event.type === 'final' || event.type === 'token' || event.type === 'audio')) {
      run.waited = true
      this.#waits.add(this.#doors.clock.monotonic() - run.waitsSince)
    }
    if (event.type !== 'done') return
    const { compute_ms, audio_ms, output_tokens } = event.usage
    if (audio_ms !== undefined && audio_ms > 0) this.#realTimeFactor = compute_ms / audio_ms
    if (output_tokens !== undefined && compute_ms > 0)
      this.#tokensPerSecond = (output_tokens / compute_ms) * 1_000
  }

  #failRuns(error: ErrorShape): void {
    const runs = [...this.#runs.values()]
    this.#runs.clear()
    for (const run of runs) {
      if (run.phase === 'open') this.#tell(run, { type: 'failed', error })
    }
  }

  #send(message: ToChild): void {
    this.#process?.write(encodeToChild(message))
  }
}

/** A run that could not begin: it fails once its opener has its stream in hand. */
export function failedStream(
  clock: Clock,
  onEvent: (event: EngineEvent) => void,
  error: ErrorShape,
): EngineStream {
  let cancelled = false
  clock.soon(() => {
    if (!cancelled) onEvent({ type: 'failed', error })
  })
  return {
    feed() {},
    finish() {},
    cancel() {
      cancelled = true
    },
  }
}
