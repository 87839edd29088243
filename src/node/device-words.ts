/**
 * The words of a house's devices: their names and rooms, put among the words every sentence may use, so that "turn on the reading
 * lamp" is understood as soon as a lamp of that name is there. Pure.
 */
import type { Device } from '../devices/index.ts'
import { type GrammarSource, normalise } from '../skills/index.ts'

/** Names learned of each type; the grammar takes 2,000 and has some of its own. */
const MAX_NAMES = 1_000
/** As long as a name may be in a list of words. */
const MAX_NAME_CHARS = 80

/** Types of the lexicon that devices add to. */
type NameType = 'room' | 'device' | 'opening' | 'door' | 'scene'

/** The house's sources with the names in them; the same ones when there is nothing to add. */
export function withDeviceWords(
  house: readonly GrammarSource[],
  devices: readonly Device[],
): readonly GrammarSource[] {
  return house.map((source) => {
    const { content } = source
    if (!isRecord(content) || !isRecord(content.types)) return source
    const types = Object.fromEntries(
      Object.entries(content.types).map(([type, values]) => [
        type,
        isRecord(values) ? withNames(type, values, devices) : values,
      ]),
    )
    return { ...source, content: { ...content, types } }
  })
}

function withNames(
  type: string,
  values: Readonly<Record<string, unknown>>,
  devices: readonly Device[],
): Readonly<Record<string, unknown>> {
  const spoken = new Set(
    Object.entries(values).flatMap(([value, others]) =>
      [value, ...(Array.isArray(others) ? others.map(String) : [])].map(wordsOf),
    ),
  )
  const added: [string, string[]][] = []
  for (const name of devices.flatMap((device) => namesOf(device, type as NameType))) {
    const words = wordsOf(name)
    if (words === '' || name.length > MAX_NAME_CHARS || spoken.has(words) || added.length >= MAX_NAMES)
      continue
    spoken.add(words)
    added.push([name, []])
  }
  return { ...values, ...Object.fromEntries(added) }
}

/** What of a device is a word of this type. */
function namesOf(device: Device, type: NameType): readonly string[] {
  const { kind, room } = device
  switch (type) {
    case 'room':
      return room === '' ? [] : [room]
    case 'device':
      return kind === 'light' || kind === 'switch' || kind === 'climate' ? spokenNames(device) : []
    case 'opening':
      return kind === 'cover' || kind === 'lock' ? spokenNames(device) : []
    case 'door':
      return kind === 'lock' ? spokenNames(device) : []
    case 'scene':
      return kind === 'scene' ? spokenNames(device) : []
    default:
      return []
  }
}

/** The whole name, and without the room it stands in: "kitchen ceiling lamp" is the "ceiling lamp" there. */
function spokenNames({ name, room }: Device): readonly string[] {
  const whole = name.trim().toLowerCase()
  return room !== '' && whole.startsWith(`${room} `) ? [whole, whole.slice(room.length + 1).trim()] : [whole]
}

const wordsOf = (text: string): string => normalise(text).words.join(' ')

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
