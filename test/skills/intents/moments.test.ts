/** Points in time as they are said: what is kept of them. */
import { describe, expect, it } from 'vitest'
import { compileGrammar, normalise, read } from '../../../src/skills/intents/index.ts'
import { readMoments } from '../../../src/skills/intents/moments.ts'

/** What the whole text means. */
function moment(text: string): string | undefined {
  const { words } = normalise(text)
  return readMoments(words, 0).spans.find(({ end }) => end === words.length)?.value
}

describe('a moment', () => {
  it.each([
    ['tomorrow', '+1'],
    ['tomorrow at eight', '+1 08:00?'],
    ['at eight tomorrow', '+1 08:00?'],
    ['tomorrow at 8 pm', '+1 20:00'],
    ['tomorrow at 8 p.m.', '+1 20:00'],
    ['tomorrow at 12 am', '+1 00:00'],
    ['tomorrow at eight thirty', '+1 08:30?'],
    ['at 8:30 am', '08:30'],
    ["at eight o'clock", '08:00?'],
    ["eight o'clock", '08:00?'],
    ['at twenty fifteen', '20:15'],
    ['at half past six', '06:30?'],
    ['half past six in the evening', '18:30'],
    ['at a quarter to nine', '08:45?'],
    ['at ten past nine in the morning', '09:10'],
    ['at five minutes to midnight', undefined],
    ['at noon', '12:00'],
    ['tomorrow morning', '+1 09:00'],
    ['tomorrow evening at eight', '+1 20:00'],
    ['tonight', '+0 20:00'],
    ['this afternoon', '+0 15:00'],
    ['today at four in the afternoon', '+0 16:00'],
    ['on monday', 'mon'],
    ['next friday at noon', 'fri 12:00'],
    ['on saturday morning at ten', 'sat 10:00'],
    ['at six on sunday', 'sun 06:00?'],
    ['eight', undefined],
    ['in ten minutes', undefined],
    ['at sixty', undefined],
  ])('%s is %s', (text, value) => {
    expect(moment(text)).toBe(value)
  })
})

describe('sentences with free words', () => {
  const grammar = compileGrammar([
    {
      file: 'a',
      content: {
        types: { task: { 'call mom': [] } },
        intents: {
          'a.free': {
            slots: { what: { type: 'text' }, when: { type: 'moment' } },
            templates: ['remind me to {what} {when}', 'note that {what}'],
          },
          'b.listed': {
            slots: { task: { type: 'task' }, when: { type: 'moment' } },
            templates: ['remind me to {task} {when}'],
          },
        },
      },
    },
  ])
  it('take what is between the others, the shortest that fits', () => {
    expect(read(grammar, 'remind me to water the roses tomorrow at eight').intent).toEqual({
      name: 'a.free',
      slots: { what: 'water the roses', when: '+1 08:00?' },
    })
    expect(read(grammar, 'note that the key is under the mat')).toMatchObject({
      intent: { slots: { what: 'the key is under the mat' } },
      score: 1,
    })
  })
  it('leave what is listed to those who list it', () => {
    expect(read(grammar, 'remind me to call mom tomorrow').intent).toEqual({
      name: 'b.listed',
      slots: { task: 'call mom', when: '+1' },
    })
  })
  it('are never guessed from a damaged sentence, nor from words that were not heard', () => {
    expect(read(grammar, 'not that the key is under the mat').intent.name).toBe('none')
    expect(read(grammar, 'note that the <unk> is here').intent.name).toBe('none')
  })
  it('are begun before they are said', () => {
    expect(read(grammar, 'remind me to water')).toMatchObject({ complete: false, extendable: 'likely' })
  })
})
