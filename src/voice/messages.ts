/**
 * What is said to and by a conversation. The type names are the subjects of the house: `audio.frame`, `turn.ask`,
 * `session.phase` …; speech, language and skills answer through their own ports (`infer`, asks).
 */
import type { Message, OutsideEffect, ReplyTo } from '../actors/index.ts'
import type { ErrorShape, PrivacyScope, RequestId, SessionId, Wall } from '../host/index.ts'
import type { Announce, Intent, SlotValue } from '../skills/index.ts'
import type { Carried } from './carried-shape.ts'
import type { Transcribed } from './transcribed.ts'
import type { Neighbour } from './turn-state.ts'

// — to a session —

/** satellite → session: a microphone is there; replies go to it. Again after a reconnect; the latest wins. */
export interface SessionAttach extends Message {
  readonly type: 'session.attach'
  readonly satellite: string
  readonly room: string
  /** It was here before: what it has of the conversation. Answered by the event `resumed`. */
  readonly heard?: Heard
}

/** Up to where a satellite has heard a conversation. */
export interface Heard {
  /** The last turn of which a reply began here; 0: none. */
  readonly turn: number
  /** Samples of that reply; null: the whole turn, to its end. */
  readonly samples: number | null
}

/** satellite → session: the connection is gone. What was being said to it is interrupted. */
export interface SessionDetach extends Message {
  readonly type: 'session.detach'
  readonly satellite: string
  /** Another conversation speaks there now. */
  readonly replaced?: true
}

/** satellite → session, every 20 ms: one frame and what the voice detector thinks of it. */
export interface AudioFrame extends Message {
  readonly type: 'audio.frame'
  readonly satellite: string
  /** 320 samples, s16, 16 kHz mono. The receiver owns them. */
  readonly samples: Int16Array
  readonly voiced: boolean
}

/** satellite → session: nothing more will be said in this recording; the turn may end without waiting. */
export interface AudioEnd extends Message {
  readonly type: 'audio.end'
  readonly satellite: string
}

/** anyone → session, as an ask: one turn by text. Answered by `turn.view` when it has ended. */
export interface TurnAsk extends Message {
  readonly type: 'turn.ask'
  readonly text: string
}

/** announcer → session: say this when nobody is talking. Answered by `announcement.spoken` to the announcer. */
export interface AnnouncementSpeak extends Message {
  readonly type: 'announcement.speak'
  readonly id: number
  readonly speech: string
  /** It is a question: a yes or a no is brought as this intent. */
  readonly asks?: Intent
}

/** The session to itself: the longest wait of the current phase, or the idle time, is over. */
export interface WaitOver extends Message {
  readonly type: 'wait.over'
  readonly turn: number
  readonly wait: 'frames' | 'retry' | 'text' | 'meaning' | 'voice' | 'playout' | 'moving'
}

export const waitOver = (turn: number, wait: WaitOver['wait']): WaitOver => ({
  type: 'wait.over',
  turn,
  wait,
})

/**
 * front desk → session, as an ask: leave your satellite; whoever holds one in that room binds you to it. Answered by `session.left` when
 * the last sample was said. There it says on what it was saying, or answers what was heard there.
 */
export interface SessionLeave extends Message {
  readonly type: 'session.leave'
  readonly room: string
  /** Which one; undefined: any in the room. */
  readonly satellite?: string
  /** Somebody said this there; it is a turn of this conversation. */
  readonly heard?: Transcribed
  /** It goes to another node. */
  readonly far: boolean
}

export interface SessionLeft extends Message {
  readonly type: 'session.left'
  /** Absent: it left. */
  readonly why_not?: 'busy' | 'ephemeral' | 'there'
}

/** front desk → session: it stays on its node, and looks for its satellite there. */
export interface SessionArrive extends Message {
  readonly type: 'session.arrive'
}

/** front desk, or the session to itself: nobody took it in time; it goes back to where it was. */
export interface SessionStay extends Message {
  readonly type: 'session.stay'
}

/** front desk → session: it does not move, or nothing comes along. */
export interface RoomRefused extends Message {
  readonly type: 'room.refused'
  readonly speech: string
}

/** front desk → session: in which other conversation somebody spoke a moment ago. */
export interface NeighbourKnown extends Message {
  readonly type: 'neighbour.known'
  readonly neighbour: Omit<Neighbour, 'until'> & { readonly left_ms: number }
}

