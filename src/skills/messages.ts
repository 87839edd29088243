/** What is said between a conversation and a skill, and between a skill's actor and its sandbox. */
import type { ErrorShape, SessionId } from '../host/index.ts'
import type { Intent } from './intents/intent.ts'

/** session → skill, as an ask: carry out this intent. Answered by `skill.result`. */
export interface SkillInvoke {
  readonly type: 'skill.invoke'
  readonly intent: Intent
  readonly session: SessionId
  readonly room: string
  /** True after the person confirmed an intent that asks for it. */
  readonly confirmed: boolean
}

/** skill → session: what to say and whether the conversation goes on. */
export interface SkillResult {
  readonly type: 'skill.result'
  readonly speech: string
  /** Keeps the turn open for one answer: the missing slot, or a yes/no. */
  readonly follow_up?: { readonly slot: string } | { readonly confirm: true }
  /** Something to look at; displays show it. */
  readonly card?: Readonly<Record<string, unknown>>
  readonly failed?: ErrorShape
}

/** skill → everyone with a loudspeaker, on topic `announce`: speak without being asked (a timer is due). */
export interface Announce {
  readonly type: 'announce'
  readonly skill: string
  readonly speech: string
  /** Where it was asked for; absent: everywhere. */
  readonly room?: string
  readonly session?: SessionId
}

export type SkillMessage = SkillInvoke
