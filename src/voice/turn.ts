/**
 * The turn machine: frames, texts and outcomes in; effects out. Pure, so that a million conversations can be played in
 * a second. It decides in this order: hear (`listening.ts`), understand and act (`answering.ts`), say (`speaking.ts`),
 * end (`ending.ts`); this file says which input reaches which phase.
 *
 * T1  At most one turn runs.
 * T2  Speech during a reply silences it as soon as it counts as speech: `START_FRAMES` voiced frames, 80 ms.
 * T3  Every turn ends exactly once, as done, interrupted or failed; an asked text is answered exactly once.
 * T4  What is done on a guess is pure, and nothing of a wrong guess is heard or shown.
 * T5  A skill is asked at most once per turn, and only after the end of the turn was decided; once more when the node is lost to which
 *     its answer was to come.
 * T6  A recogniser that dies loses nothing: what was heard is heard again; only when that fails for good, an apology.
 * T7  A voice that dies continues where it was; when that fails for good, the reply is there as text.
 * T8  Every phase but idle has a longest wait, after which it goes on or ends.
 * T9  What arrives late, from work that was given up, changes nothing.
 */
import type { Effect, ReplyTo, SystemMessage } from '../actors/index.ts'
import { assert, type Monotonic, monotonic, type SessionId } from '../host/index.ts'
import type { Intent } from '../skills/index.ts'
import { forgetAfterSilence, hear } from './activity.ts'
import { actAgain, answer, meant, modelOutcome, modelRunId, skillAnswer } from './answering.ts'
import { FRAME_MS } from './audio.ts'
import type { UnderWay } from './carried-shape.ts'
import { emptyTurn, endTurn, turnOf, withTurn } from './ending.ts'
import { breakOff, cutOutcome } from './going-on.ts'
import {
  endUtterance,
  framesOverdue,
  guessOutcome,
  hearMore,
  listen,
  recogniseAgain,
  recogniserOutcome,
  resume,
  stopListening,
  textOverdue,
  withFrame,
} from './listening.ts'
import type { AudioFrame, WaitOver } from './messages.ts'
import { arrive, heardAlong, refused } from './moving-on.ts'
import { PHRASES } from './phrases.ts'
import { goOn, playOutcome, renderAgain, retryVoice, silence, speak, voiceOutcome } from './speaking.ts'
import { contextOf, stepOf } from './steps.ts'
import type { Transcribed } from './transcribed.ts'
import {
  andThen,
  type Ear,
  IDLE,
  type Neighbour,
  NO_GUESS,
  QUIET,
  type Step,
  stay,
  type Turn,
  type TurnOptions,
  type TurnState,
} from './turn-state.ts'

export type TurnInput =
  | { readonly type: 'frame'; readonly frame: AudioFrame }
  | { readonly type: 'audio-end' }
  /** The satellite is gone. */
  | { readonly type: 'detached' }
  | { readonly type: 'text'; readonly text: string; readonly replyTo: ReplyTo | undefined }
  | {
      readonly type: 'announcement'
      readonly from: number
      readonly speech: string
      /** Undefined where it is no question. */
      readonly asks?: Intent | undefined
    }
  /** Somebody is here again who heard only a part of it. */
  | { readonly type: 'go-on'; readonly left: UnderWay }
  | { readonly type: 'system'; readonly message: Exclude<SystemMessage, { type: 'terminated' }> }
  | { readonly type: 'wait'; readonly message: WaitOver }
  /** It leaves its satellite for another one: what it says is broken off. */
  | { readonly type: 'leave' }
  /** It has come to a satellite, and goes on there. */
  /** `otherwise`: what is said when there is nothing to go on with; by default that it is there. */
  | { readonly type: 'arrived'; readonly otherwise?: string }
  /** Somebody said this to another conversation, whose satellite is now this one's. */
  | { readonly type: 'heard'; readonly heard: Transcribed }
  /** There is no such room, or nothing to take along. */
  | { readonly type: 'refused'; readonly speech: string }
  | { readonly type: 'neighbour'; readonly neighbour: Neighbour | undefined }

export const newConversation = (session: SessionId, room: string, person?: string): TurnState => ({
  session,
  ...(person === undefined ? {} : { person }),
  satellite: undefined,
  ear: QUIET,
  phase: IDLE,
  conversation: { room, last: undefined, lastReply: undefined, expecting: undefined },
  turns: 0,
  guesses: 0,
})

/** 400 ms before speech counts as such: weak onsets ("f", "s") are up to 200 ms long and come before the evidence. */
const PREROLL_FRAMES = 400 / FRAME_MS

export function turn(state: TurnState, input: TurnInput, options: TurnOptions, now: Monotonic): Step {
  const step = route(state, input, options, now)
  return keepQuestion(state, step, options, now)
}

/** A question is open for its time from when it was asked aloud, and for as long as the answer is being spoken. */
function keepQuestion(before: TurnState, step: Step, { waits }: TurnOptions, now: Monotonic): Step {
  const { state, effects } = step
  const { expecting } = state.conversation
  const asked = before.phase.name === 'speaking' || before.phase.name === 'playing'
  const answering = before.phase.name !== 'listening' && state.phase.name === 'listening'
  if (expecting === undefined || expecting.until <= now || !(asked || answering)) return step
  const until = monotonic(now + waits.answer_ms)
  return {
    state: { ...state, conversation: { ...state.conversation, expecting: { ...expecting, until } } },
    effects,
  }
}

