/**
 * Language models by llama.cpp; the only importer of node-llama-cpp. One run at a time, the next ones wait their turn: computed
 * together, the same words might come to another answer. What a prompt has in common with one of the last conversations is not
 * computed again, so that two rooms may talk in turns. A graphics card is used where its library is there, with as many layers as
 * fit its memory.
 */
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import {
  getLlama,
  type Llama,
  type LlamaContext,
  type LlamaEmbeddingContext,
  type LlamaGrammar,
  LlamaLogLevel,
  type LlamaModel,
  type LlamaModelOptions,
} from 'node-llama-cpp'
import { type ErrorShape, LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { invalidInput, outputIncomplete } from '../errors.ts'
import { Conversations, MAX_CHARACTERS_PER_TOKEN, TOO_LONG, type Writing } from './llama-chat.ts'
import { measureRuns } from './measuring.ts'
import { Turns } from './turns.ts'

type OnEvent = (event: EngineEvent) => void
/** What the library takes for a schema: a union of everything it understands. */
type JsonSchema = Parameters<Llama['createGrammarForJsonSchema']>[0]
type LanguageRequest = Extract<EngineRequest, { kind: 'llm' }>
type WritingRequest = LanguageRequest | Extract<EngineRequest, { kind: 'chat' }>

/** The run being served and those waiting for it. */
const ADMITS = 8
/** A thread hands over a batch; more than this is only for large prompts of large models. */
const DEFAULT_CONTEXT_TOKENS = 256
/**
 * A smaller model has one thread: one of a few hundred thousand weights takes 0.4 ms a token with one, and a hundred times that with
 * two on busy cores, since they wait for each other after every part.
 */
const ONE_THREAD_BYTES = 64 * 2 ** 20
/** Conversations remembered at once; each takes the memory of a whole context. */
const SEQUENCES = 2
const MAX_SEQUENCES = 16
/** Schemas seen lately, ready as grammars: compiling one takes longer than a short answer. */
const MAX_GRAMMARS = 16

interface Loaded {
  readonly llama: Llama
  readonly model: LlamaModel
  readonly context: LlamaContext
  readonly conversations: Conversations
  readonly threads: number
}

export class LlamaEngine implements Engine {
  readonly kind = 'llm'
  readonly admits = ADMITS
  readonly #turns = new Turns()
  readonly #grammars = new Map<string, LlamaGrammar>()
  #loaded: Loaded | undefined
  #embedding: LlamaEmbeddingContext | undefined

  async load(files: ModelFiles): Promise<void> {
    const path = files.paths.model
    if (path === undefined) throw new LoqaError('model-invalid', `The model ${files.id} has no model file`)
    const small = (await stat(path)).size < ONE_THREAD_BYTES
    // More than there are processors would wait for those that have none.
    const threads = small ? 1 : Math.min(Number(files.parameters.threads ?? 1), availableParallelism())
    // Never build nor download: what the package brought is what there is.
    const onCard = files.parameters.gpu ?? !small
    const llama = await getLlama({
      gpu: onCard === true ? 'auto' : false,
      build: 'never',
      skipDownload: true,
      maxThreads: threads,
      logLevel: LlamaLogLevel.error,
    })
    const contextSize = Number(files.parameters.context_tokens ?? DEFAULT_CONTEXT_TOKENS)
    const sequences = sequencesOf(files, small)
    const gpuLayers = llama.gpu === false ? 0 : layersOf(files, contextSize * sequences)
    const model = await llama.loadModel({ modelPath: path, gpuLayers })
    const context = await model.createContext({ contextSize, sequences, threads })
    const form = typeof files.parameters.prompt === 'string' ? files.parameters.prompt : undefined
    const places = Array.from({ length: sequences }, () => context.getSequence())
    const conversations = new Conversations(model, places, form)
    this.#loaded = { llama, model, context, conversations, threads }
    await measureRuns(this, { request: TRIAL, inputs: [], from: 'open' }, 1)
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (request.kind !== 'llm' && request.kind !== 'chat' && request.kind !== 'embedding')
      throw new LoqaError('invalid-input', 'This engine only writes text')
    const abort = new AbortController()
    const turn = this.#turns.take(() =>
      request.kind === 'embedding'
        ? this.#embed(request.text, abort.signal, onEvent)
        : this.#generate(request, abort.signal, onEvent),
    )
    return {
      feed() {},
      finish() {},
      cancel() {
        abort.abort()
        return turn.drop()
      },
    }
  }

  async measure(): Promise<Measurement> {
    const measured = await measureRuns(this, { request: TRIAL, inputs: [], from: 'open' }, 4)
    const gpu = await this.#gpu()
    return gpu === undefined ? measured : { ...measured, gpu }
  }

  async #gpu(): Promise<Measurement['gpu']> {
    const llama = this.#loaded?.llama
    if (llama === undefined || llama.gpu === false) return undefined
    const { free, total } = await llama.getVramState()
    return { backend: llama.gpu, free_mb: Math.round(free / 1e6), total_mb: Math.round(total / 1e6) }
  }

  async unload(): Promise<void> {
    await this.#loaded?.llama.dispose()
    this.#loaded = undefined
    this.#embedding = undefined
  }

  /** One run from prompt to last event. Never rejects. */
  async #generate(request: WritingRequest, signal: AbortSignal, onEvent: OnEvent): Promise<void> {
    if (signal.aborted || this.#loaded === undefined) return
    const start = performance.now()
    const writing = this.#prepare(request)
    if ('code' in writing) {
      onEvent({ type: 'failed', error: writing })
      return
    }
    let grammar: LlamaGrammar | undefined
    try {
      if (request.schema !== undefined) grammar = await this.#grammar(request.schema)
    } catch (thrown) {
      console.error(thrown)
      const message = 'The JSON schema of the answer cannot be used as a grammar'
      onEvent({ type: 'failed', error: invalidInput(message) })
      return
    }
    const max_tokens = Math.min(request.max_tokens ?? writing.room, writing.room)
    const written = await this.#write(request, writing, max_tokens, grammar, signal, onEvent)
    if (signal.aborted) return
    const isWhole = request.kind === 'chat' || grammar === undefined || isJson(written?.text ?? '')
    if (written === undefined || !isWhole) {
      onEvent({ type: 'failed', error: outputIncomplete(max_tokens) })
      return
    }
    const compute_ms = performance.now() - start
    const usage = { input_tokens: writing.prompt_tokens, output_tokens: written.tokens, compute_ms }
    const reason = written.cut ? ('length' as const) : ('stop' as const)
    onEvent({ type: 'done', usage, ...(request.kind === 'chat' ? { reason } : {}) })
  }

  #prepare(request: WritingRequest): Writing | ErrorShape {
    const { context, conversations } = this.#loaded!
    if (request.kind === 'chat') {
      const writing = conversations.prepare(request.messages)
      return 'code' in writing || writing.room > 0 ? writing : TOO_LONG
    }
    const most = (context.contextSize - request.max_tokens) * MAX_CHARACTERS_PER_TOKEN
    if (request.prompt.length > most) return TOO_LONG
    const writing = conversations.complete(request.prompt.toWellFormed())
    return 'code' in writing || writing.room >= request.max_tokens ? writing : TOO_LONG
  }

  /** Undefined when it was aborted or the library failed. */
  async #write(
    request: WritingRequest,
    writing: Writing,
    maxTokens: number,
    grammar: LlamaGrammar | undefined,
    signal: AbortSignal,
    onEvent: OnEvent,
  ): Promise<{ text: string; tokens: number; cut: boolean } | undefined> {
    const written = { text: '', tokens: 0 }
    const { temperature = 0 } = request
    const { top_p, seed, stop } = request.kind === 'chat' ? request : NO_WISHES
    try {
      const { cut } = await writing.write({
        ...{ signal, maxTokens, temperature },
        onToken: (tokens) => {
          written.tokens += tokens.length
        },
        onTextChunk: (text) => {
          written.text += text
          onEvent({ type: 'token', text })
        },
        ...(top_p === undefined ? {} : { topP: top_p }),
        ...(seed === undefined ? {} : { seed }),
        ...(stop === undefined ? {} : { customStopTriggers: stop }),
        ...(grammar === undefined ? {} : { grammar }),
      })
      return { ...written, cut }
    } catch (thrown) {
      if (!signal.aborted) console.error(thrown)
      return undefined
    }
  }

  /** One text to its vector. Never rejects. */
  async #embed(text: string, signal: AbortSignal, onEvent: OnEvent): Promise<void> {
    if (signal.aborted || this.#loaded === undefined) return
    const start = performance.now()
    const { model, context } = this.#loaded
    const failed = (error: ErrorShape): void => {
      if (!signal.aborted) onEvent({ type: 'failed', error })
    }
    if (text.length > context.contextSize * MAX_CHARACTERS_PER_TOKEN) {
      failed(TOO_LONG)
      return
    }
    const tokens = model.tokenize(text.toWellFormed())
    if (tokens.length === 0) failed(invalidInput('There is no text to embed'))
    // Begin and end token.
    else if (tokens.length + 2 >= context.contextSize) failed(TOO_LONG)
    else {
      try {
        const { vector } = await (await this.#embeddings()).getEmbeddingFor(tokens)
        if (signal.aborted) return
        onEvent({ type: 'embedding', vector: unit(vector) })
        const compute_ms = performance.now() - start
        onEvent({ type: 'done', usage: { input_tokens: tokens.length, compute_ms } })
      } catch (thrown) {
        console.error(thrown)
        failed(invalidInput('The language model in use gives no embeddings'))
      }
    }
  }

  /** Made when first asked for: it takes memory of its own. */
  async #embeddings(): Promise<LlamaEmbeddingContext> {
    const { model, context, threads } = this.#loaded!
    this.#embedding ??= await model.createEmbeddingContext({ contextSize: context.contextSize, threads })
    return this.#embedding
  }

  async #grammar(schema: Readonly<Record<string, unknown>>): Promise<LlamaGrammar> {
    const key = JSON.stringify(schema)
    const known = this.#grammars.get(key)
    if (known !== undefined) return known
    const oldest = this.#grammars.keys().next().value
    if (this.#grammars.size >= MAX_GRAMMARS && oldest !== undefined) this.#grammars.delete(oldest)
    const grammar = await this.#loaded!.llama.createGrammarForJsonSchema(schema as JsonSchema)
    this.#grammars.set(key, grammar)
    return grammar
  }
}

