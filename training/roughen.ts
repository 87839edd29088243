/** What people and recognition make of a phrase: polite words around it, synonyms, hesitation, a word lost or misheard. */
import type { Sentence } from './grammar.ts'
import type { Wording } from './phrasings.ts'
import type { Seeded } from './seeded.ts'

/** Puts openers and closers around a phrase. Short answers such as "yes" mostly stand alone. */
export function address(core: Sentence, wording: Wording, random: Seeded): string {
  const chatty = core.intent.startsWith('session.') ? 0.12 : 0.4
  const before = random.chance(chatty) ? `${random.one(wording.openers)} ` : ''
  const after = random.chance(chatty / 2) ? ` ${random.one(wording.closers)}` : ''
  return `${before}${core.text}${after}`
}

/** Puts a synonym for a phrase, once or twice, never inside a slot's value. */
export function reword(sentence: Sentence, wording: Wording, random: Seeded): Sentence {
  const values = Object.values(sentence.slots).flat()
  let text = ` ${sentence.text} `
  for (let times = random.chance(0.3) ? 2 : 1; times > 0; times -= 1) {
    const choices = wording.synonyms.flatMap((group) =>
      group
        .filter((phrase) => text.includes(` ${phrase} `) && !values.some((value) => value.includes(phrase)))
        .map((phrase) => ({ group, phrase })),
    )
    if (choices.length === 0) break
    const { group, phrase } = random.one(choices)
    text = text.replace(` ${phrase} `, ` ${random.one(group)} `)
  }
  return { ...sentence, text: text.trim() }
}

/** A filler, a lost or doubled word, two words swapped, a wrong word; words of slot values stay as they are. */
export function disturb(
  sentence: Sentence,
  wording: Wording,
  dictionary: readonly string[],
  random: Seeded,
): Sentence {
  const words = sentence.text.split(' ')
  if (words.length < 4 || random.chance(0.7)) return sentence
  const valued = new Set(
    Object.values(sentence.slots)
      .flat()
      .flatMap((value) => value.split(' ')),
  )
  const free = words.flatMap((word, i) => (valued.has(word) ? [] : [i]))
  if (free.length < 3) return sentence
  const at = random.one(free)
  const word = words[at] ?? ''
  const form = random.next()
  if (form < 0.35) words.splice(at, 0, random.one(wording.fillers))
  else if (form < 0.55 && FUNCTION_WORDS.has(word)) words.splice(at, 1)
  else if (form < 0.65) words.splice(at, 0, word)
  else if (form < 0.75 && at + 1 < words.length && free.includes(at + 1))
    words.splice(at, 2, words[at + 1] ?? '', word)
  else if (form < 0.9 && FUNCTION_WORDS.has(word)) words[at] = random.one(dictionary)
  else words.unshift(random.one(dictionary))
  return { ...sentence, text: words.join(' ') }
}

/** Words a sentence can lose without changing what it asks for. */
const FUNCTION_WORDS = new Set(
  'a an the my me us to of some please is are it that i we you can could would do does in for'.split(' '),
)
