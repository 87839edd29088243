/** Says a reply: rendered sentence by sentence, played as it comes, continued where it was when the voice dies. */
import type { Effect, Outcome } from '../actors/index.ts'
import { type ErrorShape, type Monotonic, requestId } from '../host/index.ts'
import { type EngineEvent, openRun } from '../inference/index.ts'
import { SAMPLE_RATE } from './audio.ts'
import { EVENT, endTurn, latencyMetrics, WAIT } from './ending.ts'
import { endReply, playAudio, showEvent, waitOver } from './messages.ts'
import { restOf, type Said } from './said.ts'
import { splitSentences } from './sentences.ts'
import { stepOf } from './steps.ts'
import {
  andThen,
  type Phase,
  type Speaking,
  type Step,
  stay,
  type Turn,
  type TurnOptions,
  type TurnState,
} from './turn-state.ts'

type SpeakingPhase = Extract<Phase, { name: 'speaking' }>

export const playId = (turn: Turn) => requestId(`play:${turn.number}`)
export const voiceRunId = (turn: Turn, speaking: Speaking) =>
  requestId(`tts:${turn.number}:${speaking.index}:${speaking.attempt}`)

/** The whole reply of one turn may take this long to render; the longest is two minutes of speech. */
const RENDER_MS = 30_000

/** Speaks `turn.reply` and ends the turn; a conversation by text, or with nobody there, ends at once. */
export function speak(state: TurnState, turn: Turn, options: TurnOptions, now: Monotonic): Step {
  const said: Turn = { ...turn, marks: { ...turn.marks, reply: now } }
  const sentences = aloud(state, turn, options)
  const speaking = from(sentences, { ends: [], samples: 0 })
  const spoken: TurnState = { ...state, phase: { name: 'speaking', turn: said, speaking } }
  const replied = stepOf(state, turn, 'turn.replied', { speech: turn.reply })
  return andThen(stay(spoken, replied), (current) =>
    sentences.length === 0 || turn.source.kind === 'text' || state.satellite === undefined
      ? endTurn(current, endOf(said))
      : render(current, options),
  )
}

/** The sentences to say. A question is said whole, and so is what nobody asked for; all of it stays in the turn's view. */
function aloud(
  { conversation }: TurnState,
  { reply, source }: Turn,
  options: TurnOptions,
): readonly string[] {
  const sentences = splitSentences(reply)
  const isWhole = source.kind !== 'voice' || conversation.expecting !== undefined || reply.endsWith('?')
  return isWhole ? sentences : sentences.slice(0, options.most_sentences)
}

export const endOf = (turn: Turn) => (turn.error === undefined ? 'done' : 'failed')

/** Says the rest of `turn.reply`, of which a satellite has a part, and ends the turn. */
export function goOn(
  state: TurnState,
  turn: Turn,
  said: Pick<Said, 'ends' | 'samples'>,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const known: Turn = { ...turn, marks: { ...turn.marks, reply: now } }
  const speaking = from(splitSentences(turn.reply), said)
  const spoken: TurnState = { ...state, phase: { name: 'speaking', turn: known, speaking } }
  const replied = stepOf(state, turn, 'turn.replied', { speech: turn.reply })
  return andThen(stay(spoken, replied), (current) => sayNext(current, options))
}

/** `begins`: the sample with which its loudspeaker begins, where that is not the place itself. */
export function from(
  sentences: readonly string[],
  said: Pick<Said, 'ends' | 'samples'>,
  begins = said.samples,
): Speaking {
  const { sentence, skip, from: total } = restOf(said)
  const ends = said.ends.slice(0, sentence)
  return { sentences, index: sentence, attempt: 0, heard: 0, received: 0, total, ends, skip, from: begins }
}

/** Up to which sample of the reply its loudspeaker has, or has from before. */
export const reached = ({ total, skip }: Speaking): number => total + skip

/** The sentence that is next, or the end of the reply. */
export function sayNext(state: TurnState, options: TurnOptions): Step {
  const { turn, speaking } = state.phase as SpeakingPhase
  if (speaking.index < speaking.sentences.length) return render(state, options)
  return stay(
    { ...state, phase: { name: 'playing', turn, speaking } },
    endReply(playId(turn), state.satellite!),
    {
      type: 'schedule',
      id: WAIT,
      delay_ms: ((reached(speaking) - speaking.from) * 1000) / SAMPLE_RATE + options.waits.playout_ms,
      message: waitOver(turn.number, 'playout'),
    },
  )
}

/** Asks for the current sentence. */
function render(state: TurnState, options: TurnOptions): Step {
  const { turn, speaking } = state.phase as SpeakingPhase
  const text = speaking.sentences[speaking.index]!
  const { plain, engines, voice, waits } = options
  const usesPlain = speaking.plain === true && plain !== undefined
  return stay(
    state,
    openRun(
      voiceRunId(turn, speaking),
      usesPlain ? plain.tts : engines.tts,
      { kind: 'tts', text, ...(voice === undefined || usesPlain ? {} : { voice }) },
      RENDER_MS,
    ),
    waitForVoice(turn, plain === undefined || speaking.plain ? waits.voice_ms : plain.late_ms),
  )
}

const waitForVoice = (turn: Turn, delay_ms: number): Effect => ({
  type: 'schedule',
  id: WAIT,
  delay_ms,
  message: waitOver(turn.number, 'voice'),
})

