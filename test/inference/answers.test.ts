/** What a language model was asked a moment ago it is not asked again; everything else it is. */
import { expect, it } from 'vitest'
import { type Outcome, placedAddress, type Ref } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { rememberAnswers } from '../../src/inference/answers.ts'
import type { EngineRequest } from '../../src/inference/index.ts'
import { openRun } from '../../src/inference/index.ts'

const ACTOR: Ref = { address: placedAddress('session', 's'), incarnation: 1 }
const schema = { type: 'object' }
const question = (prompt: string, more: object = {}): EngineRequest => ({
  ...{ kind: 'llm', prompt, schema, max_tokens: 48, temperature: 0 },
  ...more,
})

/** A model that says how many times it was asked, in two pieces. */
function model(most = 2, ends: 'done' | 'failed' = 'done') {
  const clock = new SimulatedClock()
  let asked = 0
  let again = 0
  const port = rememberAnswers(
    {
      request({ id }, deliver) {
        asked += 1
        const piece = (text: string): Outcome => ({
          ...{ type: 'outcome', id, event: 'chunk', body: { type: 'token', text } },
        })
        deliver(piece('answer '))
        deliver(piece(String(asked)))
        if (ends === 'done') deliver({ type: 'outcome', id, event: 'done', body: undefined })
        else {
          const error = { code: 'engine-crashed', message: '', retryable: true } as const
          deliver({ type: 'outcome', id, event: 'failed', error })
        }
      },
      cancel: () => undefined,
      actorGone: () => undefined,
    },
    {
      ...{ clock, most },
      again: () => {
        again += 1
      },
    },
  )
  const ask = (request: EngineRequest, to = 'llm'): string => {
    let text = ''
    const ended: string[] = []
    port.request(
      openRun(requestId('x'), to, request),
      (outcome) => {
        if (outcome.event === 'chunk') text += (outcome.body as { text: string }).text
        else ended.push(outcome.event)
      },
      ACTOR,
    )
    expect(ended).toEqual([ends])
    return text
  }
  return { ask, clock, again: () => again }
}

it('A1: gives a whole answer again, word for word', () => {
  const { ask, again } = model()
  expect([ask(question('a')), ask(question('a')), ask(question('a'))]).toEqual([
    'answer 1',
    'answer 1',
    'answer 1',
  ])
  expect(again()).toBe(2)
})

it('A1: asks again after a failure, and where chance is wanted', () => {
  const broken = model(2, 'failed')
  expect([broken.ask(question('a')), broken.ask(question('a'))]).toEqual(['answer 1', 'answer 2'])
  const { ask } = model()
  const warm = question('a', { temperature: 0.7 })
  expect([ask(warm), ask(warm)]).toEqual(['answer 1', 'answer 2'])
})

it('A2: asks each engine, and anew with another schema or length', () => {
  const { ask } = model(8)
  const all = [
    ask(question('a')),
    ask(question('a'), 'llm.llama:small'),
    ask(question('a', { schema: { type: 'object' } })),
    ask(question('a', { max_tokens: 9 })),
    ask(question('b')),
  ]
  expect(all).toEqual([1, 2, 3, 4, 5].map((asked) => `answer ${asked}`))
  expect(ask(question('a'), 'llm.llama:small')).toBe('answer 2')
})

it('A3: forgets what was not asked for longest; with 0 it keeps nothing', () => {
  const { ask } = model(2)
  for (const prompt of ['a', 'b', 'a', 'c']) ask(question(prompt))
  expect([ask(question('a')), ask(question('b'))]).toEqual(['answer 1', 'answer 4'])
  const none = model(0)
  expect([none.ask(question('a')), none.ask(question('a'))]).toEqual(['answer 1', 'answer 2'])
})

it('A4: asks anew after ten minutes, however often it was asked', () => {
  const { ask, clock } = model()
  ask(question('a'))
  clock.advance(599_000)
  expect(ask(question('a'))).toBe('answer 1')
  clock.advance(1_000)
  expect(ask(question('a'))).toBe('answer 2')
})
