/** `loqa skill config | secret`: what the household chose for a skill. */
import type { SkillSettingsView } from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { type Column, table } from '../table.ts'
import { EXIT } from '../world.ts'

/** A secret by hand or through a pipe. */
const MAX_SECRET_BYTES = 4_096

const COLUMNS: readonly Column[] = [
  { title: 'name' },
  { title: 'value', flexible: true },
  { title: 'from' },
  { title: 'about', flexible: true },
]

function print({ world, json, style }: Call, settings: SkillSettingsView): typeof EXIT.ok {
  const { config, secrets, skill } = settings
  if (json) world.terminal.out(`${JSON.stringify(settings)}\n`)
  else if (config.length + secrets.length === 0) world.terminal.out(`${skill} has nothing to choose.\n`)
  else {
    const rows = [
      ...config.map(({ key, value, chosen, summary }) => [
        key,
        value === null ? '–' : String(value),
        chosen ? 'you' : 'the skill',
        summary,
      ]),
      ...secrets.map(({ key, given }) => [key, given ? '(secret)' : '–', given ? 'you' : '', 'a secret']),
    ]
    world.terminal.out(table(COLUMNS, rows, style))
  }
  return EXIT.ok
}

export const config: Run = async (call) => {
  const [skill = '', key, ...words] = call.args
  const path = `/api/v1/skills/${encodeURIComponent(skill)}/settings`
  const node = await call.client()
  const now = await node.get<SkillSettingsView>(path)
  if (key === undefined) return print(call, now)
  const reset = call.options.reset === true
  if (reset === words.length > 0) {
    throw new UsageError(
      'Say to what: a value, or --reset for the skill’s own',
      `loqa skill config ${skill} shows all.`,
    )
  }
  const type = now.config.find((setting) => setting.key === key)?.type
  const value = reset ? null : typed(words.join(' '), type, key)
  return print(call, await node.post<SkillSettingsView>(path, { key, value }))
}

function typed(text: string, type: string | undefined, key: string): string | number | boolean {
  if (type === 'number') {
    if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
    throw new UsageError(`${key} takes a number`)
  }
  if (type === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new UsageError(`${key} takes true or false`)
  }
  return text
}

export const secret: Run = async (call) => {
  const [skill = '', key] = call.args
  const { options, world } = call
  const path = `/api/v1/skills/${encodeURIComponent(skill)}`
  const node = await call.client()
  if (key === undefined) return print(call, await node.get<SkillSettingsView>(`${path}/settings`))
  const value = options.reset === true ? null : await secretFrom(options.value, world.input())
  return print(call, await node.post<SkillSettingsView>(`${path}/secrets`, { key, value }))
}

/** Through a pipe by default: what stands in a command stays in the shell's history. */
async function secretFrom(given: unknown, input: AsyncIterable<Uint8Array>): Promise<string> {
  if (typeof given === 'string') return given
  let text = ''
  for await (const part of input) {
    text += Buffer.from(part).toString('utf8')
    if (text.length > MAX_SECRET_BYTES || text.includes('\n')) break
  }
  const secret = text.split(/\r?\n/, 1)[0] ?? ''
  if (secret === '') throw new UsageError('No secret was given', 'Type it, pipe it in, or use --value.')
  return secret
}
