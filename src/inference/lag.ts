/**
 * How far a recogniser is behind somebody who speaks to it. The wait after the end of speech does not tell: whoever listens for the end
 * waits for the words, and by then an engine that was seconds behind has caught up. Pure but for its own memory.
 *
 * B1  Sound is due when it was fed, and no sooner than somebody who speaks could have spoken it: a recording that is fed all at once
 *     is not behind for being long.
 * B2  Being behind counts when it lasts: the lesser of two looks one after the other. What one look finds and the next does not was
 *     a hiccup of the machine.
 * B3  What is waited for counts as well, once that took longer than a hiccup: an engine that says nothing any more is behind by it.
 */

/**
 * A recogniser says how far it is whenever it worked through so much more sound, ms, at the end of the piece with which it did. Pieces
 * are marked by the same rule where they are fed, so that in a pause nothing is marked that will not be told.
 */
export const HEARD_EVERY_MS = 200
/** B3: two looks and a little. */
const LASTS_MS = 500
/** What is shorter says nothing about keeping up. */
const LEAST_SOUND_MS = 600

interface Due {
  /** Sound up to here, from the beginning. */
  readonly audio_ms: number
  readonly at: number
}

/** One run. All times are ms of one monotonic clock. */
export class Following {
  readonly #due: Due[] = []
  #began: number | undefined
  #fed_ms = 0
  #marked_ms = 0
  #last_ms = 0
  #held_ms = 0

  /** `audio_ms` more were given to the engine. */
  fed(audio_ms: number, now: number): void {
    this.#began ??= now - audio_ms
    this.#fed_ms += audio_ms
    if (this.#fed_ms - this.#marked_ms < HEARD_EVERY_MS) return
    this.#marked_ms = this.#fed_ms
    this.#due.push({ audio_ms: this.#fed_ms, at: Math.max(now, this.#began + this.#fed_ms) })
  }

  /** The engine has worked through the first `audio_ms` of it. */
  heard(audio_ms: number, now: number): void {
    let latest: Due | undefined
    while (this.#due[0] !== undefined && this.#due[0].audio_ms <= audio_ms) latest = this.#due.shift()
    if (latest === undefined) return
    const late_ms = Math.max(0, now - latest.at)
    this.#held_ms = Math.max(this.#held_ms, Math.min(this.#last_ms, late_ms))
    this.#last_ms = late_ms
  }

  /** The most it was behind so far, for longer than a moment, ms; undefined: too little sound to say. */
  behind_ms(now: number): number | undefined {
    if (this.#fed_ms < LEAST_SOUND_MS) return undefined
    const [oldest] = this.#due
    const waiting_ms = oldest === undefined ? 0 : now - oldest.at
    return Math.max(this.#held_ms, waiting_ms > LASTS_MS ? waiting_ms : 0)
  }
}
