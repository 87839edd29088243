/** Texts by a server's language model, token by token. */
import type { ErrorShape } from '../../host/errors.ts'
import type { EngineRequest } from '../engine.ts'
import { invalidInput, outputIncomplete } from '../errors.ts'
import type { Server } from './elsewhere.ts'
import { chatNews, EventLines } from './elsewhere-wire.ts'
import { JSON_TYPE, type Loaded, type OnEvent, Run } from './openai-run.ts'

/** What one conversation with an engine may hold (`asked.ts`). */
const MAX_CHAT_TEXT = 48 * 1024

export type Writable = Extract<EngineRequest, { kind: 'llm' | 'chat' }>

export class Writing extends Run {
  constructor({ server, model }: Loaded, request: Writable, onEvent: OnEvent) {
    super(onEvent)
    this.begin(async () => {
      const body = chatBody(model, request)
      if (typeof body !== 'string') {
        this.fail(body)
        return
      }
      await this.#write(server, request, body)
    })
  }

  async #write(server: Server, request: Writable, body: string): Promise<void> {
    const lines = new EventLines()
    const utf8 = new TextDecoder()
    let text = ''
    let usage = { input_tokens: 0, output_tokens: 0 }
    let reason: 'stop' | 'length' | undefined
    await server.send('/chat/completions', () => body, JSON_TYPE, this.signal, {
      bytes: (bytes) => {
        const events = lines.push(utf8.decode(bytes, { stream: true }))
        if (events === undefined) throw server.garbled()
        for (const news of events.flatMap(chatNews)) {
          if (news.type === 'text') {
            text += news.text
            this.tell({ type: 'token', text: news.text })
          } else if (news.type === 'reason') reason = news.reason
          else if (news.type === 'usage')
            usage = { input_tokens: news.input_tokens, output_tokens: news.output_tokens }
          else if (news.type !== 'end') throw server.garbled()
        }
      },
      // An answer that does not say why it ends was broken off.
      end: () => {
        if (reason === undefined) throw server.garbled()
      },
    })
    const isWhole = request.kind === 'chat' || request.schema === undefined || isJson(text)
    if (!isWhole) this.fail(outputIncomplete(request.max_tokens ?? 0))
    else {
      const more = request.kind === 'chat' && reason !== undefined ? { reason } : {}
      this.tell({ type: 'done', usage: { ...usage, compute_ms: this.compute_ms }, ...more })
    }
  }
}

function chatBody(model: string, request: Writable): string | ErrorShape {
  const messages =
    request.kind === 'chat' ? request.messages : [{ role: 'user', content: request.prompt.trim() }]
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
  if (characters === 0) return invalidInput('There is no text to go on from')
  if (characters > MAX_CHAT_TEXT) return invalidInput('The text is longer than what is sent to a server')
  const { schema, max_tokens, temperature = 0 } = request
  const { top_p, seed, stop } = request.kind === 'chat' ? request : NO_WISHES
  return JSON.stringify({
    ...{ model, messages, max_tokens, temperature, top_p, seed, stop },
    ...{ stream: true, stream_options: { include_usage: true } },
    ...(schema === undefined
      ? {}
      : { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } } }),
  })
}

const NO_WISHES: Pick<Extract<EngineRequest, { kind: 'chat' }>, 'top_p' | 'seed' | 'stop'> = {}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
