import { describe, expect, test } from 'vitest'
import type { Outcome, OutsideEffect, Ref } from '../../src/actors/index.ts'
import { placedAddress } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import { type EngineEvent, openRun } from '../../src/inference/index.ts'
import { LeadingSilence } from '../../src/voice/leading-silence.ts'
import { ReplyCache } from '../../src/voice/reply-cache.ts'
import { splitSentences } from '../../src/voice/sentences.ts'
import { type InferPort, SpeechPort } from '../../src/voice/speech.ts'

const ACTOR: Ref = { address: placedAddress('session', 's'), incarnation: 1 }

/** Engines that do what the test says, when it says so. */
class ManualEngines implements InferPort {
  readonly opened: { effect: OutsideEffect<'infer'>; deliver: (outcome: Outcome) => void }[] = []
  readonly cancelled: string[] = []
  request: InferPort['request'] = (effect, deliver) => {
    this.opened.push({ effect, deliver })
  }
  cancel: InferPort['cancel'] = (id) => {
    this.cancelled.push(id)
  }
  actorGone: InferPort['actorGone'] = () => undefined

  chunk(run: number, samples: Int16Array, sample_rate = 16_000): void {
    const { effect, deliver } = this.opened[run]!
    const body: EngineEvent = { type: 'audio', samples, sample_rate }
    deliver({ type: 'outcome', id: effect.id, event: 'chunk', body })
  }

  done(run: number): void {
    const { effect, deliver } = this.opened[run]!
    deliver({
      type: 'outcome',
      id: effect.id,
      event: 'done',
      body: { type: 'done', usage: { compute_ms: 1 } },
    })
  }

  fail(run: number): void {
    const { effect, deliver } = this.opened[run]!
    const error = { code: 'engine-crashed', message: 'the engine ended', retryable: true }
    deliver({ type: 'outcome', id: effect.id, event: 'failed', error })
  }
}

/** One who asked for speech: the samples and the end that came. */
interface Heard {
  samples: number[]
  end: string | undefined
}

function stage(cache_bytes = 100_000) {
  const engines = new ManualEngines()
  const port = new SpeechPort(engines, cache_bytes)
  const ask = (id: string, text: string): Heard => {
    const heard: Heard = { samples: [], end: undefined }
    port.request(
      openRun(requestId(id), 'tts', { kind: 'tts', text }),
      (outcome) => {
        if (outcome.event !== 'chunk') heard.end = outcome.event
        else heard.samples.push(...(outcome.body as { samples: Int16Array }).samples)
      },
      ACTOR,
    )
    return heard
  }
  return { engines, port, ask }
}

const loud = (...values: number[]): Int16Array => Int16Array.from(values, (value) => value * 1_000)

describe('speech', () => {
  test('S1 said before is there at once, without an engine', () => {
    const { engines, ask } = stage()
    ask('a', 'Okay.')
    engines.chunk(0, loud(1, 2))
    engines.chunk(0, loud(3))
    engines.done(0)
    expect(ask('b', 'Okay.')).toEqual({ samples: [1_000, 2_000, 3_000], end: 'done' })
    expect(engines.opened).toHaveLength(1)
  })

  test('S2 asked for twice at a time is rendered once, and both hear all of it', () => {
    const { engines, ask } = stage()
    const first = ask('a', 'Okay.')
    engines.chunk(0, loud(1))
    const second = ask('b', 'Okay.')
    engines.chunk(0, loud(2))
    engines.done(0)
    expect(first).toEqual({ samples: [1_000, 2_000], end: 'done' })
    expect(second).toEqual(first)
    expect(engines.opened).toHaveLength(1)
  })

  test('goes on for the other when one gives up, and ends when both do', () => {
    const { engines, port, ask } = stage()
    const first = ask('a', 'Okay.')
    const second = ask('b', 'Okay.')
    port.cancel(requestId('a'), ACTOR)
    engines.chunk(0, loud(1))
    expect([first.samples, second.samples]).toEqual([[], [1_000]])
    expect(engines.cancelled).not.toContain(engines.opened[0]!.effect.id)
    port.cancel(requestId('b'), ACTOR)
    expect(engines.cancelled).toContain(engines.opened[0]!.effect.id)
  })

  test('S4 only a whole rendering is kept', () => {
    const { engines, ask } = stage()
    const heard = ask('a', 'Okay.')
    engines.chunk(0, loud(1))
    engines.fail(0)
    expect(heard.end).toBe('failed')
    ask('b', 'Okay.')
    expect(engines.opened).toHaveLength(2)
  })

  test('comes at 16 kHz whatever the voice renders', () => {
    const { engines, ask } = stage()
    const heard = ask('a', 'Okay.')
    engines.chunk(0, new Int16Array(22_050).fill(1_000), 22_050)
    engines.done(0)
    expect(heard.samples.length).toBe(16_000)
  })

  test('runs of other engines pass untouched', () => {
    const { engines, port } = stage()
    const effect = openRun(requestId('stt:1'), 'stt', { kind: 'stt', sample_rate: 16_000 })
    port.request(effect, () => undefined, ACTOR)
    port.cancel(requestId('stt:1'), ACTOR)
    expect(engines.opened[0]!.effect).toBe(effect)
    expect(engines.cancelled).toContain('stt:1')
  })

  test('is warmed one text after the other; what fails is left out', async () => {
    const { engines, port, ask } = stage()
    const warmed = port.warm('tts', ['One.', 'Two.'], undefined)
    engines.fail(0)
    await Promise.resolve()
    engines.chunk(1, loud(2))
    engines.done(1)
    await warmed
    expect(ask('a', 'Two.')).toMatchObject({ samples: [2_000], end: 'done' })
  })
})

test('S3 the cache holds no more than its bytes and forgets the least used', () => {
  const cache = new ReplyCache(1_000)
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, new Int16Array(120))
  cache.get('a')
  cache.set('e', new Int16Array(120))
  expect(cache.bytes).toBeLessThanOrEqual(1_000)
  expect(cache.get('a')).toBeDefined()
  expect(cache.get('b')).toBeUndefined()
  cache.set('large', new Int16Array(200))
  expect(cache.get('large')).toBeUndefined()
})

test('the silence before speech is taken off however it is cut, but for 4 ms', () => {
  const rendered = new Int16Array(3_000)
  rendered.fill(900, 2_000)
  for (const size of [1, 7, 100, 1_000, 3_000]) {
    const silence = new LeadingSilence()
    const heard: number[] = []
    for (let at = 0; at < rendered.length; at += size)
      heard.push(...silence.trim(rendered.slice(at, at + size)))
    expect(heard).toHaveLength(1_064)
    expect(heard.indexOf(900)).toBe(64)
  }
})

describe('a reply is cut into pieces', () => {
  test.each([
    ['One. Two!  Three?', ['One.', 'Two!', 'Three?']],
    ['It is 4.30 in the afternoon.', ['It is 4.30 in the afternoon.']],
    ['no full stop', ['no full stop']],
    [' \n\t ', []],
    ['... !!!', []],
    ['', []],
  ])('%j', (text, pieces) => {
    expect(splitSentences(text)).toEqual(pieces)
  })

  test('none longer than 160 characters, nothing lost', () => {
    const text = `${'word '.repeat(80)}and, ${'more '.repeat(50)}end.`
    const pieces = splitSentences(text)
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(160)
    expect(pieces.join(' ')).toBe(text)
  })

  test('a text without end is cut off', () => {
    expect(splitSentences('a'.repeat(1_000_000)).join('').length).toBeLessThanOrEqual(2_000)
  })
})
