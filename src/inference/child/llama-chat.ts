/**
 * Conversations as a language model learned to read them: by the chat template in its file, or, for a model that was trained on one
 * sentence at a time, by the form its manifest gives (`prompt`, with the sentence in the place of `{sentence}`).
 */
import {
  type ChatHistoryItem,
  LlamaChat,
  LlamaCompletion,
  type LlamaCompletionGenerationOptions,
  type LlamaContextSequence,
  type LlamaModel,
} from 'node-llama-cpp'
import type { ErrorShape } from '../../host/errors.ts'
import type { ChatMessage } from '../engine.ts'
import { invalidInput } from '../errors.ts'

export type WriteOptions = Pick<
  LlamaCompletionGenerationOptions,
  | 'signal'
  | 'maxTokens'
  | 'temperature'
  | 'topP'
  | 'seed'
  | 'onToken'
  | 'onTextChunk'
  | 'grammar'
  | 'customStopTriggers'
>

/** A text that is ready to be gone on from. */
export interface Writing {
  readonly prompt_tokens: number
  /** Most tokens there may be of an answer. */
  readonly room: number
  /** Whether the answer was cut off by `maxTokens`. Rejects when it was aborted or the library failed. */
  write(options: WriteOptions): Promise<{ readonly cut: boolean }>
}

/** A token stands for so many characters at most; more text than fits by that is refused unread: tokenizing a megabyte takes seconds. */
export const MAX_CHARACTERS_PER_TOKEN = 16

export const TOO_LONG = invalidInput('The text is longer than what the language model can hold')

export class Conversations {
  readonly #model: LlamaModel
  readonly #sequence: LlamaContextSequence
  readonly #form: string | undefined
  readonly #completion: LlamaCompletion
  #chat: LlamaChat | undefined

  /** `form`: undefined for a model with a chat template. */
  constructor(model: LlamaModel, sequence: LlamaContextSequence, form: string | undefined) {
    this.#model = model
    this.#sequence = sequence
    this.#form = form
    this.#completion = new LlamaCompletion({ contextSequence: sequence })
  }

  prepare(messages: readonly ChatMessage[]): Writing | ErrorShape {
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
    if (characters > this.#sequence.context.contextSize * MAX_CHARACTERS_PER_TOKEN) return TOO_LONG
    const wellFormed = messages.map(({ role, content }) => ({ role, content: content.toWellFormed() }))
    return this.#form === undefined ? this.#talk(wellFormed) : this.#sentence(wellFormed, this.#form)
  }

  /** The model reads one sentence and knows of no other: what was said before is left out. */
  #sentence(messages: readonly ChatMessage[], form: string): Writing | ErrorShape {
    const said = messages.findLast(({ role }) => role === 'user')
    const sentence = plain(said?.content ?? '')
    if (sentence === '') return invalidInput('There is no text to go on from')
    return this.complete(form.replace('{sentence}', () => sentence))
  }

  /** Goes on from a text as it is. */
  complete(text: string): Writing | ErrorShape {
    const prompt = this.#model.tokenize(text)
    if (prompt.length === 0) return invalidInput('There is no text to go on from')
    return {
      prompt_tokens: prompt.length,
      // One more for the begin token.
      room: this.#sequence.context.contextSize - prompt.length - 1,
      write: async (options) => {
        const { metadata } = await this.#completion.generateCompletionWithMeta(prompt, {
          ...options,
          disableContextShift: true,
        })
        return { cut: metadata.stopReason === 'maxTokens' }
      },
    }
  }

  #talk(messages: readonly ChatMessage[]): Writing {
    this.#chat ??= new LlamaChat({ contextSequence: this.#sequence })
    const chat = this.#chat
    const chatHistory = historyOf(messages)
    const { contextText } = chat.chatWrapper.generateContextState({ chatHistory })
    const prompt_tokens = contextText.tokenize(this.#model.tokenizer).length
    return {
      prompt_tokens,
      room: this.#sequence.context.contextSize - prompt_tokens - 1,
      write: async (options) => {
        const { metadata } = await chat.generateResponse(chatHistory, options)
        return { cut: metadata.stopReason === 'maxTokens' }
      },
    }
  }
}

const historyOf = (messages: readonly ChatMessage[]): ChatHistoryItem[] => [
  ...messages.map(({ role, content }): ChatHistoryItem => {
    if (role === 'assistant') return { type: 'model', response: [content] }
    return { type: role, text: content }
  }),
  // Where the answer goes.
  { type: 'model', response: [] },
]

/** Small letters without punctuation, as speech is written down. */
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s']/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
