/** A late run is begun a second time where nobody waits for it; whoever has a result first is heard, and alone. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Outcome, placedAddress, type Ref } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import { SimulatedClock, SimulatedRandom } from '../../src/host/simulated/index.ts'
import {
  createLending,
  type EngineEvent,
  feedRun,
  finishRun,
  type InferPort,
  type Lender,
  openRun,
} from '../../src/inference/index.ts'

const ID = requestId('run:1')
const ACTOR: Ref = { address: placedAddress('session', 'a'), incarnation: 1 }
const EXPECTED_MS = 100
const PATIENCE_MS = 400

/** An engine that answers when the test says so, in the name of the last run it was given. */
class Played implements InferPort {
  readonly ops: string[] = []
  cancelled = 0
  #deliver: ((event: EngineEvent | string) => void) | undefined

  request: InferPort['request'] = ({ id, op }, deliver) => {
    this.ops.push(op)
    this.#deliver = (event) =>
      deliver(
        typeof event === 'string'
          ? { type: 'outcome', id, event: 'failed', error: { code: event, message: event, retryable: true } }
          : { type: 'outcome', id, event: event.type === 'done' ? 'done' : 'chunk', body: event },
      )
  }
  cancel = (): void => {
    this.cancelled += 1
  }
  actorGone = (): void => undefined

  say(event: EngineEvent | string): void {
    this.#deliver?.(event)
  }
}

function scene({ idle = true, patience_ms = undefined as number | undefined, waited = true } = {}) {
  const clock = new SimulatedClock()
  const [slow, quick] = [new Played(), new Played()]
  const lenders: Lender[] = [
    { name: 'slow', model: 'm', port: slow, patience_ms, expected_ms: EXPECTED_MS, idle: true },
    { name: 'quick', model: 'm', port: quick, patience_ms, expected_ms: 10, idle },
  ]
  const heard: Outcome[] = []
  const notes: string[] = []
  const underway = new Map<string, number>()
  const port = createLending({
    clock,
    lenders(_to, at) {
      for (const { name, model } of lenders) underway.set(name, at(name, model))
      return lenders
    },
    hedged: () => waited,
    lent: (_to, { name }, _actor, chosen) => notes.push(`${name} ${chosen}`),
    hedge: (_to, { name }, event) => notes.push(`${name} ${event}`),
    waited: (_to, { name }, wait_ms) => notes.push(`${name} ${wait_ms} ms`),
  })
  const ask = (effect: Parameters<InferPort['request']>[0]): void =>
    port.request(effect, (outcome) => heard.push(outcome), ACTOR)
  const spoken = (): void => {
    ask(openRun(ID, 'stt', { kind: 'stt', sample_rate: 16000 }))
    ask(feedRun(ID, 'stt', { type: 'audio', samples: Float32Array.of(0.1) }))
    ask(finishRun(ID, 'stt'))
  }
  const events = (): string[] => heard.map((one) => (one.event === 'failed' ? one.error.code : one.event))
  return { clock, slow, quick, heard, notes, underway, port, ask, spoken, events }
}

const final: EngineEvent = { type: 'final', text: 'lights on' }
const done: EngineEvent = { type: 'done', usage: { compute_ms: 1 } }

test('the second one begins when the first is late, is given all, and goes on when it is sooner', () => {
  const { clock, slow, quick, heard, notes, spoken } = scene()
  spoken()
  clock.advance(EXPECTED_MS - 1)
  expect(quick.ops).toEqual([])
  clock.advance(1)
  expect(quick.ops).toEqual(['open', 'feed', 'finish'])
  clock.advance(20)
  quick.say({ type: 'partial', text: 'light' })
  quick.say(final)
  expect(slow.cancelled).toBe(1)
  slow.say({ type: 'final', text: 'too late' })
  quick.say(done)
  expect(heard.map((one) => [one.id, one.event === 'failed' ? '' : one.body])).toEqual([
    [ID, final],
    [ID, done],
  ])
  expect(notes).toEqual([
    'slow best',
    'quick begun',
    'slow 120 ms',
    'quick won',
    'quick hedge',
    'quick 20 ms',
  ])
})

