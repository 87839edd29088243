/** What a finished text leads to: pure, from the reading, the grammar and what was said before. */
import { type Monotonic, monotonic } from '../host/index.ts'
import {
  type Intent,
  isFragment,
  isPutUnasked,
  NO_INTENT,
  OFFERED_SCORE,
  type Reading,
  type ReadingContext,
} from '../skills/index.ts'
import { movedTo, PHRASES } from './phrases.ts'
import type { Conversation, Expecting, Neighbour, TurnState } from './turn-state.ts'
import type { LanguagePrompt, Understanding } from './understanding.ts'

export type Decision =
  /** Nothing was said to us. */
  | { readonly kind: 'ignore' }
  /** End without a word: the person wanted silence. */
  | { readonly kind: 'hush'; readonly intent: Intent }
  /** Words and nothing else. */
  | {
      readonly kind: 'say'
      readonly intent: Intent
      readonly speech: string
      readonly expecting?: Expecting
      readonly room?: string
      /** Keep what was said before: the reply is not something to repeat or continue. */
      readonly aside?: true
    }
  | { readonly kind: 'act'; readonly intent: Intent; readonly skill: string; readonly confirmed: boolean }
  | { readonly kind: 'interpret'; readonly prompt: LanguagePrompt }
  /** The conversation goes on in that room. */
  | { readonly kind: 'move'; readonly intent: Intent; readonly room: string }

export interface Deciding {
  readonly understanding: Understanding
  readonly conversation: Conversation
  readonly now: Monotonic
  readonly answer_ms: number
  /** The turn began by interrupting a reply. */
  readonly interrupting: boolean
  /** It was spoken, and is answered aloud. */
  readonly aloud: boolean
}

/** The question still open at `now`. */
export const openQuestion = (conversation: Conversation, now: Monotonic): Expecting | undefined =>
  conversation.expecting !== undefined && conversation.expecting.until > now
    ? conversation.expecting
    : undefined

export function readingContext(conversation: Conversation, now: Monotonic): ReadingContext {
  const expecting = openQuestion(conversation, now)
  return {
    ...(expecting?.kind === 'slot' ? { expecting: { intent: expecting.intent, slot: expecting.slot } } : {}),
    ...(conversation.last === undefined ? {} : { last: conversation.last }),
  }
}

/** A follow-up as sure as this is one. */
const SURE_SCORE = 0.9

/**
 * What a text means here. What means nothing here, and is a follow-up of what somebody said in another room a moment ago, is part of
 * that conversation: `along`.
 */
export function readHere(
  understanding: Pick<Understanding, 'read'>,
  text: string,
  { conversation, neighbour }: Pick<TurnState, 'conversation' | 'neighbour'>,
  now: Monotonic,
): { readonly reading: Reading; readonly along: Neighbour | undefined } {
  const reading = understanding.read(text, readingContext(conversation, now))
  if (neighbour === undefined || neighbour.until <= now || isWhole(reading))
    return { reading, along: undefined }
  const { last, asks } = neighbour
  const there = understanding.read(text, {
    ...(asks === undefined ? {} : { expecting: asks }),
    ...(last === undefined ? {} : { last }),
  })
  const isSure = there.complete && there.score >= SURE_SCORE && !there.intent.name.startsWith('session.')
  return isSure ? { reading: there, along: neighbour } : { reading, along: undefined }
}

/** It means something by itself: fragments do not, whatever they are a part of. */
const isWhole = ({ intent, score }: Reading): boolean =>
  score >= OFFERED_SCORE && intent.name !== NO_INTENT.name && !isFragment(intent.name)

/** `text` is final. `heard_ms`: how long there was voice; a cough without words is ignored, a sentence is not. */
export function decide(text: string, reading: Reading, heard_ms: number, deciding: Deciding): Decision {
  if (text.trim() === '') {
    return heard_ms < WORDLESS_SPEECH_MS ? { kind: 'ignore' } : notUnderstood
  }
  if (reading.score >= OFFERED_SCORE && reading.intent.name !== NO_INTENT.name) {
    return decideIntent(reading.intent, deciding)
  }
  const prompt = deciding.understanding.prompt(text, reading)
  return prompt === undefined ? notUnderstood : { kind: 'interpret', prompt }
}

/** Shorter voice without a recognised word is a cough or a door. The shortest command ("no") has about 200 ms. */
const WORDLESS_SPEECH_MS = 400

