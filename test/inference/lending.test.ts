/** A run goes to the best lender, and to the next when that one is lost: whoever listens hears each word and sample once. */
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Outcome, type OutsideEffect, placedAddress, type Ref } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import {
  createLending,
  type EngineEvent,
  type EngineInput,
  feedRun,
  finishRun,
  type InferPort,
  type Lender,
  openRun,
} from '../../src/inference/index.ts'

const ID = requestId('run:1')
const ACTOR: Ref = { address: placedAddress('session', 'a'), incarnation: 1 }
const PATIENCE_MS = 250
/** Nothing is known of what it takes there. */
const PLAIN = { expected_ms: undefined, idle: true } as const

/** A lender whose engine is played by the test. */
class Played implements InferPort {
  readonly effects: OutsideEffect<'infer'>[] = []
  readonly cancelled: string[] = []
  #deliver: ((outcome: Outcome) => void) | undefined
  /** Said at once when a run is opened. */
  refusal: string | undefined

  request(effect: OutsideEffect<'infer'>, deliver: (outcome: Outcome) => void): void {
    this.effects.push(effect)
    this.#deliver = deliver
    if (effect.op === 'open' && this.refusal !== undefined) this.fail(this.refusal)
  }

  cancel(id: string): void {
    this.cancelled.push(id)
  }

  actorGone(): void {}

  say(event: EngineEvent): void {
    this.#deliver?.({ type: 'outcome', id: ID, event: event.type === 'done' ? 'done' : 'chunk', body: event })
  }

  fail(code: string): void {
    this.#deliver?.({
      type: 'outcome',
      id: ID,
      event: 'failed',
      error: { code, message: code, retryable: true },
    })
  }

  get ops(): string[] {
    return this.effects.map(({ op }) => op)
  }
}

let clock: SimulatedClock
let near: Played
let far: Played
let offered: Lender[]
let heard: Outcome[]
let moves: string[]
let port: InferPort

const events = (): EngineEvent[] =>
  heard.flatMap((outcome) => (outcome.event === 'failed' ? [] : [outcome.body as EngineEvent]))
const ask = (effect: OutsideEffect<'infer'>): void =>
  port.request(effect, (outcome) => heard.push(outcome), ACTOR)
const audio = (...samples: number[]): EngineInput => ({ type: 'audio', samples: Float32Array.from(samples) })
const done: EngineEvent = { type: 'done', usage: { compute_ms: 1 } }

beforeEach(() => {
  clock = new SimulatedClock()
  near = new Played()
  far = new Played()
  offered = [
    { name: 'far', model: 'm', port: far, patience_ms: PATIENCE_MS, ...PLAIN },
    { name: 'near', model: 'm', port: near, patience_ms: undefined, ...PLAIN },
  ]
  heard = []
  moves = []
  port = createLending({
    clock,
    lenders: () => offered,
    moved: (_to, from, next, why) => moves.push(`${from.name} ${next.name} ${why}`),
  })
})

describe('recognition', () => {
  const open = openRun(ID, 'stt', { kind: 'stt', sample_rate: 16000 })

  test('goes to the best lender alone', () => {
    ask(open)
    ask(feedRun(ID, 'stt', audio(0.1)))
    ask(finishRun(ID, 'stt'))
    expect(far.ops).toEqual(['open', 'feed', 'finish'])
    expect(near.ops).toEqual([])
  })

  test('lost in mid-utterance, is done again elsewhere with all that was heard', () => {
    ask(open)
    ask(feedRun(ID, 'stt', audio(0.1)))
    ask(feedRun(ID, 'stt', audio(0.2)))
    far.say({ type: 'partial', text: 'set a' })
    far.fail('unreachable')
    expect(near.effects.map(({ op, body }) => [op, op === 'feed' ? body : undefined])).toEqual([
      ['open', undefined],
      ['feed', audio(0.1)],
      ['feed', audio(0.2)],
    ])
    ask(feedRun(ID, 'stt', audio(0.3)))
    ask(finishRun(ID, 'stt'))
    expect(near.ops).toEqual(['open', 'feed', 'feed', 'feed', 'finish'])
    near.say({ type: 'final', text: 'set a timer' })
    near.say(done)
    expect(events().map((event) => event.type)).toEqual(['partial', 'final', 'done'])
    expect(moves).toEqual(['far near unreachable'])
  })

  test('waits for a lender only while it may still be at work', () => {
    ask(open)
    ask(feedRun(ID, 'stt', audio(0.1)))
    clock.advance(60_000)
    expect(near.ops).toEqual([])
    ask(finishRun(ID, 'stt'))
    clock.advance(PATIENCE_MS - 1)
    expect(near.ops).toEqual([])
    clock.advance(1)
    expect(near.ops).toEqual(['open', 'feed', 'finish'])
    expect(far.cancelled).toEqual([ID])
  })

  test('hears nothing more of a lender it left', () => {
    ask(open)
    ask(finishRun(ID, 'stt'))
    clock.advance(PATIENCE_MS)
    far.say({ type: 'final', text: 'too late' })
    near.say({ type: 'final', text: 'in time' })
    expect(events()).toEqual([{ type: 'final', text: 'in time' }])
  })
})

