import { describe, expect, it } from 'vitest'
import { MAX_WORDS, normalise } from '../../../src/skills/intents/normalise.ts'

describe('words of a text', () => {
  it.each([
    ['Turn ON the lights!', 'turn on the lights'],
    ["What's the time?", 'what is the time'],
    ['what’s the time', 'what is the time'],
    ["don't", 'do not'],
    ["I'm home, thank you.", 'i am home thank you'],
    ["that'll do", 'that will do'],
    ["the doctor's number", 'the doctor number'],
    ['5 minutes', 'five minutes'],
    ['dim to 20%', 'dim to twenty percent'],
    ['21°', 'twenty one degrees'],
    ['1.5 hours', 'one and a half hours'],
    ['2½ minutes', 'two and a half minutes'],
    ['½ hour', 'half hour'],
    ['5min', 'five minutes'],
    ['30s', 'thirty seconds'],
    ['007', 'seven'],
    ['100', 'one hundred'],
    ['10:30', 'ten thirty'],
    ['1000000', '1000000'],
    ['turn on the TV', 'turn on the television'],
    ['call mum', 'call mom'],
    ['fifty per cent', 'fifty percent'],
    ['café', 'cafe'],
    ['ＦＵＬＬ ｗｉｄｔｈ', 'full width'],
    ['set\u0000 a\u0007 ti\u200bmer', 'set a timer'],
    ['turn on <unk> lights', 'turn on <unk> lights'],
    ['<UNK>', '<unk>'],
    ['🕰️ 🤖', ''],
    ['', ''],
  ])('%j → %j', (text, words) => {
    expect(normalise(text).words.join(' ')).toBe(words)
  })

  it('keeps to its limits and says that something was left out', () => {
    const long = normalise('set a timer '.repeat(50_000))
    expect(long.words).toHaveLength(MAX_WORDS)
    expect(long.truncated).toBe(true)
    expect(normalise('a '.repeat(MAX_WORDS)).truncated).toBe(false)
    expect(normalise('x'.repeat(1_000_000)).words[0]!.length).toBeLessThanOrEqual(32)
  })

  it('gives the same words when applied to its own result', () => {
    for (const text of ["what's 20% of 1.5?", 'Set a 5min timer', 'mum’s TV', '10:30']) {
      const once = normalise(text).words.join(' ')
      expect(normalise(once).words.join(' ')).toBe(once)
    }
  })
})
