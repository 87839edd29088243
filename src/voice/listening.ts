/** Hears an utterance: from the first voiced frames to a final text, whatever happens to the recogniser meanwhile. */
import type { Effect, Outcome } from '../actors/index.ts'
import { type ErrorShape, type Monotonic, requestId } from '../host/index.ts'
import { type EngineEvent, feedRun, finishRun, openRun } from '../inference/index.ts'
import { NO_INTENT, type Reading } from '../skills/index.ts'
import { START_FRAMES } from './activity.ts'
import {
  answer,
  askModel,
  deciding,
  dropGuess,
  modelAnswer,
  modelRunId,
  NO_ANSWER,
  speechRunId,
} from './answering.ts'
import { concat, FRAME_MS, SAMPLE_RATE, toFloat32 } from './audio.ts'
import { decide, readHere } from './decide.ts'
import { EVENT, WAIT } from './ending.ts'
import { endpoint, standingOf } from './endpointing.ts'
import { type Manner, mannerOf } from './finality.ts'
import { showEvent, talkSought, waitOver } from './messages.ts'
import { PHRASES } from './phrases.ts'
import { type Contour, follow, NO_CONTOUR } from './prosody.ts'
import { splitSentences } from './sentences.ts'
import { speak } from './speaking.ts'
import { contextOf, type EndOfSpeech, stepOf } from './steps.ts'
import {
  andThen,
  type Guess,
  NO_GUESS,
  type Phase,
  QUIET,
  type Step,
  stay,
  type Turn,
  type TurnOptions,
  type TurnState,
  type Utterance,
} from './turn-state.ts'

type Listening = Extract<Phase, { name: 'listening' }>

/** Partials remembered for the turn's view; a long utterance keeps the latest. */
const KEPT_PARTIALS = 64

export const recogniserRunId = (turn: Turn, utterance: Utterance) =>
  requestId(`stt:${turn.number}:${utterance.attempt}`)

/** Speech began: a turn begins with the frames already heard. */
export function listen(state: TurnState, interrupting: boolean, options: TurnOptions, now: Monotonic): Step {
  const turn: Turn = {
    number: state.turns + 1,
    source: { kind: 'voice', interrupting },
    transcript: '',
    partials: [],
    intent: NO_INTENT,
    reply: '',
    marks: { spoken: now },
    cutOff: false,
    error: undefined,
  }
  const utterance: Utterance = {
    frames: state.ear.preroll,
    text: '',
    reading: undefined,
    attempt: 0,
    failures: 0,
    contour: followOnset(NO_CONTOUR, state.ear.preroll),
    voiced: state.ear.activity.phase === 'speech' ? state.ear.activity.voiced : 0,
    lastFrameAt: now,
  }
  const begun: TurnState = { ...state, turns: turn.number, ear: { ...state.ear, preroll: [] } }
  const shown: Effect[] =
    state.satellite === undefined ? [] : [showEvent(EVENT, state.satellite, { type: 'speech-started' })]
  const noted = stepOf(state, turn, 'turn.began', {
    source: 'voice',
    interrupting,
    room: state.conversation.room,
    context: contextOf(state.conversation, now),
  })
  const looking: Effect = { type: 'publish', topic: 'talk.sought', message: talkSought(state.session) }
  return andThen(stay(begun, noted, ...shown, looking), (current) =>
    recognise(current, turn, utterance, options),
  )
}

/** The frames before speech counted as such: only the last of them are known to be voice. */
const followOnset = (contour: Contour, preroll: readonly Int16Array[]): Contour =>
  preroll.reduce((course, frame, i) => follow(course, frame, i >= preroll.length - START_FRAMES), contour)

/** Opens a recogniser run and gives it everything heard so far. */
function recognise(state: TurnState, turn: Turn, utterance: Utterance, options: TurnOptions): Step {
  const stt = recogniserOf(utterance, options)
  const id = recogniserRunId(turn, utterance)
  const longest_ms = options.endpointing.longest_ms + options.waits.frames_ms + options.waits.text_ms
  return stay(
    { ...state, phase: { name: 'listening', turn, utterance, guess: NO_GUESS } },
    openRun(id, stt, { kind: 'stt', sample_rate: SAMPLE_RATE }, longest_ms),
    feedRun(id, stt, { type: 'audio', samples: toFloat32(concat(utterance.frames)) }),
    frameWatch(turn, options),
  )
}

