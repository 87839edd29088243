/**
 * Takes the silence off the beginning of rendered speech: voices begin with up to 100 ms of it, and a person waits
 * through it like through any other delay.
 */

/** −54 dBFS: below what can be heard in a room, above the noise voices are rendered with. */
const AUDIBLE = 65
/** Kept before the first audible sample, so that speech does not begin with a click: 4 ms. */
const LEAD_SAMPLES = 64

export class LeadingSilence {
  #lead = new Int16Array(0)
  #sounding = false

  /** What of the next samples is to be played; the result may share their memory. */
  trim(samples: Int16Array): Int16Array {
    if (this.#sounding) return samples
    const first = samples.findIndex((sample) => Math.abs(sample) > AUDIBLE)
    const joined = new Int16Array(this.#lead.length + samples.length)
    joined.set(this.#lead)
    joined.set(samples, this.#lead.length)
    if (first === -1) {
      this.#lead = joined.slice(-LEAD_SAMPLES)
      return new Int16Array(0)
    }
    this.#sounding = true
    const start = Math.max(0, this.#lead.length + first - LEAD_SAMPLES)
    return joined.subarray(start)
  }
}