function route(state: TurnState, input: TurnInput, options: TurnOptions, now: Monotonic): Step {
  switch (input.type) {
    case 'frame':
      return frame(state, input.frame, options, now)
    case 'audio-end':
      return audioEnd(state, options, now)
    case 'detached':
      return detached(state)
    case 'text':
      return typed(state, input.text, input.replyTo, options, now)
    case 'announcement':
      return announcement(state, input, options, now)
    case 'go-on':
      return goOnWith(state, input.left, options, now)
    case 'system':
      return system(state, input.message, options, now)
    case 'wait':
      return waitOver(state, input.message, options, now)
    case 'leave':
      return leave(state, options, now)
    case 'arrived':
      return arrive(state, input.otherwise, options, now)
    case 'heard':
      return heardAlong(state, input.heard, options, now)
    case 'refused':
      return refused(state, input.speech, options, now)
    case 'neighbour':
      return stay({ ...state, neighbour: input.neighbour })
  }
}

function frame(
  state: TurnState,
  { samples, voiced }: AudioFrame,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { activity, started } = hear(state.ear.activity, voiced)
  const { phase } = state
  if (phase.name === 'listening') {
    return hearMore({ ...state, ear: { activity, preroll: [] } }, samples, voiced, options, now)
  }
  if (phase.name === 'recovering' && !phase.ended) {
    const utterance = withFrame(phase.utterance, samples, voiced, now)
    return stay({ ...state, ear: { activity, preroll: [] }, phase: { ...phase, utterance } })
  }
  const ear: Ear = {
    activity: forgetAfterSilence(activity),
    preroll: [...state.ear.preroll, samples].slice(-PREROLL_FRAMES),
  }
  const heard: TurnState = { ...state, ear }
  return started ? speechStarted(heard, options, now) : stay(heard)
}

/** Someone begins to speak while this session is not listening. */
function speechStarted(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  const { phase } = state
  switch (phase.name) {
    case 'idle':
      return listen(state, false, options, now)
    case 'listening':
      return stay(state)
    case 'recovering':
      return resume(state, phase.turn, phase.utterance, options, now)
    case 'transcribing':
      return andThen(stay(state, ...stopListening(state)), (current) =>
        resume(current, phase.turn, phase.utterance, options, now),
      )
    case 'interpreting': {
      const stopped = stay(state, { type: 'cancel', id: modelRunId(phase.number) })
      const { utterance } = phase
      if (utterance === undefined) return stay(state)
      return andThen(stopped, (current) => resume(current, phase.turn, utterance, options, now))
    }
    case 'moving':
      // What was said counts; whoever takes it over hears this too.
      return stay(state)
    case 'acting':
    case 'speaking':
    case 'playing':
      // A typed turn has no voice to be interrupted; it ends by itself within a few milliseconds.
      if (phase.turn.source.kind === 'text') return stay(state)
      return bargeIn(state, options, now)
  }
}

function bargeIn(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  const interrupted = turnOf(state.phase)!
  const cutOff = interrupted.source.kind === 'voice' && wasCutOff(interrupted, options, now)
  const marked = withTurn(state, (running) => ({ ...running, cutOff }))
  const counted: Effect = { type: 'metric', name: 'loqa_voice_barge_in_total', add: 1 }
  const silenced = andThen(breakOff(marked, 0, options, now), (current) => stay(current, counted))
  return andThen(
    andThen(silenced, (current) => endTurn(current, 'interrupted')),
    (idle) => listen(idle, state.phase.name !== 'acting', options, now),
  )
}

/** The same breath went on: there was less than a long pause between the last voiced frame and this speech. */
function wasCutOff({ marks }: Turn, { waits }: TurnOptions, now: Monotonic): boolean {
  return marks.spoken !== undefined && now - marks.spoken <= waits.cut_off_ms
}

function audioEnd(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  const { phase } = state
  if (phase.name === 'listening') {
    return endUtterance(state, { cause: 'recording-ended' }, options, now)
  }
  if (phase.name === 'recovering') return stay({ ...state, phase: { ...phase, ended: true }, ear: QUIET })
  return stay({ ...state, ear: QUIET })
}

function detached(state: TurnState): Step {
  const gone = { ...state, ear: QUIET, satellite: undefined }
  const { phase } = state
  if (phase.name === 'idle' || phase.turn.source.kind === 'text') return stay(gone)
  // What a skill was asked it does; its answer is for whoever comes back.
  if (phase.name === 'acting' && phase.turn.source.kind === 'voice') return stay(gone)
  const model =
    phase.name === 'interpreting' ? [{ type: 'cancel', id: modelRunId(phase.number) } as const] : []
  const stopped = stay(gone, ...stopListening(state), ...model, ...silence(state))
  // What moves is ended there.
  return andThen(stopped, (current) => endTurn(current, phase.name === 'moving' ? 'done' : 'interrupted'))
}