test('the first one goes on when it is sooner after all', () => {
  const { clock, slow, quick, notes, spoken, events } = scene()
  spoken()
  clock.advance(EXPECTED_MS + 5)
  slow.say(final)
  expect(quick.cancelled).toBe(1)
  quick.say(final)
  slow.say(done)
  expect(events()).toEqual(['chunk', 'done'])
  expect(notes).toEqual(['slow best', 'quick begun', 'slow 105 ms', 'quick lost'])
})

test('nothing is begun twice after a result, between it and the end of the run', () => {
  const { clock, slow, quick, spoken } = scene()
  spoken()
  clock.advance(EXPECTED_MS - 1)
  slow.say(final)
  clock.advance(1_000)
  expect(quick.ops).toEqual([])
})

test.each([
  ['the other one is busy', { idle: false }],
  ['nobody stands and waits', { waited: false }],
])('it stays with the first when %s', (_, how) => {
  const { clock, quick, spoken } = scene(how)
  spoken()
  clock.advance(10_000)
  expect(quick.ops).toEqual([])
})

describe('the loss of one of two', () => {
  test('the first: the second goes on, and is not begun again', () => {
    const { clock, slow, quick, spoken, events } = scene()
    spoken()
    clock.advance(EXPECTED_MS)
    slow.say('engine-crashed')
    expect(quick.ops).toEqual(['open', 'feed', 'finish'])
    quick.say(final)
    quick.say(done)
    expect(events()).toEqual(['chunk', 'done'])
  })
  test('the second: the first goes on', () => {
    const { clock, slow, quick, spoken, events } = scene()
    spoken()
    clock.advance(EXPECTED_MS)
    quick.say('unreachable')
    slow.say(final)
    slow.say(done)
    expect(events()).toEqual(['chunk', 'done'])
  })
  test('both: the run fails once', () => {
    const { clock, slow, quick, spoken, events } = scene()
    spoken()
    clock.advance(EXPECTED_MS)
    quick.say('unreachable')
    slow.say('engine-crashed')
    expect(events()).toEqual(['engine-crashed'])
  })
  test('patience with the first ends: the second is the first', () => {
    const { clock, slow, quick, spoken, events } = scene({ patience_ms: PATIENCE_MS })
    spoken()
    clock.advance(PATIENCE_MS)
    expect([slow.cancelled, quick.ops]).toEqual([1, ['open', 'feed', 'finish']])
    quick.say(final)
    quick.say(done)
    expect(events()).toEqual(['chunk', 'done'])
  })
})

test('a run that is given up is given up by both', () => {
  const { clock, slow, quick, port, spoken, underway, ask } = scene()
  spoken()
  clock.advance(EXPECTED_MS)
  port.cancel(ID, ACTOR)
  expect([slow.cancelled, quick.cancelled]).toEqual([1, 1])
  ask(openRun(requestId('run:2'), 'stt', { kind: 'stt', sample_rate: 16000 }))
  expect([...underway.values()]).toEqual([0, 0])
})

test('at most one of ten runs is begun twice in the long run, however late all are', () => {
  const { clock, slow, notes, ask } = scene()
  for (let run = 0; run < 1_000; run += 1) {
    const id = requestId(`run:${run}`)
    ask(openRun(id, 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 }))
    clock.advance(EXPECTED_MS)
    slow.say({ type: 'token', text: 'x' })
    slow.say(done)
  }
  const begun = notes.filter((note) => note === 'quick begun').length
  expect(begun).toBeGreaterThan(50)
  expect(begun).toBeLessThanOrEqual(1_000 * 0.1 + 4)
})

