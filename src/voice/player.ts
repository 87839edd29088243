/**
 * Plays one reply at a time to a satellite: a little ahead of real time, so that network jitter is not heard, and no
 * more than that, so that a person who interrupts is not talked over by what was already sent.
 */
import type { Cancel, Clock } from '../host/index.ts'
import { bytesOf, concat, SAMPLE_RATE } from './audio.ts'
import type { Cut, VoiceEvent } from './messages.ts'
import { MOST_AHEAD } from './said.ts'

/** Audio and events for a satellite; the API's connections are such. */
export interface VoiceListener {
  /** s16le mono 16 kHz. */
  audio(pcm: Uint8Array): void
  event(event: VoiceEvent): void
}

/** What is sent at once after the first piece: small enough to keep to the measure, large enough for few wake-ups. */
const PIECE_MS = 40
const PIECE_SAMPLES = (PIECE_MS * SAMPLE_RATE) / 1000

export class Player {
  readonly #clock: Clock
  readonly #listener: VoiceListener
  readonly #ahead_ms: number
  /** Called when the last sample was played, not when it was sent. */
  readonly #played: () => void
  readonly #queue: Int16Array[] = []
  /** Sent and not played yet, as far as is known here; the last of it. */
  #ahead: Int16Array[] = []
  /** Samples sent. */
  #sent = 0
  /** When what was sent so far will have been played. */
  #end_at = 0
  #ended = false
  #replyEndTold = false
  #timer: Cancel = () => undefined

  constructor(clock: Clock, listener: VoiceListener, ahead_ms: number, played: () => void) {
    this.#clock = clock
    this.#listener = listener
    this.#ahead_ms = ahead_ms
    this.#played = played
  }

  /** When all that was sent so far will have been played, on the monotonic clock. */
  get end_at(): number {
    return this.#end_at
  }

  /** More of the reply: s16 mono 16 kHz. */
  push(samples: Int16Array): void {
    this.#queue.push(samples)
    this.#send()
  }

  /** No more of the reply follows. */
  end(): void {
    this.#ended = true
    this.#send()
  }

  /**
   * Somebody else goes on with the reply: as much of it as fits `ahead_ms` is sent at once, so that nobody hears the change; the rest
   * is never sent, and nothing is told.
   */
  handOver(ahead_ms: number): void {
    this.#timer()
    const until = this.#clock.monotonic() + ahead_ms
    while (this.#end_at < until) {
      const piece = this.#take()
      if (piece === undefined) break
      this.#sendPiece(piece)
    }
    this.#queue.length = 0
  }

  /** Silence, at once. */
  stop(): void {
    this.#timer()
    this.#queue.length = 0
    this.#listener.event({ type: 'stop-playback' })
    this.#tellReplyEnd()
  }

  /** Silence at the sample that is being played, or `after_ms` behind it. */
  cut(after_ms: number): Cut {
    this.#timer()
    const unplayed_ms = Math.max(0, this.#end_at - this.#clock.monotonic() - after_ms)
    const unplayed = Math.min(this.#sent, Math.round((unplayed_ms * SAMPLE_RATE) / 1000))
    const played = this.#sent - unplayed
    const sent = concat(this.#ahead)
    const ahead = concat([sent.subarray(sent.length - Math.min(unplayed, sent.length)), ...this.#queue])
    this.#queue.length = 0
    this.#listener.event({ type: 'stop-playback', at: played })
    this.#tellReplyEnd()
    return { played, ahead: ahead.slice(0, MOST_AHEAD) }
  }

  #send(): void {
    this.#timer()
    for (;;) {
      const ahead_ms = this.#end_at - this.#clock.monotonic()
      if (ahead_ms > this.#ahead_ms - PIECE_MS && this.#queue.length > 0) {
        this.#timer = this.#clock.after(ahead_ms - (this.#ahead_ms - PIECE_MS), () => this.#send())
        return
      }
      const piece = this.#take()
      if (piece === undefined) break
      this.#sendPiece(piece)
    }
    if (!this.#ended) return
    this.#tellReplyEnd()
    const rest_ms = Math.max(0, this.#end_at - this.#clock.monotonic())
    this.#timer = this.#clock.after(rest_ms, this.#played)
  }

  #sendPiece(piece: Int16Array): void {
    this.#listener.audio(bytesOf(piece))
    const now = this.#clock.monotonic()
    this.#end_at = Math.max(this.#end_at, now) + (piece.length * 1000) / SAMPLE_RATE
    this.#sent += piece.length
    this.#keepAhead(piece, this.#end_at - now)
  }

  #keepAhead(piece: Int16Array, unplayed_ms: number): void {
    this.#ahead.push(piece)
    let kept = this.#ahead.reduce((sum, { length }) => sum + length, 0)
    const unplayed = (unplayed_ms * SAMPLE_RATE) / 1000
    while (kept - this.#ahead[0]!.length >= unplayed) kept -= this.#ahead.shift()!.length
  }

  #take(): Int16Array | undefined {
    const first = this.#queue[0]
    if (first === undefined) return undefined
    if (first.length <= PIECE_SAMPLES) return this.#queue.shift()
    this.#queue[0] = first.subarray(PIECE_SAMPLES)
    return first.subarray(0, PIECE_SAMPLES)
  }

  #tellReplyEnd(): void {
    if (this.#replyEndTold) return
    this.#replyEndTold = true
    this.#listener.event({ type: 'reply-end' })
  }
}
