/**
 * What a satellite has of a conversation, so that another node can go on with it: how much of which reply came, and the sound that was
 * sent and not answered. Pure but for its own state.
 *
 * H1  No sample of a reply is handed on twice, whatever is sent again.
 * H2  Sound is kept from a little before somebody began to speak until the answer begins; at most `KEPT_FRAMES` of it.
 */
import type { VoiceEvent, VoiceRequest } from '../api/index.ts'
import { FRAME_MS, MAX_BACKLOG_MS } from '../host/limits.ts'

/** What the node takes at once when it is sent again. */
const KEPT_FRAMES = MAX_BACKLOG_MS / FRAME_MS
/** Somebody may have begun to speak before the node said so: weak onsets, and the way. */
const ONSET_FRAMES = 600 / FRAME_MS

export class HeardSoFar {
  #turn = 0
  #samples = 0
  #whole = true
  /** Samples to come that were here before. */
  #known = 0
  /** What was sent, oldest first. */
  readonly #sent: Int16Array[] = []
  #owed = false

  get request(): NonNullable<VoiceRequest['heard']> {
    return { turn: this.#turn, samples: this.#whole ? null : this.#samples }
  }

  /** It is another conversation from now on. */
  anew(): void {
    this.#turn = 0
    this.#samples = 0
    this.#whole = true
    this.#known = 0
  }

  event(event: VoiceEvent): void {
    switch (event.type) {
      case 'reply':
        if (event.turn !== this.#turn) {
          this.#turn = event.turn
          this.#samples = event.from
        }
        this.#known = Math.max(0, this.#samples - event.from)
        this.#whole = false
        this.#answered()
        break
      case 'turn':
        this.#whole = true
        this.#answered()
        break
      case 'speech-started':
        this.#owed = true
        this.#sent.splice(0, this.#sent.length - ONSET_FRAMES)
        break
    }
  }

  #answered(): void {
    this.#owed = false
    this.#sent.length = 0
  }

  /** Sound that came; what of it is new. */
  audio(samples: Int16Array): Int16Array {
    const known = Math.min(this.#known, samples.length)
    this.#known -= known
    this.#samples += samples.length - known
    return known === 0 ? samples : samples.subarray(known)
  }

  sent(samples: Int16Array): void {
    this.#sent.push(samples)
    if (this.#sent.length > KEPT_FRAMES) this.#sent.shift()
    else if (!this.#owed && this.#sent.length > ONSET_FRAMES) this.#sent.shift()
  }

  /** What a node that knows nothing of it must hear again, oldest first. */
  again(): readonly Int16Array[] {
    return [...this.#sent]
  }
}
