/** From a final text to words: read it, ask the language model or a skill where needed, then speak. */
import type { Effect, Message, Outcome, SystemMessage } from '../actors/index.ts'
import { placedAddress } from '../actors/index.ts'
import {
  assertNever,
  type ErrorShape,
  type Monotonic,
  monotonic,
  requestId,
  TimeoutError,
} from '../host/index.ts'
import { type EngineEvent, openRun } from '../inference/index.ts'
import type { SkillInvoke, SkillResult } from '../skills/index.ts'
import { FRAME_MS } from './audio.ts'
import {
  type Decision,
  decide,
  decideGuess,
  meaningLost,
  notUnderstood,
  readHere,
  readingContext,
} from './decide.ts'
import { depart, takeAlong } from './departing.ts'
import { EVENT, endTurn, WAIT } from './ending.ts'
import { showEvent, waitOver } from './messages.ts'
import { PHRASES } from './phrases.ts'
import { speak } from './speaking.ts'
import { decisionBody, stepOf } from './steps.ts'
import type {
  Conversation,
  Guess,
  ModelAnswer,
  Step,
  Turn,
  TurnOptions,
  TurnState,
  Utterance,
} from './turn-state.ts'
import { andThen, stay } from './turn-state.ts'

export const skillAskId = (turn: Turn) => requestId(`skill:${turn.number}`)
export const modelRunId = (number: number) => requestId(`llm:${number}`)
export const speechRunId = (number: number) => requestId(`guess:${number}`)

/** What its words were read as, and what is to be done about it; `along`: what they go on with, of another room. */
function understood(
  state: TurnState,
  turn: Turn,
  utterance: Utterance | undefined,
  options: TurnOptions,
  now: Monotonic,
) {
  const { understanding } = options
  const text = turn.transcript
  const isAloud = turn.source.kind === 'voice' && state.satellite !== undefined
  const { reading, along } = isAloud
    ? readHere(understanding, text, state, now)
    : { reading: understanding.read(text, readingContext(state.conversation, now)), along: undefined }
  const heard_ms = utterance === undefined ? 0 : utterance.voiced * FRAME_MS
  const decision = decide(text, reading, heard_ms, deciding(state, turn, options, now))
  return { reading, along, heard_ms, decision }
}

/** A text is final: by voice with the utterance it came from, or typed. */
export function answer(
  state: TurnState,
  turn: Turn,
  utterance: Utterance | undefined,
  guess: Guess,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const text = turn.transcript
  const known: Turn = { ...turn, marks: { ...turn.marks, text: now } }
  const { reading, along, heard_ms, decision } = understood(state, known, utterance, options, now)
  const shown: Effect[] =
    turn.source.kind === 'voice' && state.satellite !== undefined && text !== ''
      ? [showEvent(EVENT, state.satellite, { type: 'final', text })]
      : []
  const heard: Effect[] =
    turn.source.kind === 'voice' ? [stepOf(state, turn, 'stt.text', { text, heard_ms })] : []
  if (along !== undefined) {
    const told = stepOf(state, turn, 'turn.moved', { along: along.session })
    return andThen(stay(state, ...heard, told, ...shown, ...dropGuess(guess)), (current) =>
      takeAlong(current, known, along, reading.intent, options),
    )
  }
  const decided = stepOf(state, turn, 'turn.decided', {
    by: 'grammar',
    score: reading.score,
    ...decisionBody(decision),
  })
  const settled = stay(
    state,
    ...heard,
    decided,
    ...shown,
    ...dropGuess(guess, decision.kind === 'interpret' ? text : undefined),
  )
  return andThen(settled, (current) => {
    if (decision.kind !== 'interpret') return follow(current, known, decision, options, now)
    if (guess.kind === 'meaning' && guess.text === text) {
      return awaitMeaning(current, known, utterance, guess.number, guess.answer, options, now)
    }
    const number = current.guesses + 1
    const asked: TurnState = { ...current, guesses: number }
    const asking = askModel(number, decision.prompt, options)
    if (asking === undefined) return awaitMeaning(asked, known, utterance, number, LEFT_OUT, options, now)
    return andThen(stay(asked, asking), (waiting) =>
      awaitMeaning(waiting, known, utterance, number, NO_ANSWER, options, now),
    )
  })
}

export const NO_ANSWER: ModelAnswer = { tokens: '', finished: false }
/** As in a household without a language model. */
const LEFT_OUT: ModelAnswer = {
  tokens: '',
  finished: true,
  failed: {
    code: 'engine-unavailable',
    message: 'The language model is too slow now to be asked',
    retryable: false,
  },
}

/** Undefined: it is not asked now. */
export const askModel = (
  number: number,
  prompt: {
    readonly prompt: string
    readonly schema: Readonly<Record<string, unknown>>
    readonly max_tokens: number
  },
  { engines: { llm }, waits }: TurnOptions,
): Effect | undefined =>
  llm === undefined
    ? undefined
    : openRun(modelRunId(number), llm, { kind: 'llm', ...prompt, temperature: 0 }, waits.meaning_ms)

