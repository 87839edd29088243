/** What a skill says, a person may say back: the kit's words are words the node understands. */
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { normalise, readDurations, readNumbers } from '../../src/skills/intents/index.ts'
import { compileProbe, type Probe } from './kit.ts'

// Thousands of cases each: seconds on a free machine, minutes on one busy with something else.
vi.setConfig({ testTimeout: 300_000 })

let probe: Probe
beforeAll(async () => {
  probe = await compileProbe(`
    export { numberWords, ordinalWords, durationWords, durationAdjective, sentence, speakable } from '../../sdk/assemblyscript/words'
    import { count as countOf, joinWords } from '../../sdk/assemblyscript/words'
    export function count(value: i32, noun: string): string { return countOf(value, noun) }
    export function join(parts: string): string { return joinWords(parts.split('|')) }
  `)
}, 60_000)

/** The value these words are, whole. */
function understood(read: typeof readNumbers, text: string): number | undefined {
  const { words } = normalise(text)
  return read(words, 0).spans.find((span) => span.end === words.length)?.value
}

describe('words of the kit', () => {
  it('numbers are read back as themselves', () => {
    for (let value = 0; value <= 999; value += 1) {
      expect(understood(readNumbers, probe.call('numberWords', value)), `${value}`).toBe(value)
    }
    expect(probe.call('numberWords', 1000)).toBe('1000')
    expect(probe.call('numberWords', -3)).toBe('-3')
  })

  it('lengths of time are read back as themselves, for a whole day', () => {
    for (let seconds = 1; seconds <= 86_400; seconds += seconds < 4000 ? 1 : 61) {
      const words = probe.call('durationWords', BigInt(seconds))
      expect(understood(readDurations, words), words).toBe(seconds)
    }
  })

  it('what the node would refuse to speak is cut between words, or letters, and says so', () => {
    const short = `${'a '.repeat(499)}an`
    expect(probe.call('speakable', short)).toBe(short)
    const long = probe.call('speakable', 'remember the milk '.repeat(60))
    expect(long.length).toBeLessThanOrEqual(1_000)
    expect(long).toMatch(/^(remember the milk )+(remember (the (milk )?)?)?and so on\.$/)
    for (const letters of ['x'.repeat(1_200), '😀'.repeat(700), `x${'😀'.repeat(700)}`]) {
      const cut = probe.call('speakable', letters)
      expect(cut.isWellFormed()).toBe(true)
      expect(cut.length).toBeLessThanOrEqual(1_000)
      expect(cut.endsWith(' and so on.')).toBe(true)
    }
  })

  it.each([
    [1, 'one second'],
    [90, 'one minute and thirty seconds'],
    [3600, 'one hour'],
    [4205, 'one hour, ten minutes and five seconds'],
    [0, 'no time'],
  ])('%d seconds are "%s"', (seconds, words) =>
    expect(probe.call('durationWords', BigInt(seconds))).toBe(words),
  )

  it.each([
    [1, 'first'],
    [12, 'twelfth'],
    [20, 'twentieth'],
    [21, 'twenty first'],
    [31, 'thirty first'],
    [99, 'ninety ninth'],
  ])('%d is the %s', (value, words) => expect(probe.call('ordinalWords', value)).toBe(words))

  it('sentences are put together as people do', () => {
    expect(probe.call('durationAdjective', 300n)).toBe('five minute')
    expect(probe.call('count', 1, 'timer')).toBe('one timer')
    expect(probe.call('count', 3, 'timer')).toBe('three timers')
    expect(probe.call('join', 'milk')).toBe('milk')
    expect(probe.call('join', 'milk|eggs')).toBe('milk and eggs')
    expect(probe.call('join', 'milk|eggs|bread')).toBe('milk, eggs and bread')
    expect(probe.call('sentence', 'the kitchen')).toBe('The kitchen')
    expect(probe.call('sentence', '')).toBe('')
  })
})
