/**
 * Puts a turn together from what a voice connection says. Pure but for its own state; times are handed in.
 *
 * C1 A turn is complete when both its `turn` event and, if anything was said, its `reply-end` came, in any order.
 * C2 `latency_ms.total` is the honest clock: the last speech sent before the first audible reply sample.
 * C3 What is announced in between belongs to no turn.
 */
import type { TurnView, VoiceEvent } from '../api/index.ts'
import { isAudible } from './speech-clock.ts'

export interface HeardTurn {
  readonly view: TurnView
  /** 16 kHz mono s16, as it came. */
  readonly reply: readonly Int16Array[]
}

export class TurnCollector {
  #speech_sent_at: number | undefined
  #total_ms: number | null = null
  #reply: Int16Array[] = []
  #replyEnded = false
  #view: TurnView | undefined
  #announcing = false

  /** The recording's samples up to now are sent, and these held speech. `at`: monotonic ms. */
  speechSent(at: number): void {
    this.#speech_sent_at = at
  }

  /** Speech went out after the last turn was complete: another turn is due. */
  get speechPending(): boolean {
    return this.#speech_sent_at !== undefined
  }

  audio(samples: Int16Array, at: number): void {
    if (this.#announcing) return
    if (this.#total_ms === null && this.#speech_sent_at !== undefined && isAudible(samples)) {
      this.#total_ms = Math.round((at - this.#speech_sent_at) * 10) / 10
    }
    this.#reply.push(samples)
  }

  /** The turn, when this event completed one. */
  event(event: VoiceEvent): HeardTurn | undefined {
    switch (event.type) {
      case 'announce':
        this.#announcing = true
        return undefined
      case 'turn':
        this.#view = event.turn
        return this.#completed()
      case 'reply-end':
        if (this.#announcing) this.#announcing = false
        else this.#replyEnded = true
        return this.#completed()
      default:
        return undefined
    }
  }

  /** The turn as far as it came, when the reply will not end any more. */
  giveUp(): HeardTurn | undefined {
    return this.#view === undefined ? undefined : this.#take(this.#view)
  }

  #completed(): HeardTurn | undefined {
    const view = this.#view
    if (view === undefined) return undefined
    return this.#replyEnded || view.reply === '' ? this.#take(view) : undefined
  }

  #take(view: TurnView): HeardTurn {
    const heard = {
      view: { ...view, latency_ms: { ...view.latency_ms, total: this.#total_ms } },
      reply: this.#reply,
    }
    this.#speech_sent_at = undefined
    this.#total_ms = null
    this.#reply = []
    this.#replyEnded = false
    this.#view = undefined
    return heard
  }
}
