/**
 * Kokoro by kokoro-js, which is added when somebody wants it; the only importer of it and of the transformers it brings. It never
 * asks anybody outside for anything: its model is the one that was checked, its speakers came with it.
 *
 * It computes in this thread: until a piece is through no ping is answered, so pieces are short.
 */
import { copyFileSync, mkdirSync, readlinkSync, renameSync, symlinkSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { LoqaError } from '../../host/errors.ts'
import { preparedPath } from '../catalogue/prepared.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { addedLibrary } from './added-library.ts'
import { measureVoice } from './measuring.ts'
import { describedIn, pathOf } from './model-files.ts'
import { spokenParts } from './samples.ts'
import { cutForQuickStart } from './sentences.ts'
import { NO_SUCH_SPEAKER, type Piece, type Speak, VoiceTurns } from './speech.ts'

interface Voice {
  readonly voices: Readonly<Record<string, unknown>>
  generate(
    text: string,
    wish: { readonly voice: string; readonly speed: number },
  ): Promise<{ readonly audio: Float32Array; readonly sampling_rate: number }>
}
interface Kokoro {
  readonly KokoroTTS: new (model: object, tokenizer: object) => Voice
}
interface FromFiles {
  from_pretrained(folder: string, options: object): Promise<object>
}
interface Transformers {
  readonly env: Record<string, unknown>
  readonly StyleTextToSpeech2Model: FromFiles
  readonly AutoTokenizer: FromFiles
}

const ADMITS = 64
/** Four seconds of speech: synthesized before the node takes the silence for a hang, wherever the voice keeps up with talking. */
const MAX_PIECE = 60
const DEFAULT_SPEAKER = 'af_heart'
/** More do not make it faster, and the node wants one for itself. */
const MAX_THREADS = 4
const WARM_UP = 'The timer for five minutes is set.'

/** What its files are called where the library looks for them. */
const NAMES: Readonly<Record<string, string>> = {
  model: 'onnx/model_quantized.onnx',
  config: 'config.json',
  tokenizer: 'tokenizer.json',
  tokenizer_config: 'tokenizer_config.json',
}

export class KokoroEngine implements Engine {
  readonly kind = 'tts'
  readonly admits = ADMITS
  readonly #turns = new VoiceTurns({
    engine: 'kokoro',
    cut: (text, complete, ahead) => cutForQuickStart(text, complete, ahead, MAX_PIECE),
    speak: (piece, onSamples) => this.#speak(piece, onSamples),
  })
  #voice: Voice | undefined
  #speaker = DEFAULT_SPEAKER

  async load(model: ModelFiles): Promise<void> {
    const library = addedLibrary(model, 'kokoro-js')
    describedIn(model, 'model')
    const folder = laidOut(model)
    const { KokoroTTS } = library('kokoro-js') as Kokoro
    const transformers = library('@huggingface/transformers') as Transformers
    const { env, StyleTextToSpeech2Model, AutoTokenizer } = transformers
    Object.assign(env, { allowRemoteModels: false, useFSCache: false, localModelPath: dirname(folder) })
    const name = folder.slice(dirname(folder).length + 1)
    const most = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1))
    const intraOpNumThreads = Math.min(Number(model.parameters.threads ?? most), availableParallelism())
    const session_options = { intraOpNumThreads }
    const network = await StyleTextToSpeech2Model.from_pretrained(name, {
      ...{ dtype: 'q8', device: 'cpu', session_options },
    })
    this.#voice = new KokoroTTS(network, await AutoTokenizer.from_pretrained(name, {}))
    const { voice } = model.parameters
    if (voice !== undefined) this.#speaker = String(voice)
    // The first synthesis takes a second: it starts what turns letters into sounds as well.
    await this.#speak({ text: WARM_UP, voice: '', speed: 1 }, () => {})
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (this.#voice === undefined) throw new LoqaError('engine-unavailable', 'No voice is loaded')
    return this.#turns.open(request, onEvent)
  }

  measure(): Promise<Measurement> {
    return measureVoice(this, WARM_UP)
  }

  async unload(): Promise<void> {
    this.#voice = undefined
    this.#turns.clear()
  }

  async #speak({ text, voice, speed }: Piece, onSamples: Parameters<Speak>[1]): Promise<void> {
    if (this.#voice === undefined) return
    const speaker = voice === '' ? this.#speaker : voice
    // Looked up here: for an unknown name the library would ask outside.
    if (!Object.hasOwn(this.#voice.voices, speaker)) throw new LoqaError('invalid-input', NO_SUCH_SPEAKER)
    const { audio, sampling_rate } = await this.#voice.generate(text, { voice: speaker, speed })
    for (const part of spokenParts(text, audio, sampling_rate)) onSamples(part, sampling_rate)
  }
}

/** A folder in which the checked files have the names that the library knows. */
function laidOut(model: ModelFiles): string {
  const folder = preparedPath(model.work_dir ?? join(tmpdir(), 'loqa-models'), model.id, 'kokoro')
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  for (const [role, name] of Object.entries(NAMES)) {
    link(pathOf(model, role), join(folder, name))
  }
  return folder
}

/** Where links are not allowed it is a copy. */
function link(from: string, path: string): void {
  if (linkOf(path) === from) return
  const part = `${path}.${process.pid}`
  try {
    symlinkSync(from, part)
  } catch {
    copyFileSync(from, part)
  }
  renameSync(part, path)
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
