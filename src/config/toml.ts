/** TOML files in and out; the only importer of smol-toml. Finds the line of a key, which the parser does not tell. */
import { parse, TomlError } from 'smol-toml'
import type { Key } from './keys.ts'
import { keys, sections } from './keys.ts'
import { derivedValues } from './schema.ts'

export interface ConfigFile {
  readonly path: string
  readonly text: string
}

export type Parsed =
  | { readonly ok: true; readonly values: readonly { path: string; value: unknown; line: number }[] }
  | { readonly ok: false; readonly line: number; readonly reason: string }

/** Every `section.key` a file sets, also unknown ones. A key outside any section keeps its bare name. */
export function parseToml(text: string): Parsed {
  let tree: Record<string, unknown>
  try {
    tree = parse(text)
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown
    const reason = thrown.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')
    return { ok: false, line: thrown.line, reason }
  }
  const values = Object.entries(tree).flatMap(([section, content]) =>
    isTable(content)
      ? Object.entries(content).map(([name, value]) => at(`${section}.${name}`, value, text))
      : [at(section, content, text)],
  )
  return { ok: true, values }
}

const at = (path: string, value: unknown, text: string) => ({ path, value, line: lineOf(text, path) })

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** Line (from 1) on which a key is set, or its section opened, or 1. */
function lineOf(text: string, path: string): number {
  let section = ''
  let sectionLine = 1
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    const header = /^\[\s*([^\]]+?)\s*\]/.exec(line)
    if (header) {
      section = header[1]!.replaceAll(/["'\s]/g, '')
      if (path.startsWith(`${section}.`)) sectionLine = index + 1
      continue
    }
    const name = /^([A-Za-z0-9_."' -]+?)\s*=/.exec(line)?.[1]?.replaceAll(/["'\s]/g, '')
    if (name !== undefined && (section === '' ? name : `${section}.${name}`) === path) return index + 1
  }
  return sectionLine
}

/** `config/default.toml`: every key with its meaning, range, environment variable and default. */
export function defaultToml(): string {
  const head = [
    '# Every setting of loqa-node with its default. Made from src/config/schema.ts by `loqa config default`; do not edit.',
    '# Copy the lines you want to change into ~/.config/loqa/config.toml, /etc/loqa/config.toml or ./loqa.toml.',
    '# What wins: flag, LOQA_* variable, --config or loqa.toml, preset, default. `loqa config show --origin` tells.',
  ]
  const body = sections.map((section) =>
    [`[${section}]`, ...keys.filter((key) => key.section === section).map(keyLines)].join('\n'),
  )
  return `${[head.join('\n'), ...body].join('\n\n')}\n`
}

function keyLines(key: Key): string {
  const derived = derivedValues[key.path]
  const comment = [`# ${key.about}`, `# ${capital(key.allowed)}. ${key.variable}`]
  const line = `${key.name} = ${tomlValue(key.fallback)}`
  return derived
    ? [...comment, `# Follows ${derived.formula} unless set:`, `# ${line}`].join('\n')
    : [...comment, line].join('\n')
}

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

/** Numbers, booleans, texts and lists of texts are written alike in JSON and TOML. */
export const tomlValue = (value: unknown): string => JSON.stringify(value)