/** Cancels a guess, unless it is the language model working on exactly this text. Rendered speech only fills the cache. */
export function dropGuess(guess: Guess, text?: string): readonly Effect[] {
  if (guess.kind === 'meaning' && guess.text !== text)
    return [{ type: 'cancel', id: modelRunId(guess.number) }]
  return []
}

function awaitMeaning(
  state: TurnState,
  turn: Turn,
  utterance: Utterance | undefined,
  number: number,
  given: ModelAnswer,
  options: TurnOptions,
  now: Monotonic,
  again?: true,
): Step {
  const waiting: TurnState = {
    ...state,
    phase: {
      ...{ name: 'interpreting', turn, utterance, number, answer: given },
      ...(again === undefined ? {} : { again }),
    },
  }
  if (given.finished) return meant(waiting, options, now)
  const late_ms = again ? undefined : options.second?.llm?.late_ms
  return stay(waiting, {
    type: 'schedule',
    id: WAIT,
    delay_ms: Math.min(options.waits.meaning_ms, late_ms ?? options.waits.meaning_ms),
    message: waitOver(turn.number, 'meaning'),
  })
}

/** Folds one outcome of the model into what it said so far. */
export function modelAnswer(before: ModelAnswer, outcome: Outcome): ModelAnswer {
  if (outcome.event === 'failed') return { tokens: '', finished: true, failed: outcome.error }
  const event = outcome.body as EngineEvent | undefined
  const tokens =
    event?.type === 'token'
      ? before.tokens + event.text
      : event?.type === 'final'
        ? event.text
        : before.tokens
  return { tokens, finished: outcome.event === 'done' }
}

export function modelOutcome(state: TurnState, outcome: Outcome, options: TurnOptions, now: Monotonic): Step {
  const { phase } = state
  if (phase.name !== 'interpreting' || outcome.id !== modelRunId(phase.number)) return stay(state)
  const current: TurnState = { ...state, phase: { ...phase, answer: modelAnswer(phase.answer, outcome) } }
  return outcome.event === 'chunk' ? stay(current) : meant(current, options, now)
}

/** The model has answered, failed or taken too long: what it said counts only if the grammar accepts it. */
export function meant(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  if (state.phase.name !== 'interpreting') return stay(state)
  const { turn, answer: said, number } = state.phase
  const intent =
    said.finished && said.tokens !== ''
      ? options.understanding.interpret(said.tokens, turn.transcript)
      : undefined
  const error = said.finished
    ? said.failed
    : new TimeoutError('The meaning', options.waits.meaning_ms).toJSON()
  const given: Effect[] = said.finished ? [] : [{ type: 'cancel', id: modelRunId(number) }]
  const isLost = error !== undefined && !hasNoModel(error)
  if (isLost && options.second?.llm !== undefined && state.phase.again === undefined)
    return andThen(stay(state, ...given), (current) => askSecond(current, options, now))
  const decision = isLost
    ? meaningLost
    : intent === undefined
      ? notUnderstood
      : decideGuess(intent, turn.transcript, deciding(state, turn, options, now))
  const noted: Effect[] = [
    stepOf(state, turn, 'llm.answer', {
      answer: said.tokens,
      ...(error === undefined ? {} : { error }),
    }),
    stepOf(state, turn, 'turn.decided', { by: 'model', ...decisionBody(decision) }),
  ]
  return andThen(stay(state, ...noted, ...given), (current) =>
    follow(current, isLost ? { ...turn, error } : turn, decision, options, now),
  )
}

/** The same question, for the next language model. */
function askSecond(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  const { turn, utterance } = state.phase as Extract<TurnState['phase'], { name: 'interpreting' }>
  const { second, engines } = options
  const { decision } = understood(state, turn, utterance, options, now)
  if (decision.kind !== 'interpret') return follow(state, turn, decision, options, now)
  const number = state.guesses + 1
  const other = { ...options, engines: { ...engines, llm: second!.llm!.to } }
  const late: Effect = {
    ...{ type: 'metric', name: 'loqa_qos_done_again_total', add: 1, labels: { kind: 'llm' } },
  }
  return andThen(
    stay({ ...state, guesses: number }, askModel(number, decision.prompt, other)!, late),
    (waiting) => awaitMeaning(waiting, turn, utterance, number, NO_ANSWER, options, now, true),
  )
}

/** A household without a language model is not at fault: it understands what its templates say. */
const hasNoModel = ({ code, retryable }: ErrorShape): boolean => code === 'engine-unavailable' && !retryable

export const deciding = (state: TurnState, turn: Turn, options: TurnOptions, now: Monotonic) => ({
  understanding: options.understanding,
  conversation: state.conversation,
  now,
  answer_ms: options.waits.answer_ms,
  interrupting: turn.source.kind === 'voice' && turn.source.interrupting,
  aloud: turn.source.kind === 'voice' && state.satellite !== undefined,
})

