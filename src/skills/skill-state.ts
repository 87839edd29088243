/** What the actor of a skill knows and is told. Types only; the decisions are in `skill.ts`. */
import type { Effect, Outcome, ReplyTo } from '../actors/index.ts'
import type { Monotonic, Wall } from '../host/index.ts'
import type { SkillInvoke } from './messages.ts'

/** Plain data the actor is started with; the catalogue makes it from the manifest. */
export interface SkillArgs {
  readonly name: string
  /** Intent → question to confirm it with, where the manifest asks for one. */
  readonly confirm: Readonly<Record<string, string>>
  readonly intents: readonly string[]
  readonly may_speak: boolean
  /** IANA time zone of the household. */
  readonly zone: string
}

export interface Timer {
  /** On this process' clock, which nobody turns: what it rings by. */
  readonly due: Monotonic
  /** What survives a restart. */
  readonly due_wall: Wall
  readonly delay_ms: number
}

/** What is stored of a timer, under `timer/<name>`. */
export interface StoredTimer {
  readonly due_wall: number
  readonly delay_ms: number
}

export type Work =
  | {
      readonly kind: 'handle'
      readonly invoke: SkillInvoke
      readonly replyTo: ReplyTo | undefined
      /** Nobody waits any longer than this. */
      readonly until: Monotonic
    }
  | { readonly kind: 'due'; readonly timer: string; readonly due: Monotonic; readonly missed: boolean }

export type SkillPhase =
  /** Waits for its state from the store. */
  | { readonly phase: 'loading' }
  | { readonly phase: 'idle' }
  | { readonly phase: 'calling'; readonly work: Work; readonly since: Monotonic }
  /** The call is done; waits until what it changed is durable. */
  | {
      readonly phase: 'saving'
      readonly work: Work
      readonly kept: Kept
      readonly effects: readonly Effect[]
    }

/** The skill's own state. */
export interface Kept {
  readonly storage: Readonly<Record<string, string>>
  readonly timers: Readonly<Record<string, Timer>>
}

export interface SkillState {
  readonly args: SkillArgs
  readonly now: SkillPhase
  readonly kept: Kept
  readonly waiting: readonly Work[]
}

export type SkillMessage =
  | SkillInvoke
  /** The schedule of a timer ran out; `missed` when that was while the node was down. */
  | { readonly type: 'timer.due'; readonly timer: string; readonly missed?: boolean }
  /** Try again to read the state. */
  | { readonly type: 'reload' }
  | Outcome
