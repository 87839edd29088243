/**
 * The session actor: one conversation, at `loqa:/session/<id>`. Around the turn machine it keeps what outlives a turn:
 * which satellite it speaks through, who waits for their turn, and when nobody has been here for long enough to end.
 */
import type { Behavior, Context, Effect, Message, Next, SystemMessage } from '../actors/index.ts'
import { placedAddress } from '../actors/index.ts'
import {
  type ErrorShape,
  limits,
  monotonic,
  type PrivacyScope,
  requestId,
  type SessionId,
} from '../host/index.ts'
import { CARDS, type CardUpdate } from '../skills/index.ts'
import { answerLeft, arrived, departed, settled, wanting, whyNot } from './away.ts'
import { carry, talkOf, unpacked } from './carried.ts'
import type { UnderWay } from './carried-shape.ts'
import { EVENT, emptyView } from './ending.ts'
import type {
  AnnouncementSpeak,
  AudioEnd,
  AudioFrame,
  Heard,
  IdleOver,
  NeighbourKnown,
  RoomRefused,
  SessionArrive,
  SessionAttach,
  SessionDetach,
  SessionHead,
  SessionLeave,
  SessionPhase,
  SessionReachable,
  SessionStay,
  TurnAsk,
  WaitOver,
} from './messages.ts'
import { showEvent, shownError, turnAnswer } from './messages.ts'
import { PHRASES } from './phrases.ts'
import { headPoint, leftUnsaid, restFor, UNSAID_MS, underWay } from './resuming.ts'
import { served } from './served.ts'
import type { SessionState, Waiting } from './session-state.ts'
import { isIdle, newConversation, type TurnInput, turn } from './turn.ts'
import type { TurnOptions, TurnState } from './turn-state.ts'

export type { SessionState } from './session-state.ts'

export type SessionMessage =
  | SessionAttach
  | SessionDetach
  | AudioFrame
  | AudioEnd
  | TurnAsk
  | AnnouncementSpeak
  | CardUpdate
  | WaitOver
  | IdleOver
  | SessionLeave
  | SessionArrive
  | SessionStay
  | RoomRefused
  | NeighbourKnown
  | SystemMessage

export interface SessionArgs {
  readonly id: SessionId
  readonly room: string
  /** Of its timeline; `session` when absent. */
  readonly scope?: PrivacyScope
  /** Whose conversation it is, when somebody said so: their id in the collection `persons`. */
  readonly person?: string
}

/** Waiting texts and announcements of one session. More at once is a program gone wrong, not a person. */
const MOST_WAITING = 16

export const sessionAddress = (id: SessionId) => placedAddress('session', id)
export const ANNOUNCER = placedAddress('announcer', 'house')

const IDLE_TIMER = requestId('idle')

export interface SessionOptions extends TurnOptions {
  /** Without satellite and without a word for this long, the session ends and its context is forgotten. */
  readonly idle_ms: number
}

export function sessionBehavior(
  options: SessionOptions,
): Behavior<SessionState, SessionMessage, SessionArgs> {
  const inForce = served(options)
  return {
    kind: 'session',
    // Two messages a frame at most: 256 hold more than two seconds of a node that is busy elsewhere. The oldest
    // frame is the one that matters least.
    mailbox: { capacity: 256, overflow: 'drop-oldest' },

    start({ id, room, scope = 'session', person }, context) {
      const state: SessionState = {
        startedAt: context.wall,
        turn: newConversation(id, room, person),
        waiting: [],
        heard: false,
        scope,
        ...(person === undefined ? {} : { person }),
      }
      return { state, effects: [...lives(state, context), idleTimer(options)] }
    },

    snapshot: (state, { now }) => carry(state, now),

    // Its steps from here on are noted down on this node, under what was agreed when it began.
    restore(snapshot, context) {
      const talk = unpacked(snapshot, context.now)
      const state: SessionState = { ...talk, ...until(talk.unsaid, context), waiting: [], heard: false }
      const wants = state.away === undefined ? [] : [wanting(state.turn.session, state.away)]
      return { state, effects: [...lives(state, context), idleTimer(options), ...wants] }
    },

    receive(state, message, context) {
      const current = inForce()
      const after = handle(state, message, current, context)
      const continued = startWaiting(after, current, context)
      return withHead(state, withPhase(state, continued), context)
    },

    stopping(state) {
      const { turn: now } = state
      return [
        ...(now.satellite === undefined ? [] : [reachable(now, false)]),
        { type: 'publish', topic: 'session.phase', message: phaseMessage(state, 'ended') },
      ]
    },
  }
}

/** What a session says when it begins, here or anew on another node. */
const lives = (state: SessionState, context: Context): readonly Effect[] => [
  began(state, context),
  phaseEffect(state),
  { type: 'subscribe', topic: CARDS },
]

