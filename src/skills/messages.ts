/** What is said between a conversation and a skill, and between a skill's actor and its sandbox. */
import type { ErrorShape, SessionId } from '../host/index.ts'
import type { Intent } from './intents/intent.ts'
import type { Risk } from './risk.ts'

/** session → skill, as an ask: carry out this intent. Answered by `skill.result`. */
export interface SkillInvoke {
  readonly type: 'skill.invoke'
  readonly intent: Intent
  readonly session: SessionId
  readonly room: string
  /** True after the person confirmed an intent that asks for it. */
  readonly confirmed: boolean
  /** Whose conversation it is, when somebody said so: their id in the collection `persons`. */
  readonly person?: string
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
  /** Who set what is due now, as their conversation: it is said where they are, if that is known. */
  readonly whose?: SessionId
  /** Somebody wants it said in the whole house; otherwise what names no room is said in those of its node. */
  readonly everywhere?: true
  /** It is a question: a yes or a no is brought to the skill as this intent, with the slot `yes` 1 or 0. */
  readonly asks?: Intent
}

/** skill → everyone with a screen, on topic `visual.card.update`: show this without having been asked. */
export interface CardUpdate {
  readonly type: 'visual.card.update'
  readonly skill: string
  readonly card: Readonly<Record<string, unknown>>
  /** Absent: everywhere. */
  readonly room?: string
}

/** skill → skills of the same node that subscribe, on topic `skill.topic`. */
export interface TopicSaid {
  readonly type: 'topic.said'
  readonly topic: string
  readonly data: string
  /** The skill that said it. */
  readonly from: string
  readonly hops: number
}

/** skill → the desk of approvals, on topic `approval.wanted`: somebody must allow this. Answered by `approval.decided`, in time or not. */
export interface ApprovalWanted {
  readonly type: 'approval.wanted'
  readonly id: string
  readonly skill: string
  /** What follows "wants to". */
  readonly words: string
  readonly risk: Risk
  readonly room: string
  readonly session: string
  readonly within_ms: number
}

/** Anybody of this node who speaks for a person → the desk. As an ask it is answered with the row, decided or as it was. */
export interface ApprovalDecide {
  readonly type: 'approval.decide'
  readonly id: string
  readonly allowed: boolean
  /** Who said so, for the audit log. */
  readonly by: string
}

/** the desk → skill. */
export interface ApprovalDecided {
  readonly type: 'approval.decided'
  readonly id: string
  readonly allowed: boolean
  /** Who said so: `cli`, `http`, a room; `nobody` when the time was over. */
  readonly by: string
}
