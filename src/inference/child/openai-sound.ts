/** Recordings heard, and texts spoken, by a server. */
import type { EngineInput, EngineRequest } from '../engine.ts'
import { invalidInput } from '../errors.ts'
import { transcriptOf } from './elsewhere-wire.ts'
import { JSON_TYPE, type Loaded, type OnEvent, Run } from './openai-run.ts'
import { soundSamples } from './samples.ts'
import { SentenceRun } from './sentence-run.ts'

/** Two minutes: a recording, which is sent whole. */
const MAX_SAMPLES = 120 * 16_000
/** What the API promises for `pcm`. */
const PCM_RATE = 24_000

/** The recording is gathered, and sent when it is whole: the API knows no other way. */
export class Hearing extends Run {
  readonly #loaded: Loaded
  #pieces: Float32Array[] = []
  #length = 0
  #finished = false

  constructor(loaded: Loaded, onEvent: OnEvent) {
    super(onEvent)
    this.#loaded = loaded
  }

  override feed(input: EngineInput): void {
    if (this.over || this.#finished || input.type !== 'audio') return
    this.#pieces.push(soundSamples(input.samples))
    this.#length += input.samples.length
    if (this.#length > MAX_SAMPLES) this.fail(invalidInput('The recording is longer than two minutes'))
  }

  override finish(): void {
    if (this.over || this.#finished) return
    this.#finished = true
    this.begin(() => this.#read())
  }

  async #read(): Promise<void> {
    const { server, model } = this.#loaded
    const audio_ms = this.#length / 16
    let text = ''
    if (this.#length > 0) {
      const wav = wavOf(this.#pieces, this.#length)
      this.#pieces = []
      const utf8 = new TextDecoder()
      const form = (): FormData => {
        const fields = new FormData()
        fields.set('file', new Blob([wav], { type: 'audio/wav' }), 'recording.wav')
        fields.set('model', model)
        fields.set('response_format', 'json')
        return fields
      }
      let body = ''
      await server.send('/audio/transcriptions', form, {}, this.signal, {
        bytes: (bytes) => {
          body += utf8.decode(bytes, { stream: true })
        },
        end: () => {
          const read = transcriptOf(body)
          if (read === undefined) throw server.garbled()
          text = read
        },
      })
    }
    this.tell({ type: 'final', text: text.trim() })
    this.tell({ type: 'done', usage: { audio_ms, compute_ms: this.compute_ms } })
  }
}

/** Texts spoken. */
export class Speaking extends SentenceRun {
  readonly #loaded: Loaded
  readonly #voice: string
  readonly #speed: number

  constructor(loaded: Loaded, request: Extract<EngineRequest, { kind: 'tts' }>, onEvent: OnEvent) {
    super(onEvent)
    this.#loaded = loaded
    this.#voice = request.voice || loaded.voice
    this.#speed = request.speed ?? 1
    this.speak(request)
  }

  protected override async say(input: string): Promise<void> {
    const { server, model } = this.#loaded
    const wish = { model, input, voice: this.#voice, response_format: 'pcm', speed: this.#speed }
    let odd: Uint8Array = new Uint8Array(0)
    await server.send('/audio/speech', () => JSON.stringify(wish), JSON_TYPE, this.signal, {
      bytes: (bytes) => {
        const all = Buffer.concat([odd, bytes])
        const even = all.length - (all.length % 2)
        odd = Uint8Array.from(all.subarray(even))
        if (even === 0) return
        const samples = new Int16Array(Uint8Array.from(all.subarray(0, even)).buffer)
        this.sound(samples, PCM_RATE)
      },
      end: () => undefined,
    })
  }
}

/** WAV, s16 mono at 16 kHz. */
function wavOf(pieces: readonly Float32Array[], length: number): Uint8Array<ArrayBuffer> {
  const file = Buffer.alloc(44 + length * 2)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + length * 2, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(16_000, 24)
  file.writeUInt32LE(32_000, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36)
  file.writeUInt32LE(length * 2, 40)
  let at = 44
  for (const sample of pieces.flatMap((piece) => [...piece])) {
    file.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))), at)
    at += 2
  }
  return new Uint8Array(file)
}
