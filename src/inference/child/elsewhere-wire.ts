/** What an OpenAI-compatible server says, judged before it is believed: events cut out of the stream, sizes first. Pure. */
import { z } from 'zod'

/** One event; a token is some bytes, and whole answers in one event some thousand. */
const MAX_EVENT_CHARACTERS = 256 * 1024
/** A piece of an answer. */
const MAX_PIECE = 64 * 1024
const MAX_TRANSCRIPT = 16_384

const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().max(MAX_PIECE).nullish() }).nullish(),
        finish_reason: z.string().max(64).nullish(),
      }),
    )
    .max(16)
    .nullish(),
  usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish(),
  error: z.object({ message: z.string() }).nullish(),
})

const transcript = z.object({ text: z.string().max(MAX_TRANSCRIPT) })

export type ChatNews =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reason'; readonly reason: 'stop' | 'length' }
  | { readonly type: 'usage'; readonly input_tokens: number; readonly output_tokens: number }
  | { readonly type: 'end' }
  /** It is no such server, or it says itself that it failed. */
  | { readonly type: 'garbled' }
  | { readonly type: 'broken' }

/** Cuts server-sent events out of text that comes in pieces. Undefined: an event larger than any that is needed. */
export class EventLines {
  #held = ''

  push(text: string): readonly string[] | undefined {
    const lines = (this.#held + text).split(/\r?\n/)
    this.#held = lines.pop()!
    if (this.#held.length > MAX_EVENT_CHARACTERS) return undefined
    return lines.flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length).trim()] : []))
  }
}

/** What one event of a chat tells. */
export function chatNews(event: string): readonly ChatNews[] {
  if (event === '[DONE]') return [{ type: 'end' }]
  const read = chunk.safeParse(parsed(event))
  if (!read.success) return [{ type: 'garbled' }]
  const { choices, usage, error } = read.data
  if (error != null) return [{ type: 'broken' }]
  const [choice] = choices ?? []
  const text = choice?.delta?.content ?? ''
  const finish = choice?.finish_reason
  return [
    ...(text === '' ? [] : [{ type: 'text', text } as const]),
    ...(finish == null ? [] : [{ type: 'reason', reason: finish === 'length' ? 'length' : 'stop' } as const]),
    ...(usage == null
      ? []
      : [
          {
            type: 'usage',
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
          } as const,
        ]),
  ]
}

/** Undefined when it is no transcript. */
export const transcriptOf = (body: string): string | undefined =>
  transcript.safeParse(parsed(body)).data?.text

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
