/**
 * What sherpa-onnx is told about a model, and the checks that keep it from ending the process: it aborts on a missing file, on
 * tokens without a blank, and on an ONNX file without the metadata its layout needs.
 */
import { readFileSync } from 'node:fs'
import type { ModelFiles } from '../engine.ts'
import { describedIn, invalid, pathOf } from './model-files.ts'

type Layout = 'nemo-ctc' | 'zipformer2-ctc' | 'transducer' | 'paraformer'

interface Expectation {
  /** Files by role. */
  readonly roles: readonly string[]
  /** The file that carries the metadata, and what it must say. */
  readonly described: string
  readonly metadata: readonly string[]
  readonly config: (path: (role: string) => string) => object
}

const NEMO_METADATA = [
  'window_size',
  'chunk_shift',
  'subsampling_factor',
  'vocab_size',
  ...['cache_last_channel', 'cache_last_time'].flatMap((name) => [1, 2, 3].map((i) => `${name}_dim${i}`)),
]

const LAYOUTS: Readonly<Record<Layout, Expectation>> = {
  'nemo-ctc': {
    roles: ['model', 'tokens'],
    described: 'model',
    metadata: NEMO_METADATA,
    config: (path) => ({ nemoCtc: { model: path('model') } }),
  },
  'zipformer2-ctc': {
    roles: ['model', 'tokens'],
    described: 'model',
    metadata: ['decode_chunk_len', 'T'],
    config: (path) => ({ zipformer2Ctc: { model: path('model') } }),
  },
  transducer: {
    roles: ['encoder', 'decoder', 'joiner', 'tokens'],
    described: 'encoder',
    metadata: ['model_type'],
    config: (path) => ({
      transducer: { encoder: path('encoder'), decoder: path('decoder'), joiner: path('joiner') },
    }),
  },
  paraformer: {
    roles: ['encoder', 'decoder', 'tokens'],
    described: 'encoder',
    metadata: ['vocab_size', 'lfr_window_size'],
    config: (path) => ({ paraformer: { encoder: path('encoder'), decoder: path('decoder') } }),
  },
}

export interface CheckedFiles {
  readonly layout: Layout
  readonly tokens: string
  readonly config: object
  /** A decoding graph that knows which words follow which; optional, for CTC layouts. */
  readonly graph: string | undefined
  /** Where the graph makes words of the model's sounds or pieces: the words by the graph's output labels. */
  readonly words: ReadonlyMap<number, string> | undefined
}

/** Errors: `LoqaError` `model-invalid` that names what is missing. */
export function checkedSherpaFiles(model: ModelFiles): CheckedFiles {
  const layout = model.parameters.layout ?? 'nemo-ctc'
  if (typeof layout !== 'string' || !(layout in LAYOUTS)) {
    throw invalid(model, `its layout is none of ${Object.keys(LAYOUTS).join(', ')}`)
  }
  const expected = LAYOUTS[layout as Layout]
  const path = (role: string): string => pathOf(model, role)
  for (const role of expected.roles) path(role)
  checkTokens(model, path('tokens'))
  describedIn(model, expected.described, expected.metadata)
  const { graph } = model.paths
  if (graph !== undefined) checkGraph(model, graph)
  return {
    layout: layout as Layout,
    tokens: path('tokens'),
    config: expected.config(path),
    graph,
    words: model.paths.words === undefined ? undefined : readWords(model, model.paths.words),
  }
}

/** An OpenFst file begins with this number and the kind of FST; the library ends the process on anything else. */
const FST_MAGIC = 2_125_659_606
const FST_HEAD_BYTES = 14

function checkGraph(model: ModelFiles, path: string): void {
  const bytes = readFileSync(path)
  const isGraph =
    bytes.length > FST_HEAD_BYTES &&
    bytes.readInt32LE(0) === FST_MAGIC &&
    /^(vector|const)/.test(bytes.toString('latin1', 8, FST_HEAD_BYTES))
  if (!isGraph) throw invalid(model, 'its graph is not an OpenFst file')
}

/** Lines of `token id`. */
export function readSymbols(model: ModelFiles, path: string, what: string): string[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.length > 0)
  const wrong = lines.findIndex((line) => !/^\S.*\s\d+$|^\s+\d+$/.test(line))
  if (lines.length < 2 || wrong >= 0)
    throw invalid(model, `line ${wrong + 1} of its ${what} file is not "${what.replace(/s$/, '')} id"`)
  return lines
}

function readWords(model: ModelFiles, path: string): ReadonlyMap<number, string> {
  return new Map(
    readSymbols(model, path, 'words').map((line) => {
      const [word = '', label] = line.split(/\s+/)
      return [Number(label), word]
    }),
  )
}

/** One of the tokens must be the blank. */
function checkTokens(model: ModelFiles, path: string): void {
  const lines = readSymbols(model, path, 'tokens')
  if (!lines.some((line) => /^<(blk|blank|eps)>\s/.test(line)))
    throw invalid(model, 'its tokens have no blank')
}

export const recognizerConfig = (files: CheckedFiles, parameters: ModelFiles['parameters']): object => ({
  featConfig: { sampleRate: 16_000, featureDim: Number(parameters.feature_dim ?? 80) },
  modelConfig: {
    ...files.config,
    tokens: files.tokens,
    // A second thread costs twenty times the processor time for models of this size.
    numThreads: Number(parameters.threads ?? 1),
    provider: 'cpu',
    debug: 0,
  },
  decodingMethod: 'greedy_search',
  ...(files.graph === undefined
    ? {}
    : { ctcFstDecoderConfig: { graph: files.graph, maxActive: Number(parameters.max_active ?? 2_000) } }),
  // The node's own voice detector and intent grammar end a turn: the library's rules cut sentences in two.
  enableEndpoint: 0,
})
