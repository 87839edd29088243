/** The one way a turn ends: its view to whoever waits for it, its times to the metrics, the conversation updated. */
import type { Effect } from '../actors/index.ts'
import { assert, type ErrorShape, type Monotonic, requestId } from '../host/index.ts'
import { NO_INTENT } from '../skills/index.ts'
import { type Latency, showEvent, type TurnView, turnAnswer } from './messages.ts'
import { stepOf } from './steps.ts'
import {
  IDLE,
  type Marks,
  type Phase,
  type Step,
  stay,
  type Turn,
  type TurnEnd,
  type TurnSource,
  type TurnState,
} from './turn-state.ts'

/** The one pending wait of a session; a new one replaces it. */
export const WAIT = requestId('wait')

export const turnOf = (phase: Phase): Turn | undefined => (phase.name === 'idle' ? undefined : phase.turn)

/** Puts a changed turn back into the phase it is in. */
export function withTurn(state: TurnState, change: (turn: Turn) => Turn): TurnState {
  if (state.phase.name === 'idle') return state
  return { ...state, phase: { ...state.phase, turn: change(state.phase.turn) } }
}

export const emptyTurn = (number: number, source: TurnSource): Turn => ({
  number,
  source,
  transcript: '',
  partials: [],
  intent: NO_INTENT,
  reply: '',
  marks: {},
  cutOff: false,
  error: undefined,
})

export function endTurn(state: TurnState, end: TurnEnd): Step {
  const turn = turnOf(state.phase)
  assert(turn !== undefined, 'a turn ends while it runs')
  const view = viewOf(state, turn)
  const effects: Effect[] = [{ type: 'cancel', id: WAIT }]
  if (turn.source.kind === 'text') {
    if (turn.source.replyTo !== undefined) effects.push(turnAnswer(turn.source.replyTo, view))
  } else if (turn.source.kind === 'voice' && state.satellite !== undefined && wasHeard(turn)) {
    effects.push(showEvent(EVENT, state.satellite, { type: 'turn', turn: view }))
  }
  effects.push(
    stepOf(state, turn, 'turn.ended', {
      end,
      latency_ms: view.latency_ms,
      cut_off: turn.cutOff,
      ...(turn.error === undefined ? {} : { error: turn.error }),
    }),
  )
  effects.push({ type: 'metric', name: 'loqa_voice_turns_total', add: 1, labels: { end } })
  if (turn.cutOff) effects.push({ type: 'metric', name: 'loqa_voice_cut_off_total', add: 1 })
  return stay({ ...state, phase: IDLE }, ...effects)
}

/** A cough that came to nothing is no turn to tell of. */
const wasHeard = (turn: Turn): boolean =>
  turn.transcript !== '' || turn.reply !== '' || turn.error !== undefined

/** Events of all turns share one piece of outside work: nothing about them comes back. */
export const EVENT = requestId('event')

export function viewOf(state: TurnState, turn: Turn): TurnView {
  return {
    session: state.session,
    room: state.conversation.room,
    transcript: turn.transcript,
    partials: turn.partials,
    intent: turn.intent.name,
    slots: turn.intent.slots,
    reply: turn.reply,
    latency_ms: latencyOf(turn.marks),
    cut_off: turn.cutOff,
    reply_wav: null,
    ...(turn.error === undefined
      ? {}
      : {
          error: {
            code: turn.error.code,
            message: turn.error.message,
            ...(turn.error.hint === undefined ? {} : { hint: turn.error.hint }),
          },
        }),
  }
}

const between = (from: Monotonic | undefined, to: Monotonic | undefined): number | null =>
  from === undefined || to === undefined ? null : Math.round((to - from) * 100) / 100

export const latencyOf = (marks: Marks): Latency => ({
  endpoint: between(marks.spoken, marks.endpoint),
  stt: between(marks.endpoint, marks.text),
  nlu: between(marks.text, marks.meaning),
  skill: between(marks.asked, marks.reply),
  tts: between(marks.reply, marks.voice),
  total: between(marks.spoken, marks.voice),
})

/** The hops of a turn as observations, once its first sample has left. */
export function latencyMetrics(marks: Marks): Effect[] {
  return Object.entries(latencyOf(marks)).flatMap(([hop, ms]): Effect[] =>
    ms === null ? [] : [{ type: 'metric', name: 'loqa_voice_latency_ms', observe: ms, labels: { hop } }],
  )
}

/** The view of a turn that never began. */
export const emptyView = (state: TurnState, transcript: string, error: ErrorShape): TurnView => ({
  session: state.session,
  room: state.conversation.room,
  transcript: transcript.slice(0, SHOWN_TEXT),
  partials: [],
  intent: NO_INTENT.name,
  slots: {},
  reply: '',
  latency_ms: latencyOf({}),
  cut_off: false,
  reply_wav: null,
  error: {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  },
})

/** Enough of a refused text to recognise it by. */
const SHOWN_TEXT = 80
