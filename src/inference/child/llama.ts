/**
 * Language models by llama.cpp; the only importer of node-llama-cpp. One context serves one run at a time, the next ones wait
 * their turn; what a prompt has in common with the one before is not computed again.
 */
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import {
  getLlama,
  type Llama,
  LlamaCompletion,
  type LlamaContext,
  type LlamaGrammar,
  LlamaLogLevel,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp'
import { type ErrorShape, LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { invalidInput, outputIncomplete } from '../errors.ts'
import { measureRuns } from './measuring.ts'
import { Turns } from './turns.ts'

type OnEvent = (event: EngineEvent) => void
/** What the library takes for a schema: a union of everything it understands. */
type JsonSchema = Parameters<Llama['createGrammarForJsonSchema']>[0]
type LanguageRequest = Extract<EngineRequest, { kind: 'llm' }>

/** The run being served and those waiting for it. */
const ADMITS = 8
/** A thread hands over a batch; more than this is only for large prompts of large models. */
const DEFAULT_CONTEXT_TOKENS = 256
/**
 * A smaller model has one thread: one of a few hundred thousand weights takes 0.4 ms a token with one, and a hundred times that with
 * two on busy cores, since they wait for each other after every part.
 */
const ONE_THREAD_BYTES = 64 * 2 ** 20
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
    const small = (await stat(path)).size < ONE_THREAD_BYTES
    // More than there are processors would wait for those that have none.
    const threads = small ? 1 : Math.min(Number(files.parameters.threads ?? 1), availableParallelism())
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
    const turn = this.#turns.take(() => this.#generate(request, abort.signal, onEvent))
    return {
      feed() {},
      finish() {},
      cancel() {
        abort.abort()
        return turn.drop()
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

  /** One run from prompt to last event. Never rejects. */
  async #generate(request: LanguageRequest, signal: AbortSignal, onEvent: OnEvent): Promise<void> {
    if (signal.aborted || this.#loaded === undefined) return
    const start = performance.now()
    const prompt = this.#tokens(request)
    if ('code' in prompt) {
      onEvent({ type: 'failed', error: prompt })
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
    const written = await this.#write(request, prompt, grammar, signal, onEvent)
    if (signal.aborted) return
    if (written === undefined || (grammar !== undefined && !isJson(written.text))) {
      onEvent({ type: 'failed', error: outputIncomplete(request.max_tokens) })
      return
    }
    const compute_ms = performance.now() - start
    const usage = { input_tokens: prompt.length, output_tokens: written.tokens, compute_ms }
    onEvent({ type: 'done', usage })
  }

  #tokens(request: LanguageRequest): Token[] | ErrorShape {
    const { model, context } = this.#loaded!
    const room = context.contextSize - request.max_tokens
    const tooLong = invalidInput('The text is longer than what the language model can hold')
    if (request.prompt.length > room * MAX_CHARACTERS_PER_TOKEN) return tooLong
    const prompt = model.tokenize(request.prompt.toWellFormed())
    if (prompt.length === 0) return invalidInput('There is no text to go on from')
    // One more for the begin token.
    return prompt.length + 1 > room ? tooLong : prompt
  }

  /** Undefined when it was aborted or the library failed. */
  async #write(
    request: LanguageRequest,
    prompt: Token[],
    grammar: LlamaGrammar | undefined,
    signal: AbortSignal,
    onEvent: OnEvent,
  ): Promise<{ text: string; tokens: number } | undefined> {
    const written = { text: '', tokens: 0 }
    try {
      await this.#loaded!.completion.generateCompletion(prompt, {
        signal,
        maxTokens: request.max_tokens,
        temperature: request.temperature ?? 0,
        disableContextShift: true,
        onToken: (tokens) => {
          written.tokens += tokens.length
        },
        onTextChunk: (text) => {
          written.text += text
          onEvent({ type: 'token', text })
        },
        ...(grammar === undefined ? {} : { grammar }),
      })
      return written
    } catch (thrown) {
      if (!signal.aborted) console.error(thrown)
      return undefined
    }
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

/** With a schema, so that the way through a grammar is warm too. */
const TRIAL: LanguageRequest = {
  kind: 'llm',
  prompt: ' set a timer for five minutes\n',
  schema: { type: 'object', properties: { intent: { enum: ['timer.set', 'none'] } }, required: ['intent'] },
  max_tokens: 32,
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
