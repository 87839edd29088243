/** Numbers, lengths of time and lists in English words, as a voice says them best. */

const SMALL: string[] = [
  'zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve',
  'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen',
]
const TENS: string[] = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']
const ORDINALS: string[] = [
  '', 'first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth', 'eleventh',
  'twelfth', 'thirteenth', 'fourteenth', 'fifteenth', 'sixteenth', 'seventeenth', 'eighteenth', 'nineteenth',
]

/** 0 … 999 in words, other numbers in digits: "forty two". */
export function numberWords(value: i32): string {
  if (value < 0 || value > 999) return value.toString()
  if (value < 20) return SMALL[value]
  if (value < 100) return TENS[value / 10] + (value % 10 == 0 ? '' : ' ' + SMALL[value % 10])
  const rest = value % 100
  return SMALL[value / 100] + ' hundred' + (rest == 0 ? '' : ' and ' + numberWords(rest))
}

/** 1 … 99 as a rank: "twenty first". */
export function ordinalWords(value: i32): string {
  if (value < 20) return ORDINALS[value]
  if (value % 10 != 0) return TENS[value / 10] + ' ' + ORDINALS[value % 10]
  const tens = TENS[value / 10]
  return tens.substring(0, tens.length - 1) + 'ieth'
}

/** "one timer", "three timers". */
export function count(value: i32, noun: string): string {
  return numberWords(value) + ' ' + noun + (value == 1 ? '' : 's')
}

/** A length of time: "one hour and ten minutes", "three minutes and ten seconds". */
export function durationWords(seconds: i64): string {
  const hours = i32(seconds / 3_600)
  const minutes = i32((seconds / 60) % 60)
  const rest = i32(seconds % 60)
  const parts: string[] = []
  if (hours > 0) parts.push(count(hours, 'hour'))
  if (minutes > 0) parts.push(count(minutes, 'minute'))
  if (rest > 0) parts.push(count(rest, 'second'))
  return parts.length == 0 ? 'no time' : joinWords(parts)
}

/** A length of time before a noun: "five minute", "one hour and ten minute". */
export function durationAdjective(seconds: i64): string {
  const words = durationWords(seconds)
  return words.endsWith('s') ? words.substring(0, words.length - 1) : words
}

/** "milk", "milk and eggs", "milk, eggs and bread". */
export function joinWords(parts: string[], last: string = 'and'): string {
  if (parts.length == 0) return ''
  if (parts.length == 1) return parts[0]
  return parts.slice(0, parts.length - 1).join(', ') + ' ' + last + ' ' + parts[parts.length - 1]
}

/** With a capital letter in front. */
export function sentence(text: string): string {
  return text.length == 0 ? text : text.charAt(0).toUpperCase() + text.substring(1)
}

/** The node refuses to speak more than this at once: a minute and a half of talking. */
const MOST_SPOKEN: i32 = 1_000
const CUT_WORDS = ' and so on.'

/** The text, or so much of it as the node speaks at once, cut between words and saying so. */
export function speakable(text: string): string {
  if (text.length <= MOST_SPOKEN) return text
  const room = MOST_SPOKEN - CUT_WORDS.length
  const gap = text.lastIndexOf(' ', room)
  return text.substring(0, gap > 0 ? gap : wholeLetters(text, room)) + CUT_WORDS
}

/** So many letters, or one fewer where that would halve one that takes two. */
function wholeLetters(text: string, length: i32): i32 {
  const last = text.charCodeAt(length - 1)
  return last >= 0xd800 && last < 0xdc00 ? length - 1 : length
}
