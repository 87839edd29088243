/** What sherpa-onnx is told about a voice, and the checks that keep it from ending the process on one. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { preparedPath } from '../catalogue/prepared.ts'
import type { ModelFiles } from '../engine.ts'
import { espeakData, writeWhole } from './espeak-data.ts'
import { describedIn, invalid, pathOf } from './model-files.ts'
import { withMetadata } from './onnx-metadata.ts'
import { readSymbols } from './sherpa-model.ts'

const LAYOUTS = ['vits', 'piper', 'kokoro', 'matcha'] as const
type Layout = (typeof LAYOUTS)[number]
type Metadata = ReadonlyMap<string, string>

/** Without these the library ends its process. */
const METADATA: Readonly<Record<Layout, readonly string[]>> = {
  vits: ['sample_rate', 'n_speakers', 'language', 'comment'],
  piper: [],
  kokoro: ['sample_rate', 'n_speakers', 'has_espeak', 'style_dim'],
  matcha: ['sample_rate', 'n_speakers'],
}

export interface CheckedVoice {
  readonly model: object
  /** Numbers of the speakers that have names. */
  readonly speakers: ReadonlyMap<string, number>
}

/** Errors: `LoqaError` `model-invalid` that says what is missing. */
export function checkedVoice(model: ModelFiles): CheckedVoice {
  const layout = LAYOUTS.find((one) => one === (model.parameters.layout ?? 'vits'))
  if (layout === undefined) throw invalid(model, `its layout is none of ${LAYOUTS.join(', ')}`)
  const metadata = describedIn(model, 'model', METADATA[layout])
  const { config, speakers = new Map() } = WRITERS[layout](model, metadata)
  return { model: config, speakers: new Map([...speakers, ...speakersGiven(model)]) }
}

const WRITERS: Readonly<
  Record<
    Layout,
    (
      model: ModelFiles,
      metadata: Metadata,
    ) => { readonly config: object; readonly speakers?: ReadonlyMap<string, number> }
  >
> = {
  vits: (model, metadata) => ({
    config: { vits: { model: pathOf(model, 'model'), ...words(model, metadata) } },
  }),
  piper: (model, metadata) => {
    // One that was prepared for the library comes with its tokens.
    if (model.paths.tokens !== undefined) return WRITERS.vits(model, metadata)
    const config = piperConfig(model)
    const { model: path, tokens } = preparedPiper(model, config)
    const { noise_scale, length_scale, noise_w } = config.inference
    const scales = { noiseScale: noise_scale, lengthScale: length_scale, noiseScaleW: noise_w }
    const dataDir = espeakData(workOf(model), config.espeak.voice)
    return {
      config: { vits: { model: path, tokens, dataDir, ...scales } },
      speakers: new Map(Object.entries(config.speaker_id_map)),
    }
  },
  kokoro: (model, metadata) => {
    const voices = pathOf(model, 'voices')
    const dims = metadata.get('style_dim')!.split(',').map(Number)
    const floats = dims.reduce((product, dim) => product * dim, Number(metadata.get('n_speakers')))
    if (dims.length !== 3 || dims[1] !== 1 || statSync(voices).size !== 4 * floats)
      throw invalid(model, 'its voices file is not the one of its model file')
    const names = (metadata.get('speaker_names') ?? '').split(',').filter((name) => name !== '')
    return {
      config: { kokoro: { model: pathOf(model, 'model'), voices, ...words(model, metadata) } },
      speakers: new Map(names.map((name, i) => [name.trim(), i])),
    }
  },
  matcha: (model, metadata) => {
    describedIn(model, 'vocoder', ['model_type'])
    const files = { acousticModel: pathOf(model, 'model'), vocoder: pathOf(model, 'vocoder') }
    return { config: { matcha: { ...files, ...words(model, metadata) } } }
  },
}

