/**
 * Puts what was trained into models/: copies the files and writes models/manifest.json with sizes and checksums.
 *
 *   node training/publish.ts [ID]...        all that were trained, or those named; the others stay as they are
 *
 * The cards (models/*.md) are written by hand, their tables by the benches in bench/voice.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const OUT = new URL('out/', import.meta.url).pathname
const MODELS = new URL('../models/', import.meta.url).pathname
const COVERS =
  'synthesized voices only: spoken by espeak-ng, flite, festival, RHVoice and Pico; never heard a person'

interface File {
  readonly role: string
  /** In `training/out/`; absent: the file is another model's, and is there. */
  readonly from?: string
  readonly path: string
  readonly encoding?: 'gzip'
}

interface Entry {
  readonly id: string
  readonly kind: string
  readonly engine: string
  readonly files: readonly File[]
  readonly parameters: Readonly<Record<string, unknown>>
  readonly covers: string
}

const ENTRIES: readonly Entry[] = [
  {
    id: 'recogniser-starter',
    kind: 'stt',
    engine: 'sherpa',
    files: [
      { role: 'model', from: 'recogniser/recogniser.onnx', path: 'recogniser-starter.onnx' },
      { role: 'tokens', from: 'recogniser/tokens.txt', path: 'recogniser-starter.tokens.txt' },
      {
        role: 'graph',
        from: 'recogniser/graph.fst',
        path: 'recogniser-starter.graph.fst.gz',
        encoding: 'gzip',
      },
      { role: 'words', from: 'recogniser/words.txt', path: 'recogniser-starter.words.txt' },
    ],
    parameters: {
      layout: 'nemo-ctc',
      sample_rate: 16_000,
      feature_dim: 80,
      chunk_ms: 80,
      flush_ms: 400,
      unknown_token: '<unk>',
      threads: 1,
      card: 'recogniser-starter.md',
    },
    covers: COVERS,
  },
  {
    id: 'wake-starter',
    kind: 'wake',
    engine: 'sherpa',
    files: [
      { role: 'model', path: 'recogniser-starter.onnx' },
      { role: 'tokens', path: 'recogniser-starter.tokens.txt' },
      { role: 'graph', from: 'wake/graph.fst', path: 'wake-starter.graph.fst' },
      { role: 'words', from: 'wake/words.txt', path: 'wake-starter.words.txt' },
    ],
    parameters: {
      layout: 'nemo-ctc',
      sample_rate: 16_000,
      feature_dim: 80,
      chunk_ms: 80,
      flush_ms: 400,
      threads: 1,
      phrase: 'hey loqa',
      card: 'wake-starter.md',
    },
    covers: COVERS,
  },
  {
    id: 'whisper-starter',
    kind: 'stt',
    engine: 'whisper',
    files: [{ role: 'model', from: 'whisper/whisper.bin', path: 'whisper-starter.bin.gz', encoding: 'gzip' }],
    parameters: {
      sample_rate: 16_000,
      window_ms: 5_000,
      language: 'en',
      threads: 1,
      card: 'whisper-starter.md',
    },
    covers: COVERS,
  },
  {
    id: 'intent-starter',
    kind: 'llm',
    engine: 'llama',
    files: [{ role: 'model', from: 'intent/intent.gguf', path: 'intent-starter.gguf' }],
    parameters: {
      context_tokens: 256,
      threads: 1,
      // The begin token, which llama.cpp adds, then this; the answer is JSON and the end token.
      prompt: ' {sentence}\n',
      answer: '{"intent":"timer.set","slots":{"duration":"five minutes"}}',
      none: '{"intent":"none","slots":{}}',
      card: 'intent-starter.md',
    },
    covers: 'one request of the house in small letters, as spoken; no conversation',
  },
]

interface Published {
  readonly id: string
}

function publish(entry: Entry): Published {
  const files = entry.files.map((file) => {
    const content = readFileSync(file.from === undefined ? MODELS + file.path : OUT + file.from)
    const stored = file.encoding === 'gzip' ? gzipSync(content, { level: 9 }) : content
    if (file.from !== undefined) writeFileSync(MODELS + file.path, stored)
    const sha256 = createHash('sha256').update(stored).digest('hex')
    const encoding = file.encoding === undefined ? {} : { encoding: file.encoding }
    return { role: file.role, path: file.path, sha256, bytes: stored.length, ...encoding }
  })
  const { id, kind, engine, parameters, covers } = entry
  const languages = ['en']
  return { id, kind, engine, files, licence: 'AGPL-3.0-or-later', languages, parameters, covers } as Published
}

const asked = process.argv.slice(2)
const before = JSON.parse(readFileSync(`${MODELS}manifest.json`, 'utf8')) as { models: Published[] }
const trained = ENTRIES.filter(
  ({ id, files }) =>
    (asked.length === 0 || asked.includes(id)) &&
    files.every(({ from }) => from === undefined || existsSync(OUT + from)),
)
const published = new Map(trained.map((entry) => [entry.id, publish(entry)]))
const known = new Map(before.models.map((model) => [model.id, model]))
const models = ENTRIES.flatMap(({ id }) => published.get(id) ?? known.get(id) ?? [])
writeFileSync(`${MODELS}manifest.json`, `${JSON.stringify({ version: 1, models }, null, 2)}\n`)
console.log(`published ${[...published.keys()].join(', ') || 'nothing'}`)
