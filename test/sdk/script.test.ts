/** What a script of tests notices: each expectation that was not met is named, with what was expected and what was. */
import { describe, expect, it } from 'vitest'
import { differences, scriptSchema, waitOf } from '../../sdk/testing/script.ts'
import type { Happened } from '../../sdk/testing/stage.ts'

const happened: Happened = {
  ...{ intent: 'tea.start', slots: { duration: 240 }, reply: 'In four minutes.', asks: undefined },
  ...{ announced: ['Tea.'], cards: [{ title: 'Tea' }], errors: [] },
  calls: [
    { change: 'timer-set', timer: 'tea', delay_ms: 240_000 },
    { change: 'log', level: 'info', message: 'x' },
  ],
}
const commands = [{ device: 'lamp', command: 'on' }]
const met = {
  ...{
    say: 'tea',
    intent: 'tea.start',
    slots: { duration: 240 },
    reply: 'In four minutes.',
    calls: ['timer-set'],
  },
  ...{ announced: 'Tea.', card: { title: 'Tea' }, commands },
}

describe('a step', () => {
  it('that went as expected has no differences; its log is not counted', () => {
    expect(differences(met, happened, commands)).toEqual([])
    expect(differences({ say: 'tea' }, happened, commands)).toEqual([])
    expect(differences({ say: 'tea', reply: '/four minutes/' }, happened, [])).toEqual([])
  })

  it.each([
    ['intent', { intent: 'tea.stop' }, 'intent: expected “tea.stop”, was “tea.start”'],
    ['slots', { slots: { duration: 60 } }, 'slots: expected {"duration":60}, was {"duration":240}'],
    ['reply', { reply: 'Now.' }, 'reply: expected “Now.”, was “In four minutes.”'],
    ['pattern', { reply: '/^four/' }, 'reply: expected “/^four/”, was “In four minutes.”'],
    ['asks', { asks: 'duration' }, 'asks: expected “duration”, was “nothing”'],
    ['calls', { calls: [] }, 'calls: expected [], was ["timer-set"]'],
    ['announced', { announced: [] }, 'announced: expected [], was ["Tea."]'],
    ['card', { card: {} }, 'card: expected {}, was {"title":"Tea"}'],
    ['commands', { commands: [] }, 'commands: expected [], was [{"device":"lamp","command":"on"}]'],
    ['fails', { fails: 'memory' }, 'fails: expected “memory”, was “no error”'],
  ])('tells of another %s', (_, expected, told) => {
    expect(differences({ say: 'tea', ...expected }, happened, commands)).toEqual([told])
  })

  it('tells of an error that nobody expected, and takes one that was', () => {
    const failed = { ...happened, errors: ['it used up its memory'] }
    expect(differences({ say: 'tea' }, failed, [])).toEqual(['the skill failed: it used up its memory'])
    expect(differences({ say: 'tea', fails: 'memory' }, failed, [])).toEqual([])
  })

  it('either says something or waits', () => {
    const step = (what: object) => scriptSchema.safeParse([{ test: 'x', steps: [what] }]).success
    expect(step({ say: 'tea' })).toBe(true)
    expect(step({ wait: '1 minute' })).toBe(true)
    expect(step({})).toBe(false)
    expect(step({ say: 'tea', wait: '1 minute' })).toBe(false)
    expect(step({ say: 'tea', rely: 'x' })).toBe(false)
  })
})

describe('a wait', () => {
  it.each([
    ['90 seconds', 90_000],
    ['1 minute', 60_000],
    ['1 hour 5 minutes', 3_900_000],
    ['2h', 7_200_000],
    ['1.5 s', 1_500],
    ['1 day', 86_400_000],
    ['soon', undefined],
    ['3 fortnights', undefined],
  ])('%s is %s ms', (text, ms) => {
    expect(waitOf(text)).toBe(ms)
  })
})
