/** What the actor of a skill knows and is told. Types only; the decisions are in `skill.ts`. */
import type { Effect, EntryChange, Outcome, ReplyTo } from '../actors/index.ts'
import type { Monotonic, NodeId, Wall } from '../host/index.ts'
import type { SkillInvoke } from './messages.ts'
import type { HouseNode } from './ringing.ts'

/** Plain data the actor is started with; the catalogue makes it from the manifest. */
export interface SkillArgs {
  readonly name: string
  /** Where it runs: timers set here say so. */
  readonly node: NodeId
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
  /** The node that set it, and the room it was asked for in; timers of earlier versions do not say. */
  readonly by: NodeId | undefined
  readonly room: string | undefined
  /** It fell due before this process knew of it: the node was down. */
  readonly missed: boolean
  /** From then on turns count: when it is due, or later when this node heard of it, or woke, after that. */
  readonly ripe: Monotonic
}

/** What is known of the household. No nodes: this one is alone. */
export interface House {
  readonly nodes: readonly HouseNode[]
  /** What changed while this node was away has reached it, or nobody is there to tell. Until then, and when it leaves, it rings nothing. */
  readonly caught_up: boolean
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
      readonly entries: readonly EntryChange[]
      readonly effects: readonly Effect[]
    }

/** The skill's own state, as the store tells it. */
export interface Kept {
  readonly storage: Readonly<Record<string, string>>
  readonly timers: Readonly<Record<string, Timer>>
}

export interface SkillState {
  readonly args: SkillArgs
  readonly now: SkillPhase
  readonly kept: Kept
  readonly house: House
  /** When this node's turn to ring each timer comes; Infinity while the node has not caught up with the household. */
  readonly rings: Readonly<Record<string, number>>
  /** Timers that rang here and could not be forgotten in the store, with when they were due: they are over all the same. */
  readonly over: Readonly<Record<string, number>>
  readonly waiting: readonly Work[]
}

export type SkillMessage =
  | SkillInvoke
  /** This node's turn to ring a timer has come. */
  | { readonly type: 'timer.due'; readonly timer: string }
  /** The composition root → every skill: who is in use now, this node included; again whenever that changes. */
  | ({ readonly type: 'house' } & House)
  /** The composition root → the skill: it has a new version, and goes on with these arguments. */
  | { readonly type: 'renewed'; readonly args: SkillArgs }
  /** Try again to follow the state. */
  | { readonly type: 'reload' }
  | Outcome