/** How text becomes the numbers of the model: letter by letter, from a lexicon, or as espeak-ng pronounces it. */
function words(model: ModelFiles, metadata: Metadata): object {
  const tokens = pathOf(model, 'tokens')
  readSymbols(model, tokens, 'tokens')
  if (metadata.get('frontend') === 'characters') return { tokens }
  const { lexicon } = model.paths
  const isSpelled = lexicon !== undefined && metadata.get('has_espeak') !== '1'
  return {
    tokens,
    ...(lexicon === undefined ? {} : { lexicon }),
    ...(isSpelled ? {} : { dataDir: espeakData(workOf(model), metadata.get('voice') || 'en-us') }),
  }
}

const speakersSchema = z.record(z.string().max(64), z.int().min(0).max(65_535))

function speakersGiven(model: ModelFiles): readonly (readonly [string, number])[] {
  const given = speakersSchema.safeParse(model.parameters.speakers ?? {})
  if (!given.success) throw invalid(model, 'its speakers are not names with numbers')
  return Object.entries(given.data)
}

/** The file beside a Piper voice, as far as it matters here. */
const piperSchema = z.object({
  audio: z.object({ sample_rate: z.int().min(8_000).max(48_000) }),
  espeak: z.object({ voice: z.string().regex(/^[A-Za-z0-9_+-]{1,64}$/) }),
  inference: z.object({
    noise_scale: z.number().min(0).max(10).default(0.667),
    length_scale: z.number().min(0.1).max(10).default(1),
    noise_w: z.number().min(0).max(10).default(0.8),
  }),
  num_speakers: z.int().min(1).max(65_536),
  phoneme_id_map: z.record(z.string().max(16), z.array(z.int().min(0)).min(1)),
  speaker_id_map: z.record(z.string().max(64), z.int().min(0)).default({}),
})
type PiperConfig = z.infer<typeof piperSchema>

/** A real one has 5 kB, with the names of a thousand speakers 30. */
const MAX_CONFIG_BYTES = 1024 * 1024

function piperConfig(model: ModelFiles): PiperConfig {
  const path = pathOf(model, 'config')
  const wrong = 'its config file is not the one of a Piper voice'
  if (statSync(path).size > MAX_CONFIG_BYTES) throw invalid(model, wrong)
  try {
    return piperSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    const where = cause instanceof z.ZodError ? `: ${cause.issues[0]?.path.join('.')}` : ''
    throw invalid(model, `${wrong}${where}`)
  }
}

/** Without these every sentence would end the process. */
const MARKS = ['_', '^', '$']

/**
 * A voice as Piper publishes it, made into what the library reads: the same network with a description at its end, and a list of
 * tokens. Made once and kept, as long as the voice is no newer.
 */
function preparedPiper(model: ModelFiles, config: PiperConfig): { model: string; tokens: string } {
  const missing = MARKS.filter((mark) => config.phoneme_id_map[mark] === undefined)
  if (missing.length > 0) throw invalid(model, `its config file lacks the phonemes ${missing.join(' ')}`)
  const path = pathOf(model, 'model')
  const prepared = preparedPath(workOf(model), model.id, 'piper')
  const tokens = preparedPath(workOf(model), model.id, 'piperTokens')
  const metadata = {
    model_type: 'vits',
    comment: 'piper',
    language: config.espeak.voice,
    voice: config.espeak.voice,
    has_espeak: '1',
    n_speakers: String(config.num_speakers),
    sample_rate: String(config.audio.sample_rate),
  }
  const lines = Object.entries(config.phoneme_id_map)
    .filter(([phoneme]) => [...phoneme].length === 1)
    .map(([phoneme, [id]]) => `${phoneme} ${id}\n`)
  writeWhole(tokens, Buffer.from(lines.join('')))
  const addition = withMetadata(metadata)
  if (!isPrepared(path, prepared, addition.length)) writeWhole(prepared, readFileSync(path), addition)
  return { model: prepared, tokens }
}

function isPrepared(path: string, prepared: string, added: number): boolean {
  if (!existsSync(prepared)) return false
  const [from, to] = [statSync(path), statSync(prepared)]
  return to.size === from.size + added && to.mtimeMs >= from.mtimeMs
}

/** A model without a place of its own is one of a test or a tool. */
const workOf = ({ work_dir }: ModelFiles): string => work_dir ?? join(tmpdir(), 'loqa-models')
