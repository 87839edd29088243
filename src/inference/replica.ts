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
  Gpu,
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
import { Runs } from './runs.ts'
import { decodeFromChild, type FromChild } from './wire.ts'

export interface ReplicaSpec {
  /** Unique in the node, e.g. `stt.sherpa.starter-en`. */
  readonly name: string
  /** What it offers, e.g. `stt.sherpa:starter-en`. */
  readonly tag: string
  readonly kind: EngineKind
  readonly engine: string
  readonly model: string
  /** Started when somebody first wants it, not with the node. */
  readonly on_demand?: boolean
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

export class Replica {
  readonly spec: ReplicaSpec
  readonly #settings: ReplicaSettings
  readonly #doors: ReplicaDoors
  readonly #runs: Runs
  readonly #timers = new Map<Timer, Cancel>()
  #state: ReplicaState = idle
  #process: EngineProcess | undefined
  #files: ModelFiles | undefined
  #measurement: Measurement | undefined
  #admits = 0
  #rss_mb: number | null = null
  #lastStream = 0
  #used_at: Monotonic
  #waking = false

  constructor(spec: ReplicaSpec, settings: ReplicaSettings, doors: ReplicaDoors) {
    this.spec = spec
    this.#settings = settings
    this.#doors = doors
    this.#used_at = doors.clock.monotonic()
    this.#runs = new Runs(doors.clock, doors.log.child({ engine: spec.name }))
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
    return this.#runs.p95_ms ?? this.#measurement?.p95_ms ?? null
  }
  /** As of its self-benchmark. */
  get gpu(): Gpu | undefined {
    return this.#measurement?.gpu
  }
  get real_time_factor(): number | null {
    return this.#runs.realTimeFactor ?? this.#measurement?.real_time_factor ?? null
  }
  get tokens_per_s(): number | null {
    return this.#runs.tokensPerSecond ?? this.#measurement?.tokens_per_s ?? null
  }
  /** How far it was behind speech lately, ms; undefined: it does not say. */
  get lag_ms(): number | undefined {
    return this.#runs.lag_ms
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

  get resting(): boolean {
    return this.#state.life.phase === 'resting'
  }
  /** Worth waiting for: it rests, or was woken and is not there yet. */
  get awaited(): boolean {
    return this.resting || this.#waking
  }
  /** Since a run began or ended, or it became ready, ms. */
  get idle_ms(): number {
    return this.load > 0 ? 0 : this.#doors.clock.monotonic() - this.#used_at
  }

  /** Ends the process of an engine that has nothing to do; it is started again by `wake`. */
  rest(): void {
    if (this.load === 0) this.#handle({ type: 'rest' })
  }

  wake(): void {
    this.#waking ||= this.resting
    this.#handle({ type: 'wake' })
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
    this.#runs.add(stream, request, onEvent)
    this.#use()
    this.#process?.write(frame)
    return {
      feed: (input) => this.#feed(stream, input),
      finish: () => this.#finish(stream),
      cancel: () => this.#cancel(stream),
    }
  }

  #feed(stream: number, input: EngineInput): void {
    if (!this.#runs.isOpen(stream)) return
    const frame = encodeToChild(
      input.type === 'audio'
        ? { type: 'audio', stream, samples: input.samples }
        : { type: 'text', stream, text: input.text },
    )
    if (frame.byteLength <= MAX_ENGINE_FRAME_BYTES) {
      this.#process?.write(frame)
      if (input.type === 'audio') this.#runs.fed(stream, input.samples.length)
    } else {
      this.#runs.abandon(stream, TOO_LARGE)
      this.#askToRelease(stream)
    }
  }

  #finish(stream: number): void {
    if (!this.#runs.isOpen(stream)) return
    this.#runs.finished(stream)
    this.#send({ type: 'finish', stream })
  }

  #cancel(stream: number): void {
    if (!this.#runs.isOpen(stream)) return
    this.#runs.cancelled(stream)
    this.#askToRelease(stream)
  }

  #askToRelease(stream: number): void {
    this.#send({ type: 'cancel', stream })
    this.#handle({ type: 'cancelling', stream })
  }

  #handle(event: ReplicaEvent): void {
    const before = this.#state
    const { state, orders } = decide(before, event, this.#settings, this.#doors.random.float())
    this.#state = state
    if (isSettled(state.life)) this.#waking = false
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
        this.#runs.failAll(order.error)
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
        this.#use()
        this.#handle({ type: 'loaded' })
        if (this.#measurement === undefined) this.#send({ type: 'measure' })
        break
      case 'load-failed':
        this.#handle({ type: 'load-failed', error: message.error })
        break
      case 'event':
        this.#runs.event(message.stream, message.event)
        this.#use()
        break
      case 'heard':
        this.#runs.heard(message.stream, message.audio_ms)
        break
      case 'released':
        this.#runs.released(message.stream)
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

  #use(): void {
    this.#used_at = this.#doors.clock.monotonic()
  }

  #send(message: ToChild): void {
    this.#process?.write(encodeToChild(message))
  }
}

/** Whether it is ready, or will not be unless something else happens. */
export const isSettled = ({ phase }: Life): boolean =>
  phase !== 'idle' && phase !== 'checking' && phase !== 'starting' && phase !== 'loading'

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
