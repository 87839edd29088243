/**
 * The life of one engine process as a pure machine: events in, next state and orders out. The shell (`replica.ts`) carries the
 * orders out. Runs themselves pass it by; it only decides whether the process may have any.
 *
 * R1 Files are checked before a process is started, and no process sees files that failed.
 * R2 Whenever a process ends or is given up, runs in flight fail at once, each once, with the reason.
 * R3 A process that does not load, answer pings or let go of a cancelled run in its time, or passes its memory limit, is killed.
 * R4 It is started again after a delay that doubles up to a limit, with jitter; a healthy stretch sets the delay back.
 * R5 Nothing is started again when the reason cannot go away by itself (a model that does not fit, a missing library).
 * R6 After `stop` nothing runs and nothing is started.
 * R7 An own clock that was late is no proof that the process was: a silence or an unreleased run counts only when the process had
 *    a second chance to speak. A busy machine must not cost everyone's runs.
 * R8 A healthy process without runs may be sent to rest: it ends, and is started as at first when it is woken, not before.
 */
import { assertNever, type ErrorShape } from '../host/index.ts'
import { engineCrashed, engineGarbled, engineHung, engineOverMemory } from './errors.ts'

export interface ReplicaSettings {
  readonly name: string
  readonly load_timeout_ms: number
  readonly ping_interval_ms: number
  /** Silence after a ping; longer than the longest single computation of the engine. */
  readonly ping_timeout_ms: number
  readonly cancel_timeout_ms: number
  readonly rss_limit_mb: number
  readonly restart_delay_min_ms: number
  readonly restart_delay_max_ms: number
}

export type Life =
  | { readonly phase: 'idle' }
  /** Comparing the files with their checksums. */
  | { readonly phase: 'checking' }
  /** The process was started and has not said so yet. */
  | { readonly phase: 'starting' }
  | { readonly phase: 'loading' }
  | { readonly phase: 'ready'; readonly ping: number; readonly silence: Silence; readonly warned: boolean }
  /** No process, and none wanted until it is woken. */
  | { readonly phase: 'resting' }
  | { readonly phase: 'restarting'; readonly error: ErrorShape }
  /** For good: only a person can mend it. */
  | { readonly phase: 'failed'; readonly error: ErrorShape }
  | { readonly phase: 'stopped' }

type Silence = 'none' | 'asked' | 'asked-twice'

export interface ReplicaState {
  readonly life: Life
  /** Failures since the last healthy stretch. */
  readonly failures: number
  readonly restarts: number
}

export type ReplicaEvent =
  | { readonly type: 'start' }
  /** Only sent while it has no runs. */
  | { readonly type: 'rest' }
  | { readonly type: 'wake' }
  | { readonly type: 'stop' }
  | { readonly type: 'checked' }
  | { readonly type: 'check-failed'; readonly error: ErrorShape }
  | { readonly type: 'started' }
  | { readonly type: 'loaded' }
  | { readonly type: 'load-failed'; readonly error: ErrorShape }
  | { readonly type: 'pong'; readonly ping: number; readonly rss_mb: number }
  | { readonly type: 'exited'; readonly how: string }
  | { readonly type: 'garbled' }
  /** A run was cancelled; the process has until the deadline to release it. */
  | { readonly type: 'cancelling'; readonly stream: number }
  | { readonly type: 'released'; readonly stream: number }
  | { readonly type: 'timer'; readonly timer: Timer }

export type Timer =
  | 'load'
  | 'ping'
  | 'silence'
  | 'restart'
  | 'healthy'
  | `cancel:${number}`
  /** The second chance after `cancel:`. */
  | `overdue:${number}`

export type ReplicaOrder =
  | { readonly do: 'check-files' }
  | { readonly do: 'start-process' }
  /** SIGKILL; the process is forgotten, its exit is not reported. */
  | { readonly do: 'kill-process' }
  | { readonly do: 'load' }
  | { readonly do: 'ping'; readonly ping: number }
  | { readonly do: 'fail-runs'; readonly error: ErrorShape }
  | { readonly do: 'arm'; readonly timer: Timer; readonly delay_ms: number }
  | { readonly do: 'disarm'; readonly timer: Timer }
  | { readonly do: 'disarm-all' }
  | {
      readonly do: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly message: string
      readonly error?: ErrorShape
    }

export interface Step {
  readonly state: ReplicaState
  readonly orders: readonly ReplicaOrder[]
}

export const idle: ReplicaState = { life: { phase: 'idle' }, failures: 0, restarts: 0 }

