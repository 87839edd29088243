/**
 * The engines of this node, found by what they can do. A run goes to the first configured model of that capability which is
 * ready and has room, and among its replicas to the least busy; at the limit a run is refused, never queued out of sight. One that
 * rests is woken by the first run nobody else can take, which waits for it within its own deadline.
 */
import type { Clock, ErrorShape, Random } from '../host/index.ts'
import { assertNever } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import { openWhenSettled } from './awaiting.ts'
import { isElsewhere } from './elsewhere.ts'
import type { EngineEvent, EngineRequest, EngineStream, Gpu } from './engine.ts'
import { engineUnavailable, notOffered, overloaded, timedOut } from './errors.ts'
import { openWithFallback } from './fallback.ts'
import { type StartProcess, startProcess } from './process.ts'
import { failedStream, isSettled, Replica, type ReplicaSpec } from './replica.ts'
import type { Life, ReplicaSettings } from './replica-machine.ts'

/** The `inference` section of the configuration, as far as processes are concerned. */
export interface PoolSettings extends Omit<ReplicaSettings, 'name'> {
  /** Runs one process takes at once, at most what its engine admits. */
  readonly streams_per_engine: number
}

export interface PoolOptions {
  readonly settings: PoolSettings
  /** In order of preference within a capability. */
  readonly replicas: readonly ReplicaSpec[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Called whenever a replica's state changes. */
  readonly onChange?: (capability: Capability) => void
  /** For tests. */
  readonly startProcess?: StartProcess
}

export interface Kept {
  readonly name: string
  readonly tag: string
  readonly resting: boolean
  /** Since it was used last, or became ready, ms. */
  readonly idle_ms: number
}

/** One row about one replica; the shape the node shows. */
export interface Capability {
  readonly name: string
  readonly tag: string
  readonly model: string
  /** `resting`: let go of on purpose, and started again by whatever asks for it. */
  readonly state: 'starting' | 'ready' | 'resting' | 'restarting' | 'failed'
  readonly p95_ms: number | null
  readonly real_time_factor: number | null
  readonly tokens_per_s: number | null
  /** How far a recogniser was behind speech lately, ms (`lag.ts`); undefined: it does not say. */
  readonly lag_ms?: number | undefined
  readonly restarts: number
  readonly rss_mb: number | null
  /** What it computes on beside the processor. */
  readonly gpu?: Gpu
  /** Runs it has now. */
  readonly load: number
  /** Why it is not ready. */
  readonly error?: ErrorShape
}

export interface RunOptions {
  /** Bounds the whole run; it fails with `timeout` after. */
  readonly deadline_ms?: number | undefined
  /** Only engines of this machine: what another node asks does not leave the household. */
  readonly here?: boolean
}

export class Pool {
  readonly #replicas: readonly Replica[]
  readonly #settings: PoolSettings
  readonly #clock: Clock
  readonly #log: Log
  /** Told about every change, until everyone who waits for readiness was answered. */
  readonly #waiting = new Set<() => void>()

  constructor(options: PoolOptions) {
    this.#settings = options.settings
    this.#clock = options.clock
    this.#log = options.log
    this.#replicas = options.replicas.map(
      (spec) =>
        new Replica(
          spec,
          { ...options.settings, name: spec.name },
          {
            clock: options.clock,
            random: options.random,
            log: options.log,
            startProcess: options.startProcess ?? startProcess,
            onChange: (replica) => {
              options.onChange?.(capabilityOf(replica))
              for (const check of [...this.#waiting]) check()
            },
          },
        ),
    )
  }

  /** Starts every process not on demand. Resolves when each is ready or has failed for good, or is on its way to a restart. */
  async start(): Promise<void> {
    const wanted = this.#replicas.filter(({ spec }) => spec.on_demand !== true)
    for (const replica of wanted) replica.start()
    await this.#until(() => wanted.every(({ life }) => isSettled(life)))
  }

  /** Starts what waits for being wanted; resolves when it can be used, or at once when there is nothing of the kind. */
  async want(to: string): Promise<void> {
    const waiting = this.#matching(to)
    for (const replica of waiting) if (isWaiting(replica)) replica.start()
    if (waiting.length > 0) await this.#until(() => waiting.every(({ life }) => isSettled(life)))
  }

  /** Whether there is anything of that kind, running or not. */
  has(to: string): boolean {
    return this.#matching(to).length > 0
  }

  async stop(): Promise<void> {
    for (const replica of this.#replicas) replica.stop()
  }

  /**
   * Opens a run on `to`: a capability (`stt`), an engine (`stt.sherpa`) or a full tag. Events come after this returned; exactly
   * one `done` or `failed` is the last, none after `cancel`. Refusals are `failed` events too: `overloaded`,
   * `engine-unavailable`, `timeout`.
   */
  run(
    to: string,
    request: EngineRequest,
    onEvent: (event: EngineEvent) => void,
    options: RunOptions = {},
  ): EngineStream {
    const choice = this.#choose(to, options.here)
    if (!(choice instanceof Replica)) return failedStream(this.#clock, onEvent, choice)
    const { deadline_ms } = options
    if (deadline_ms === undefined) return this.#open(to, choice, request, onEvent)
    const overdue = this.#clock.after(deadline_ms, () => {
      stream.cancel()
      onEvent({ type: 'failed', error: timedOut(`The run on ${choice.spec.tag}`, deadline_ms) })
    })
    const stream = this.#open(to, choice, request, (event) => {
      if (event.type === 'done' || event.type === 'failed') overdue()
      onEvent(event)
    })
    return {
      feed: (input) => stream.feed(input),
      finish: () => stream.finish(),
      cancel: () => {
        overdue()
        stream.cancel()
      },
    }
  }

