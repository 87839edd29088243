/** What the actor of a skill knows and is told; the decisions are in `skill.ts`. */
import type { Effect, EntryChange, Outcome, ReplyTo } from '../actors/index.ts'
import type { Monotonic, NodeId, Wall } from '../host/index.ts'
import type { Change, Heard } from './call.ts'
import type { ApprovalDecided, SkillInvoke, TopicSaid } from './messages.ts'
import type { HouseNode } from './ringing.ts'
import type { Risk } from './risk.ts'

/** Where a skill's state lies in the store. */
export const skillCollection = (skill: string): string => `skill.${skill}`

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
  /** Intent → how much harm it can do, where that is more than none. */
  readonly risk?: Readonly<Record<string, Risk>>
  /** Somebody else than its author has looked at the questions it asks: a yes to one covers the risk its manifest declares. */
  readonly vouched?: boolean
  /** Intents that may be carried out twice. */
  readonly idempotent?: readonly string[]
  /** It exports `heard`. */
  readonly hears?: boolean
  readonly subscribes?: readonly string[]
  /** Somebody tells it of the household: until then it knows nothing of others, and rings nothing. */
  readonly awaits_house?: boolean
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
  /** The conversation in which it was asked for. */
  readonly session: string | undefined
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

/** Where something came from: what is told when its result is there, and to whom. */
export interface Origin {
  /** Empty when it was asked for in none; likewise the session. */
  readonly room: string
  readonly session: string
  readonly person: string | undefined
  /** Messages on topics that led to it, one because of the other. */
  readonly hops: number
  /** The entry that has it tried again elsewhere when this node dies meanwhile. */
  readonly flight: string | undefined
}

export type Work =
  | {
      readonly kind: 'handle'
      readonly invoke: SkillInvoke
      readonly replyTo: ReplyTo | undefined
      /** Nobody waits any longer than this. */
      readonly until: Monotonic
      /** Noted in the store before it began (`skill-flight.ts`). */
      readonly flight?: string
      /** It was allowed by hand. */
      readonly allowed?: true
      /** Nobody waits for the reply: it is announced. */
      readonly aloud?: true
    }
  | {
      readonly kind: 'heard'
      readonly heard: Heard
      readonly origin: Origin
      /** Who answered a question hears what comes of it. */
      readonly replyTo: ReplyTo | undefined
      readonly until: Monotonic
    }
  | { readonly kind: 'due'; readonly timer: string; readonly due: Monotonic; readonly missed: boolean }

export type SkillPhase =
  /** Waits for its state from the store. */
  | { readonly phase: 'loading' }
  | { readonly phase: 'idle' }
  /** The work is noted in the store, so that another node can do it when this one dies. */
  | { readonly phase: 'noting'; readonly work: Work }
  | { readonly phase: 'calling'; readonly work: Work; readonly since: Monotonic }
  /** The call is done; waits until what it changed is durable. */
  | {
      readonly phase: 'saving'
      readonly work: Work
      readonly entries: readonly EntryChange[]
      readonly effects: readonly Effect[]
      readonly reach: Reach | undefined
    }

/** What is done outside once the rest of a call is durable, and what is said when devices have done it. */
export interface Reach {
  readonly changes: readonly Change[]
  readonly answer: readonly Effect[]
}

/** Under way outside; its outcome has the id it is kept under. */
export interface Reaching {
  readonly of: 'device' | 'http' | 'language'
  /** The skill's own name for it. */
  readonly as: string
  readonly origin: Origin
  /** The answer that waits for it. */
  readonly answer: number | undefined
}

/** An answer that waits for devices. */
export interface HeldAnswer {
  readonly left: number
  readonly replyTo: ReplyTo | undefined
  readonly effects: readonly Effect[]
}

/** Waits for somebody to allow it. */
export interface HeldAct {
  readonly words: string
  readonly origin: Origin
  readonly until: Monotonic
  /** Either is done when it is allowed: these changes, or this work. */
  readonly changes: readonly Change[]
  readonly work: Work | undefined
}

/** A question of ours that is open in a conversation. */
export interface AskedBack {
  readonly intent: string
  readonly words: readonly string[]
}

/** A call another node is carrying out, or was when it died. */
export interface Flight {
  readonly by: NodeId
  readonly intent: SkillInvoke['intent']
  readonly room: string
  readonly session: string
  readonly person: string | undefined
  readonly at_wall: Wall
  readonly confirmed: boolean
  /** It was tried again once: no third time. */
  readonly again: boolean
}

/** The skill's own state, as the store tells it. */
export interface Kept {
  readonly storage: Readonly<Record<string, string>>
  readonly timers: Readonly<Record<string, Timer>>
  /** Person → what is kept of them. */
  readonly personal: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly flights: Readonly<Record<string, Flight>>
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
  /** Numbers what reaches out, is held or is noted. */
  readonly next: number
  readonly reaching: Readonly<Record<string, Reaching>>
  readonly answers: Readonly<Record<number, HeldAnswer>>
  readonly held: Readonly<Record<string, HeldAct>>
  /** By conversation. */
  readonly asked: Readonly<Record<string, AskedBack>>
  /** Questions put to a person unasked, by the skill's name for them. */
  readonly questions: Readonly<Record<string, Origin>>
}

/** Nothing under way, nothing known. */
export const FRESH: Omit<SkillState, 'args' | 'house'> = {
  now: { phase: 'loading' },
  kept: { storage: {}, timers: {}, personal: {}, flights: {} },
  rings: {},
  over: {},
  waiting: [],
  next: 1,
  reaching: {},
  answers: {},
  held: {},
  asked: {},
  questions: {},
}

export type SkillMessage =
  | SkillInvoke
  /** This node's turn to ring a timer has come. */
  | { readonly type: 'timer.due'; readonly timer: string }
  /** The composition root → every skill: who is in use now, this node included; again whenever that changes. */
  | ({ readonly type: 'house' } & House)
  /** The composition root → the skill: it has a new version, and goes on with these arguments. */
  | { readonly type: 'renewed'; readonly args: SkillArgs }
  | TopicSaid
  | ApprovalDecided
  /** Nobody answered in time. */
  | { readonly type: 'question.over'; readonly question: string }
  | { readonly type: 'asked.over'; readonly session: string }
  | { readonly type: 'approval.over'; readonly id: string }
  /** This node's turn to do again what another was doing when it died. */
  | { readonly type: 'flight.turn'; readonly flight: string }
  /** Try again to follow the state. */
  | { readonly type: 'reload' }
  | Outcome
