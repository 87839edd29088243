/**
 * A reply that was broken off on purpose, because somebody spoke or because the conversation left the room, and that goes on at the
 * sample where it was, as a turn of its own. What was heard is what this node's loudspeaker says, not what was sent to it (`player.ts`);
 * what was rendered beyond that comes along, so that nobody waits for a voice; only what was not is rendered anew (`said.ts`).
 * A turn whose satellite or node was lost is the business of `resuming.ts`.
 */
import type { Effect, Outcome } from '../actors/index.ts'
import { type Monotonic, monotonic } from '../host/index.ts'
import { EVENT, endTurn } from './ending.ts'
import { type Cut, cutReply, playAudio, showEvent } from './messages.ts'
import { MOST_AHEAD, restOf } from './said.ts'
import { endOf, from, playId, reached, sayNext, silence, voiceRunId } from './speaking.ts'
import type { Left, Step, Turn, TurnOptions, TurnState } from './turn-state.ts'
import { andThen, stay } from './turn-state.ts'

const NOTHING = new Int16Array(0)

/** Silences the reply `after_ms` behind the sample that is heard now, and remembers where that was. */
export function breakOff(state: TurnState, after_ms: number, { waits }: TurnOptions, now: Monotonic): Step {
  const { phase, satellite } = state
  if (phase.name !== 'speaking' && phase.name !== 'playing') return stay(state)
  const { turn, speaking } = phase
  const { sentences, ends, from } = speaking
  const total = reached(speaking)
  // Nothing of it has been sent: there is nothing to ask the loudspeaker.
  const isUnheard = total === from
  const samples = isUnheard ? total : undefined
  const until = monotonic(now + waits.left_ms)
  const left: Left = { turn: turn.number, sentences, ends, from, samples, ahead: NOTHING, until }
  if (isUnheard || satellite === undefined) return stay({ ...state, left }, ...silence(state))
  const voice: readonly Effect[] =
    phase.name === 'speaking' ? [{ type: 'cancel', id: voiceRunId(turn, phase.speaking) }] : []
  return stay({ ...state, left }, cutReply(playId(turn), satellite, after_ms), ...voice)
}

/** What the loudspeaker says of a reply that was broken off. Undefined: it is no such reply. */
export function cutOutcome(state: TurnState, outcome: Outcome): TurnState | undefined {
  const { left } = state
  if (left === undefined || left.samples !== undefined || outcome.id !== `play:${left.turn}`) return undefined
  const cut = outcome.event === 'done' ? (outcome.body as Cut | undefined) : undefined
  // Played to its end, or the loudspeaker is gone.
  if (cut === undefined) return { ...state, left: undefined }
  return { ...state, left: { ...left, samples: left.from + cut.played, ahead: cut.ahead } }
}

/** The loudspeaker has not said yet how far it came. */
export const isCutting = ({ left }: TurnState): boolean => left !== undefined && left.samples === undefined

/** What can be gone on with at `now`. */
export function resumable({ left }: TurnState, now: Monotonic): Left | undefined {
  if (left?.samples === undefined || left.until <= now) return undefined
  return restText(left) === '' && left.ahead.length === 0 ? undefined : left
}

/** The sentence in which it was broken off, and those behind it. */
export const restText = ({ sentences, ends, samples = 0 }: Left): string =>
  sentences.slice(restOf({ ends, samples }).sentence).join(' ')

/** What is kept of it: up to the end of a sentence, for what follows is another rendering where a voice is not the same each time. */
function wholeSentences({ ahead, ends, samples = 0, sentences }: Left): Int16Array {
  const kept = ahead.subarray(0, MOST_AHEAD)
  const end = ends.findLast((each) => each > samples && each <= samples + kept.length)
  if (end === undefined || (ends.length === sentences.length && end === ends.at(-1))) return kept
  return kept.subarray(0, end - samples)
}

/** Speaks on, as part of `turn`. There is a satellite, and `left` is `resumable`. */
export function goOn(state: TurnState, turn: Turn, left: Left, options: TurnOptions, now: Monotonic): Step {
  const { sentences, ends, samples = 0 } = left
  const ahead = wholeSentences(left)
  const speaking = from(sentences, { ends, samples: samples + ahead.length }, samples)
  const marks = { ...turn.marks, reply: now, ...(ahead.length > 0 ? { voice: now } : {}) }
  const saying: Turn = { ...turn, marks, reply: restText(left) }
  const begins = { type: 'reply', turn: turn.number, from: samples } as const
  const to = state.satellite!
  const playing =
    ahead.length > 0 ? [showEvent(EVENT, to, begins), playAudio(playId(turn), to, ahead.slice())] : []
  const begun: TurnState = { ...state, left: undefined, phase: { name: 'speaking', turn: saying, speaking } }
  return andThen(stay(begun, ...playing), (current) =>
    speaking.index < sentences.length || ahead.length > 0
      ? sayNext(current, options)
      : endTurn(current, endOf(saying)),
  )
}
