/**
 * Where each value comes from: flag > LOQA_* variable > file > preset > default, and the origin is remembered. Pure:
 * files and the environment are read by the caller. All problems are found at once, not the first only.
 */
import { LoqaError, nearest } from '../host/index.ts'
import { type Key, keyAt, keys, sections } from './keys.ts'
import { type Config, derivedValues, PRESETS, type Preset, presetValues } from './schema.ts'
import { type ConfigFile, parseToml, tomlValue } from './toml.ts'

export interface Sources {
  /** `section.key` → text as given on the command line, with the flag that gave it. */
  readonly flags?: readonly { readonly path: string; readonly value: unknown; readonly flag: string }[]
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Most important first. */
  readonly files?: readonly ConfigFile[]
  readonly preset?: string
  /** What this machine suggests in place of a fixed default: its host name, the data directory. */
  readonly machine?: Readonly<Record<string, unknown>>
}

export interface Resolved {
  readonly config: Config
  /** Every key in the order of the schema. */
  readonly rows: readonly ConfigRow[]
}

export interface ConfigRow {
  readonly key: string
  readonly value: unknown
  /** `flag --port`, `env LOQA_API_PORT`, `/etc/loqa/config.toml:4`, `preset wifi`, `machine`, `default`, `3 × …`. */
  readonly origin: string
  readonly about: string
}

export interface Problem {
  /** `/etc/loqa/config.toml:4`, `env LOQA_API_PORT` or `flag --port`. */
  readonly where: string
  readonly key: string
  readonly reason: string
  readonly given?: string
  readonly allowed?: string
  readonly nearest?: string
}

/** The configuration cannot be used; the message lists every problem, one per line. */
export class ConfigError extends LoqaError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('config-invalid', problems.map(problemLine).join('\n'), {
      hint: 'Run: loqa config check. Every key is explained in config/default.toml.',
    })
    this.problems = problems
  }
}

export function problemLine(problem: Problem): string {
  const parts = [`${problem.where}: ${problem.key} ${problem.reason}`]
  if (problem.given !== undefined) parts.push(`given ${problem.given}`)
  if (problem.allowed !== undefined) parts.push(`allowed: ${problem.allowed}`)
  if (problem.nearest !== undefined) parts.push(`did you mean ${problem.nearest}?`)
  return parts.join('; ')
}

/** Shorter names people know; the long form wins when both are set. */
const ALIASES: Readonly<Record<string, string>> = { LOQA_DATA: 'node.data_dir' }
/** Variables that belong to the commands, not to a key. */
const COMMAND_VARIABLES = ['LOQA_CONFIG', 'LOQA_PRESET', 'LOQA_URL', 'LOQA_TOKEN_FILE', 'LOQA_DEBUG']

interface Given {
  readonly value: unknown
  readonly origin: string
}

