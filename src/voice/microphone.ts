/**
 * One satellite's microphone: bytes of any size in, frames with a verdict out, at a pace the session can live with.
 *
 * A live microphone is never slowed: what arrives in bursts of up to a second goes on at once. Whoever sends faster than
 * that fills the backlog, is taken at twice real time, and loses the oldest when the backlog is full. So one satellite
 * that floods costs the node no more than two that speak.
 */
import { type Cancel, type Clock, limits } from '../host/index.ts'
import { DcBlocker, FRAME_MS, FRAME_SAMPLES, samplesOf } from './audio.ts'
import { Ring } from './ring.ts'
import type { VoiceDetector } from './vad.ts'

/** Frames that may go on at once: one second, more than any network delivers late in one piece. */
const BURST_FRAMES = 1_000 / FRAME_MS
/** Of a satellite that is back: what was being said when its node was lost. More would not fit the mailbox of a session. */
const BACK_FRAMES = 2_400 / FRAME_MS
/** Times real time for what is beyond the burst. */
const CATCH_UP = 2

export interface HeardFrame {
  /** `FRAME_SAMPLES` samples; the receiver owns them. */
  readonly samples: Int16Array
  readonly voiced: boolean
}

export interface MicrophoneOptions {
  readonly clock: Clock
  readonly detector: VoiceDetector
  readonly frame: (frame: HeardFrame) => void
  /** The recording is over; every frame before it was handed on. */
  readonly end: () => void
  /** `count` frames were lost. */
  readonly dropped: (count: number) => void
  /** It was connected elsewhere before, and sends what was not answered there. */
  readonly back?: boolean
}

export class Microphone {
  readonly #options: MicrophoneOptions
  readonly #backlog = new Ring<Int16Array | 'end'>(limits.MAX_BACKLOG_MS / FRAME_MS)
  readonly #dc = new DcBlocker()
  #oddByte: number | undefined
  readonly #frame = new Int16Array(FRAME_SAMPLES)
  #filled = 0
  #allowance = BURST_FRAMES
  #allowance_at: number
  #timer: Cancel = () => undefined
  #open = true

  constructor(options: MicrophoneOptions) {
    this.#options = options
    if (options.back === true) this.#allowance = BACK_FRAMES
    this.#allowance_at = options.clock.monotonic()
  }

  /** s16le mono 16 kHz, any number of bytes; an odd byte waits for its other half. */
  push(pcm: Uint8Array): void {
    if (!this.#open) return
    const before = this.#backlog.dropped
    for (const sample of samplesOf(this.#whole(pcm))) {
      this.#frame[this.#filled] = sample
      this.#filled += 1
      if (this.#filled === FRAME_SAMPLES) this.#completeFrame()
    }
    if (this.#backlog.dropped > before) this.#options.dropped(this.#backlog.dropped - before)
    this.#drain()
  }

  /** The rest of a frame is silence; then the end. */
  finish(): void {
    if (!this.#open) return
    if (this.#filled > 0) {
      this.#frame.fill(0, this.#filled)
      this.#completeFrame()
    }
    this.#backlog.push('end')
    this.#drain()
  }

  close(): void {
    this.#open = false
    this.#timer()
    this.#backlog.clear()
    this.#options.detector.close()
  }

  #whole(pcm: Uint8Array): Uint8Array {
    const bytes = this.#oddByte === undefined ? pcm : Uint8Array.of(this.#oddByte, ...pcm)
    this.#oddByte = bytes.length % 2 === 1 ? bytes.at(-1) : undefined
    return bytes
  }

  #completeFrame(): void {
    this.#backlog.push(this.#frame.slice())
    this.#filled = 0
  }

  #drain(): void {
    this.#timer()
    this.#allow()
    for (;;) {
      if (this.#backlog.length === 0 || !this.#open) return
      if (this.#allowance < 1) break
      this.#allowance -= 1
      const next = this.#backlog.shift()!
      if (next === 'end') this.#options.end()
      else this.#handOn(next)
    }
    // At least a millisecond: a rounding error in the allowance must not become a wait of next to nothing, for ever.
    const wait_ms = Math.max(1, ((1 - this.#allowance) * FRAME_MS) / CATCH_UP)
    this.#timer = this.#options.clock.after(wait_ms, () => this.#drain())
  }

  #allow(): void {
    const now = this.#options.clock.monotonic()
    const earned = ((now - this.#allowance_at) / FRAME_MS) * CATCH_UP
    this.#allowance = Math.max(this.#allowance, Math.min(BURST_FRAMES, this.#allowance + earned))
    this.#allowance_at = now
  }

  #handOn(samples: Int16Array): void {
    this.#dc.process(samples)
    this.#options.frame({ samples, voiced: this.#options.detector.isVoiced(samples) })
  }
}
