/**
 * Says what nobody asked for: a timer is due. One actor, at `loqa:/announcer/house`.
 *
 * N1  An announcement is kept until a session reports that it was said. N2  It goes where its person was heard last, else to the
 * conversation it came from, else to its room (`presence/routing.ts`), in the end to everyone in reach: a timer said in the wrong room is
 * better than one said to nobody.
 * N3  With nobody in reach it waits for the next who comes. N4  A session that goes away before it has said it gives it
 * back. N5  Whoever wants to know hears in which rooms somebody is in reach, whenever that changes.
 * N6  One for a room in which only another node has a loudspeaker is said there; when nobody takes it, N2 holds, for those in reach here.
 * N7  One for the whole house is said in rooms of other nodes too; where nobody takes it there, it was not heard there.
 */
import type { Behavior, Context, Effect, Next, SystemMessage } from '../actors/index.ts'
import type { Monotonic, SessionId, Wall } from '../host/index.ts'
import type { Announce } from '../skills/index.ts'
import type {
  AnnouncementFar,
  AnnouncementHere,
  AnnouncementSpeak,
  AnnouncementSpoken,
  Loudspeakers,
  RoomsElsewhere,
  RoomsUsual,
  SessionReachable,
} from './messages.ts'
import { sessionAddress } from './names.ts'
import { hear, NOBODY, type Owners, owned, type Presence } from './presence/presence.ts'
import { type Destination, destinations } from './presence/routing.ts'
import type { PresenceHeard, PresenceTold } from './presence/telling.ts'

export type AnnouncerMessage =
  | Announce
  | SessionReachable
  | AnnouncementSpoken
  | AnnouncementHere
  | RoomsElsewhere
  | RoomsUsual
  | PresenceHeard
  | PresenceTold
  | SystemMessage

interface Pending {
  readonly id: number
  readonly announcement: Announce
  readonly since: Wall
  /** Sessions that were told to say it and have not reported. */
  readonly told: readonly SessionId[]
  /** Another node is asked to say it. */
  readonly far: boolean
  /** It is said here anyway: what no other node takes is not. */
  readonly copy: boolean
}

export interface AnnouncerState {
  readonly next: number
  readonly pending: readonly Pending[]
  /** Sessions with a loudspeaker, and where they are. */
  readonly reachable: Readonly<Record<string, string>>
  /** Rooms in which another node has one. */
  readonly elsewhere: readonly string[]
  readonly presence: Presence
  readonly owners: Owners
  /** Where persons usually are, by id, the usual room first. */
  readonly usual: Readonly<Record<string, readonly string[]>>
}

/** More than this unsaid means nobody has been home for weeks; the oldest is dropped, and the log says so. */
const MOST_PENDING = 64

/** Later than this it is said that it is late. */
const LATE_MS = 60_000

const TOPICS = ['announce', 'presence.heard', 'presence.told'] as const

export const announcer: Behavior<AnnouncerState, AnnouncerMessage> = {
  kind: 'announcer',

  start: () => ({
    state: { next: 1, pending: [], reachable: {}, elsewhere: [], presence: NOBODY, owners: [], usual: {} },
    effects: [...TOPICS.map((topic) => ({ type: 'subscribe', topic }) as const), inReach({})],
  }),

  receive(state, message, context) {
    switch (message.type) {
      case 'announce':
        return accept(state, message, context)
      case 'session.reachable': {
        const step = message.reachable
          ? arrived(state, message.session, message.room, context)
          : left(state, message.session, context)
        return { ...step, effects: [inReach(step.state.reachable), ...step.effects] }
      }
      case 'announcement.spoken':
        return { state: without(state, message.id), effects: [] }
      case 'rooms.elsewhere':
        return { state: { ...state, elsewhere: message.rooms }, effects: [] }
      case 'rooms.usual':
        return { state: { ...state, usual: message.usual }, effects: [] }
      case 'presence.heard':
      case 'presence.told': {
        const { session, room, person, level_db } = message
        const presence = hear(state.presence, { session, room, person, level_db, at: context.now })
        const owners = owned(state.owners, { session, person })
        return { state: { ...state, presence, owners }, effects: [] }
      }
      case 'announcement.here': {
        if (state.pending.some(({ id, copy }) => copy && id === message.id)) {
          return { state: without(state, message.id), effects: [] }
        }
        const pending = state.pending.map((one) => (one.id === message.id ? { ...one, far: false } : one))
        return each({ ...state, pending }, context, ({ id }) => id === message.id)
      }
      default:
        return { state, effects: [] }
    }
  },
}

function inReach(reachable: AnnouncerState['reachable']): Effect {
  const rooms = [...new Set(Object.values(reachable))].sort()
  const message: Loudspeakers = { type: 'loudspeakers', rooms }
  return { type: 'publish', topic: 'loudspeakers', message }
}

