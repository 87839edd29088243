/**
 * A short tone for who waits: something behind the conversation was lost or is slow, and silence would say that nobody listens.
 *
 * Q1  Who was heard, or is being answered, and hears nothing for QUIET_MS, hears a tone; and again every AGAIN_MS as long as that is so.
 *     So nobody waits in silence for three seconds.
 * Q2  None while somebody speaks, while a reply sounds, or when no answer is owed.
 * Q3  It is an event and no part of the reply: the samples of that are counted (`resuming.ts`). What it sounds like is the satellite's.
 */
import { assert, type Cancel, type Clock } from '../host/index.ts'

/** Answers take less, with everything in its place; failing over takes up to one and a half. */
export const QUIET_MS = 2_000
export const AGAIN_MS = 2_500
const LONGEST_SILENCE_MS = 3_000

assert(QUIET_MS <= LONGEST_SILENCE_MS && AGAIN_MS <= LONGEST_SILENCE_MS, 'a tone comes before three seconds')

/** Phases after somebody was heard, in which they wait. */
const AFTER_HEARING: ReadonlySet<string> = new Set(['transcribing', 'interpreting', 'acting', 'moving'])

interface Waiting {
  /** Somebody was heard; what is typed waits elsewhere. */
  readonly heard: boolean
  /** When the wait began; undefined: nobody waits. */
  owed_since: number | undefined
  toned_at: number
  timer: Cancel
}

export interface TonesParts {
  readonly clock: Clock
  /** Until when the loudspeaker of a conversation has something to play, monotonic ms. */
  readonly soundsUntil: (session: string) => number
  readonly tone: (session: string) => void
}

export class Tones {
  readonly #parts: TonesParts
  readonly #waiting = new Map<string, Waiting>()

  constructor(parts: TonesParts) {
    this.#parts = parts
  }

  /** A conversation is in another phase. */
  phase(session: string, phase: string): void {
    const known = this.#waiting.get(session)
    const heard = phase === 'listening' || (known?.heard === true && AFTER_HEARING.has(phase))
    const owes = phase === 'speaking' || (heard && phase !== 'listening')
    known?.timer()
    if (!heard && !owes) {
      this.#waiting.delete(session)
      return
    }
    const now = this.#parts.clock.monotonic()
    const owed_since = owes ? (known?.owed_since ?? now) : undefined
    const toned_at = known?.toned_at ?? Number.NEGATIVE_INFINITY
    const waiting: Waiting = { heard, owed_since, toned_at, timer: () => undefined }
    this.#waiting.set(session, waiting)
    if (owes) this.#look(session, waiting)
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) timer()
    this.#waiting.clear()
  }

  #look(session: string, waiting: Waiting): void {
    const { clock, soundsUntil, tone } = this.#parts
    const quiet_since = Math.max(waiting.owed_since!, soundsUntil(session))
    const at = Math.max(quiet_since + QUIET_MS, waiting.toned_at + AGAIN_MS)
    const now = clock.monotonic()
    if (at <= now) {
      waiting.toned_at = now
      tone(session)
    }
    waiting.timer = clock.after(at <= now ? AGAIN_MS : at - now, () => this.#look(session, waiting))
  }
}