export interface IdleOver extends Message {
  readonly type: 'idle.over'
}

// — by a session —

export interface TurnAnswer extends Message {
  readonly type: 'turn.view'
  readonly turn: TurnView
}

/**
 * session → subscribers of the topic of the same name: where the conversation stands. `ended` is the last one; `moved` is said by its
 * node when it lives on another one from now on.
 */
export interface SessionPhase extends Message {
  readonly type: 'session.phase'
  readonly session: SessionId
  readonly room: string
  readonly phase: string
  readonly started_at: Wall
  /** What was agreed when it began. */
  readonly privacy?: { readonly scope: PrivacyScope; readonly person?: string }
  /** What a follow-up of it would follow. */
  readonly talk?: Talk
}

export interface Talk {
  readonly last?: Intent
  readonly asks?: { readonly intent: Intent; readonly slot: string }
  /** It speaks, or was interrupted a moment ago. */
  readonly can_go_on: boolean
}

/** session → subscribers of the topic of the same name: somebody begins to speak; did they just speak elsewhere? */
export interface TalkSought extends Message {
  readonly type: 'talk.sought'
  readonly session: SessionId
}

export const talkSought = (session: SessionId): TalkSought => ({ type: 'talk.sought', session })

/** session → subscribers of the topic: it is to go on in that room; with `here`, another one is to come to this room. */
export interface RoomWanted extends Message {
  readonly type: 'room.wanted'
  readonly session: SessionId
  readonly satellite: string
  readonly room: string
  readonly here: boolean
  readonly heard: Transcribed
}

/** session → subscribers of the topic: what was heard is for that other one, which is to come here. */
export interface TalkWanted extends Message {
  readonly type: 'talk.wanted'
  readonly session: SessionId
  readonly satellite: string
  readonly room: string
  readonly from: SessionId
  readonly heard: Transcribed
}

/** session → subscribers of the topic: it has come to this node, or stays, and wants a satellite in that room. */
export interface SessionWanting extends Message {
  readonly type: 'session.wanting'
  readonly session: SessionId
  readonly room: string
  readonly satellite?: string
}

/** session → announcer: a voice is reachable here now, or no longer. */
export interface SessionReachable extends Message {
  readonly type: 'session.reachable'
  readonly session: SessionId
  readonly room: string
  readonly reachable: boolean
}

/** announcer → subscribers of the topic of the same name: rooms in which somebody can be spoken to now; whenever that changes. */
export interface Loudspeakers extends Message {
  readonly type: 'loudspeakers'
  readonly rooms: readonly string[]
}

/** front desk → announcer: rooms in which other nodes have a loudspeaker. */
export interface RoomsElsewhere extends Message {
  readonly type: 'rooms.elsewhere'
  readonly rooms: readonly string[]
}

/** front desk → announcer: in which rooms persons usually are, by id, the usual one first. */
export interface RoomsUsual extends Message {
  readonly type: 'rooms.usual'
  readonly usual: Readonly<Record<string, readonly string[]>>
}

/** announcer → subscribers of the topic of the same name: to be said by another node. */
export interface AnnouncementFar extends Message {
  readonly type: 'announcement.far'
  readonly id: number
  readonly announcement: Announce
}

/** front desk → announcer: no other node says it. */
export interface AnnouncementHere extends Message {
  readonly type: 'announcement.here'
  readonly id: number
}

/** front desk of another node → herald, as an ask: say this in that room. Answered with the same type. */
export interface AnnouncementGiven extends Message {
  readonly type: 'announcement.given'
  readonly announcement?: Announce
}

/** session → announcer: it was said (also when someone interrupted it: they heard it begin). From the front desk: another node says it. */
export interface AnnouncementSpoken extends Message {
  readonly type: 'announcement.spoken'
  readonly session?: SessionId
  readonly id: number
}

/**
 * session → subscribers of the topic of the same name: what another node would need to go on with it (`heads.ts`). Never said by one
 * that is ephemeral.
 */
export interface SessionHead extends Message {
  readonly type: 'session.head'
  readonly session: SessionId
  readonly talk: Carried
}

// — shapes shared with the API, which has its own words for the same —

/** Milliseconds each hop took; null when the turn did not pass it. */
export interface Latency {
  readonly endpoint: number | null
  readonly stt: number | null
  readonly nlu: number | null
  readonly skill: number | null
  readonly tts: number | null
  /** Arrival of the last voiced frame to departure of the first sounding sample of the reply. */
  readonly total: number | null
}