/** An outcome of the voice. Anything but the current run is stale and without effect. */
export function voiceOutcome(state: TurnState, outcome: Outcome, options: TurnOptions, now: Monotonic): Step {
  const phase = state.phase
  if (phase.name !== 'speaking' || outcome.id !== voiceRunId(phase.turn, phase.speaking)) return stay(state)
  if (outcome.event === 'failed') return retryVoice(state, outcome.error, options)
  const event = outcome.body as EngineEvent | undefined
  if (outcome.event === 'chunk') {
    return event?.type === 'audio' ? emit(state, phase, event.samples, options, now) : stay(state)
  }
  return nextSentence(state, phase, options)
}

function emit(
  state: TurnState,
  phase: SpeakingPhase,
  samples: Int16Array,
  options: TurnOptions,
  now: Monotonic,
): Step {
  const { turn, speaking } = phase
  const known = Math.min(Math.max(0, speaking.heard - speaking.received), samples.length)
  const fresh = samples.length - known
  const over = Math.min(speaking.skip, fresh)
  const news = known + over === 0 ? samples : samples.slice(known + over)
  const first = turn.marks.voice === undefined && news.length > 0
  const marked: Turn = first ? { ...turn, marks: { ...turn.marks, voice: now } } : turn
  const heard: TurnState = {
    ...state,
    phase: {
      name: 'speaking',
      turn: marked,
      speaking: {
        ...speaking,
        received: speaking.received + samples.length,
        heard: speaking.heard + fresh,
        total: speaking.total + fresh,
        skip: speaking.skip - over,
      },
    },
  }
  const effects: Effect[] = [waitForVoice(turn, options.waits.voice_ms)]
  if (first) {
    const from = speaking.total + over
    const begins = { type: 'reply', turn: turn.number, from, text: turn.reply } as const
    effects.push(showEvent(EVENT, state.satellite!, begins))
  }
  if (news.length > 0) effects.push(playAudio(playId(turn), state.satellite!, news))
  if (first) effects.push(stepOf(state, turn, 'tts.began', {}))
  if (first && turn.source.kind === 'voice') effects.push(...latencyMetrics(marked.marks))
  return stay(heard, ...effects)
}

function nextSentence(state: TurnState, { turn, speaking }: SpeakingPhase, options: TurnOptions): Step {
  const ends = [...speaking.ends, speaking.total]
  const following: Speaking = {
    ...{ ...speaking, index: speaking.index + 1, attempt: 0, heard: 0, received: 0 },
    ends,
  }
  return sayNext({ ...state, phase: { name: 'speaking', turn, speaking: following } }, options)
}

/** The voice died or hangs: the same sentence again after a moment, past what was already heard. */
export function retryVoice(state: TurnState, error: ErrorShape, options: TurnOptions): Step {
  const { turn, speaking } = state.phase as SpeakingPhase
  const given: Effect[] = [
    stepOf(state, turn, 'tts.failed', { error: error.code, attempt: speaking.attempt }),
    { type: 'cancel', id: voiceRunId(turn, speaking) },
  ]
  // Nothing of this sentence was heard yet: the other voice may say it at once. It would not meet the place within one.
  if (options.plain !== undefined && speaking.plain !== true && speaking.heard === 0) {
    const other: Speaking = { ...speaking, attempt: speaking.attempt + 1, received: 0, plain: true }
    const late: Effect = { type: 'metric', name: 'loqa_qos_plain_voice_total', add: 1 }
    return andThen(
      stay({ ...state, phase: { name: 'speaking', turn, speaking: other } }, ...given, late),
      (current) => render(current, options),
    )
  }
  if (speaking.attempt >= options.waits.retries || !error.retryable) {
    return giveUpVoice(state, error, given)
  }
  const again: Speaking = {
    ...speaking,
    attempt: speaking.attempt + 1,
    received: 0,
  }
  return stay({ ...state, phase: { name: 'speaking', turn, speaking: again } }, ...given, {
    type: 'schedule',
    id: WAIT,
    delay_ms: options.waits.retry_ms,
    message: waitOver(turn.number, 'retry'),
  })
}

/** The reply stays as text: it is in the turn's view. */
function giveUpVoice(state: TurnState, error: ErrorShape, effects: readonly Effect[]): Step {
  const phase = state.phase as SpeakingPhase
  const failed: Turn = { ...phase.turn, error: phase.turn.error ?? error }
  // The satellite hears of the end of the reply also when nothing of it could be played.
  const closing: Effect[] = [endReply(playId(failed), state.satellite!)]
  return andThen(stay({ ...state, phase: { ...phase, turn: failed } }, ...effects, ...closing), (ended) =>
    endTurn(ended, 'failed'),
  )
}

/** The moment before a retry is over. */
export function renderAgain(state: TurnState, options: TurnOptions): Step {
  return render(state, options)
}

/** The satellite played everything, or is gone. */
export function playOutcome(state: TurnState, outcome: Outcome): Step {
  const { phase } = state
  if (phase.name !== 'speaking' && phase.name !== 'playing') return stay(state)
  if (outcome.id !== playId(phase.turn) || outcome.event === 'chunk') return stay(state)
  if (outcome.event === 'done') return endTurn(state, endOf(phase.turn))
  return andThen(stay(state, ...silence(state)), (silent) => endTurn(silent, 'interrupted'))
}

/** Stops a reply at once: what is being rendered and what is queued for playing. */
export function silence(state: TurnState): readonly Effect[] {
  const { phase } = state
  if (phase.name === 'playing') return [{ type: 'cancel', id: playId(phase.turn) }]
  if (phase.name !== 'speaking') return []
  return [
    { type: 'cancel', id: playId(phase.turn) },
    { type: 'cancel', id: voiceRunId(phase.turn, phase.speaking) },
  ]
}