describe('an answer under way', () => {
  const open = openRun(ID, 'tts', { kind: 'tts', text: 'hello' })
  const spoken = (...samples: number[]): EngineEvent => ({
    type: 'audio',
    samples: Int16Array.from(samples),
    sample_rate: 16_000,
  })

  test('of another model is not carried on', () => {
    offered[1] = { ...offered[1]!, model: 'another' }
    ask(open)
    far.say(spoken(1, 2))
    far.fail('unreachable')
    expect(near.ops).toEqual([])
    expect(heard.at(-1)).toMatchObject({ event: 'failed', error: { code: 'unreachable' } })
  })

  test('is heard once, wherever it broke and however the next engine cuts it', () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(pieces, pieces, fc.nat(12), (first, second, breaksAt) => {
        const whole = Array.from({ length: 40 }, (_, i) => i)
        const voiceA = new Played()
        const voiceB = new Played()
        const sink: Outcome[] = []
        const lending = createLending({
          clock,
          lenders: () => [
            { name: 'a', model: 'm', port: voiceA, patience_ms: undefined, ...PLAIN },
            { name: 'b', model: 'm', port: voiceB, patience_ms: undefined, ...PLAIN },
          ],
        })
        lending.request(open, (outcome) => sink.push(outcome), ACTOR)
        let at = 0
        for (const size of first.slice(0, breaksAt)) {
          if (at + size > whole.length) break
          voiceA.say(spoken(...whole.slice(at, at + size)))
          at += size
        }
        voiceA.fail('engine-crashed')
        at = 0
        for (const size of [...second, whole.length]) {
          voiceB.say(spoken(...whole.slice(at, at + size)))
          at += size
        }
        voiceB.say(done)
        const samples = sink.flatMap((outcome) =>
          outcome.event === 'chunk' ? [...(outcome.body as { samples: Int16Array }).samples] : [],
        )
        expect(samples).toEqual(whole)
      }),
    )
  })

  test('of text continues behind the last character', () => {
    ask(openRun(ID, 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 }))
    far.say({ type: 'token', text: '{"a' })
    far.fail('engine-crashed')
    near.say({ type: 'token', text: '{' })
    near.say({ type: 'token', text: '"ab' })
    near.say(done)
    expect(events().flatMap((event) => (event.type === 'token' ? [event.text] : []))).toEqual(['{"a', 'b'])
  })
})

describe('failures', () => {
  const open = openRun(ID, 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 }, 1_000)

  test('that say something of the work are passed on as they are', () => {
    ask(open)
    far.fail('invalid-input')
    expect(near.ops).toEqual([])
    expect(heard).toMatchObject([{ event: 'failed', error: { code: 'invalid-input' } }])
  })

  test('of everyone end with the last reason, and each is tried once', () => {
    far.refusal = 'overloaded'
    near.refusal = 'engine-unavailable'
    ask(open)
    expect([far.ops, near.ops]).toEqual([['open'], ['open']])
    expect(heard).toMatchObject([{ event: 'failed', error: { code: 'engine-unavailable' } }])
  })

  test('leave the next lender what is left of the deadline', () => {
    ask(open)
    clock.advance(200)
    far.fail('unreachable')
    expect(near.effects[0]).toMatchObject({ op: 'open', deadline_ms: 800 })
  })

  test('without any lender say that nobody offers it', () => {
    offered = []
    ask(open)
    expect(heard).toMatchObject([
      { event: 'failed', error: { code: 'engine-unavailable', retryable: false } },
    ])
  })
})

test('after a cancel nothing is delivered and nobody works on', () => {
  ask(openRun(ID, 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 }))
  port.cancel(ID, ACTOR)
  far.say({ type: 'token', text: 'x' })
  clock.advance(10_000)
  expect(far.cancelled).toEqual([ID])
  expect([heard, near.ops]).toEqual([[], []])
})

test('an actor that is gone has no runs left', () => {
  ask(openRun(ID, 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 }))
  port.actorGone(ACTOR)
  far.fail('unreachable')
  expect(far.cancelled).toEqual([ID])
  expect([heard, near.ops]).toEqual([[], []])
})
