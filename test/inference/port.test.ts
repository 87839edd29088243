/** What actors see of the engines: outcomes of their own runs, nothing after a cancel, nothing of others. */
import { beforeEach, expect, test } from 'vitest'
import { type Outcome, placedAddress, type Ref } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import {
  createInferPort,
  type EngineEvent,
  type EngineInput,
  feedRun,
  finishRun,
  type InferPort,
  openRun,
} from '../../src/inference/index.ts'

/** A pool whose runs are played by the test. */
interface PlayedRun {
  readonly to: string
  readonly deadline_ms: number | undefined
  readonly inputs: EngineInput[]
  finished: boolean
  cancelled: boolean
  say(event: EngineEvent): void
}

let runs: PlayedRun[]
let port: InferPort
let heard: Outcome[]

const session = (key: string): Ref => ({ address: placedAddress('session', key), incarnation: 1 })
const ask = (effect: Parameters<InferPort['request']>[0], actor = session('a')) =>
  port.request(effect, (outcome) => heard.push(outcome), actor)

beforeEach(() => {
  runs = []
  heard = []
  port = createInferPort({
    run(to, _request, onEvent, options) {
      const played: PlayedRun = {
        to,
        deadline_ms: options?.deadline_ms,
        inputs: [],
        finished: false,
        cancelled: false,
        say: onEvent,
      }
      runs.push(played)
      return {
        feed: (input) => played.inputs.push(input),
        finish: () => {
          played.finished = true
        },
        cancel: () => {
          played.cancelled = true
        },
      }
    },
  })
})

const ID = requestId('hear:1')
const DONE: EngineEvent = { type: 'done', usage: { compute_ms: 1 } }
const listen = () => ask(openRun(ID, 'stt', { kind: 'stt', sample_rate: 16_000 }, 5_000))

test('a run is opened, fed and finished with what the actor said', () => {
  listen()
  const samples = new Float32Array(320)
  ask(feedRun(ID, 'stt', { type: 'audio', samples }))
  ask(finishRun(ID, 'stt'))
  expect(runs).toMatchObject([
    { to: 'stt', deadline_ms: 5_000, inputs: [{ type: 'audio', samples }], finished: true },
  ])
})

test('events come as chunks, the last one as done', () => {
  listen()
  runs[0]!.say({ type: 'partial', text: 'set' })
  runs[0]!.say(DONE)
  expect(heard).toEqual([
    { type: 'outcome', id: ID, event: 'chunk', body: { type: 'partial', text: 'set' } },
    { type: 'outcome', id: ID, event: 'done', body: DONE },
  ])
})

test('a failure comes as failed with its error', () => {
  listen()
  const error = { code: 'engine-crashed', message: 'It ended', retryable: true }
  runs[0]!.say({ type: 'failed', error })
  expect(heard).toEqual([{ type: 'outcome', id: ID, event: 'failed', error }])
})

test('a cancel drops the run; the same id may be used again', () => {
  listen()
  port.cancel(ID, session('a'))
  expect(runs[0]!.cancelled).toBe(true)
  listen()
  ask(finishRun(ID, 'stt'))
  expect(runs.map(({ finished }) => finished)).toEqual([false, true])
})

test('opening an id again drops the run it stood for', () => {
  listen()
  listen()
  expect(runs.map(({ cancelled }) => cancelled)).toEqual([true, false])
})

test('two actors may use the same id', () => {
  listen()
  ask(openRun(ID, 'stt', { kind: 'stt', sample_rate: 16_000 }), session('b'))
  port.cancel(ID, session('a'))
  expect(runs.map(({ cancelled }) => cancelled)).toEqual([true, false])
})

test('an actor that is gone leaves no run behind', () => {
  listen()
  ask(openRun(requestId('say:1'), 'tts', { kind: 'tts', text: 'hello' }))
  ask(openRun(ID, 'stt', { kind: 'stt', sample_rate: 16_000 }), session('b'))
  port.actorGone(session('a'))
  expect(runs.map(({ cancelled }) => cancelled)).toEqual([true, true, false])
})

test('input for a run that has ended goes nowhere', () => {
  listen()
  runs[0]!.say(DONE)
  ask(feedRun(ID, 'stt', { type: 'audio', samples: new Float32Array(320) }))
  port.cancel(ID, session('a'))
  expect(runs[0]).toMatchObject({ inputs: [], cancelled: false })
})

test('an unknown operation fails', () => {
  ask({ type: 'infer', id: ID, to: 'stt', op: 'dance' })
  expect(heard).toMatchObject([{ event: 'failed', error: { code: 'invalid-input' } }])
})
