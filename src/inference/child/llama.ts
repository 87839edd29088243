/**
 * Language models by llama.cpp; the only importer of node-llama-cpp. One context serves one run at a time, the next ones wait
 * their turn; what a prompt has in common with the one before is not computed again.
 *
 * One thread: a model of a few hundred thousand weights takes 0.4 ms a token with one thread and a hundred times that with two on
 * busy cores. A large model gets more by its manifest.
 */
import {
  type GbnfJsonSchema,
  getLlama,
  type Llama,
  LlamaCompletion,
  type LlamaContext,
  type LlamaGrammar,
  LlamaLogLevel,
  type LlamaModel,
} from 'node-llama-cpp'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { invalidInput, outputIncomplete } from '../errors.ts'
import { measureRuns } from './measuring.ts'
import { Turns } from './turns.ts'

type LanguageRequest = Extract<EngineRequest, { kind: 'llm' }>

/** The run being served and those waiting for it. */
const ADMITS = 8
/** A thread hands over a batch; more than this is only for large prompts of large models. */
const DEFAULT_CONTEXT_TOKENS = 256
/** Schemas seen lately, ready as grammars: compiling one takes longer than a short answer. */
const MAX_GRAMMARS = 16
/** Four characters a token at the very least for what is refused unread: tokenizing a megabyte takes seconds. */
const MAX_CHARACTERS_PER_TOKEN = 16

export class LlamaEngine implements Engine {
  readonly kind = 'llm'
  readonly admits = ADMITS
  readonly #turns = new Turns()
  readonly #grammars = new Map<string, LlamaGrammar>()
  #loaded: { llama: Llama; model: LlamaModel; context: LlamaContext; completion: LlamaCompletion } | undefined

  async load(files: ModelFiles): Promise<void> {
    const path = files.paths.model
    if (path === undefined) throw new LoqaError('model-invalid', `The model ${files.id} has no model file`)
    const threads = Number(files.parameters.threads ?? 1)
    // Never build nor download: what the package brought is what there is.
    const llama = await getLlama({
      gpu: false,
      build: 'never',
      skipDownload: true,
      maxThreads: threads,
      logLevel: LlamaLogLevel.error,
    })
    const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 })
    const contextSize = Number(files.parameters.context_tokens ?? DEFAULT_CONTEXT_TOKENS)
    const context = await model.createContext({ contextSize, threads })
    const completion = new LlamaCompletion({ contextSequence: context.getSequence() })
    this.#loaded = { llama, model, context, completion }
    await measureRuns(this, { request: TRIAL, inputs: [], from: 'open' }, 1)
  }

  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream {
    if (request.kind !== 'llm') throw new LoqaError('invalid-input', 'This engine only writes text')
    const abort = new AbortController()
    const ended = this.#turns.take(() => this.#generate(request, abort.signal, onEvent))
    return {
      feed() {},
      finish() {},
      cancel() {
        abort.abort()
        return ended
      },
    }
  }

  measure(): Promise<Measurement> {
    return measureRuns(this, { request: TRIAL, inputs: [], from: 'open' }, 4)
  }

  async unload(): Promise<void> {
    await this.#loaded?.llama.dispose()
    this.#loaded = undefined
  }

  async #generate(
    request: LanguageRequest,
    signal: AbortSignal,
    onEvent: (event: EngineEvent) => void,
  ): Promise<void> {
    if (signal.aborted || this.#loaded === undefined) return
    const { completion, model, context } = this.#loaded
    const room = context.contextSize - request.max_tokens
    const tooLong = invalidInput('The text is longer than what the language model can hold')
    if (request.prompt.length > room * MAX_CHARACTERS_PER_TOKEN) {
      onEvent({ type: 'failed', error: tooLong })
      return
    }
    const prompt = model.tokenize(request.prompt.toWellFormed())
    if (prompt.length === 0 || prompt.length + 1 > room) {
      onEvent({
        type: 'failed',
        error: prompt.length === 0 ? invalidInput('There is no text to go on from') : tooLong,
      })
      return
    }
    const start = performance.now()
    let grammar: LlamaGrammar | undefined
    try {
      if (request.schema !== undefined) grammar = await this.#grammar(request.schema)
    } catch (thrown) {
      console.error(thrown)
      onEvent({
        type: 'failed',
        error: invalidInput('The JSON schema of the answer cannot be used as a grammar'),
      })
      return
    }
    let tokens = 0
    let text = ''
    try {
      await completion.generateCompletion(prompt, {
        signal,
        maxTokens: request.max_tokens,
        temperature: request.temperature ?? 0,
        disableContextShift: true,
        onToken: (given) => {
          tokens += given.length
        },
        onTextChunk: (chunk) => {
          text += chunk
          onEvent({ type: 'token', text: chunk })
        },
        ...(grammar === undefined ? {} : { grammar }),
      })
    } catch (thrown) {
      if (signal.aborted) return
      console.error(thrown)
      onEvent({ type: 'failed', error: outputIncomplete(request.max_tokens) })
      return
    }
    if (request.schema !== undefined && !isJson(text)) {
      onEvent({ type: 'failed', error: outputIncomplete(request.max_tokens) })
      return
    }
    const compute_ms = performance.now() - start
    onEvent({ type: 'done', usage: { input_tokens: prompt.length, output_tokens: tokens, compute_ms } })
  }

  async #grammar(schema: Readonly<Record<string, unknown>>): Promise<LlamaGrammar> {
    const key = JSON.stringify(schema)
    const known = this.#grammars.get(key)
    if (known !== undefined) return known
    const oldest = this.#grammars.keys().next().value
    if (this.#grammars.size >= MAX_GRAMMARS && oldest !== undefined) this.#grammars.delete(oldest)
    const grammar = await this.#loaded!.llama.createGrammarForJsonSchema(schema as GbnfJsonSchema)
    this.#grammars.set(key, grammar)
    return grammar
  }
}

const TRIAL: LanguageRequest = { kind: 'llm', prompt: ' set a timer for five minutes\n', max_tokens: 16 }

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
