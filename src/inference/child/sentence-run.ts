/** Texts spoken by somebody elsewhere, sentence by sentence, so that the first is heard while the last is still being written. */
import type { EngineInput, EngineRequest } from '../engine.ts'
import { invalidInput } from '../errors.ts'
import { Run } from './openai-run.ts'
import { cutSentences } from './sentences.ts'

/** As the voice that needs no server. */
const MAX_TEXT = 10_000

export abstract class SentenceRun extends Run {
  readonly #sentences: string[] = []
  #rest = ''
  #length = 0
  #audio_ms = 0
  #finished = false
  #busy = false

  /** Has one sentence spoken, with `sound` for what comes. Rejects with `ElsewhereError`. */
  protected abstract say(sentence: string): Promise<void>

  /** To be called once, at the end of construction. */
  protected speak({ text }: Extract<EngineRequest, { kind: 'tts' }>): void {
    if (text === undefined) return
    this.feed({ type: 'text', text })
    this.finish()
  }

  protected sound(samples: Int16Array, sample_rate: number): void {
    this.#audio_ms += (samples.length / sample_rate) * 1_000
    this.tell({ type: 'audio', samples, sample_rate })
  }

  override feed(input: EngineInput): void {
    if (this.over || this.#finished || input.type !== 'text') return
    this.#length += input.text.length
    this.#rest += input.text.toWellFormed()
    this.#cut(false)
  }

  override finish(): void {
    if (this.over || this.#finished) return
    this.#finished = true
    this.#cut(true)
  }

  #cut(complete: boolean): void {
    if (this.#length <= MAX_TEXT) {
      const { sentences, rest } = cutSentences(this.#rest, complete)
      this.#rest = rest
      this.#sentences.push(...sentences)
    }
    if (this.#busy) return
    this.#busy = true
    this.begin(() => this.#speak())
  }

  async #speak(): Promise<void> {
    if (this.#length > MAX_TEXT) {
      this.fail(invalidInput(`The text is longer than ${MAX_TEXT} characters`))
      return
    }
    for (let next = this.#sentences.shift(); next !== undefined; next = this.#sentences.shift())
      await this.say(next)
    this.#busy = false
    if (!this.#finished) return
    this.tell({ type: 'done', usage: { audio_ms: this.#audio_ms, compute_ms: this.compute_ms } })
  }
}
