import { describe, expect, test } from 'vitest'
import { read } from '../../src/skills/index.ts'
import {
  ENDPOINT_TIMES,
  endpoint,
  type Standing,
  silenceNeeded,
  standingOf,
} from '../../src/voice/endpointing.ts'
import type { Manner } from '../../src/voice/finality.ts'
import { houseGrammar } from './house.ts'

const standing = (text: string): Standing => standingOf(text, read(houseGrammar(), text))

describe('how a text stands', () => {
  test.each<[string, Standing]>([
    ['', 'wordless'],
    ['what time is it', 'complete'],
    ['turn off the kitchen lights', 'complete'],
    ['turn off the kitchen lights please', 'complete'],
    ['turn off the kitchen lights thank', 'extendable'],
    ['pause', 'settled'],
    ['add milk and bread', 'settled'],
    ['turn on the lights', 'open'],
    ['turn on the lights in the kitchen', 'complete'],
    ['add milk', 'open'],
    ['five minutes', 'unfinished'],
    ['set a timer for five minutes', 'extendable'],
    ['set a timer', 'lacking'],
    ['set a timer for', 'unfinished'],
    ['turn on the kitchen', 'unfinished'],
    ['turn', 'unfinished'],
    ['remind me to call mom', 'lacking'],
    ['remind me to', 'unfinished'],
    ['colorless green ideas', 'unknown'],
  ])('%j is %s', (text, expected) => {
    expect(standing(text)).toBe(expected)
  })
})

const ORDER: readonly Standing[] = [
  'complete',
  'settled',
  'extendable',
  'unknown',
  'open',
  'lacking',
  'unfinished',
  'wordless',
]
const MANNERS: readonly Manner[] = ['yielding', 'unclear', 'holding']

const needed = (one: Standing, manner: Manner): number => silenceNeeded(one, manner, ENDPOINT_TIMES)

describe('the silence a turn needs', () => {
  test.each(MANNERS)('grows the less whole the text is, %s', (manner) => {
    const times = ORDER.map((one) => needed(one, manner)).filter((_, i) => i === 0 || ORDER[i] !== 'unknown')
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test.each(ORDER)('never shrinks when the voice holds, never grows when it yields: %s', (one) => {
    const times = MANNERS.map((manner) => needed(one, manner))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test.each<[Standing, Manner, keyof typeof ENDPOINT_TIMES]>([
    ['complete', 'yielding', 'complete_ms'],
    ['complete', 'unclear', 'complete_ms'],
    ['complete', 'holding', 'extendable_ms'],
    ['settled', 'yielding', 'complete_ms'],
    ['settled', 'unclear', 'extendable_ms'],
    ['settled', 'holding', 'extendable_ms'],
    ['extendable', 'yielding', 'extendable_ms'],
    ['extendable', 'unclear', 'extendable_ms'],
    ['extendable', 'holding', 'extendable_ms'],
    ['open', 'yielding', 'yielded_ms'],
    ['open', 'unclear', 'open_ms'],
    ['open', 'holding', 'open_ms'],
    ['lacking', 'yielding', 'yielded_ms'],
    ['lacking', 'unclear', 'unfinished_ms'],
    ['unknown', 'yielding', 'yielded_ms'],
    ['unknown', 'unclear', 'unknown_ms'],
    ['unfinished', 'yielding', 'unfinished_ms'],
    ['wordless', 'yielding', 'wordless_ms'],
  ])('%s and %s: %s', (one, manner, time) => {
    expect(needed(one, manner)).toBe(ENDPOINT_TIMES[time])
  })

  test.each(ORDER.flatMap((one) => MANNERS.map((manner) => [one, manner] as const)))(
    'is waited for to the frame when %s and %s',
    (one, manner) => {
      const at = (silence_ms: number) =>
        endpoint({ silence_ms, utterance_ms: 2_000, standing: one, manner }, ENDPOINT_TIMES)
      expect(at(needed(one, manner) - 20)).toEqual({ kind: 'wait', more_ms: 20 })
      expect(at(needed(one, manner))).toEqual({ kind: 'end', reason: one })
    },
  )

  test('does not matter after the longest utterance', () => {
    const heard = {
      silence_ms: 0,
      utterance_ms: ENDPOINT_TIMES.longest_ms,
      standing: 'unfinished',
      manner: 'holding',
    } as const
    expect(endpoint(heard, ENDPOINT_TIMES)).toEqual({ kind: 'end', reason: 'longest' })
  })
})
