/** A microphone that waits for the wake word: carries out what `gate.ts` orders. And one that only tells of the word (`spotter`). */
import { limits } from '../../host/index.ts'
import { FRAME_SAMPLES, SAMPLE_RATE } from '../audio.ts'
import { Microphone, type MicrophoneOptions } from '../microphone.ts'
import type { WakeDecided } from './arbiter.ts'
import { ASLEEP, type Gate, type GateInput, gate } from './gate.ts'
import { type OpenWakeRun, WakeRuns } from './runs.ts'
import { NOT_SPOTTING, type SpotInput, spot } from './spotting.ts'

export interface Heard {
  readonly samples: Int16Array
  readonly voiced: boolean
}

export interface WakeParts {
  readonly open: OpenWakeRun
  /** A frame of the command. */
  readonly hear: (frame: Heard) => void
  /** The word was said; answered by `decided` or `forgotten`. */
  readonly claim: (loud: { readonly snr_db: number; readonly energy_db: number }) => void
  /** It listens to the person from now on. */
  readonly woke: () => void
  /** It does not, or not any more. */
  readonly slept: () => void
}

export class WakeListening {
  readonly #parts: WakeParts
  readonly #runs: WakeRuns
  #state: Gate = ASLEEP

  constructor(parts: WakeParts) {
    this.#parts = parts
    this.#runs = new WakeRuns(parts.open, (input) => this.#take(input))
  }

  get isAwake(): boolean {
    return this.#state.phase === 'awake'
  }

  frame({ samples, voiced }: Heard): void {
    this.#take({ type: 'frame', samples, voiced })
  }

  /** The conversation behind it is idle, or busy. */
  phase(idle: boolean): void {
    this.#take({ type: 'phase', idle })
  }

  decided({ verdict }: Pick<WakeDecided, 'verdict'>): void {
    this.#take({ type: 'verdict', verdict })
  }

  close(): void {
    this.#runs.close()
  }

  #take(input: GateInput): void {
    const { state, orders } = gate(this.#state, input)
    this.#state = state
    for (const order of orders) {
      switch (order.do) {
        case 'claim':
          this.#parts.claim(order)
          break
        case 'hear':
          for (const frame of order.frames) this.#parts.hear(frame)
          break
        case 'wake':
          this.#parts.woke()
          break
        case 'sleep':
          this.#parts.slept()
          break
        default:
          this.#runs.carry(order)
      }
    }
  }
}

export interface Spotter {
  /** s16le mono 16 kHz, any number of bytes. */
  push(pcm: Uint8Array): void
  /** Nothing follows; `done` when the last word that could be told was told. */
  finish(done: () => void): void
  close(): void
}

/** Sound that waits for the engine: ten seconds, as everywhere. */
const MOST_HELD_BYTES = (limits.MAX_BACKLOG_MS * limits.SAMPLE_RATE * 2) / 1_000

/** Tells of every time the word is said; `at_ms` counts the sound that was heard. */
export function spotter(
  { clock, detector, dropped }: Pick<MicrophoneOptions, 'clock' | 'detector' | 'dropped'>,
  { open, ready }: { readonly open: OpenWakeRun; readonly ready: Promise<void> },
  word: (at_ms: number) => void,
): Spotter {
  let closed = false
  let ended: (() => void) | undefined
  let state = NOT_SPOTTING
  const take = (input: SpotInput): void => {
    const next = spot(state, input)
    state = next.state
    for (const order of next.orders) {
      if (order.do === 'word') word((state.at * FRAME_SAMPLES * 1_000) / SAMPLE_RATE)
      else runs.carry(order)
    }
  }
  const runs = new WakeRuns(open, take)
  const microphone = new Microphone({
    ...{ clock, detector, dropped },
    frame: ({ samples, voiced }) => take({ type: 'frame', samples, voiced }),
    end: () => runs.finish(() => !closed && ended?.()),
  })
  /** What came before the engine could hear; undefined once it can. */
  let held: Uint8Array[] | undefined = []
  let held_bytes = 0
  const begin = (): void => {
    const first = held ?? []
    held = undefined
    if (closed) return
    for (const pcm of first) microphone.push(pcm)
    if (ended !== undefined) microphone.finish()
  }
  ready.then(begin, begin)
  return {
    push(pcm) {
      if (held === undefined) microphone.push(pcm)
      else if (held_bytes + pcm.length <= MOST_HELD_BYTES) {
        held.push(pcm)
        held_bytes += pcm.length
      } else dropped(Math.ceil(pcm.length / (FRAME_SAMPLES * 2)))
    },
    finish(done) {
      ended = done
      if (held === undefined) microphone.finish()
    },
    close: () => {
      closed = true
      microphone.close()
      runs.close()
    },
  }
}