/** A small one reads a prompt faster than it is worth remembering. */
function sequencesOf({ parameters }: ModelFiles, small: boolean): number {
  const wanted = Number(parameters.sequences ?? (small ? 1 : SEQUENCES))
  return Number.isInteger(wanted) ? Math.min(MAX_SEQUENCES, Math.max(1, wanted)) : 1
}

/** As many as the card's memory takes beside the context, unless a number was given. */
function layersOf(
  { parameters }: ModelFiles,
  contextSize: number,
): NonNullable<LlamaModelOptions['gpuLayers']> {
  return typeof parameters.gpu_layers === 'number' ? parameters.gpu_layers : { fitContext: { contextSize } }
}

const NO_WISHES: Pick<Extract<EngineRequest, { kind: 'chat' }>, 'top_p' | 'seed' | 'stop'> = {}

/** With a schema, so that the way through a grammar is warm too. */
const TRIAL: LanguageRequest = {
  kind: 'llm',
  prompt: ' set a timer for five minutes\n',
  schema: { type: 'object', properties: { intent: { enum: ['timer.set', 'none'] } }, required: ['intent'] },
  max_tokens: 32,
}

/** Of length 1, so that the product of two is how alike they are; what is no number is 0. */
function unit(vector: readonly number[]): Float32Array {
  const numbers = vector.map((value) => (Number.isFinite(value) ? value : 0))
  const length = Math.hypot(...numbers) || 1
  return Float32Array.from(numbers, (value) => value / length)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