/** A share of the memory limit at which the log warns. */
const WARN_SHARE = 0.8
/** How long a process must serve before its past failures are forgotten. */
const HEALTHY_MS = 30_000
/** Delays vary by this share, so that several engines that died together do not come back together. */
const JITTER = 0.2
/** The second chance to release a run, in cancel timeouts: killing the process costs every other run on it, waiting only the next. */
const OVERDUE_TIMEOUTS = 4

const stay = (state: ReplicaState, orders: readonly ReplicaOrder[] = []): Step => ({ state, orders })
const enter = (state: ReplicaState, life: Life, orders: readonly ReplicaOrder[]): Step => ({
  state: { ...state, life },
  orders,
})

/** `entropy` in [0, 1). */
export function decide(
  state: ReplicaState,
  event: ReplicaEvent,
  settings: ReplicaSettings,
  entropy: number,
): Step {
  if (event.type === 'stop') return stop(state)
  const fail = (error: ErrorShape): Step => giveUpProcess(state, error, settings, entropy)
  switch (event.type) {
    case 'start':
      return state.life.phase === 'idle'
        ? enter(state, { phase: 'checking' }, [{ do: 'check-files' }])
        : stay(state)
    case 'rest':
      return state.life.phase === 'ready' ? rest(state) : stay(state)
    case 'wake':
      return state.life.phase === 'resting'
        ? enter(state, { phase: 'checking' }, [{ do: 'check-files' }])
        : stay(state)
    case 'checked':
      if (state.life.phase !== 'checking') return stay(state)
      return enter(state, { phase: 'starting' }, [
        { do: 'start-process' },
        { do: 'arm', timer: 'load', delay_ms: settings.load_timeout_ms },
      ])
    case 'check-failed':
      return state.life.phase === 'checking'
        ? failOrRetry(state, event.error, settings, entropy)
        : stay(state)
    case 'started':
      return state.life.phase === 'starting'
        ? enter(state, { phase: 'loading' }, [{ do: 'load' }])
        : stay(state)
    case 'loaded':
      return state.life.phase === 'loading' ? becomeReady(state, settings) : stay(state)
    case 'load-failed':
      return state.life.phase === 'loading' ? failOrRetry(state, event.error, settings, entropy) : stay(state)
    case 'exited':
      return hasProcess(state.life) ? fail(engineCrashed(settings.name, event.how)) : stay(state)
    case 'garbled':
      return hasProcess(state.life) ? fail(engineGarbled(settings.name)) : stay(state)
    case 'pong':
      return pong(state, event, settings, entropy)
    case 'cancelling':
      if (state.life.phase !== 'ready') return stay(state)
      return stay(state, [
        { do: 'arm', timer: `cancel:${event.stream}`, delay_ms: settings.cancel_timeout_ms },
      ])
    case 'released':
      return stay(state, [
        { do: 'disarm', timer: `cancel:${event.stream}` },
        { do: 'disarm', timer: `overdue:${event.stream}` },
      ])
    case 'timer':
      return timerFired(state, event.timer, settings, fail)
    default:
      return assertNever(event)
  }
}

const hasProcess = (life: Life): boolean =>
  life.phase === 'starting' || life.phase === 'loading' || life.phase === 'ready'

function becomeReady(state: ReplicaState, settings: ReplicaSettings): Step {
  return enter(state, { phase: 'ready', ping: 0, silence: 'none', warned: false }, [
    { do: 'disarm', timer: 'load' },
    { do: 'arm', timer: 'ping', delay_ms: settings.ping_interval_ms },
    { do: 'arm', timer: 'healthy', delay_ms: HEALTHY_MS },
    { do: 'log', level: 'info', message: 'engine ready' },
  ])
}

function timerFired(
  state: ReplicaState,
  timer: Timer,
  settings: ReplicaSettings,
  fail: (error: ErrorShape) => Step,
): Step {
  const { life } = state
  if (timer === 'restart') {
    if (life.phase !== 'restarting') return stay(state)
    return {
      state: { ...state, life: { phase: 'checking' }, restarts: state.restarts + 1 },
      orders: [{ do: 'check-files' }],
    }
  }
  if (timer === 'load') {
    const loading = life.phase === 'starting' || life.phase === 'loading'
    return loading ? fail(engineHung(settings.name, 'load its model', settings.load_timeout_ms)) : stay(state)
  }
  if (life.phase !== 'ready') return stay(state)
  switch (timer) {
    case 'healthy':
      return stay({ ...state, failures: 0 })
    case 'ping':
      return ask(state, life, 'asked', settings.ping_timeout_ms)
    case 'silence':
      // R7: what the process said meanwhile may still wait to be read.
      if (life.silence === 'asked') {
        return ask(state, life, 'asked-twice', Math.min(settings.ping_timeout_ms, settings.ping_interval_ms))
      }
      return fail(engineHung(settings.name, 'answer a ping', settings.ping_timeout_ms))
    default:
      return releaseLate(state, timer, settings, fail)
  }
}

