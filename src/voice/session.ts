/**
 * The session actor: one conversation, at `loqa:/session/<id>`. Around the turn machine it keeps what outlives a turn:
 * which satellite it speaks through, who waits for their turn, and when nobody has been here for long enough to end.
 */
import type { Behavior, Context, Effect, Next, SystemMessage } from '../actors/index.ts'
import { monotonic, type PrivacyScope, type SessionId } from '../host/index.ts'
import { CARDS, type CardUpdate } from '../skills/index.ts'
import { arrived, settled, wanting } from './away.ts'
import { carry, unpacked } from './carried.ts'
import { EVENT } from './ending.ts'
import type {
  AnnouncementSpeak,
  AudioEnd,
  AudioFrame,
  IdleOver,
  NeighbourKnown,
  RoomRefused,
  SessionArrive,
  SessionAttach,
  SessionDetach,
  SessionLeave,
  SessionStay,
  TurnAsk,
  WaitOver,
} from './messages.ts'
import { showEvent } from './messages.ts'
import { served } from './served.ts'
import {
  attach,
  audioEnd,
  comeBack,
  detach,
  idleOver,
  idleTimer,
  leave,
  reachable,
  stayed,
} from './session-satellite.ts'
import { phaseEffect, phaseMessage, withHead, withPhase, withPresence } from './session-shown.ts'
import type { SessionState } from './session-state.ts'
import { advance, andAlso, until } from './session-steps.ts'
import { enqueue, startWaiting } from './session-waiting.ts'
import { newConversation, type TurnInput } from './turn.ts'
import type { SessionOptions } from './turn-state.ts'

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
      return withHead(state, withPhase(state, withPresence(state, continued)), context)
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

/** What a skill shows without having been asked, where it can be seen. */
function cardShown({ turn }: SessionState, { card, room }: CardUpdate): readonly Effect[] {
  const { satellite, conversation } = turn
  const isHere = room === undefined || room === conversation.room
  return satellite === undefined || !isHere ? [] : [showEvent(EVENT, satellite, { type: 'card', card })]
}
