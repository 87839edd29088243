import { describe, expect, test } from 'vitest'
import { read } from '../../src/skills/index.ts'
import {
  ENDPOINT_TIMES,
  endpoint,
  type Standing,
  silenceNeeded,
  standingOf,
} from '../../src/voice/endpointing.ts'
import { houseGrammar } from './house.ts'

const standing = (text: string): Standing => standingOf(text, read(houseGrammar(), text))

describe('how a text stands', () => {
  test.each<[string, Standing]>([
    ['', 'wordless'],
    ['what time is it', 'complete'],
    ['turn off the kitchen lights', 'complete'],
    ['turn on the lights', 'open'],
    ['add milk', 'open'],
    ['five minutes', 'unfinished'],
    ['set a timer for five minutes', 'extendable'],
    ['set a timer', 'unfinished'],
    ['set a timer for', 'unfinished'],
    ['turn on the kitchen', 'unfinished'],
    ['turn', 'unfinished'],
    ['remind me to call mom', 'unfinished'],
    ['colorless green ideas', 'unknown'],
  ])('%j is %s', (text, expected) => {
    expect(standing(text)).toBe(expected)
  })
})

describe('the silence a turn needs', () => {
  const order: Standing[] = ['complete', 'extendable', 'unknown', 'open', 'unfinished', 'wordless']

  test('grows the less whole the text is', () => {
    const times = order.map((one) => silenceNeeded(one, ENDPOINT_TIMES))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test.each(order)('is waited for to the frame when %s', (one) => {
    const needed = silenceNeeded(one, ENDPOINT_TIMES)
    const at = (silence_ms: number) =>
      endpoint({ silence_ms, utterance_ms: 2_000, standing: one }, ENDPOINT_TIMES)
    expect(at(needed - 20)).toEqual({ kind: 'wait', more_ms: 20 })
    expect(at(needed)).toEqual({ kind: 'end', reason: one })
  })

  test('does not matter after the longest utterance', () => {
    const heard = { silence_ms: 0, utterance_ms: ENDPOINT_TIMES.longest_ms, standing: 'unfinished' } as const
    expect(endpoint(heard, ENDPOINT_TIMES)).toEqual({ kind: 'end', reason: 'longest' })
  })
})
