/** The answer as `chat.completion`, or as its chunks. Pure. */
import type { Delta } from './chat-answer.ts'

export interface ReplyHead {
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  readonly model: string
  /** Of a tool's call, if there is one. */
  readonly call: string
}

export type Finish = 'stop' | 'length' | 'tool_calls'

export interface TokenCount {
  readonly input_tokens: number
  readonly output_tokens: number
}

const usageOf = ({ input_tokens, output_tokens }: TokenCount) => ({
  prompt_tokens: input_tokens,
  completion_tokens: output_tokens,
  total_tokens: input_tokens + output_tokens,
})

/** Cut off in the middle of a call it is not one to be carried out. */
export const finishOf = (reason: 'stop' | 'length', called: boolean): Finish =>
  reason === 'length' ? 'length' : called ? 'tool_calls' : 'stop'

export function wholeReply(
  { id, created, model, call }: ReplyHead,
  deltas: readonly Delta[],
  finish: Finish,
  count: TokenCount,
): object {
  const joined = (type: 'content' | 'arguments'): string =>
    deltas.map((delta) => (delta.type === type ? delta.text : '')).join('')
  const tool = deltas.find((delta) => delta.type === 'tool')
  const message =
    tool === undefined
      ? { role: 'assistant', content: joined('content'), refusal: null }
      : {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [
            { id: call, type: 'function', function: { name: tool.name, arguments: joined('arguments') } },
          ],
        }
  return {
    ...{ id, object: 'chat.completion', created, model },
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: usageOf(count),
  }
}

const chunk = ({ id, created, model }: ReplyHead, choices: readonly object[], more: object): object => ({
  ...{ id, object: 'chat.completion.chunk', created, model, choices },
  ...more,
})

/** `with_usage`: chunks say that theirs is unknown until the last. */
export function chunksOf(head: ReplyHead, with_usage: boolean) {
  const none = with_usage ? { usage: null } : {}
  const choice = (delta: object, finish_reason: Finish | null): object =>
    chunk(head, [{ index: 0, delta, logprobs: null, finish_reason }], none)
  return {
    first: (): object => choice({ role: 'assistant', content: '', refusal: null }, null),
    delta: (delta: Delta): object => choice(spoken(head, delta), null),
    last: (finish: Finish): object => choice({}, finish),
    usage: (count: TokenCount): object => chunk(head, [], { usage: usageOf(count) }),
  }
}

function spoken({ call }: ReplyHead, delta: Delta): object {
  switch (delta.type) {
    case 'content':
      return { content: delta.text }
    case 'tool':
      return {
        tool_calls: [{ index: 0, id: call, type: 'function', function: { name: delta.name, arguments: '' } }],
      }
    default:
      return { tool_calls: [{ index: 0, function: { arguments: delta.text } }] }
  }
}
