/**
 * Whether somebody speaks, by sherpa-onnx's Silero VAD: a verdict for every 32 ms of sound. What is made of the verdicts is not this
 * engine's business.
 *
 * The library ends its process on a model with other inputs, so they are looked at before it sees the file.
 */
import { LoqaError } from '../../host/errors.ts'
import type {
  Engine,
  EngineEvent,
  EngineInput,
  EngineRequest,
  EngineStream,
  Measurement,
  ModelFiles,
} from '../engine.ts'
import { measureRuns } from './measuring.ts'
import { invalid, pathOf } from './model-files.ts'
import { onnxPorts } from './onnx-metadata.ts'
import { soundSamples } from './samples.ts'
import { sherpaLibrary } from './sherpa-library.ts'
import { SoundRun } from './sound-run.ts'

/** The part of the library's interface used here; it ships no types. */
interface Vad {
  acceptWaveform(samples: Float32Array): void
  isDetected(): boolean
  isEmpty(): boolean
  pop(): void
  flush(): void
  reset(): void
}
interface Library {
  readonly Vad: new (config: object, buffer_s: number) => Vad
}

const SAMPLE_RATE = 16_000
/** The model's own step. */
const WINDOW = 512
const ADMITS = 64
/** Two windows in a row begin and end a voice: whoever asked has rules of their own. */
const LEAST_S = 0.03
/**
 * Windows after which the library is told to take what it heard for one piece of speech: it keeps all of a piece, to hand it out, and
 * copies it at every window (0.02 ms of work for a second, 3 ms for a minute).
 */
const PIECE_WINDOWS = 30
const BUFFER_S = 5

/** Names of inputs and outputs, in the order the library wants. */
const VERSIONS = ['input sr h c > output hn cn', 'input state sr > output stateN']

export class SherpaVadEngine implements Engine {
  readonly kind = 'vad'
  readonly admits = ADMITS
  #make: (() => Vad) | undefined
  /** Detectors of runs that are over; each has a session of its own. */
  readonly #spare: Vad[] = []

  async load(model: ModelFiles): Promise<void> {
    const path = pathOf(model, 'model')
    const ports = onnxPorts(path)
    if (ports === undefined) throw invalid(model, 'its model file is damaged or not an ONNX model')
    const { inputs, outputs } = ports
    if (!VERSIONS.includes(`${inputs.join(' ')} > ${outputs.join(' ')}`))
      throw invalid(model, 'its model file has not the inputs and outputs of Silero VAD 4 or 5')
    const library = sherpaLibrary<Library>()
    const sileroVad = {
      ...{ model: path, threshold: Number(model.parameters.threshold ?? 0.5), windowSize: WINDOW },
      ...{ minSpeechDuration: LEAST_S, minSilenceDuration: LEAST_S, maxSpeechDuration: 2 * BUFFER_S },
    }
    const config = { sileroVad, sampleRate: SAMPLE_RATE, numThreads: 1, debug: 0 }
    this.#make = () => new library.Vad(config, BUFFER_S)
    const first = this.#make()
    // The first inference allocates; nobody shall wait for it.
    first.acceptWaveform(new Float32Array(SAMPLE_RATE))
    first.reset()
    this.#spare.push(first)
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (request.kind !== 'vad')
      throw new LoqaError('invalid-input', 'This engine only tells voices from noise')
    const vad = this.#spare.pop() ?? this.#make?.()
    if (vad === undefined) throw new LoqaError('engine-unavailable', 'No model is loaded')
    return new Watching(vad, onEvent, () => {
      vad.reset()
      this.#spare.push(vad)
    })
  }

  measure(): Promise<Measurement> {
    const inputs: EngineInput[] = [{ type: 'audio', samples: new Float32Array(SAMPLE_RATE) }]
    return measureRuns(this, { request: { kind: 'vad', sample_rate: SAMPLE_RATE }, inputs, from: 'open' }, 8)
  }

  async unload(): Promise<void> {
    this.#make = undefined
    this.#spare.length = 0
  }
}

/** One microphone. */
class Watching extends SoundRun {
  readonly #vad: Vad
  readonly #onEvent: (event: EngineEvent) => void
  #window = new Float32Array(WINDOW)
  #filled = 0
  #windows = 0
  #piece = 0
  #samples = 0

  constructor(vad: Vad, onEvent: (event: EngineEvent) => void, giveBack: () => void) {
    super(giveBack)
    this.#vad = vad
    this.#onEvent = onEvent
  }

  /** Fills the window with what is there, and judges it when it is full; false when there is nothing. */
  protected override step(): boolean {
    const samples = this.pending[0]
    if (samples === undefined) return false
    const taken = samples.subarray(0, WINDOW - this.#filled)
    this.#window.set(soundSamples(taken), this.#filled)
    this.#filled += taken.length
    this.#samples += taken.length
    if (taken.length === samples.length) this.pending.shift()
    else this.pending[0] = samples.subarray(taken.length)
    if (this.#filled === WINDOW) this.#judge()
    return true
  }

  #judge(): void {
    this.#filled = 0
    this.#windows += 1
    this.#vad.acceptWaveform(this.#window)
    const voiced = this.#vad.isDetected()
    this.#piece = voiced ? this.#piece + 1 : 0
    if (this.#piece >= PIECE_WINDOWS) {
      this.#piece = 0
      this.#vad.flush()
    }
    while (!this.#vad.isEmpty()) this.#vad.pop()
    const audio_ms = (this.#windows * WINDOW * 1_000) / SAMPLE_RATE
    this.#onEvent({ type: 'activity', voiced, audio_ms })
  }

  protected override ended(): void {
    const audio_ms = (this.#samples * 1_000) / SAMPLE_RATE
    this.#onEvent({ type: 'done', usage: { compute_ms: this.compute_ms, audio_ms } })
  }
}
