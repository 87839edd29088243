/**
 * The page as a satellite: microphone and loudspeaker on one side, the line to the node on the other. Nothing is opened before the person
 * asks for it, and nothing is sent while they neither hold the button nor talk hands-free.
 */
import type { VoiceEvent } from '../api/index.ts'
import { isAudible } from '../cli/speech-clock.ts'
import { tone } from '../cli/tone.ts'
import { TurnCollector } from '../cli/turn-collector.ts'
import type { Happening } from './conversation.ts'
import { Line } from './line.ts'
import { follow, type Loudness, rootMeanSquare, UNHEARD } from './loudness.ts'
import { Sound } from './sound.ts'

/** `hold`: while the button is held. `free`: all the time. */
export type Mode = 'hold' | 'free'

export interface SatelliteHandlers {
  happened(happening: Happening): void
  /** How loud it is, 0 to 1: of the microphone while it is sent, of the voice while it speaks. */
  level(level: number): void
  /** The microphone is sent to the node, or no longer. */
  sending(on: boolean): void
  line(is_up: boolean): void
}

/** People let go with the last sound; it must not be lost. */
const TAIL_MS = 180
/** Held no more for so long, the microphone is let go: the browser shows that it is open. */
const REST_MS = 60_000

export class Satellite {
  readonly #handlers: SatelliteHandlers
  readonly #sound: Sound
  #room: string
  #mode: Mode = 'hold'
  #line: Line | undefined
  #collector = new TurnCollector()
  #loudness: Loudness = UNHEARD
  #holding = false
  #free = false
  /** What still comes of an answer that the person spoke over is not played. */
  #muted = false
  #tail: ReturnType<typeof setTimeout> | undefined
  #rest: ReturnType<typeof setTimeout> | undefined

  constructor(room: string, handlers: SatelliteHandlers) {
    this.#room = room
    this.#handlers = handlers
    this.#sound = new Sound({
      frame: (frame) => this.#frame(frame),
      level: (level) => this.#handlers.level(level),
      drained: () => this.#handlers.happened({ type: 'playing', on: false }),
      microphoneLost: () => this.#lost(),
    })
  }

  get session(): string | undefined {
    return this.#line?.session
  }

  get mode(): Mode {
    return this.#mode
  }

  /** The microphone is sent. */
  get isOpen(): boolean {
    return this.#holding || this.#free
  }

  /** From now on it stands there; a conversation of another room is left. */
  async move(room: string): Promise<void> {
    if (room === this.#room) return
    this.#room = room
    this.#line?.close()
    this.#line = undefined
    if (this.#free) this.#line = this.#openLine()
  }

  /** Errors: see `Sound.open`. */
  async choose(mode: Mode): Promise<void> {
    this.#mode = mode
    this.#holding = false
    this.#free = false
    if (mode === 'free') await this.listen(true)
    else this.#stopSending()
  }

  /** Hands-free only: on, or a pause. Errors: see `Sound.open`. */
  async listen(on: boolean): Promise<void> {
    this.#free = on
    if (!on) {
      this.#stopSending()
      return
    }
    await this.#open()
    // The person may have thought better of it while the browser asked them.
    if (this.#free) this.#handlers.sending(true)
    else this.#stopSending()
  }

  /** The button goes down; speaking over an answer silences it. Errors: see `Sound.open`. */
  async press(): Promise<void> {
    clearTimeout(this.#tail)
    clearTimeout(this.#rest)
    this.#holding = true
    this.hush()
    await this.#open()
    if (!this.#holding) {
      this.#stopSending()
      return
    }
    this.#handlers.sending(true)
    this.#handlers.happened({ type: 'held', on: true })
  }

  release(): void {
    if (!this.#holding) return
    clearTimeout(this.#tail)
    this.#tail = setTimeout(() => {
      this.#holding = false
      if (!this.#sound.listens) return
      this.#line?.finish()
      this.#stopSending()
      this.#handlers.happened({ type: 'held', on: false })
    }, TAIL_MS)
  }

  /** Silence at once; what still comes of this answer is not played. */
  hush(): void {
    this.#muted = true
    this.#sound.silence()
  }

  async #open(): Promise<void> {
    this.#line ??= this.#openLine()
    try {
      await this.#sound.open()
    } catch (thrown) {
      this.#holding = false
      this.#free = false
      throw thrown
    }
  }

  #openLine(): Line {
    return new Line(this.#room, {
      event: (event) => this.#event(event),
      audio: (samples) => this.#audio(samples),
      up: (is_up) => this.#handlers.line(is_up),
    })
  }

  #frame(frame: Int16Array): void {
    const { loudness, speech } = follow(this.#loudness, frame)
    this.#loudness = loudness
    if (!this.isOpen) return
    this.#handlers.level(Math.min(1, rootMeanSquare(frame) / 6_000))
    if (speech) this.#collector.speechSent(performance.now())
    this.#line?.send(frame)
  }

  #audio(samples: Int16Array): void {
    this.#collector.audio(samples, performance.now())
    if (this.#muted) return
    if (isAudible(samples)) this.#handlers.happened({ type: 'playing', on: true })
    this.#sound.play(samples)
  }

  #event(event: VoiceEvent): void {
    if (event.type === 'reply' || event.type === 'announce') this.#muted = false
    if (event.type === 'stop-playback') this.#sound.silence()
    // No part of an answer: nobody counts its samples.
    if (event.type === 'tone') this.#sound.play(tone())
    const done = this.#collector.event(event)
    if (event.type !== 'turn') this.#handlers.happened(event)
    if (done !== undefined) this.#handlers.happened({ type: 'completed', turn: done.view })
  }

  #stopSending(): void {
    this.#handlers.sending(false)
    this.#handlers.level(0)
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => {
      if (!this.isOpen) this.#sound.closeMicrophone()
    }, REST_MS)
  }

  #lost(): void {
    this.#holding = false
    this.#free = false
    this.#handlers.sending(false)
    const hint = 'Plug it in again, then press the button.'
    this.#handlers.happened({ type: 'trouble', message: 'The microphone is gone', hint })
  }
}
