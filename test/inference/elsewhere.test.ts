/** A server elsewhere: when it is asked again, and what of what it says is believed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { abandoned, ask, type Breaker, closed, failed, succeeded } from '../../src/inference/child/breaker.ts'
import { chatNews, EventLines, transcriptOf } from '../../src/inference/child/elsewhere-wire.ts'
import { enginesElsewhere } from '../../src/inference/elsewhere.ts'

const SEED = 20_261_126

describe('the breaker', () => {
  const opened = (now: number): Breaker =>
    [1, 2, 3].reduce<Breaker>((breaker) => failed(breaker, now), closed)

  it('K1: opens after three failures in a row, and lets one try when its pause is over', () => {
    expect(ask(failed(failed(closed, 0), 0), 0).allowed).toBe(true)
    expect(ask(opened(1_000), 1_000)).toMatchObject({ allowed: false, wait_ms: 5_000 })
    const trial = ask(opened(1_000), 6_000)
    expect(trial.allowed).toBe(true)
    expect(ask(trial.breaker, 6_001).allowed).toBe(false)
  })

  it('K2: doubles its pause up to a minute, and forgets all at a success', () => {
    let breaker = opened(0)
    let now = 0
    const pauses: number[] = []
    for (let turn = 0; turn < 6; turn += 1) {
      const { wait_ms } = ask(breaker, now)
      pauses.push(wait_ms)
      now += wait_ms
      breaker = failed(ask(breaker, now).breaker, now)
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
    expect(failed(succeeded(), now)).toEqual({ phase: 'closed', failures: 1 })
  })

  it('a trial that was given up proves nothing: the next one is the trial', () => {
    const { breaker } = ask(opened(0), 5_000)
    expect(ask(abandoned(breaker, 5_100), 5_100).allowed).toBe(true)
    expect(abandoned(closed, 0)).toBe(closed)
  })
})

describe('what a server says', () => {
  it('comes to the same events however it is cut', () => {
    const text = 'data: {"a":1}\r\n\r\n: a remark\nevent: x\ndata:{"b":2}\n\ndata: [DONE]\n\n'
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const lines = new EventLines()
        const places = [0, ...cuts.sort((a, b) => a - b), text.length]
        const events = places.slice(1).flatMap((place, at) => lines.push(text.slice(places[at], place)) ?? [])
        expect(events).toEqual(['{"a":1}', '{"b":2}', '[DONE]'])
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  it('is news of known kinds, whatever it is', () => {
    const known = ['text', 'reason', 'usage', 'end', 'garbled', 'broken']
    const part = fc.oneof(
      fc.jsonValue(),
      fc.record({
        choices: fc.array(
          fc.record(
            {
              delta: fc.oneof(fc.jsonValue(), fc.record({ content: fc.jsonValue() })),
              finish_reason: fc.jsonValue(),
            },
            { requiredKeys: [] },
          ),
        ),
        usage: fc.jsonValue(),
      }),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          part.map((value) => JSON.stringify(value)),
        ),
        (event) => {
          for (const { type } of chatNews(event)) expect(known).toContain(type)
          const text = transcriptOf(event)
          expect(text === undefined || typeof text === 'string').toBe(true)
        },
      ),
      { seed: SEED, numRuns: 1_000 },
    )
  })
})

describe('engines elsewhere', () => {
  const none = {
    ...{
      url: '',
      key_file: '',
      llm_model: 'm',
      stt_model: '',
      tts_model: '',
      tts_voice: 'alloy',
      timeout_ms: 1_000,
    },
  }
  it('are none without an address, and one for each model that is named', async () => {
    expect(enginesElsewhere(none)).toEqual([])
    const [one, ...more] = enginesElsewhere({ ...none, url: 'http://127.0.0.1:1/v1/', key_file: '/key' })
    expect(more).toEqual([])
    expect(one!.spec.tag).toBe('llm.openai:m')
    expect(await one!.spec.prepare()).toMatchObject({
      paths: { key: '/key' },
      parameters: { url: 'http://127.0.0.1:1/v1' },
    })
  })
})