export const notUnderstood = {
  kind: 'say',
  intent: NO_INTENT,
  speech: PHRASES.notUnderstood,
  aside: true,
} as const satisfies Decision

/** The language model was needed and did not answer: not the person's doing. */
export const meaningLost: Decision = { ...notUnderstood, speech: PHRASES.lostMeaning }

export function decideIntent(intent: Intent, deciding: Deciding): Decision {
  if (intent.name.startsWith('session.')) return decideBuiltIn(intent, deciding)
  return carryOut(intent, false, deciding)
}

/**
 * What the language model took a text for. Where that can do harm and the intent has no question of its own, the person's own words are
 * put to them: a guess opens no door.
 */
export function decideGuess(intent: Intent, text: string, deciding: Deciding): Decision {
  const { understanding, now, answer_ms } = deciding
  const decision = decideIntent(intent, deciding)
  if (decision.kind !== 'act' || !understanding.isRisky(intent.name)) return decision
  const until = monotonic(now + answer_ms)
  const speech = `I heard: ${text}. Shall I do that?`
  return { kind: 'say', intent, speech, expecting: { kind: 'confirm', intent, until } }
}

/** A skill's business: asks for what is missing, then for a yes where the intent wants one, then acts. */
function carryOut(intent: Intent, confirmed: boolean, deciding: Deciding): Decision {
  const { understanding, now, answer_ms } = deciding
  const skill = understanding.skillFor(intent.name)
  if (skill === undefined) return { kind: 'say', intent, speech: understanding.unhandled(intent) }

  const until = monotonic(now + answer_ms)
  for (const slot of understanding.missing(intent)) {
    const question = understanding.question(intent.name, slot)
    if (question === undefined) continue
    return { kind: 'say', intent, speech: question, expecting: { kind: 'slot', intent, slot, until } }
  }
  const confirmation = confirmed ? undefined : understanding.confirmation(intent.name)
  if (confirmation !== undefined) {
    return { kind: 'say', intent, speech: confirmation, expecting: { kind: 'confirm', intent, until } }
  }
  return { kind: 'act', intent, skill, confirmed }
}

/** What the conversation itself answers. */
function decideBuiltIn(intent: Intent, deciding: Deciding): Decision {
  const { conversation, now } = deciding
  const question = openQuestion(conversation, now)
  const say = (speech: string): Decision => ({ kind: 'say', intent, speech, aside: true })

  switch (intent.name) {
    case 'session.stop':
      return deciding.interrupting ? { kind: 'hush', intent } : say(PHRASES.okay)
    case 'session.cancel':
      return say(PHRASES.okay)
    case 'session.repeat':
      if (conversation.lastReply === undefined) return say(PHRASES.nothingSaid)
      // The question stays open: it was only said once more.
      return {
        kind: 'say',
        intent,
        speech: conversation.lastReply,
        aside: true,
        ...(question === undefined ? {} : { expecting: renewed(question, deciding) }),
      }
    case 'session.help':
      return say(PHRASES.help)
    case 'session.thanks':
      return say(PHRASES.welcome)
    case 'session.yes':
      if (question?.kind === 'confirm') return carryOut(question.intent, true, deciding)
      return say(question === undefined ? PHRASES.nothingAsked : PHRASES.okay)
    case 'session.no':
      if (question?.kind === 'confirm' && isPutUnasked(question.intent)) {
        // Whoever asked wants to know that it was a no.
        return carryOut(withAnswer(question.intent, 0), true, deciding)
      }
      return say(question === undefined ? PHRASES.okay : PHRASES.notDone)
    case 'session.move': {
      const room = String(intent.slots.room ?? conversation.room)
      if (deciding.aloud) return { kind: 'move', intent, room }
      return { kind: 'say', intent, speech: movedTo(room), room, aside: true }
    }
    case 'session.also':
      return say(PHRASES.nothingToRepeat)
    default:
      // A bare value ("five minutes") that nothing asked for.
      if (question?.kind === 'confirm') {
        return { ...say(PHRASES.yesOrNo), expecting: renewed(question, deciding) } as Decision
      }
      return say(PHRASES.notUnderstood)
  }
}

const withAnswer = (intent: Intent, yes: 0 | 1): Intent => ({ ...intent, slots: { ...intent.slots, yes } })

const renewed = (question: Expecting, { now, answer_ms }: Deciding): Expecting => ({
  ...question,
  until: monotonic(now + answer_ms),
})
