/** Numbers and durations as people say them: the built-in slot types, in words. */
import type { Seeded } from './seeded.ts'

const SMALL = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
] as const
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'] as const
const UNITS = ['second', 'minute', 'hour'] as const

/** Every word a spoken number, duration or unit may contain. */
export const NUMBER_WORDS: readonly string[] = [
  ...SMALL,
  ...TENS.filter((word) => word !== ''),
  'hundred',
  ...UNITS.flatMap((unit) => [unit, `${unit}s`]),
  'a',
  'an',
  'and',
  'half',
  'quarter',
  'of',
]

/** `value` in 0 … 100: "five", "twenty five", "one hundred". */
export function spokenNumber(value: number): string {
  if (value === 100) return 'one hundred'
  if (value < 20) return SMALL[value] ?? 'zero'
  const rest = value % 10
  return rest === 0 ? `${TENS[(value / 10) | 0]}` : `${TENS[(value / 10) | 0]} ${SMALL[rest]}`
}

/** A number for the slot of that name: levels in percent, degrees of a room, else one … sixty. */
export function drawNumber(random: Seeded, slot: string): string {
  if (slot === 'level') return spokenNumber(random.chance(0.7) ? random.below(21) * 5 : random.below(101))
  if (slot === 'degrees')
    return spokenNumber(random.chance(0.7) ? 15 + random.below(14) : 50 + random.below(31))
  return spokenNumber(random.chance(0.5) ? 1 + random.below(60) : 1 + random.below(20))
}

/** "five minutes", "an hour", "half an hour", "one hour and ten minutes", "two and a half minutes" … */
export function drawDuration(random: Seeded): string {
  const unit = random.one(['second', 'minute', 'minute', 'minute', 'hour'] as const)
  const form = random.next()
  if (form < 0.62) {
    const most = unit === 'hour' ? 12 : 60
    const value = random.chance(0.4) ? 1 + random.below(Math.min(most, 12)) : 1 + random.below(most)
    return counted(
      random.chance(0.3) && unit !== 'hour' ? Math.max(5, Math.round(value / 5) * 5) : value,
      unit,
    )
  }
  if (form < 0.7) return unit === 'hour' ? 'an hour' : `a ${unit}`
  if (form < 0.75) return random.one(['half an hour', 'half a minute', 'a quarter of an hour'])
  if (form < 0.8) return random.one(['an hour and a half', 'a minute and a half'])
  if (form < 0.86)
    return `${spokenNumber(1 + random.below(12))} and a half ${random.one(['minutes', 'hours'])}`
  const larger = random.one(['hour', 'minute'] as const)
  const first = random.chance(0.15)
    ? larger === 'hour'
      ? 'an hour'
      : 'a minute'
    : counted(1 + random.below(12), larger)
  const smaller = larger === 'hour' ? 'minute' : 'second'
  return `${first} and ${counted(random.chance(0.7) ? 5 * (1 + random.below(11)) : 1 + random.below(59), smaller)}`
}

function counted(value: number, unit: (typeof UNITS)[number]): string {
  return `${spokenNumber(value)} ${value === 1 ? unit : `${unit}s`}`
}
