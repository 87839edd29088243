/** The public shapes of speech with a node: turns, the events of a voice channel, recordings, wake words. */
import type { PrivacyScope } from '../host/index.ts'
import type { Heard } from './shapes.ts'

/** Milliseconds each hop took; null when the turn did not pass it. `total` runs on the client's honest clock when it has one. */
export interface Latency {
  readonly endpoint: number | null
  readonly stt: number | null
  readonly nlu: number | null
  readonly skill: number | null
  readonly tts: number | null
  readonly total: number | null
}

export interface TurnView {
  readonly session: string
  readonly room: string
  readonly transcript: string
  readonly partials: readonly string[]
  readonly intent: string
  readonly slots: Readonly<Record<string, unknown>>
  readonly reply: string
  readonly latency_ms: Latency
  /** The turn was ended although the person went on speaking. */
  readonly cut_off: boolean
  readonly reply_wav: string | null
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
  /** Something the person should know, e.g. why the scope is another. */
  readonly notice?: string
}

/** Events of a voice channel, sent as JSON beside the binary audio. */
export type VoiceEvent =
  | {
      readonly type: 'ready'
      readonly session: string
      readonly room: string
      readonly sample_rate: 16000
      /** Other nodes that serve satellites, e.g. `http://192.168.1.20:7420`: where to go on when this one is lost. */
      readonly others?: readonly string[]
    }
  /** The wake word was heard; `answers`: this microphone listens now, otherwise another one does. */
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
  /** Throw away what is queued for playing: the person is speaking. */
  | { readonly type: 'stop-playback'; readonly at?: number }
  | { readonly type: 'reply-end' }
  /**
   * A reply begins, or goes on: the next sample is this one of it. Turns of a conversation are counted up. `text`: all that is said, where
   * that is known already.
   */
  | { readonly type: 'reply'; readonly turn: number; readonly from: number; readonly text?: string }
  /** To a request with `heard`: the turn that goes on by itself; null: what was said and not answered is to be sent again. */
  | { readonly type: 'resumed'; readonly turn: number | null }
  /** This node is about to go: connect to one of these. */
  | { readonly type: 'rebind'; readonly nodes: readonly string[] }
  /** The answer takes longer than anybody waits in silence: make a short sound. It is no part of a reply. */
  | { readonly type: 'tone' }
  | { readonly type: 'announce'; readonly text: string }
  | { readonly type: 'card'; readonly card: Readonly<Record<string, unknown>> }
  /** Something the person should know before they speak. */
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly hint?: string }

/** How a conversation is to begin, or which is to go on. */
export interface VoiceRequest {
  readonly room?: string
  readonly session?: string
  readonly scope?: PrivacyScope
  readonly person?: string
  /** The satellite had this conversation before, up to here. */
  readonly heard?: Heard
  /** Only what follows the wake word is heard; absent: as `voice.wake` says. */
  readonly wake?: boolean
}

/** One satellite: audio up, audio and events down. */
export interface VoiceChannel {
  readonly session: string
  /** s16le mono 16 kHz, any number of whole samples; over the limit the oldest is dropped and counted. */
  push(pcm: Uint8Array): void
  /** The person will say no more in this recording: the turn may end without waiting for silence. */
  finish(): void
  close(): void
}

export interface VoiceListener {
  /** s16le mono 16 kHz, at most 200 ms ahead of real time. */
  audio(pcm: Uint8Array): void
  event(event: VoiceEvent): void
}

/** A recording being read. */
export interface Dictation {
  /** s16le mono, any number of whole samples. */
  push(pcm: Uint8Array): void
  /** It is whole: its words are wanted. */
  finish(): void
  cancel(): void
}

export interface DictationListener {
  final(text: string): void
  failed(error: { readonly code: string; readonly message: string }): void
}

/** Told of the wake word, as often as it is said: `at_ms` of the sound that was pushed. */
export type WakeWordListener = (at_ms: number) => void

export interface WakeWordWatch {
  /** s16le mono, any number of whole samples. */
  push(pcm: Uint8Array): void
  /** Nothing follows; `done` when the last word that could be told was told. Not after `close`. */
  finish(done: () => void): void
  close(): void
}