function began({ turn: now, scope, person }: SessionState, context: Context): Effect {
  const { room } = now.conversation
  const body = { room, scope, ...(person === undefined ? {} : { person }) }
  return { type: 'timeline', session: now.session, kind: 'session.began', body, at: context.now }
}

function handle(
  state: SessionState,
  message: SessionMessage,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  const feed = (input: TurnInput): Next<SessionState> => advance(state, input, options, context)
  switch (message.type) {
    case 'session.attach': {
      const attached = attach(state, message.satellite, message.room)
      if (state.away === undefined) {
        return message.heard === undefined ? attached : comeBack(attached, message.heard, options, context)
      }
      const there = arrived(attached)
      const { heard } = state.away
      const input: TurnInput = heard === undefined ? { type: 'arrived' } : { type: 'heard', heard }
      return andAlso(there, (now) => advance(now, input, options, context))
    }
    case 'session.detach':
      return detach(state, message, options, context)
    case 'session.leave':
      return leave(state, message, options, context)
    case 'session.arrive':
      return { state, effects: state.away === undefined ? [] : [wanting(state.turn.session, state.away)] }
    case 'session.stay':
      return stayed(state, options, context)
    case 'room.refused':
      return feed({ type: 'refused', speech: message.speech })
    case 'neighbour.known': {
      const { left_ms, ...neighbour } = message.neighbour
      const until = monotonic(context.now + left_ms)
      return feed({ type: 'neighbour', neighbour: { ...neighbour, until } })
    }
    case 'audio.frame': {
      if (message.satellite === state.former || state.away !== undefined) return { state, effects: [] }
      // After a restart the session has forgotten its satellite; the next frame tells it again.
      if (message.satellite !== state.turn.satellite) {
        const attached = attach(state, message.satellite, state.turn.conversation.room)
        return { state: attached.state, effects: attached.effects }
      }
      return feed({ type: 'frame', frame: message })
    }
    case 'audio.end':
      return audioEnd(state, message, options, context)
    case 'turn.ask':
      return enqueue(state, { kind: 'text', text: message.text, replyTo: context.replyTo })
    case 'announcement.speak':
      return enqueue(state, {
        kind: 'announcement',
        from: message.id,
        speech: message.speech,
        asks: message.asks,
      })
    case 'visual.card.update':
      return { state, effects: cardShown(state, message) }
    case 'wait.over':
      return feed({ type: 'wait', message })
    case 'idle.over':
      return idleOver(state, options)
    case 'terminated':
      return { state, effects: [] }
    default:
      return settled(feed({ type: 'system', message }))
  }
}

/** Puts the effects of what is done next behind. */
function andAlso(
  { state, effects }: Next<SessionState>,
  more: (state: SessionState) => Next<SessionState>,
): Next<SessionState> {
  const following = more(state)
  return { state: following.state, effects: [...effects, ...following.effects] }
}

function detach(
  state: SessionState,
  { satellite, replaced }: SessionDetach,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  if (satellite !== state.turn.satellite) return { state, effects: [] }
  const left = advance(state, { type: 'detached' }, options, context)
  // It was there only to hear that another one is meant.
  const isOver = replaced === true && state.turn.turns <= 1 && state.waiting.length === 0
  const last: Effect = isOver ? { type: 'stop', reason: 'another conversation is meant' } : idleTimer(options)
  return { state: left.state, effects: [...left.effects, reachable(state.turn, false), last] }
}

function leave(
  state: SessionState,
  message: SessionLeave,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  const not = whyNot(state, message)
  if (not !== undefined) return { state, effects: answerLeft(context.replyTo, not) }
  const silent = advance(state, { type: 'leave' }, options, context)
  const gone = state.turn.satellite === undefined ? [] : [reachable(state.turn, false)]
  return departed({ state: silent.state, effects: [...silent.effects, ...gone] }, message, context)
}

/** Nobody took it. */
function stayed(state: SessionState, options: SessionOptions, context: Context): Next<SessionState> {
  const { away } = state
  if (away === undefined) return { state, effects: [] }
  const { back } = away
  if (back === undefined) return { state: { ...state, away: undefined }, effects: [idleTimer(options)] }
  return andAlso(arrived(attach(state, back.satellite, back.room)), (now) =>
    advance(now, { type: 'arrived', otherwise: PHRASES.nowhere }, options, context),
  )
}

function advance(
  state: SessionState,
  input: TurnInput,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  const step = turn(state.turn, input, options, context.now)
  const began = step.state.turns > state.turn.turns
  const left = leftUnsaid(state.turn, step.state)
  return {
    state: {
      ...(began ? withoutUnsaid(state) : state),
      ...{ turn: step.state, heard: state.heard || began },
      ...until(left, context),
    },
    effects: [...stamped(step.effects, context), ...announcementsEnded(state.turn, step.state)],
  }
}