function releaseLate(
  state: ReplicaState,
  timer: `cancel:${number}` | `overdue:${number}`,
  settings: ReplicaSettings,
  fail: (error: ErrorShape) => Step,
): Step {
  const delay_ms = settings.cancel_timeout_ms * OVERDUE_TIMEOUTS
  if (timer.startsWith('cancel:')) {
    const overdue = `overdue:${Number(timer.slice('cancel:'.length))}` as const
    return stay(state, [{ do: 'arm', timer: overdue, delay_ms }])
  }
  return fail(engineHung(settings.name, 'let go of a cancelled run', settings.cancel_timeout_ms + delay_ms))
}

function ask(
  state: ReplicaState,
  life: Extract<Life, { phase: 'ready' }>,
  silence: Silence,
  patience_ms: number,
): Step {
  const ping = life.ping + 1
  return enter(state, { ...life, ping, silence }, [
    { do: 'ping', ping },
    { do: 'arm', timer: 'silence', delay_ms: patience_ms },
  ])
}

function pong(
  state: ReplicaState,
  { rss_mb }: { rss_mb: number },
  settings: ReplicaSettings,
  entropy: number,
): Step {
  const { life } = state
  if (life.phase !== 'ready') return stay(state)
  if (rss_mb > settings.rss_limit_mb) {
    return giveUpProcess(
      state,
      engineOverMemory(settings.name, rss_mb, settings.rss_limit_mb),
      settings,
      entropy,
    )
  }
  const warns = rss_mb > settings.rss_limit_mb * WARN_SHARE
  const orders: ReplicaOrder[] = [
    { do: 'disarm', timer: 'silence' },
    { do: 'arm', timer: 'ping', delay_ms: settings.ping_interval_ms },
  ]
  if (warns && !life.warned)
    orders.push({ do: 'log', level: 'warn', message: 'engine close to its memory limit' })
  return enter(state, { ...life, silence: 'none', warned: warns }, orders)
}

/** R2, R3, R4: whatever went wrong with the process, it is gone now, and another follows later. */
function giveUpProcess(
  state: ReplicaState,
  error: ErrorShape,
  settings: ReplicaSettings,
  entropy: number,
): Step {
  const failures = state.failures + 1
  return {
    state: { ...state, life: { phase: 'restarting', error }, failures },
    orders: [
      { do: 'kill-process' },
      { do: 'disarm-all' },
      { do: 'arm', timer: 'restart', delay_ms: restartDelay(failures, settings, entropy) },
      { do: 'log', level: 'warn', message: 'engine lost', error },
      // Last: whoever hears of it may act at once.
      { do: 'fail-runs', error },
    ],
  }
}

/** R5: an error that says it is not retryable is final. */
function failOrRetry(
  state: ReplicaState,
  error: ErrorShape,
  settings: ReplicaSettings,
  entropy: number,
): Step {
  if (error.retryable) return giveUpProcess(state, error, settings, entropy)
  return enter(state, { phase: 'failed', error }, [
    { do: 'kill-process' },
    { do: 'disarm-all' },
    { do: 'log', level: 'error', message: 'engine cannot be used', error },
    { do: 'fail-runs', error },
  ])
}

/** R8 */
const rest = (state: ReplicaState): Step =>
  enter(state, { phase: 'resting' }, [{ do: 'disarm-all' }, { do: 'kill-process' }])

function stop(state: ReplicaState): Step {
  const error: ErrorShape = { code: 'cancelled', message: 'The node is stopping', retryable: true }
  return enter(state, { phase: 'stopped' }, [
    { do: 'disarm-all' },
    { do: 'kill-process' },
    { do: 'fail-runs', error },
  ])
}

/** In ms, for the n-th failure in a row (from 1). */
export function restartDelay(failures: number, settings: ReplicaSettings, entropy: number): number {
  const doubled = settings.restart_delay_min_ms * 2 ** Math.min(failures - 1, 20)
  return Math.min(doubled, settings.restart_delay_max_ms) * (1 - JITTER + 2 * JITTER * entropy)
}
