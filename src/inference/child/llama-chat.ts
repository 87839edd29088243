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
  type Token,
} from 'node-llama-cpp'
import type { ErrorShape } from '../../host/errors.ts'
import type { ChatMessage } from '../engine.ts'
import { invalidInput } from '../errors.ts'
import { nearestPlace } from './nearest-place.ts'

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

/** One of the places where the model keeps what it has read. */
interface Place {
  readonly sequence: LlamaContextSequence
  readonly completion: LlamaCompletion
  chat: LlamaChat | undefined
  /** Counts up; the smallest was used the longest ago. */
  used: number
}

export class Conversations {
  readonly #model: LlamaModel
  readonly #contextSize: number
  readonly #places: readonly Place[]
  readonly #form: string | undefined
  #uses = 0

  /** `form`: undefined for a model with a chat template. `sequences`: at least one. */
  constructor(model: LlamaModel, sequences: readonly LlamaContextSequence[], form: string | undefined) {
    this.#model = model
    this.#contextSize = sequences[0]!.context.contextSize
    this.#form = form
    this.#places = sequences.map((sequence) => ({
      sequence,
      completion: new LlamaCompletion({ contextSequence: sequence }),
      chat: undefined,
      used: 0,
    }))
  }

  prepare(messages: readonly ChatMessage[]): Writing | ErrorShape {
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
    if (characters > this.#contextSize * MAX_CHARACTERS_PER_TOKEN) return TOO_LONG
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
      room: this.#contextSize - prompt.length - 1,
      write: async (options) => {
        const { completion } = this.#placeFor(prompt)
        const { metadata } = await completion.generateCompletionWithMeta(prompt, {
          ...options,
          disableContextShift: true,
        })
        return { cut: metadata.stopReason === 'maxTokens' }
      },
    }
  }

  #talk(messages: readonly ChatMessage[]): Writing {
    const chatHistory = historyOf(messages)
    const { chatWrapper } = chatOf(this.#places[0]!)
    const { contextText } = chatWrapper.generateContextState({ chatHistory })
    const prompt = contextText.tokenize(this.#model.tokenizer)
    return {
      prompt_tokens: prompt.length,
      room: this.#contextSize - prompt.length - 1,
      write: async (options) => {
        const { metadata } = await chatOf(this.#placeFor(prompt)).generateResponse(chatHistory, options)
        return { cut: metadata.stopReason === 'maxTokens' }
      },
    }
  }

  /** Where least of the prompt has to be read again; what it does not have in common with it is forgotten there. */
  #placeFor(prompt: readonly Token[]): Place {
    const places = this.#places.map(({ sequence, used }) => ({ tokens: sequence.contextTokens, used }))
    const place = this.#places[nearestPlace(prompt, places)]!
    this.#uses += 1
    place.used = this.#uses
    return place
  }
}

function chatOf(place: Place): LlamaChat {
  place.chat ??= new LlamaChat({ contextSequence: place.sequence })
  return place.chat
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
