/**
 * What the intent model is measured with is never trained on, and which side a phrasing is on is nobody's choice.
 */
import { describe, expect, it } from 'vitest'
import { parseTemplate } from '../../src/skills/intents/template.ts'
import { accepts } from '../../training/accepts.ts'
import { heldOutSentences, trainingSentences } from '../../training/phrases.ts'
import { isHeldOut, readPhrasings } from '../../training/phrasings.ts'
import { withhold } from '../../training/withheld.ts'

const { grammar, phrasings } = readPhrasings()
/** Instead of Debian's word lists, which a machine that only tests does not have. */
const english = {
  talk: Array.from({ length: 60 }, (_, i) => `they say that number ${i} brings luck`),
  dictionary: ['zebra', 'umbrella', 'quietly', 'borrow', 'marble'],
}
/** What only changes what was just asked for is said in the words of its templates, and learned by no model. */
const learned = grammar.intents.filter(({ follows }) => !follows).map(({ intent }) => intent)
const values = new Set(['kitchen', 'five', 'minutes', 'milk'])

describe('a phrasing', () => {
  it('is held out by the hash of its text alone, about one in eight', () => {
    // What came after the first measurement is trained with only, whatever its hash.
    for (const one of phrasings) if (one.heldOut) expect(isHeldOut(one.text), one.text).toBe(true)
    const share = phrasings.filter((one) => isHeldOut(one.text)).length / phrasings.length
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(0.15)
  })

  it('stands once, for one intent', () => {
    const texts = phrasings.filter((one) => one.kind === 'frame').map((one) => one.text)
    expect(texts.filter((text, i) => texts.indexOf(text) !== i)).toEqual([])
  })

  it('is there for every intent of the house and its skills', () => {
    const known = new Set(phrasings.map((one) => one.intent.intent))
    expect(learned.filter((name) => !known.has(name))).toEqual([])
  })
})

describe('what is trained on', () => {
  const trained = trainingSentences(4_000, 0, english)

  it('is never a sentence that is measured with', () => {
    const measured = new Set(heldOutSentences(600, english).map((one) => one.text))
    expect(measured.size).toBeGreaterThan(500)
    expect(trained.filter((one) => measured.has(one.text))).toEqual([])
  })

  it('is nothing a held-out phrasing can say', () => {
    const words = new Set([...grammar.values.values()].flat().flatMap((value) => value.split(' ')))
    const heldOut = phrasings.filter((one) => one.heldOut && one.intent.intent !== 'none')
    const said = trained
      .slice(0, 400)
      .filter((one) => one.intent !== 'none' && heldOut.some((held) => accepts(held.tree, one.text, words)))
    expect(said).toEqual([])
  })

  it('is the same every time', () => {
    expect(trainingSentences(50, 0, english)).toEqual(trained.slice(0, 50))
  })

  it('has requests of every intent and other talk', () => {
    const named = new Set(trained.map((one) => one.intent))
    expect([...learned, 'none'].filter((name) => !named.has(name))).toEqual([])
  })
})

describe('withholding', () => {
  const { says } = withhold(
    ['put (on|off) the [{room}] lamps', '{duration} (please|thanks)', '[well] never mind'].map((text) =>
      parseTemplate(text),
    ),
    values,
  )
  const sentence = (text: string, slots: Record<string, string> = {}) => ({ text, intent: 'x', slots })

  it.each([
    'put on the lamps',
    'put off the kitchen lamps',
    'five minutes please',
    'never mind',
    'well never mind',
  ])('knows that "%s" can be said', (text) => expect(says(sentence(text))).toBe(true))

  it('sees through a value no list has', () => {
    expect(says(sentence('put on the attic lamps'))).toBe(false)
    expect(says(sentence('put on the attic lamps', { room: 'attic' }))).toBe(true)
  })

  it.each(['put on the lamp', 'put on lamps', 'please five minutes', 'well', 'minutes'])(
    'leaves "%s" to be learned',
    (text) => expect(says(sentence(text))).toBe(false),
  )
})
