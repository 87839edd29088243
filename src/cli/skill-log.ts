/** One call of a skill as a person reads it. Pure. */
import type { SkillCallLine } from '../api/index.ts'

/** Longer texts are cut: a line of a log is a line. */
const MAX_TEXT = 100

/** A line or a few, each with its line break. */
export function logText({ entry, input, ms, speech, changes, error }: SkillCallLine, color: boolean): string {
  const [red, dim, reset] = color ? ['\u001b[31m', '\u001b[2m', '\u001b[0m'] : ['', '', '']
  const lines = [
    error === undefined
      ? `${asked(entry, input)}  ${dim}${round(ms)} ms${reset}  ${speech === '' ? '' : `“${short(speech)}”`}`.trimEnd()
      : `${asked(entry, input)}  ${red}${error.code}: ${error.message}${reset}`,
  ]
  for (const { change, ...rest } of changes) {
    if (change === 'log') lines.push(`  ${String(rest.level)}: ${short(String(rest.message))}`)
    else lines.push(`  ${dim}${String(change)} ${short(JSON.stringify(rest))}${reset}`)
  }
  return `${lines.join('\n')}\n`
}

interface Sentences {
  readonly types?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> | undefined
  readonly intents: Readonly<
    Record<
      string,
      {
        readonly templates: readonly string[]
        readonly slots?: Readonly<Record<string, { readonly type: string }>> | undefined
      }
    >
  >
}

const BUILT_IN: Readonly<Record<string, string>> = { number: 'three', duration: 'five minutes' }

/** A sentence it understands, from its first intent; empty when none can be made of its own words. */
export function exampleOf({ types = {}, intents }: Sentences): string {
  const { templates = [], slots = {} } = Object.values(intents)[0] ?? {}
  const template = templates.find((one) => !one.includes('<')) ?? ''
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, slot: string) => {
    const type = slots[slot]?.type ?? slot
    return BUILT_IN[type] ?? Object.keys(types[type] ?? {})[0] ?? slot
  })
  return filled
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\(([^|()]*)\|[^()]*\)/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function asked(entry: string, input: string): string {
  const given = parse(input)
  if (entry === 'due') return `due ${String(given.timer)}`
  if (entry === 'heard') return `heard ${String(given.of)} ${String(given.id)}`
  const slots = Object.entries((given.slots ?? {}) as Record<string, unknown>)
  return [String(given.intent), ...slots.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ')
}

function parse(input: string): Record<string, unknown> {
  try {
    return JSON.parse(input) as Record<string, unknown>
  } catch {
    return {}
  }
}

const short = (text: string): string => (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`)
const round = (ms: number): number => Math.round(ms * 10) / 10
