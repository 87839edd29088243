/**
 * What a conversation writes into its timeline: what reached it (words, the model's answer, the skill's), and what it decided. From the first
 * the second can be found again, without audio: see `replay.ts`. Pure; the session puts the time on.
 */
import type { Effect } from '../actors/index.ts'
import { type Monotonic, monotonic } from '../host/index.ts'
import type { Decision } from './decide.ts'
import type { Manner } from './finality.ts'
import type { Conversation, Expecting, Turn, TurnState } from './turn-state.ts'

/** Append only; scripts and kept timelines know these names. */
export type StepKind =
  /** The actor started; it remembers nothing of before. */
  | 'session.began'
  | 'turn.began'
  /** The person went on speaking before anything was done. */
  | 'turn.resumed'
  | 'turn.endpoint'
  /** Final words of the recogniser. */
  | 'stt.text'
  | 'stt.failed'
  | 'llm.answer'
  | 'turn.decided'
  | 'skill.result'
  /** Another conversation took it over, or none could: with what was said then. */
  | 'turn.moved'
  | 'turn.replied'
  | 'tts.began'
  | 'tts.failed'
  | 'turn.ended'

type Body = Readonly<Record<string, unknown>>

export const stepOf = (
  state: Pick<TurnState, 'session'>,
  turn: Turn,
  kind: StepKind,
  body: Body,
): Effect => ({
  type: 'timeline',
  session: state.session,
  kind,
  body: { turn: turn.number, ...body },
})

/** Why the end of an utterance was decided. */
export type EndOfSpeech =
  | {
      readonly cause: 'pause'
      readonly reason: string
      readonly silence_ms: number
      readonly utterance_ms: number
      readonly manner: Manner
    }
  /** Its end was known, the recogniser heard it again. */
  | { readonly cause: 'recording-ended' | 'frames-stopped' | 'heard-again' }

/** What was said before, as plain data: a turn can be replayed without those before it. */
export function contextOf({ last, lastReply, expecting }: Conversation, now: Monotonic): Body {
  return {
    ...(last === undefined ? {} : { last }),
    ...(lastReply === undefined ? {} : { last_reply: lastReply }),
    ...(expecting === undefined || expecting.until <= now ? {} : { expecting: openFor(expecting, now) }),
  }
}

function openFor(expecting: Expecting, now: Monotonic): Body {
  const { until, ...question } = expecting
  return { ...question, left_ms: until - now }
}

/** Back again, at another time. */
export function conversationFrom(room: string, context: Body, now: Monotonic): Conversation {
  const { last, last_reply, expecting } = context as {
    last?: Conversation['last']
    last_reply?: string
    expecting?: Omit<Expecting, 'until'> & { left_ms: number }
  }
  if (expecting === undefined) return { room, last, lastReply: last_reply, expecting: undefined }
  const { left_ms, ...question } = expecting
  const until = monotonic(now + left_ms)
  return { room, last, lastReply: last_reply, expecting: { ...question, until } as Expecting }
}

/** A decision as it is shown and compared. */
export function decisionBody(decision: Decision): Body {
  switch (decision.kind) {
    case 'ignore':
      return { decision: 'ignore' }
    case 'interpret':
      return { decision: 'interpret' }
    case 'hush':
      return { decision: 'hush', intent: decision.intent }
    case 'act':
      return {
        decision: 'act',
        intent: decision.intent,
        skill: decision.skill,
        confirmed: decision.confirmed,
      }
    case 'move':
      return { decision: 'move', intent: decision.intent, room: decision.room }
    case 'say':
      return {
        decision: 'say',
        intent: decision.intent,
        speech: decision.speech,
        ...(decision.room === undefined ? {} : { room: decision.room }),
        ...(decision.expecting === undefined ? {} : { asks: asked(decision.expecting) }),
      }
  }
}

const asked = (expecting: Expecting): string =>
  expecting.kind === 'slot' ? `for ${expecting.slot}` : 'for a yes'
