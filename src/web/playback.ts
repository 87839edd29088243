/**
 * In the thread of the sound card: plays what it is given, in order, and says how loud it is and when it has no more. Silence at once when
 * it is told to be silent, faded over a few milliseconds so that nobody hears a click.
 */
import { SAMPLE_RATE } from '../host/limits.ts'
import { Resampler } from './resample.ts'

export type ToPlayback =
  | { readonly type: 'play'; readonly samples: Int16Array }
  | { readonly type: 'silence' }
export type FromPlayback = { readonly type: 'level'; readonly level: number } | { readonly type: 'drained' }

const FADE_MS = 6
/** A picture of the voice needs no more. */
const LEVELS_PER_S = 20

class Playback extends AudioWorkletProcessor {
  #resampler = new Resampler(SAMPLE_RATE, sampleRate)
  #queue: Float32Array[] = []
  /** Of the first in the queue. */
  #at = 0
  #playing = false
  #energy = 0
  #counted = 0

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<ToPlayback>) => {
      if (data.type === 'silence') this.#fade()
      else this.#queue.push(this.#resampler.process(Float32Array.from(data.samples, (s) => s / 32_768)))
    }
  }

  process(_inputs: readonly Float32Array[][], [output]: readonly Float32Array[][]): boolean {
    const channels = output ?? []
    const [first] = channels
    if (first === undefined) return true
    const filled = this.#fill(first)
    for (const other of channels.slice(1)) other.set(first)
    if (filled > 0) this.#playing = true
    this.#measure(first, filled)
    if (filled < first.length && this.#playing) {
      this.#playing = false
      this.#say({ type: 'drained' })
    }
    return true
  }

  #fill(out: Float32Array): number {
    let filled = 0
    while (filled < out.length) {
      const piece = this.#queue[0]
      if (piece === undefined) break
      const some = piece.subarray(this.#at, this.#at + out.length - filled)
      out.set(some, filled)
      filled += some.length
      this.#at += some.length
      if (this.#at >= piece.length) {
        this.#queue.shift()
        this.#at = 0
      }
    }
    return filled
  }

  #fade(): void {
    const rest = this.#queue[0]?.subarray(this.#at) ?? new Float32Array(0)
    const length = Math.min(rest.length, Math.round((FADE_MS * sampleRate) / 1000))
    const faded = rest.slice(0, length).map((sample, i) => sample * (1 - i / length))
    this.#queue = faded.length === 0 ? [] : [faded]
    this.#at = 0
    this.#resampler = new Resampler(SAMPLE_RATE, sampleRate)
  }

  #measure(out: Float32Array, filled: number): void {
    for (let i = 0; i < filled; i += 1) this.#energy += out[i]! ** 2
    this.#counted += filled
    if (this.#counted < sampleRate / LEVELS_PER_S) return
    this.#say({ type: 'level', level: Math.sqrt(this.#energy / this.#counted) })
    this.#energy = 0
    this.#counted = 0
  }

  #say(message: FromPlayback): void {
    this.port.postMessage(message)
  }
}

registerProcessor('loqa-playback', Playback)
