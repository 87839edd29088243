/** Recordings heard, and texts spoken, by a Wyoming service. */
import { z } from 'zod'
import type { EngineInput, EngineRequest } from '../engine.ts'
import { invalidInput } from '../errors.ts'
import { type OnEvent, Run } from './openai-run.ts'
import { soundSamples } from './samples.ts'
import { SentenceRun } from './sentence-run.ts'
import { Question, type Service } from './wyoming-service.ts'

/** Two minutes at 16 kHz: all of it is kept until it was answered. */
const MAX_SECONDS = 120

const transcript = z.object({ text: z.string().max(16_384) })
const format = z.object({
  rate: z.int().min(8_000).max(48_000),
  width: z.literal(2),
  channels: z.int().min(1).max(2),
})

/** The sound goes there while it is spoken, so that a service that listens along is done soon after. */
export class WyomingHearing extends Run {
  readonly #service: Service
  readonly #rate: number
  readonly #question = new Question()
  #samples = 0
  #finished = false

  constructor(service: Service, { sample_rate }: Extract<EngineRequest, { kind: 'stt' }>, onEvent: OnEvent) {
    super(onEvent)
    this.#service = service
    this.#rate = sample_rate
  }

  override feed(input: EngineInput): void {
    if (this.over || this.#finished || input.type !== 'audio' || input.samples.length === 0) return
    const sound = { rate: this.#rate, width: 2, channels: 1 }
    if (this.#samples === 0) {
      this.#question.say('transcribe')
      this.#question.say('audio-start', sound)
      this.begin(() => this.#read())
    }
    this.#samples += input.samples.length
    if (this.#samples > MAX_SECONDS * this.#rate)
      this.fail(invalidInput('The recording is longer than two minutes'))
    else this.#question.say('audio-chunk', sound, pcmOf(input.samples))
  }

  override finish(): void {
    if (this.over || this.#finished) return
    this.#finished = true
    if (this.#samples === 0) {
      this.begin(async () => this.#tell(''))
      return
    }
    this.#question.say('audio-stop')
    this.#question.end()
  }

  async #read(): Promise<void> {
    let text = ''
    await this.#service.ask(this.#question, this.signal, () => ({ type, data }) => {
      if (type !== 'transcript') return 'more'
      const read = transcript.safeParse(data)
      if (!read.success) throw this.#service.garbled()
      text = read.data.text
      return 'end'
    })
    this.#tell(text)
  }

  #tell(text: string): void {
    const audio_ms = (this.#samples / this.#rate) * 1_000
    this.tell({ type: 'final', text: text.trim() })
    this.tell({ type: 'done', usage: { audio_ms, compute_ms: this.compute_ms } })
  }
}

/** The protocol knows no speed: it speaks at its own. */
export class WyomingSpeaking extends SentenceRun {
  readonly #service: Service
  readonly #voice: string

  constructor(
    service: Service,
    voice: string,
    request: Extract<EngineRequest, { kind: 'tts' }>,
    onEvent: OnEvent,
  ) {
    super(onEvent)
    this.#service = service
    this.#voice = request.voice || voice
    this.speak(request)
  }

  protected override async say(sentence: string): Promise<void> {
    const question = new Question()
    const voice = this.#voice === '' ? {} : { voice: { name: this.#voice } }
    question.say('synthesize', { text: sentence, ...voice })
    question.end()
    await this.#service.ask(question, this.signal, () => {
      let odd: Uint8Array = new Uint8Array(0)
      return ({ type, data, payload }) => {
        if (type === 'audio-stop') return 'end'
        if (type !== 'audio-chunk') return 'more'
        const sound = format.safeParse(data)
        if (!sound.success) throw this.#service.garbled()
        const { rate, channels } = sound.data
        const all = Buffer.concat([odd, payload])
        const even = all.length - (all.length % (2 * channels))
        odd = Uint8Array.from(all.subarray(even))
        if (even > 0) this.sound(mono(Uint8Array.from(all.subarray(0, even)), channels), rate)
        return 'more'
      }
    })
  }
}

/** Two channels of a voice say the same. */
function mono(pcm: Uint8Array<ArrayBuffer>, channels: number): Int16Array {
  const samples = new Int16Array(pcm.buffer)
  return channels === 1 ? samples : samples.filter((_, at) => at % 2 === 0)
}

function pcmOf(sound: Float32Array): Uint8Array {
  const samples = Int16Array.from(soundSamples(sound), (sample) =>
    Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))),
  )
  return new Uint8Array(samples.buffer)
}
