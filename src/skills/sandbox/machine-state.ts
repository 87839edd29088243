/** What the sandbox machine knows, is told and answers. Types only; the decisions are in `machine.ts`. */
import type { Monotonic } from '../../host/index.ts'
import type { CallOutcome, SkillCall } from '../call.ts'
import type { SkillErrorShape } from '../errors.ts'

export interface Job {
  readonly id: number
  readonly skill: string
  readonly call: SkillCall
  /** Not started by then: it is answered with a timeout. */
  readonly deadline: Monotonic
}

/** Why a skill is switched off; see `charging.ts`. */
export type StopReason = 'failures' | 'storm' | 'escape'

export interface SkillRecord {
  readonly call_ms: number
  /** When it was charged, within the window, oldest first. */
  readonly failures: readonly Monotonic[]
  /** Those of them that ran into a quota. */
  readonly overruns: readonly Monotonic[]
  /** Calls that nobody asked for, timers and results of its own, within the minute since then. */
  readonly wakes: { readonly since: Monotonic; readonly count: number }
  /** Why it is switched off. */
  readonly stopped: StopReason | undefined
}

export type Process =
  | { readonly phase: 'down' }
  | { readonly phase: 'starting'; readonly deadline: Monotonic }
  | { readonly phase: 'idle'; readonly since: Monotonic }
  | { readonly phase: 'loading'; readonly skill: string; readonly deadline: Monotonic }
  | { readonly phase: 'running'; readonly job: Job; readonly deadline: Monotonic }
  /** Killed; its exit has not been reported yet. */
  | { readonly phase: 'dying' }
  | { readonly phase: 'resting'; readonly until: Monotonic }
  | { readonly phase: 'stopped' }

export interface SandboxState {
  readonly process: Process
  readonly loaded: readonly string[]
  readonly waiting: readonly Job[]
  readonly skills: Readonly<Record<string, SkillRecord>>
  /** Consecutive processes that ended through nobody's fault. */
  readonly misfires: number
  readonly restarts: number
  readonly evict_after_ms: number | undefined
  readonly preload: boolean
}

/** How a sandbox behaves when nobody calls. */
export interface SandboxHabits {
  /** Ended when idle for this long, ms; absent: kept running. */
  readonly evict_after_ms?: number
  /** Compiles all its modules as soon as it runs, so that the first call of each finds it ready. Default: no. */
  readonly preload?: boolean
}

export type SandboxInput =
  | { readonly type: 'register'; readonly skill: string; readonly call_ms: number }
  /** It runs elsewhere from now on, or nowhere; none of its calls is waiting here. */
  | { readonly type: 'forget'; readonly skill: string }
  | { readonly type: 'enable'; readonly skill: string }
  | { readonly type: 'warm' }
  /** Others need the room: end the process if it is idle. */
  | { readonly type: 'evict' }
  | { readonly type: 'call'; readonly job: Job }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'ready' }
  | { readonly type: 'loaded' }
  /** The module cannot be compiled or linked. */
  | { readonly type: 'load-failed'; readonly error: SkillErrorShape }
  | { readonly type: 'answered'; readonly outcome: CallOutcome }
  /** It said something that makes no sense now. */
  | { readonly type: 'babble' }
  | { readonly type: 'exit' }
  /** Time passed; see `nextAlarm`. */
  | { readonly type: 'alarm' }
  | { readonly type: 'stop' }

export type SandboxEffect =
  | { readonly type: 'start' }
  | { readonly type: 'load'; readonly skill: string }
  | { readonly type: 'run'; readonly job: Job }
  | { readonly type: 'kill' }
  | { readonly type: 'answer'; readonly id: number; readonly outcome: CallOutcome }
  | {
      readonly type: 'charged'
      readonly skill: string
      readonly error: SkillErrorShape
      /** It was switched off for it. */
      readonly stopped: StopReason | undefined
    }

export interface SandboxStep {
  readonly state: SandboxState
  readonly effects: readonly SandboxEffect[]
}