/** The chosen one, and the second every other time it failed. */
const recogniserOf = ({ failures }: Utterance, { engines, second }: TurnOptions): string =>
  (failures % 2 === 1 ? second?.stt?.to : undefined) ?? engines.stt

/** For its words, once the end is decided. */
const textWait = ({ failures }: Utterance, { waits, second }: TurnOptions): number =>
  Math.min(waits.text_ms, (failures === 0 ? second?.stt?.late_ms : undefined) ?? waits.text_ms)

const frameWatch = (turn: Turn, { waits }: TurnOptions): Effect => ({
  type: 'schedule',
  id: WAIT,
  delay_ms: waits.frames_ms,
  message: waitOver(turn.number, 'frames'),
})

/** One more frame while listening; `state.ear` has already heard it. */
export function hearMore(
  state: TurnState,
  samples: Int16Array,
  voiced: boolean,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { turn, utterance, guess } = state.phase as Listening
  const marked: Turn = voiced ? { ...turn, marks: { ...turn.marks, spoken: now } } : turn
  const longer = withFrame(utterance, samples, voiced, now)
  const feed = feedRun(recogniserRunId(turn, utterance), recogniserOf(utterance, options), {
    type: 'audio',
    samples: toFloat32(samples),
  })
  const heard: TurnState = { ...state, phase: { name: 'listening', turn: marked, utterance: longer, guess } }
  return andThen(stay(heard, feed), (current) => judge(current, options, now))
}

export const withFrame = (
  utterance: Utterance,
  samples: Int16Array,
  voiced: boolean,
  now: Monotonic,
): Utterance => ({
  ...utterance,
  frames: [...utterance.frames, samples],
  contour: follow(utterance.contour, samples, voiced),
  voiced: utterance.voiced + (voiced ? 1 : 0),
  lastFrameAt: now,
})

/** Ends the turn if it is time; speculates in the first silence. A guess holds while the text does. */
function judge(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  const { utterance } = state.phase as Listening
  const { activity } = state.ear
  const silence_ms = activity.phase === 'speech' ? activity.silent * FRAME_MS : 0
  const manner = silence_ms === 0 ? 'unclear' : mannerOf(utterance.contour)
  const verdict = endpoint(
    {
      silence_ms,
      utterance_ms: utterance.frames.length * FRAME_MS,
      standing: standingOf(utterance.text, utterance.reading),
      manner,
    },
    options.endpointing,
  )
  if (verdict.kind === 'end') {
    const end: EndOfSpeech = {
      cause: 'pause',
      reason: verdict.reason,
      silence_ms,
      utterance_ms: utterance.frames.length * FRAME_MS,
      manner,
    }
    return andThen(stay(state, endpointMetric(verdict.reason, manner)), (current) =>
      endUtterance(current, end, options, now),
    )
  }
  if (silence_ms >= options.waits.guess_ms) return speculate(state, options, now)
  return stay(state)
}

const endpointMetric = (standing: string, manner: Manner): Effect => ({
  type: 'metric',
  name: 'loqa_voice_endpoints_total',
  add: 1,
  labels: { standing, manner },
})

/** The guess was wrong: nobody hears of it. */
const abandon = (guess: Guess): readonly Effect[] =>
  guess.kind === 'speech' ? [{ type: 'cancel', id: speechRunId(guess.number) }] : dropGuess(guess)

/** Prepares what the text so far would lead to, as far as that is pure. Skills are never asked on a guess. */
function speculate(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  const phase = state.phase as Listening
  const { turn, utterance, guess } = phase
  const { text, reading } = utterance
  if (reading === undefined || (guess.kind !== 'none' && guess.text === text)) return stay(state)

  const number = state.guesses + 1
  const decision = decide(text, reading, utterance.voiced * FRAME_MS, deciding(state, turn, options, now))
  const take = (next: Guess, effect: Effect): Step =>
    stay({ ...state, guesses: number, phase: { ...phase, guess: next } }, ...abandon(guess), effect)
  const none = (): Step => stay({ ...state, phase: { ...phase, guess: NO_GUESS } }, ...abandon(guess))

  if (decision.kind === 'interpret') {
    const asked: Guess = { kind: 'meaning', text, number, answer: NO_ANSWER }
    const asking = askModel(number, decision.prompt, options)
    return asking === undefined ? none() : take(asked, asking)
  }
  const speech = decision.kind === 'say' ? splitSentences(decision.speech)[0] : undefined
  if (speech === undefined) return none()
  return take(
    { kind: 'speech', text, number, speech },
    openRun(speechRunId(number), options.engines.tts, {
      kind: 'tts',
      text: speech,
      ...(options.voice === undefined ? {} : { voice: options.voice }),
    }),
  )
}