test('of engines that are late now and then, the latest answers come sooner, for one of twenty runs begun twice', () => {
  const RUNS = 2_000
  /** The hundredth part that waited longest, for first results that take 50 ms, and fifteen times as long one time in thirty. */
  const waits = (hedged: boolean) => {
    const clock = new SimulatedClock()
    const random = new SimulatedRandom(11)
    let [underway, cancelled, begun] = [0, 0, 0]
    const engine = (): InferPort => {
      const runs = new Map<string, () => void>()
      return {
        request({ id, op }, deliver) {
          if (op !== 'open') return
          underway += 1
          const takes_ms = random.float() < 1 / 30 ? 15 * 50 : 50
          const wait = clock.after(takes_ms, () => {
            runs.delete(id)
            underway -= 1
            deliver({ type: 'outcome', id, event: 'chunk', body: { type: 'token', text: 'x' } })
            deliver({ type: 'outcome', id, event: 'done', body: done })
          })
          runs.set(id, wait)
        },
        cancel(id) {
          runs.get(id)?.()
          if (runs.delete(id)) [underway, cancelled] = [underway - 1, cancelled + 1]
        },
        actorGone() {},
      }
    }
    const [one, other] = [engine(), engine()]
    const lender = (name: string, port: InferPort): Lender => ({
      ...{ name, model: 'm', port, patience_ms: undefined, expected_ms: 60, idle: true },
    })
    const port = createLending({
      clock,
      lenders: () => [lender('one', one), lender('other', other)],
      hedged: () => hedged,
      hedge: (_to, _second, event) => {
        if (event === 'begun') begun += 1
      },
    })
    const took: number[] = []
    for (let run = 0; run < RUNS; run += 1) {
      const id = requestId(`run:${run}`)
      const start = clock.monotonic()
      const effect = openRun(id, 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 })
      port.request(effect, ({ event }) => event === 'done' && took.push(clock.monotonic() - start), ACTOR)
      clock.advance(1_000)
    }
    took.sort((a, b) => a - b)
    return { answered: took.length, p99_ms: took[Math.floor(RUNS * 0.99)]!, underway, cancelled, begun }
  }
  expect(waits(false)).toEqual({ answered: RUNS, p99_ms: 750, underway: 0, cancelled: 0, begun: 0 })
  const { answered, p99_ms, underway, cancelled, begun } = waits(true)
  expect([answered, underway]).toEqual([RUNS, 0])
  expect(p99_ms).toBeLessThanOrEqual(60 + 50)
  // Each has one loser, and that one is told to stop.
  expect(cancelled).toBe(begun)
  expect(begun / RUNS).toBeLessThan(1 / 20)
})

test('whatever the two do, in whatever order, one answer is heard, whole and once', () => {
  let second = 0
  const steps = fc.array(fc.constantFrom('slow', 'quick', 'slow fails', 'quick fails', 'time'), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(steps, (order) => {
      const { clock, slow, quick, heard, ask, notes } = scene()
      ask(openRun(ID, 'llm', { kind: 'llm', prompt: 'p', max_tokens: 9 }))
      const said = { slow: 0, quick: 0 }
      const words = ['a', 'b', 'c']
      const next = (name: 'slow' | 'quick', engine: Played): void => {
        if (!engine.ops.includes('open')) return
        const word = words[said[name]]
        said[name] += 1
        if (said[name] > words.length + 1) return
        engine.say(word === undefined ? done : { type: 'token', text: word })
      }
      for (const step of order) {
        if (step === 'time') clock.advance(EXPECTED_MS)
        else if (step === 'slow') next('slow', slow)
        else if (step === 'quick') next('quick', quick)
        else if (step === 'slow fails') slow.say('engine-crashed')
        else if (quick.ops.includes('open')) quick.say('engine-crashed')
      }
      if (notes.includes('quick begun')) second += 1
      const text = heard
        .map((one) => (one.event === 'chunk' ? (one.body as { text: string }).text : ''))
        .join('')
      const ends = heard.filter(({ event }) => event !== 'chunk')
      expect(ends.length).toBeLessThanOrEqual(1)
      expect('abc'.startsWith(text)).toBe(true)
      if (ends[0]?.event === 'done') expect(text).toBe('abc')
    }),
    { seed: 7, numRuns: 1_000 },
  )
  expect(second).toBeGreaterThan(100)
})
