/**
 * All an actor can do to the world, as data. A behaviour returns effects; the runtime carries them out in order
 * after the state is stored. The union is closed: a new effect needs a real and a simulated interpreter.
 */
import type { ErrorShape, Monotonic, RequestId, SessionId } from '../host/index.ts'
import type { Address, Ref } from './address.ts'

/** Whom to send to: an address reaches whoever lives there now, a ref only that incarnation. */
export type Target = Address | Ref

/** Anything an actor can be told; `type` names it. Plain data: it must survive being copied to another machine. */
export interface Message {
  readonly type: string
}

export type Effect =
  // — between actors —
  /** At most once, in order per sender and receiver. */
  | { readonly type: 'send'; readonly to: Target; readonly message: Message }
  /** Answers the ask being handled (or an earlier one, by the `replyTo` its context carried). */
  | { readonly type: 'reply'; readonly to: ReplyTo; readonly message: Message }
  /** Comes back as `answer` or `ask-failed` with the same id. The deadline shrinks on every hop. */
  | {
      readonly type: 'ask'
      readonly id: RequestId
      readonly to: Target
      readonly message: Message
      readonly deadline_ms: number
    }
  /** To every local actor subscribed to the topic. */
  | { readonly type: 'publish'; readonly topic: string; readonly message: Message }
  | { readonly type: 'subscribe'; readonly topic: string }
  | { readonly type: 'unsubscribe'; readonly topic: string }
  // — to itself —
  /** Delivers `message` to this actor after the delay; the same id replaces an earlier schedule. */
  | {
      readonly type: 'schedule'
      readonly id: RequestId
      readonly delay_ms: number
      readonly message: Message
    }
  /** Cancels the schedule, ask or outside work of that id; nothing about it is delivered afterwards. */
  | { readonly type: 'cancel'; readonly id: RequestId }
  /** Puts the message being handled aside; `unstash` puts all of them back in front, in order. */
  | { readonly type: 'stash' }
  | { readonly type: 'unstash' }
  // — the tree —
  /** Starts a child of this actor; `key` is unique among its siblings. */
  | {
      readonly type: 'spawn'
      readonly kind: string
      readonly key: string
      readonly args?: unknown
      readonly restart?: RestartKind
    }
  /** Stops a child or any actor (orderly, after the message it is handling); without target, itself. */
  | { readonly type: 'stop'; readonly target?: Target; readonly reason?: string }
  /** Delivers one `terminated` message when the target is gone, at once if it already is. */
  | { readonly type: 'watch'; readonly target: Target }
  | { readonly type: 'unwatch'; readonly target: Target }
  // — outside: the result comes back as `outcome` messages with the same id —
  /** Work of an engine: speech to text, language, speech (`to` is a capability tag, e.g. `stt`). */
  | OutsideEffect<'infer'>
  /** A call into a sandboxed skill (`to` is the skill's name). */
  | OutsideEffect<'invoke'>
  /** Audio or events for a satellite (`to` is its id). */
  | OutsideEffect<'play'>
  /** A read from the store (`to` is the collection). */
  | OutsideEffect<'read'>
  /** A write to the store; `done` means durable. */
  | OutsideEffect<'write'>
  // — observation —
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly values?: Readonly<Record<string, unknown>>
    }
  | {
      readonly type: 'metric'
      readonly name: string
      readonly add?: number
      readonly observe?: number
      readonly labels?: Readonly<Record<string, string>>
    }
  | { readonly type: 'audit'; readonly what: string; readonly object: string; readonly outcome: string }
  /** A step of a conversation, for its timeline. Nothing waits for it and nothing comes back. */
  | {
      readonly type: 'timeline'
      readonly session: SessionId
      readonly kind: string
      readonly body: Readonly<Record<string, unknown>>
      /** When it happened; by default when the effect is carried out. */
      readonly at?: Monotonic
    }

/**
 * Work carried out by a part of the node outside the actor system. `op` and `body` are the business of the
 * folder that owns the port, which exports typed constructors. Ops of one id are carried out in order;
 * the conversation about an id ends with `done`, `failed`, or a `cancel` effect.
 */
export interface OutsideEffect<Port extends 'infer' | 'invoke' | 'play' | 'read' | 'write'> {
  readonly type: Port
  readonly id: RequestId
  readonly to: string
  readonly op: string
  readonly body?: unknown
  /** Time left; the port fails the work with `timeout` when it has passed. */
  readonly deadline_ms?: number
}

export type OutsidePort = OutsideEffect<'infer' | 'invoke' | 'play' | 'read' | 'write'>

/** What a running system itself tells an actor. Behaviours that use these effects include them in their union. */
export type SystemMessage =
  | { readonly type: 'answer'; readonly id: RequestId; readonly message: Message }
  | { readonly type: 'ask-failed'; readonly id: RequestId; readonly error: ErrorShape }
  | { readonly type: 'terminated'; readonly ref: Ref; readonly reason: ExitReason }
  | Outcome

/** One step in the life of outside work: any number of chunks, then exactly one `done` or `failed`. */
export type Outcome =
  | {
      readonly type: 'outcome'
      readonly id: RequestId
      readonly event: 'chunk' | 'done'
      readonly body?: unknown
    }
  | { readonly type: 'outcome'; readonly id: RequestId; readonly event: 'failed'; readonly error: ErrorShape }

/** Where an answer goes: opaque, plain data, usable once, by actors of the node that was asked. */
export interface ReplyTo {
  readonly actor: Ref | undefined
  readonly id: number
  /** Of the node's process that waits for it: on any other, the same id means another question. Absent on a node alone. */
  readonly life?: string | undefined
}

export type RestartKind =
  /** Always restarted. */
  | 'permanent'
  /** Restarted only after a failure. */
  | 'transient'
  /** Never restarted. */
  | 'temporary'

export type ExitReason =
  | { readonly kind: 'stopped'; readonly reason?: string }
  | { readonly kind: 'failed'; readonly error: ErrorShape }
  | { readonly kind: 'killed' }
  | { readonly kind: 'unknown-actor' }
  /** The node it ran on died, left or was started anew; or there is no such node. */
  | { readonly kind: 'node-gone' }