function accept(state: AnnouncerState, announcement: Announce, context: Context): Next<AnnouncerState> {
  const far = farRoom(state, announcement, context.now)
  const isFar = far !== undefined
  const since = context.wall
  const pending: Pending = { id: state.next, announcement, since, told: [], far: isFar, copy: false }
  const kept = state.pending.slice(-(MOST_PENDING - 1))
  const dropped: Effect[] =
    kept.length < state.pending.length
      ? [{ type: 'log', level: 'warn', message: 'an announcement was dropped unsaid: too many wait' }]
      : []
  const accepted = { ...state, next: state.next + 1, pending: [...kept, pending] }
  if (isFar) {
    return { state: accepted, effects: [...dropped, saidFar(pending.id, announcement, far)] }
  }
  const sent = deliver(accepted, pending, context)
  const all = announcement.everywhere === true ? copies(sent.state, announcement, context) : undefined
  return { state: all?.state ?? sent.state, effects: [...dropped, ...sent.effects, ...(all?.effects ?? [])] }
}

function saidFar(id: number, announcement: Announce, room: string): Effect {
  const message: AnnouncementFar = {
    ...{ type: 'announcement.far', id },
    announcement: { ...announcement, room },
  }
  return { type: 'publish', topic: 'announcement.far', message }
}

/** One for each room that only other nodes have. */
function copies(state: AnnouncerState, announcement: Announce, { wall }: Context): Next<AnnouncerState> {
  const here = new Set(Object.values(state.reachable))
  const rooms = state.elsewhere
    .filter((room) => !here.has(room))
    .slice(0, MOST_PENDING - state.pending.length)
  const made = rooms.map(
    (_, i): Pending => ({ id: state.next + i, announcement, since: wall, told: [], far: true, copy: true }),
  )
  return {
    state: { ...state, next: state.next + made.length, pending: [...state.pending, ...made] },
    effects: rooms.map((room, i) => saidFar(made[i]!.id, announcement, room)),
  }
}

/** The room of another node in which it is said; undefined: here, as soon as somebody is. */
function farRoom(state: AnnouncerState, announcement: Announce, now: Monotonic): string | undefined {
  for (const destination of ways(state, announcement, now)) {
    if (inReachOf(state, announcement, destination).length > 0) return undefined
    if (typeof destination === 'object' && state.elsewhere.includes(destination.room)) return destination.room
  }
  return undefined
}

const ways = ({ presence, owners, usual }: AnnouncerState, said: Announce, now: Monotonic) =>
  destinations(said, { presence, owners, now, usual: (person) => usual[person] ?? [] })

/** Sessions of this node that are there. */
function inReachOf(
  { reachable }: AnnouncerState,
  { session }: Announce,
  destination: Destination,
): readonly SessionId[] {
  return Object.entries(reachable)
    .filter(([id, where]) =>
      destination === 'everybody'
        ? true
        : destination === 'conversation'
          ? id === session
          : where === destination.room,
    )
    .map(([id]) => id as SessionId)
}

/** A loudspeaker is there: it gets what nobody could say so far, and again what it was told before a restart. */
function arrived(
  state: AnnouncerState,
  session: SessionId,
  room: string,
  context: Context,
): Next<AnnouncerState> {
  const reachable = { ...state, reachable: { ...state.reachable, [session]: room } }
  return each(reachable, context, ({ told }) => told.length === 0 || told.includes(session))
}

function left(state: AnnouncerState, session: SessionId, context: Context): Next<AnnouncerState> {
  const { [session]: _, ...reachable } = state.reachable
  const pending = state.pending.map((waiting) => ({
    ...waiting,
    told: waiting.told.filter((told) => told !== session),
  }))
  return each({ ...state, reachable, pending }, context, ({ told }) => told.length === 0)
}

function each(
  state: AnnouncerState,
  context: Context,
  which: (waiting: Pending) => boolean,
): Next<AnnouncerState> {
  let current = state
  const effects: Effect[] = []
  for (const waiting of state.pending) {
    if (waiting.far || !which(waiting)) continue
    const sent = deliver(current, waiting, context)
    current = sent.state
    effects.push(...sent.effects)
  }
  return { state: current, effects }
}

function deliver(state: AnnouncerState, waiting: Pending, context: Context): Next<AnnouncerState> {
  const told = audience(state, waiting.announcement, context.now)
  const late = context.wall - waiting.since > LATE_MS
  const { speech, asks } = waiting.announcement
  const message: AnnouncementSpeak = {
    type: 'announcement.speak',
    id: waiting.id,
    speech: late ? `While you were away: ${speech}` : speech,
    ...(asks === undefined ? {} : { asks }),
  }
  return {
    state: {
      ...state,
      pending: state.pending.map((one) => (one.id === waiting.id ? { ...one, told } : one)),
    },
    effects: told.map((session): Effect => ({ type: 'send', to: sessionAddress(session), message })),
  }
}

function audience(state: AnnouncerState, announcement: Announce, now: Monotonic): readonly SessionId[] {
  for (const destination of ways(state, announcement, now)) {
    const there = inReachOf(state, announcement, destination)
    if (there.length > 0) return there
  }
  return []
}

const without = (state: AnnouncerState, id: number): AnnouncerState => ({
  ...state,
  pending: state.pending.filter((waiting) => waiting.id !== id),
})
