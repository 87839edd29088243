/**
 * A token bucket over frames and bytes at once: what one peer may send in one class. It never refuses; it says how long to
 * wait before anything more is read, and the stream's own flow control then holds the sender.
 */
import type { Monotonic } from '../../host/index.ts'

export interface Rate {
  readonly frames_per_s: number
  readonly bytes_per_s: number
  readonly burst_frames: number
  readonly burst_bytes: number
}

export class Bucket {
  readonly #rate: Rate
  #frames: number
  #bytes: number
  #filled: Monotonic

  constructor(rate: Rate, now: Monotonic) {
    this.#rate = rate
    this.#frames = rate.burst_frames
    this.#bytes = rate.burst_bytes
    this.#filled = now
  }

  /** Tokens for what was taken; may leave a debt, which the next `wait_ms` names. */
  spend(frames: number, bytes: number): void {
    this.#frames -= frames
    this.#bytes -= bytes
  }

  /** Fills up to `now`. Milliseconds until something may be taken again; 0 when it may. */
  wait_ms(now: Monotonic): number {
    const { frames_per_s, bytes_per_s, burst_frames, burst_bytes } = this.#rate
    const seconds = Math.max(0, now - this.#filled) / 1_000
    this.#filled = now
    this.#frames = Math.min(burst_frames, this.#frames + seconds * frames_per_s)
    this.#bytes = Math.min(burst_bytes, this.#bytes + seconds * bytes_per_s)
    if (this.#frames >= 1 && this.#bytes >= 1) return 0
    const frames_ms = ((1 - this.#frames) / frames_per_s) * 1_000
    const bytes_ms = ((1 - this.#bytes) / bytes_per_s) * 1_000
    return Math.max(1, frames_ms, bytes_ms)
  }
}