export function follow(
  state: TurnState,
  turn: Turn,
  decision: Decision,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const known: Turn = { ...turn, marks: { ...turn.marks, meaning: now } }
  switch (decision.kind) {
    case 'ignore':
      return endTurn(inPhase(state, known), 'done')
    case 'hush': {
      const hushed: Turn = { ...known, intent: decision.intent }
      return endTurn(inPhase(closeQuestion(state), hushed), 'done')
    }
    case 'say': {
      const saying: Turn = { ...known, intent: decision.intent, reply: decision.speech }
      return speak(
        { ...state, conversation: afterSaying(state.conversation, decision) },
        saying,
        options,
        now,
      )
    }
    case 'act':
      return act(state, known, decision, options, now)
    case 'move':
      return depart(state, known, decision, options, now)
    case 'interpret':
      // Decided once already; the model's own answer never asks the model again.
      return follow(state, turn, notUnderstood, options, now)
    default:
      return assertNever(decision)
  }
}

const inPhase = (state: TurnState, turn: Turn): TurnState => ({ ...state, phase: { name: 'acting', turn } })

const closeQuestion = (state: TurnState): TurnState => ({
  ...state,
  conversation: { ...state.conversation, expecting: undefined },
})

type Saying = Extract<Decision, { kind: 'say' }>

function afterSaying(conversation: Conversation, saying: Saying): Conversation {
  return {
    room: saying.room ?? conversation.room,
    last: saying.aside ? conversation.last : saying.intent,
    lastReply: saying.aside ? conversation.lastReply : saying.speech,
    expecting: saying.expecting,
  }
}

/** A skill was perhaps asked before, on a node that is gone: its answer never came, so it is asked here. */
export function actAgain(
  state: TurnState,
  turn: Turn,
  confirmed: boolean,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { intent } = turn
  const skill = options.understanding.skillFor(intent.name)
  if (skill === undefined) return speak(state, { ...turn, reply: PHRASES.skillFailed }, options, now)
  return act(state, turn, { intent, skill, confirmed }, options, now)
}

function act(
  state: TurnState,
  turn: Turn,
  { intent, skill, confirmed }: Pick<Extract<Decision, { kind: 'act' }>, 'intent' | 'skill' | 'confirmed'>,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const asked: Turn = { ...turn, intent, marks: { ...turn.marks, asked: now } }
  const message: SkillInvoke = {
    type: 'skill.invoke',
    intent,
    session: state.session,
    room: state.conversation.room,
    confirmed,
    ...(state.person === undefined ? {} : { person: state.person }),
  }
  return stay(
    {
      ...state,
      phase: { name: 'acting', turn: asked, confirmed },
      conversation: { ...state.conversation, last: intent, expecting: undefined },
    },
    {
      type: 'ask',
      id: skillAskId(asked),
      to: placedAddress('skill', skill),
      message,
      deadline_ms: options.waits.skill_ms,
    },
    { type: 'cancel', id: WAIT },
  )
}

/** The skill's answer, or the news that there will be none. Anything but the running turn's is stale. */
export function skillAnswer(
  state: TurnState,
  message: Extract<SystemMessage, { type: 'answer' | 'ask-failed' }>,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { phase } = state
  if (phase.name !== 'acting' || message.id !== skillAskId(phase.turn)) return stay(state)
  const { turn } = phase
  const skill = options.understanding.skillFor(turn.intent.name)
  if (message.type === 'ask-failed') {
    const reply = message.error.code === 'timeout' ? PHRASES.skillSilent : PHRASES.skillFailed
    const noted = stepOf(state, turn, 'skill.result', { skill, error: message.error })
    return andThen(stay(state, noted), (current) =>
      speak(current, { ...turn, reply, error: message.error }, options, now),
    )
  }
  const result = resultOf(message.message)
  const noted = stepOf(state, turn, 'skill.result', { skill, result })
  return andThen(stay(state, noted), (current) => said(current, turn, result, options, now))
}

/** A skill is not trusted to answer in shape. */
function resultOf(message: Message): SkillResult {
  const result = message as SkillResult
  if (result.type === 'skill.result' && typeof result.speech === 'string') return result
  return {
    type: 'skill.result',
    speech: PHRASES.skillFailed,
    failed: { code: 'skill-failed', message: 'The skill gave no usable answer', retryable: false },
  }
}

function said(state: TurnState, turn: Turn, result: SkillResult, options: TurnOptions, now: Monotonic): Step {
  const { intent } = turn
  const until = monotonic(now + options.waits.answer_ms)
  const { follow_up } = result
  const expecting =
    follow_up === undefined
      ? undefined
      : 'slot' in follow_up
        ? ({ kind: 'slot', intent, slot: follow_up.slot, until } as const)
        : ({ kind: 'confirm', intent, until } as const)
  const answered: TurnState = {
    ...state,
    // Something else was said since.
    left: undefined,
    conversation: { ...state.conversation, last: intent, lastReply: result.speech, expecting },
  }
  const card: Effect[] =
    result.card !== undefined && state.satellite !== undefined
      ? [showEvent(EVENT, state.satellite, { type: 'card', card: result.card })]
      : []
  const replied: Turn = { ...turn, reply: result.speech, error: result.failed }
  return andThen(stay(answered, ...card), (current) => speak(current, replied, options, now))
}