/** It is over: the recogniser says what it still holds. */
export function endUtterance(state: TurnState, end: EndOfSpeech, options: TurnOptions, now: Monotonic): Step {
  const { turn, utterance, guess } = state.phase as Listening
  // Since then somebody waits, whoever hears it again.
  const ended_at = end.cause === 'heard-again' ? (turn.marks.endpoint ?? now) : now
  const marked: Turn = { ...turn, marks: { ...turn.marks, endpoint: ended_at } }
  return stay(
    { ...state, ear: QUIET, phase: { name: 'transcribing', turn: marked, utterance, guess } },
    stepOf(state, turn, 'turn.endpoint', { ...end, text: utterance.text }),
    finishRun(recogniserRunId(turn, utterance), recogniserOf(utterance, options)),
    {
      type: 'schedule',
      id: WAIT,
      delay_ms: textWait(utterance, options),
      message: waitOver(turn.number, 'text'),
    },
  )
}

/** An outcome of the recogniser. */
export function recogniserOutcome(
  state: TurnState,
  outcome: Outcome,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { phase } = state
  if (phase.name !== 'listening' && phase.name !== 'transcribing') return stay(state)
  if (outcome.id !== recogniserRunId(phase.turn, phase.utterance)) return stay(state)
  if (outcome.event === 'failed') return recover(state, outcome.error, options, now)

  const event = outcome.body as EngineEvent | undefined
  if (event?.type === 'final') return finalText(state, event.text, options, now)
  // A run that ended without a final text leaves the last partial.
  if (outcome.event === 'done') return finalText(state, phase.utterance.text, options, now)
  if (event?.type !== 'partial') return stay(state)
  return andThen(understandPartial(state, event.text, options, now), (current) =>
    current.phase.name === 'listening' ? judge(current, options, now) : stay(current),
  )
}

function understandPartial(state: TurnState, text: string, options: TurnOptions, now: Monotonic): Step {
  const phase = state.phase as Extract<Phase, { name: 'listening' | 'transcribing' }>
  const { turn, utterance, guess } = phase
  if (text === utterance.text) return stay(state)
  const reading: Reading | undefined =
    text.trim() === '' ? undefined : readHere(options.understanding, text, state, now).reading
  const told: Turn = { ...turn, partials: [...turn.partials, text].slice(-KEPT_PARTIALS) }
  const known: TurnState = {
    ...state,
    phase: { ...phase, turn: told, utterance: { ...utterance, text, reading }, guess: NO_GUESS },
  }
  if (state.satellite === undefined) return stay(known, ...abandon(guess))
  return stay(known, ...abandon(guess), showEvent(EVENT, state.satellite, { type: 'partial', text }))
}

function finalText(state: TurnState, text: string, options: TurnOptions, now: Monotonic): Step {
  const { turn, utterance, guess } = state.phase as Extract<Phase, { name: 'listening' | 'transcribing' }>
  const ended: Turn = {
    ...turn,
    transcript: text.trim(),
    marks: { ...turn.marks, endpoint: turn.marks.endpoint ?? now },
  }
  return answer({ ...state, ear: QUIET }, ended, utterance, guess, options, now)
}

/** The final text does not come: the partial will do if it is a whole command, else the recogniser counts as hung. */
export function textOverdue(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  if (state.phase.name !== 'transcribing') return stay(state)
  const { turn, utterance } = state.phase
  const stop: Effect = { type: 'cancel', id: recogniserRunId(turn, utterance) }
  return andThen(stay(state, stop), (current) =>
    utterance.reading?.complete === true
      ? finalText(current, utterance.text, options, now)
      : recover(current, RECOGNISER_HUNG, options, now),
  )
}

const RECOGNISER_HUNG: ErrorShape = {
  code: 'timeout',
  message: 'The recogniser did not answer in time',
  retryable: true,
}