/** Long enough for the word to reach a loudspeaker before the sample at which it is to be silent. */
const STILL_HEARD_MS = 40

/** Only for one that is idle, speaks, or asked for it. */
function leave(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  const end = state.phase.name === 'moving' ? 'done' : 'interrupted'
  return andThen(breakOff(state, STILL_HEARD_MS, options, now), (silent) =>
    isIdle(silent) ? stay(silent) : endTurn(silent, end),
  )
}

function typed(
  state: TurnState,
  text: string,
  replyTo: ReplyTo | undefined,
  options: TurnOptions,
  now: Monotonic,
): Step {
  assert(state.phase.name === 'idle', 'a typed turn begins when none runs')
  const begun = { ...emptyTurn(state.turns + 1, { kind: 'text', replyTo }), transcript: text }
  const noted = stepOf(state, begun, 'turn.began', {
    source: 'text',
    text,
    room: state.conversation.room,
    context: contextOf(state.conversation, now),
  })
  return andThen(stay({ ...state, turns: begun.number }, noted), (current) =>
    answer(current, begun, undefined, NO_GUESS, options, now),
  )
}

function announcement(
  before: TurnState,
  { from, speech, asks }: Extract<TurnInput, { type: 'announcement' }>,
  options: TurnOptions,
  now: Monotonic,
): Step {
  assert(before.phase.name === 'idle', 'an announcement begins when no turn runs')
  // Nobody expected the question: it is open while it is said, and as long again as any other.
  const until = monotonic(now + 2 * options.waits.answer_ms)
  const { expecting } = before.conversation
  const asked = asks === undefined ? undefined : ({ kind: 'confirm', intent: asks, until } as const)
  // A yes after something else was said is no answer to what was asked before it: nobody shall be talked into one.
  const open = asked ?? (expecting?.kind === 'confirm' ? undefined : expecting)
  const state: TurnState = { ...before, conversation: { ...before.conversation, expecting: open } }
  const begun = { ...emptyTurn(state.turns + 1, { kind: 'announcement', from }), reply: speech }
  const noted = stepOf(state, begun, 'turn.began', {
    source: 'announcement',
    text: speech,
    room: state.conversation.room,
    context: {},
  })
  return andThen(stay({ ...state, turns: begun.number }, noted), (current) =>
    speak(current, begun, options, now),
  )
}

function goOnWith(before: TurnState, left: UnderWay, options: TurnOptions, now: Monotonic): Step {
  assert(before.phase.name === 'idle', 'a turn goes on when none runs')
  const { turn: number, transcript, reply } = left
  const intent = left.intent as Turn['intent']
  const begun: Turn = { ...emptyTurn(number, { kind: 'voice', interrupting: false }), transcript, intent }
  const state: TurnState = { ...before, turns: Math.max(before.turns, number) }
  const { room } = state.conversation
  const noted = stepOf(state, begun, 'turn.began', { source: 'resumed', left, room, context: {} })
  return andThen(stay(state, noted), (current) =>
    reply === null
      ? actAgain(current, begun, left.confirmed, options, now)
      : goOn(current, { ...begun, reply }, left, options, now),
  )
}

function system(
  state: TurnState,
  message: Extract<TurnInput, { type: 'system' }>['message'],
  options: TurnOptions,
  now: Monotonic,
): Step {
  if (message.type !== 'outcome') return skillAnswer(state, message, options, now)
  // The id says whose outcome it is; each part knows its current one and drops the rest (T9).
  const kind = message.id.slice(0, message.id.indexOf(':'))
  switch (kind) {
    case 'stt':
      return recogniserOutcome(state, message, options, now)
    case 'llm':
      return state.phase.name === 'interpreting'
        ? modelOutcome(state, message, options, now)
        : guessOutcome(state, message)
    case 'tts':
      return voiceOutcome(state, message, options, now)
    case 'play': {
      const cut = cutOutcome(state, message)
      return cut === undefined ? playOutcome(state, message) : stay(cut)
    }
    default:
      return stay(state)
  }
}

function waitOver(state: TurnState, message: WaitOver, options: TurnOptions, now: Monotonic): Step {
  const { phase } = state
  if (turnOf(phase)?.number !== message.turn) return stay(state)
  switch (message.wait) {
    case 'frames':
      return framesOverdue(state, options, now)
    case 'text':
      return textOverdue(state, options, now)
    case 'meaning':
      return meant(state, options, now)
    case 'retry':
      return phase.name === 'speaking' ? renderAgain(state, options) : recogniseAgain(state, options, now)
    case 'voice':
      return phase.name === 'speaking' ? retryVoice(state, VOICE_HUNG, options) : stay(state)
    case 'moving':
      return refused(state, PHRASES.nowhere, options, now)
    case 'playout':
      if (phase.name !== 'playing') return stay(state)
      return andThen(stay(state, ...silence(state)), (current) => endTurn(current, 'done'))
  }
}

const VOICE_HUNG = { code: 'timeout', message: 'The voice did not answer in time', retryable: true } as const

export const isIdle = (state: TurnState): boolean => state.phase.name === 'idle'