/** The machine is told the time; what it notes down for the timeline carries exactly that. */
const stamped = (effects: readonly Effect[], { now }: Context): readonly Effect[] =>
  effects.some(({ type }) => type === 'timeline')
    ? effects.map((effect) => (effect.type === 'timeline' ? { ...effect, at: now } : effect))
    : effects

/** An announcement whose turn ended, however, was said: the announcer may forget it. */
function announcementsEnded(before: TurnState, after: TurnState): readonly Effect[] {
  const { phase } = before
  if (phase.name === 'idle' || phase.turn.source.kind !== 'announcement') return []
  if (after.phase.name !== 'idle' && after.phase.turn.number === phase.turn.number) return []
  // When the satellite went away in mid-sentence, the announcer gives it to someone else.
  if (after.satellite === undefined) return []
  return [spoken(before.session, phase.turn.source.from)]
}

const spoken = (session: SessionId, id: number): Effect => ({
  type: 'send',
  to: ANNOUNCER,
  message: { type: 'announcement.spoken', session, id } as Message,
})

function attach(state: SessionState, satellite: string, room: string): Next<SessionState> {
  const conversation = { ...state.turn.conversation, room }
  const former = state.former === satellite ? undefined : state.former
  const turn = { ...state.turn, satellite, conversation }
  const attached: SessionState = { ...state, heard: false, former, turn }
  return { state: attached, effects: [{ type: 'cancel', id: IDLE_TIMER }, reachable(attached.turn, true)] }
}

const until = (unsaid: UnderWay | undefined, { now }: Context) =>
  unsaid === undefined ? {} : { unsaid, unsaidUntil: monotonic(now + UNSAID_MS) }

const withoutUnsaid = ({ unsaid: _, unsaidUntil: __, ...state }: SessionState): SessionState => state

/** A satellite is back that had this conversation before, and says how much of it. */
function comeBack(
  { state, effects }: Next<SessionState>,
  heard: Heard,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  const { turn: now, unsaid, unsaidUntil = 0 } = state
  const running = underWay(now)
  const rest = running === undefined && unsaidUntil > context.now ? restFor(unsaid, heard) : undefined
  const resumed = { type: 'resumed', turn: running?.turn ?? rest?.turn ?? null } as const
  const told = [...effects, showEvent(EVENT, now.satellite!, resumed)]
  if (rest === undefined || !isIdle(now)) return { state, effects: told }
  const on = advance(withoutUnsaid(state), { type: 'go-on', left: rest }, options, context)
  return { state: on.state, effects: [...told, ...on.effects] }
}

const reachable = ({ session, conversation }: TurnState, yes: boolean): Effect => {
  const message: SessionReachable = {
    type: 'session.reachable',
    session,
    room: conversation.room,
    reachable: yes,
  }
  return { type: 'send', to: ANNOUNCER, message }
}

/** A recording without speech gets an answer too: whoever sent it is waiting for one. */
function audioEnd(
  state: SessionState,
  message: AudioEnd,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  if (message.satellite !== state.turn.satellite) return { state, effects: [] }
  const ended = advance(state, { type: 'audio-end' }, options, context)
  if (state.heard || !isIdle(state.turn))
    return { state: { ...ended.state, heard: false }, effects: ended.effects }
  const event = showEvent(EVENT, message.satellite, shownError(NOTHING_HEARD))
  return { state: ended.state, effects: [...ended.effects, event] }
}

const NOTHING_HEARD: ErrorShape = {
  code: 'nothing-heard',
  message: 'No speech was heard in the recording',
  retryable: false,
  hint: 'Check that the file or the microphone is not silent.',
}

function enqueue(state: SessionState, waiting: Waiting): Next<SessionState> {
  if (waiting.kind === 'text' && waiting.text.length > limits.MAX_TURN_TEXT) {
    return { state, effects: refuse(state, waiting, TOO_LONG) }
  }
  if (state.waiting.length >= MOST_WAITING) return { state, effects: refuse(state, waiting, BUSY) }
  return { state: { ...state, waiting: [...state.waiting, waiting] }, effects: [] }
}

const TOO_LONG: ErrorShape = {
  code: 'invalid-input',
  message: `The text is longer than ${limits.MAX_TURN_TEXT} characters`,
  retryable: false,
  hint: 'Say it in fewer words.',
}

const BUSY: ErrorShape = {
  code: 'overloaded',
  message: `The session is at its limit of ${MOST_WAITING} waiting turns`,
  retryable: true,
  hint: 'Try again in a moment.',
}