  /** Resolves when a replica for `to` is ready. */
  ready(to: string): Promise<void> {
    return this.#until(() => this.#matching(to).some(({ life }) => life.phase === 'ready'))
  }

  /** Engines that work, and whether they are in memory. */
  kept(): readonly Kept[] {
    return this.#replicas
      .filter(({ life, resting }) => resting || life.phase === 'ready')
      .map(({ spec: { name, tag }, resting, idle_ms }) => ({ name, tag, resting, idle_ms }))
  }

  /** Takes an engine out of memory, unless it has something to do. */
  rest(name: string): void {
    this.#replicas.find(({ spec }) => spec.name === name)?.rest()
  }

  wake(name: string): void {
    this.#replicas.find(({ spec }) => spec.name === name)?.wake()
  }

  /** Of those that run or should. */
  capabilities(): readonly Capability[] {
    return this.#replicas.filter((replica) => !isWaiting(replica)).map(capabilityOf)
  }

  /** Those that wait for being wanted among them. */
  replicas(): readonly Capability[] {
    return this.#replicas.map(capabilityOf)
  }

  /** Process ids of running engines by replica name: for `doctor` and for tests that kill them. */
  pids(): ReadonlyMap<string, number> {
    return new Map(
      this.#replicas.flatMap(({ spec, pid }) => (pid === undefined ? [] : [[spec.name, pid] as const])),
    )
  }

  /** What an engine elsewhere cannot do is done by the next one here. */
  #open(
    to: string,
    choice: Replica,
    request: EngineRequest,
    onEvent: (event: EngineEvent) => void,
  ): EngineStream {
    if (choice.awaited) {
      choice.wake()
      const settles = this.#until(() => isSettled(choice.life))
      return openWhenSettled(settles, () => choice.open(request, onEvent))
    }
    if (!isElsewhere(choice.spec.tag)) return choice.open(request, onEvent)
    const next = (tried: ReadonlySet<Replica>): Replica | undefined =>
      this.#matching(to).find(
        (replica) => !tried.has(replica) && replica.life.phase === 'ready' && this.#room(replica) > 0,
      )
    return openWithFallback(choice, next, request, onEvent, (from, other, why) =>
      this.#log.warn('Work of a server elsewhere is done by another engine', {
        from: from.spec.tag,
        to: other.spec.tag,
        why,
      }),
    )
  }

  #matching(to: string): readonly Replica[] {
    return this.#replicas.filter(
      ({ spec }) => spec.tag === to || spec.kind === to || spec.tag.startsWith(`${to}:`),
    )
  }

  #room(replica: Replica): number {
    return Math.min(replica.admits, this.#settings.streams_per_engine) - replica.load
  }

  #choose(to: string, here = false): Replica | ErrorShape {
    const matching = this.#matching(to).filter(({ spec }) => !here || !isElsewhere(spec.tag))
    const ready = matching.filter(({ life }) => life.phase === 'ready')
    const free = ready.filter((replica) => this.#room(replica) > 0)
    const first = free[0]
    if (first !== undefined) {
      const same = free.filter(({ spec }) => spec.model === first.spec.model)
      return same.reduce((best, replica) => (replica.load < best.load ? replica : best))
    }
    const awaited = matching.find((replica) => replica.awaited)
    if (awaited !== undefined) return awaited
    if (ready.length > 0) {
      const limit = ready.reduce(
        (sum, { admits }) => sum + Math.min(admits, this.#settings.streams_per_engine),
        0,
      )
      return overloaded(to, limit)
    }
    return unavailable(to, matching[0])
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}

/** Nobody has wanted it yet. */
const isWaiting = ({ spec, life }: Replica): boolean => spec.on_demand === true && life.phase === 'idle'

function unavailable(to: string, replica: Replica | undefined): ErrorShape {
  if (replica === undefined) {
    return notOffered(to)
  }
  const { life } = replica
  if (life.phase === 'failed') return life.error
  const why = life.phase === 'restarting' ? life.error.message : `the engine is ${life.phase}`
  return engineUnavailable(to, why)
}

function stateOf(life: Life): Capability['state'] {
  switch (life.phase) {
    case 'idle':
    case 'checking':
    case 'starting':
    case 'loading':
      return 'starting'
    case 'ready':
      return 'ready'
    case 'resting':
      return 'resting'
    case 'restarting':
      return 'restarting'
    case 'failed':
    case 'stopped':
      return 'failed'
    default:
      return assertNever(life)
  }
}

function capabilityOf(replica: Replica): Capability {
  const { spec, life } = replica
  const failing = life.phase === 'restarting' || life.phase === 'failed'
  return {
    name: spec.name,
    tag: spec.tag,
    model: spec.model,
    // A process that comes back after a failure is restarting until it serves again.
    state: stateOf(life) === 'starting' && replica.restarts > 0 ? 'restarting' : stateOf(life),
    p95_ms: replica.p95_ms,
    real_time_factor: replica.real_time_factor,
    tokens_per_s: replica.tokens_per_s,
    lag_ms: replica.lag_ms,
    restarts: replica.restarts,
    rss_mb: replica.rss_mb,
    load: replica.load,
    ...(replica.gpu === undefined ? {} : { gpu: replica.gpu }),
    ...(failing ? { error: life.error } : {}),
  }
}