/** Errors: `ConfigError` with every problem found. */
export function resolveConfig(sources: Sources): Resolved {
  const problems: Problem[] = []
  const layers = [
    fromFlags(sources, problems),
    fromEnvironment(sources.environment ?? {}, problems),
    ...(sources.files ?? []).map((file) => fromFile(file, problems)),
    fromPreset(sources.preset, problems),
    new Map(
      Object.entries(sources.machine ?? {}).map(([path, value]) => [path, { value, origin: 'machine' }]),
    ),
  ]

  const chosen = new Map<string, Given>()
  for (const key of keys) {
    const given = layers
      .map((layer) => layer.get(key.path))
      // Empty, as `default.toml` has it, leaves to the machine what the machine knows.
      .find((found) => found !== undefined && !(found.value === '' && key.path in (sources.machine ?? {})))
    if (given !== undefined) chosen.set(key.path, given)
  }
  for (const key of keys) {
    if (chosen.has(key.path)) continue
    const derived = derivedValues[key.path]
    const of = (path: string): unknown => chosen.get(path)?.value ?? keyAt(path)?.fallback
    chosen.set(
      key.path,
      derived
        ? { value: derived.value(of), origin: derived.formula }
        : { value: key.fallback, origin: 'default' },
    )
  }

  const values: Record<string, Record<string, unknown>> = {}
  for (const key of keys) {
    const { value, origin } = chosen.get(key.path)!
    const checked = key.schema.safeParse(value)
    if (checked.success) {
      values[key.section] = { ...values[key.section], [key.name]: checked.data }
    } else {
      const given = shown(value)
      problems.push({
        where: origin,
        key: key.path,
        reason: 'has a value that is not allowed',
        given,
        allowed: key.allowed,
      })
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const config = values as unknown as Config
  const conflicts = relations(config, (path) => chosen.get(path)!.origin)
  if (conflicts.length > 0) throw new ConfigError(conflicts)
  const rows = keys.map((key) => ({
    key: key.path,
    value: values[key.section]![key.name],
    origin: chosen.get(key.path)!.origin,
    about: key.about,
  }))
  return { config, rows }
}

/** What must hold between keys. */
function relations(config: Config, origin: (path: string) => string): Problem[] {
  const problems: Problem[] = []
  const wrong = (key: string, reason: string, allowed: string): void => {
    problems.push({ where: origin(key), key, reason, allowed })
  }
  const { api, voice, inference, qos } = config
  if (!isLoopback(api.host) && api.token_file === '') {
    wrong(
      'api.host',
      `is ${api.host}, which others can reach, but there is no token`,
      'set api.token_file too, or use 127.0.0.1',
    )
  }
  if (
    voice.pause_complete_ms > voice.pause_extendable_ms ||
    voice.pause_extendable_ms > voice.pause_incomplete_ms
  ) {
    wrong(
      'voice.pause_extendable_ms',
      'does not lie between the other pauses',
      'pause_complete_ms ≤ pause_extendable_ms ≤ pause_incomplete_ms',
    )
  }
  if (inference.ping_timeout_ms <= inference.ping_interval_ms) {
    wrong(
      'inference.ping_timeout_ms',
      'is shorter than a ping interval',
      'more than inference.ping_interval_ms',
    )
  }
  if (inference.restart_delay_min_ms > inference.restart_delay_max_ms) {
    wrong('inference.restart_delay_min_ms', 'is above the maximum', 'at most inference.restart_delay_max_ms')
  }
  if (qos.fast_ms > qos.balanced_ms || qos.balanced_ms > qos.rich_ms) {
    wrong('qos.balanced_ms', 'does not lie between the other budgets', 'fast_ms ≤ balanced_ms ≤ rich_ms')
  }
  return problems
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

function fromFlags(sources: Sources, problems: Problem[]): Map<string, Given> {
  const layer = new Map<string, Given>()
  for (const { path, value, flag } of sources.flags ?? []) {
    const key = keyAt(path)
    const origin = `flag ${flag}`
    if (key === undefined) problems.push(unknownKey(origin, path))
    else layer.set(path, { value: typeof value === 'string' ? fromText(key, value) : value, origin })
  }
  return layer
}

function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  problems: Problem[],
): Map<string, Given> {
  const layer = new Map<string, Given>()
  const known = [...keys.map((key) => key.variable), ...Object.keys(ALIASES), ...COMMAND_VARIABLES]
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('LOQA_') || COMMAND_VARIABLES.includes(variable)) continue
    // An empty variable is an unset one: shells and unit files cannot always unset.
    if (text === undefined || text === '') continue
    const alias = ALIASES[variable]
    const key = keys.find((candidate) => candidate.variable === variable || candidate.path === alias)
    if (key !== undefined) {
      if (alias !== undefined && environment[key.variable]) continue
      layer.set(key.path, { value: fromText(key, text), origin: `env ${variable}` })
    } else {
      const meant = nearest(variable, known)
      problems.push({
        where: 'env',
        key: variable,
        reason: 'is not a setting',
        ...(meant === undefined ? {} : { nearest: meant }),
      })
    }
  }
  return layer
}

function fromFile(file: ConfigFile, problems: Problem[]): Map<string, Given> {
  const layer = new Map<string, Given>()
  const parsed = parseToml(file.text)
  if (!parsed.ok) {
    problems.push({
      where: `${file.path}:${parsed.line}`,
      key: 'this line',
      reason: `is not TOML: ${parsed.reason}`,
    })
    return layer
  }
  for (const { path, value, line } of parsed.values) {
    const origin = `${file.path}:${line}`
    if (keyAt(path) === undefined) problems.push(unknownKey(origin, path))
    else layer.set(path, { value, origin })
  }
  return layer
}

function fromPreset(preset: string | undefined, problems: Problem[]): Map<string, Given> {
  if (preset === undefined) return new Map()
  if (!PRESETS.some((name) => name === preset)) {
    const meant = nearest(preset, PRESETS)
    problems.push({
      where: 'preset',
      key: preset,
      reason: 'is not a preset',
      allowed: PRESETS.join(', '),
      ...(meant === undefined ? {} : { nearest: meant }),
    })
    return new Map()
  }
  const values = Object.entries(presetValues[preset as Preset])
  return new Map(values.map(([path, value]) => [path, { value, origin: `preset ${preset}` }]))
}

function unknownKey(where: string, path: string): Problem {
  const byPath = nearest(path, [...keys.map((key) => key.path), ...sections])
  const byName = keys.find((key) => key.name === path.split('.').at(-1))?.path
  const meant = byPath ?? byName
  return { where, key: path, reason: 'is not a setting', ...(meant === undefined ? {} : { nearest: meant }) }
}

/** A text from a flag or variable in the type of its key; what does not fit stays text and fails the check. */
function fromText(key: Key, text: string): unknown {
  switch (key.type) {
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text
    case 'boolean': {
      const word = text.trim().toLowerCase()
      if (['true', '1', 'yes', 'on'].includes(word)) return true
      return ['false', '0', 'no', 'off'].includes(word) ? false : text
    }
    case 'array':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
    case 'string':
      return text
  }
}

const shown = (value: unknown): string => {
  const text = tomlValue(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