export interface TurnView {
  readonly session: string
  readonly room: string
  readonly transcript: string
  readonly partials: readonly string[]
  readonly intent: string
  readonly slots: Readonly<Record<string, SlotValue>>
  readonly reply: string
  readonly latency_ms: Latency
  /** The turn was ended although the person went on speaking. */
  readonly cut_off: boolean
  readonly reply_wav: null
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
}

/** What a satellite shows or does besides playing audio. */
export type VoiceEvent =
  | {
      readonly type: 'ready'
      readonly session: string
      readonly room: string
      readonly sample_rate: 16000
      readonly others?: readonly string[]
    }
  /**
   * The wake word was heard. `answers`: this microphone listens now; otherwise another one does, or none, and `why` says so. `after_ms`:
   * from hearing it to knowing that.
   */
  | {
      readonly type: 'wake'
      readonly answers: boolean
      readonly why: 'won' | 'lost' | 'aside'
      readonly after_ms: number
      readonly by: { readonly node: string; readonly room: string }
    }
  /** This microphone waits for the wake word again. */
  | { readonly type: 'sleep' }
  | { readonly type: 'speech-started' }
  | { readonly type: 'partial'; readonly text: string }
  | { readonly type: 'final'; readonly text: string }
  | { readonly type: 'turn'; readonly turn: TurnView }
  /** Throw away what is queued for playing; with `at`, what comes after so many samples of this reply. */
  | { readonly type: 'stop-playback'; readonly at?: number }
  | { readonly type: 'reply-end' }
  /** A reply begins, or goes on: the next sample is this one of it. `text`: all that is said, where that is known. */
  | { readonly type: 'reply'; readonly turn: number; readonly from: number; readonly text?: string }
  /**
   * To who came back and said what it has: the turn that goes on without its doing; null: there is none, and what was said into the
   * microphone and not answered is to be sent again.
   */
  | { readonly type: 'resumed'; readonly turn: number | null }
  /** This node is about to go: connect to one of these, the best first. The conversation is there already. */
  | { readonly type: 'rebind'; readonly nodes: readonly string[] }
  /** Whoever waits hears that they are not forgotten: a short tone, which is no part of a reply. */
  | { readonly type: 'tone' }
  | { readonly type: 'announce'; readonly text: string }
  | { readonly type: 'card'; readonly card: Readonly<Record<string, unknown>> }
  /** Something the person should know before they speak. */
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly hint?: string }

// — the `play` port: `to` is the satellite, the id names one reply —

type Play = OutsideEffect<'play'>

/**
 * Queues speech: s16 mono 16 kHz. The port paces it to the satellite; after `endReply` it reports `done` once
 * the last sample was played, or `failed` when the satellite is gone. A `cancel` effect silences at once.
 */
export const playAudio = (id: RequestId, to: string, samples: Int16Array): Play => ({
  type: 'play',
  id,
  to,
  op: 'audio',
  body: samples,
})

/**
 * Ends a reply where the person is in it: what was sent beyond is not played. `after_ms`: so much more still is, for who goes on elsewhere
 * meanwhile. Comes back as `done` with `Cut`.
 */
export const cutReply = (id: RequestId, to: string, after_ms: number): Play => ({
  type: 'play',
  id,
  to,
  op: 'cut',
  body: after_ms,
})

export interface Cut {
  /** Samples of the reply that were played, or will be. */
  readonly played: number
  /** Those that come after, as far as they had come; no more than `MOST_AHEAD`. */
  readonly ahead: Int16Array
}

export const endReply = (id: RequestId, to: string): Play => ({ type: 'play', id, to, op: 'end' })

/** Shows an event; its `done` says nothing. */
export const showEvent = (id: RequestId, to: string, event: VoiceEvent): Play => ({
  type: 'play',
  id,
  to,
  op: 'event',
  body: event,
})

/** Answers an ask with the turn's view. */
export const turnAnswer = (
  to: ReplyTo,
  turn: TurnView,
): { type: 'reply'; to: ReplyTo; message: TurnAnswer } => ({
  type: 'reply',
  to,
  message: { type: 'turn.view', turn },
})

export const shownError = (error: ErrorShape): VoiceEvent => ({
  type: 'error',
  code: error.code,
  message: error.message,
  ...(error.hint === undefined ? {} : { hint: error.hint }),
})