/** A refused text is told so; a refused announcement stays with the announcer. */
function refuse(state: SessionState, waiting: Waiting, error: ErrorShape): readonly Effect[] {
  if (waiting.kind !== 'text' || waiting.replyTo === undefined) return []
  return [turnAnswer(waiting.replyTo, emptyView(state.turn, waiting.text, error))]
}

/** Nobody is talking: whoever waits first is next. */
function startWaiting(
  given: Next<SessionState>,
  options: SessionOptions,
  context: Context,
): Next<SessionState> {
  let { state, effects } = given
  while (isIdle(state.turn)) {
    const [first, ...waiting] = state.waiting
    if (first === undefined || state.away !== undefined) break
    // Speech that is just beginning goes first: its evidence is already in the ear.
    const { activity } = state.turn.ear
    if (activity.phase === 'speech' || activity.evidence > 0) break
    const input: TurnInput =
      first.kind === 'text'
        ? { type: 'text', text: first.text, replyTo: first.replyTo }
        : { type: 'announcement', from: first.from, speech: first.speech, asks: first.asks }
    const begun = advance({ ...state, waiting }, input, options, context)
    state = begun.state
    effects = [...effects, ...announced(state, first), ...begun.effects]
    if (first.kind === 'announcement' && isIdle(state.turn) && state.turn.satellite !== undefined) {
      effects = [...effects, spoken(state.turn.session, first.from)]
    }
    if (state.turn.satellite === undefined) effects = [...effects, idleTimer(options)]
  }
  return { state, effects }
}

function announced(state: SessionState, waiting: Waiting): readonly Effect[] {
  if (waiting.kind !== 'announcement' || state.turn.satellite === undefined) return []
  return [showEvent(EVENT, state.turn.satellite, { type: 'announce', text: waiting.speech })]
}

/** What a skill shows without having been asked, where it can be seen. */
function cardShown({ turn }: SessionState, { card, room }: CardUpdate): readonly Effect[] {
  const { satellite, conversation } = turn
  const isHere = room === undefined || room === conversation.room
  return satellite === undefined || !isHere ? [] : [showEvent(EVENT, satellite, { type: 'card', card })]
}

const idleTimer = (options: SessionOptions): Effect => ({
  type: 'schedule',
  id: IDLE_TIMER,
  delay_ms: options.idle_ms,
  message: { type: 'idle.over' },
})

function idleOver(state: SessionState, options: SessionOptions): Next<SessionState> {
  if (state.turn.satellite !== undefined) return { state, effects: [] }
  if (!isIdle(state.turn) || state.waiting.length > 0) return { state, effects: [idleTimer(options)] }
  return { state, effects: [{ type: 'stop', reason: 'idle' }] }
}

// — where the conversation stands, for those who show it —

const phaseName = (state: SessionState): string =>
  state.away === undefined ? state.turn.phase.name : 'moving'

function phaseMessage(state: SessionState, phase: string): SessionPhase {
  return {
    type: 'session.phase',
    session: state.turn.session,
    room: state.turn.conversation.room,
    phase,
    started_at: state.startedAt,
    privacy: { scope: state.scope, ...(state.person === undefined ? {} : { person: state.person }) },
    // What is ephemeral is nobody else's business.
    ...(state.scope === 'ephemeral' ? {} : { talk: followable(state) }),
  }
}

function followable({
  turn: { phase, conversation, left },
}: SessionState): NonNullable<SessionPhase['talk']> {
  const { last, expecting } = conversation
  const speaks = phase.name === 'speaking' || phase.name === 'playing'
  return {
    ...(last === undefined ? {} : { last }),
    ...(expecting?.kind === 'slot' ? { asks: { intent: expecting.intent, slot: expecting.slot } } : {}),
    can_go_on: left !== undefined || (speaks && phase.turn.source.kind !== 'text'),
  }
}

const phaseEffect = (state: SessionState): Effect => ({
  type: 'publish',
  topic: 'session.phase',
  message: phaseMessage(state, phaseName(state)),
})

/** What another node would need, whenever that is more than it was. */
function withHead(before: SessionState, given: Next<SessionState>, { now }: Context): Next<SessionState> {
  const { state, effects } = given
  const point = headPoint(state.turn)
  if (point === undefined || point === headPoint(before.turn)) return given
  const talk = talkOf(state, underWay(state.turn) ?? state.unsaid ?? null, now)
  if (talk === undefined) return given
  const message: SessionHead = { type: 'session.head', session: state.turn.session, talk }
  return { state, effects: [...effects, { type: 'publish', topic: 'session.head', message }] }
}

function withPhase(before: SessionState, given: Next<SessionState>): Next<SessionState> {
  const { state, effects } = given
  const changed =
    phaseName(before) !== phaseName(state) || before.turn.conversation.room !== state.turn.conversation.room
  return changed ? { state, effects: [...effects, phaseEffect(state)] } : given
}