/** The recogniser failed: again after a moment with all that was heard, at last an apology. */
function recover(state: TurnState, error: ErrorShape, options: TurnOptions, now: Monotonic): Step {
  const { turn, utterance, guess } = state.phase as Extract<Phase, { name: 'listening' | 'transcribing' }>
  const ended = state.phase.name === 'transcribing'
  const failures = utterance.failures + 1
  const failed = stepOf(state, turn, 'stt.failed', { error: error.code, attempt: utterance.attempt })
  const dropped = stay(state, failed, ...abandon(guess))
  // Nobody is interrupted by an apology: while they speak, it is worth trying on.
  if (failures > options.waits.retries && !(stillSpeaking(state) && !ended)) {
    const lost: Turn = { ...turn, reply: PHRASES.lostRecogniser, error }
    return andThen(dropped, (current) => speak({ ...current, ear: QUIET }, lost, options, now))
  }
  const again: Utterance = { ...utterance, failures, attempt: utterance.attempt + 1 }
  const recovering = (current: TurnState): TurnState => ({
    ...current,
    phase: { name: 'recovering', turn, utterance: again, ended },
  })
  // Another one needs no moment to come back.
  if (recogniserOf(again, options) !== recogniserOf(utterance, options)) {
    const other: Effect = {
      type: 'metric',
      name: 'loqa_qos_done_again_total',
      add: 1,
      labels: { kind: 'stt' },
    }
    return andThen(
      andThen(dropped, (current) => stay(recovering(current), other)),
      (current) => recogniseAgain(current, options, now),
    )
  }
  return andThen(dropped, (current) =>
    stay(recovering(current), {
      type: 'schedule',
      id: WAIT,
      delay_ms: options.waits.retry_ms,
      message: waitOver(turn.number, 'retry'),
    }),
  )
}

/** Longer than any gap within a word or between two. */
const SPEECH_GAP_MS = 400

function stillSpeaking({ ear: { activity } }: TurnState): boolean {
  return activity.phase === 'speech' && activity.silent * FRAME_MS < SPEECH_GAP_MS
}

/** The moment is over: a new run hears everything again. */
export function recogniseAgain(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  if (state.phase.name !== 'recovering') return stay(state)
  const { turn, utterance, ended } = state.phase
  return andThen(recognise(state, turn, utterance, options), (current) =>
    ended ? endUtterance(current, { cause: 'heard-again' }, options, now) : stay(current),
  )
}

/** Speech went on before anything was done: the turn goes on too, nothing of the guess was heard. */
export function resume(
  state: TurnState,
  turn: Turn,
  utterance: Utterance,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { marks, ...rest } = turn
  const reopened: Turn = { ...rest, transcript: '', marks: { spoken: now } }
  const longer: Utterance = {
    ...utterance,
    frames: [...utterance.frames, ...state.ear.preroll],
    contour: followOnset(utterance.contour, state.ear.preroll),
    attempt: utterance.attempt + 1,
    voiced: utterance.voiced + (state.ear.activity.phase === 'speech' ? state.ear.activity.voiced : 0),
    lastFrameAt: now,
  }
  const noted = stepOf(state, turn, 'turn.resumed', {})
  return andThen(stay({ ...state, ear: { ...state.ear, preroll: [] } }, noted), (current) =>
    recognise(current, reopened, longer, options),
  )
}

/** No frame for a while: the link is gone or the microphone was muted; what was heard counts. */
export function framesOverdue(state: TurnState, options: TurnOptions, now: Monotonic): Step {
  if (state.phase.name !== 'listening') return stay(state)
  const { turn, utterance } = state.phase
  if (now - utterance.lastFrameAt < options.waits.frames_ms) return stay(state, frameWatch(turn, options))
  return endUtterance(state, { cause: 'frames-stopped' }, options, now)
}

/** Folds the language model's early answer into the guess. */
export function guessOutcome(state: TurnState, outcome: Outcome): Step {
  const { phase } = state
  if (phase.name !== 'listening' && phase.name !== 'transcribing') return stay(state)
  const { guess } = phase
  if (guess.kind !== 'meaning' || outcome.id !== modelRunId(guess.number)) return stay(state)
  return stay({
    ...state,
    phase: { ...phase, guess: { ...guess, answer: modelAnswer(guess.answer, outcome) } },
  })
}

export const stopListening = (state: TurnState): readonly Effect[] => {
  const { phase } = state
  if (phase.name !== 'listening' && phase.name !== 'transcribing') return []
  return [{ type: 'cancel', id: recogniserRunId(phase.turn, phase.utterance) }, ...abandon(phase.guess)]
}
