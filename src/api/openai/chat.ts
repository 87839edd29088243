/** `POST /v1/chat/completions`: the language model's tokens as a whole answer or as chunks. */

import { LoqaError } from '../../host/index.ts'
import type { NodeView, Written } from '../view.ts'
import type { Wait } from './answering.ts'
import { type Delta, isCall, newAnswer, takeTokens } from './chat-answer.ts'
import { type AnswerForm, promptOf } from './chat-prompt.ts'
import { chunksOf, type Finish, finishOf, type ReplyHead, type TokenCount, wholeReply } from './chat-reply.ts'
import type { ChatRequest } from './chat-shapes.ts'

export interface ChatParts {
  readonly view: Pick<NodeView, 'write'>
  readonly engine: string | undefined
  readonly head: ReplyHead
  readonly wait: Wait
}

type Ended = { readonly type: 'end'; readonly finish: Finish; readonly count: TokenCount }

/** Errors: `ParameterError`, and those of the engine. */
export async function wholeAnswer(request: ChatRequest, parts: ChatParts): Promise<object> {
  const deltas: Delta[] = []
  for await (const item of answer(request, parts)) {
    if (item.type === 'end') return wholeReply(parts.head, deltas, item.finish, item.count)
    deltas.push(item)
  }
  throw unended()
}

/** Chunks; an error is thrown before the first of them as long as nothing was written. */
export async function* answerChunks(
  request: ChatRequest,
  parts: ChatParts,
): AsyncGenerator<object, void, void> {
  const with_usage = request.stream_options?.include_usage === true
  const chunks = chunksOf(parts.head, with_usage)
  let first = true
  for await (const item of answer(request, parts)) {
    if (first) yield chunks.first()
    first = false
    if (item.type !== 'end') {
      yield chunks.delta(item)
      continue
    }
    yield chunks.last(item.finish)
    if (with_usage) yield chunks.usage(item.count)
    return
  }
  throw unended()
}

async function* answer(request: ChatRequest, parts: ChatParts): AsyncGenerator<Delta | Ended, void, void> {
  const { asked, form } = promptOf(request)
  const { view, engine, wait } = parts
  const written = view.write({ ...asked, ...(engine === undefined ? {} : { engine }) }, wait.signal)
  yield* read(written, form, wait)
}

async function* read(
  written: AsyncIterable<Written>,
  form: AnswerForm,
  wait: Wait,
): AsyncGenerator<Delta | Ended, void, void> {
  let state = newAnswer(form)
  for await (const item of written) {
    wait.heard()
    if (item.type === 'end') {
      const { reason, input_tokens, output_tokens } = item
      yield { type: 'end', finish: finishOf(reason, isCall(state)), count: { input_tokens, output_tokens } }
      return
    }
    const step = takeTokens(state, item.text)
    state = step.state
    yield* step.deltas
  }
  wait.check()
}

/** Its end was not told: the caller is gone, or the engine was lost without a word. */
const unended = (): LoqaError => new LoqaError('cancelled', 'The answer was given up before its end')
