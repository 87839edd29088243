import { describe, expect, it } from 'vitest'
import type { Outcome, OutsideEffect } from '../../src/actors/index.ts'
import { languagePort } from '../../src/node/language.ts'

/** A skill's prompt is a run of an engine: its tokens are the answer, what it took is counted, what is given up is cancelled. */

function engine() {
  const runs: { effect: OutsideEffect<'infer'>; deliver: (outcome: Outcome) => void }[] = []
  const cancelled: string[] = []
  const port = languagePort(() => ({
    request: (effect, deliver) => void runs.push({ effect, deliver }),
    cancel: (id) => void cancelled.push(id),
  }))
  const says = (run: number, event: 'chunk' | 'done', body: unknown): void => {
    const { effect, deliver } = runs[run]!
    deliver({ type: 'outcome', id: effect.id, event, body })
  }
  return { port, runs, cancelled, says }
}
const PROMPT = { prompt: 'Say fish.', max_tokens: 5 }
const never = new AbortController().signal

describe('the language model for skills', () => {
  it('answers with what it wrote and what it took', async () => {
    const { port, runs, says } = engine()
    const answer = port.complete(PROMPT, never)
    expect(runs[0]!.effect).toMatchObject({ to: 'llm', op: 'open', body: { kind: 'llm', ...PROMPT } })
    says(0, 'chunk', { type: 'token', text: 'fi' })
    says(0, 'chunk', { type: 'token', text: 'sh' })
    says(0, 'done', { type: 'done', usage: { input_tokens: 4, output_tokens: 2, compute_ms: 1 } })
    expect(await answer).toEqual({ text: 'fish', tokens: 6 })
  })

  it('counts by length what an engine does not', async () => {
    const { port, says } = engine()
    const answer = port.complete(PROMPT, never)
    says(0, 'chunk', { type: 'token', text: 'fishfish' })
    says(0, 'done', { type: 'done', usage: { compute_ms: 1 } })
    expect((await answer).tokens).toBe(Math.ceil(9 / 4 + 2))
  })

  it('fails as its engine does', async () => {
    const { port, runs } = engine()
    const answer = port.complete(PROMPT, never)
    const error = { code: 'no-engine', message: 'No engine', retryable: true }
    runs[0]!.deliver({ type: 'outcome', id: runs[0]!.effect.id, event: 'failed', error })
    await expect(answer).rejects.toMatchObject(error)
  })

  it('is given up when nobody waits any more', async () => {
    const { port, runs, cancelled } = engine()
    const controller = new AbortController()
    const answer = port.complete(PROMPT, controller.signal)
    controller.abort()
    await expect(answer).rejects.toMatchObject({ code: 'timeout' })
    expect(cancelled).toEqual([runs[0]!.effect.id])
  })

  it('says so while the node starts', async () => {
    await expect(languagePort(() => undefined).complete(PROMPT, never)).rejects.toMatchObject({
      code: 'starting',
    })
  })
})
