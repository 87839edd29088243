/**
 * `skill.test.yaml`: conversations with a skill, and what is expected of it. Each test is a fresh house; each step somebody says
 * something or time passes, and whatever the step names is compared with what happened.
 */
import { z } from 'zod'
import { DEVICE_KINDS } from '../../src/skills/host-ports.ts'
import { languageTag } from '../../src/skills/intents/schema.ts'
import type { Happened } from './stage.ts'

/** A script is read whole. */
export const MAX_SCRIPT_BYTES = 256 * 1024

const plain = z.union([z.string(), z.number(), z.boolean()])

const server = z.strictObject({
  url: z.string().optional(),
  status: z.int().min(100).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
  error: z.string().optional(),
})

const step = z
  .strictObject({
    /** Somebody says this. */
    say: z.string().min(1).max(1_000).optional(),
    /** So much time passes, e.g. `90 seconds` or `1 hour 5 minutes`. */
    wait: z.string().optional(),
    // — what was expected —
    intent: z.string().optional(),
    slots: z.record(z.string(), z.union([plain, z.array(z.string())])).optional(),
    /** The words, or `/a pattern/`. */
    reply: z.string().optional(),
    /** The slot, or `yes or no`. */
    asks: z.string().optional(),
    /** Kinds of what the skill changed or wanted done, in order, without its log. */
    calls: z.array(z.string()).optional(),
    announced: z.union([z.string(), z.array(z.string())]).optional(),
    card: z.record(z.string(), z.unknown()).optional(),
    commands: z
      .array(z.strictObject({ device: z.string(), command: z.string(), value: plain.optional() }))
      .optional(),
    /** A part of the error its call ends with. */
    fails: z.string().optional(),
    // — what the world answers meanwhile —
    http: z.union([server, z.array(server)]).optional(),
    language: z.string().optional(),
  })
  .refine(({ say, wait }) => (say === undefined) !== (wait === undefined), 'a step has either say or wait')

const test = z.strictObject({
  test: z.string().min(1).max(200),
  /** When it begins, ISO 8601 in UTC. */
  at: z.iso.datetime().optional(),
  room: z.string().optional(),
  /** The language it is held in, where the skill has several. */
  in: languageTag.optional(),
  config: z.record(z.string(), plain).optional(),
  secrets: z.record(z.string(), z.string()).optional(),
  devices: z
    .array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        room: z.string().default(''),
        kind: z.enum(DEVICE_KINDS),
        state: z.record(z.string(), plain).default({}),
      }),
    )
    .optional(),
  steps: z.array(step).min(1).max(100),
})

export const scriptSchema = z.array(test).min(1).max(200)
export type Script = z.output<typeof scriptSchema>
export type ScriptedTest = Script[number]
export type Step = ScriptedTest['steps'][number]

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  second: 1_000,
  m: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  day: 86_400_000,
}

/** Milliseconds; undefined for what is no length of time. */
export function waitOf(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+?)s?\b/g)]
  const spans = parts.map(([, count, unit]) => Number(count) * (UNITS[unit!] ?? Number.NaN))
  const sum = spans.reduce((all, span) => all + span, 0)
  return parts.length === 0 || Number.isNaN(sum) ? undefined : sum
}

/** What happened otherwise than expected, a line each. Pure. */
export function differences(expected: Step, happened: Happened, commands: readonly object[]): string[] {
  const found: string[] = []
  const differs = (what: string, wanted: unknown, heard: unknown): void => {
    found.push(`${what}: expected ${shown(wanted)}, was ${shown(heard)}`)
  }
  const { intent, slots, reply, asks, calls, announced, card, fails } = expected
  const said = happened.errors.join('; ')
  if (fails === undefined && said !== '') found.push(`the skill failed: ${said}`)
  if (fails !== undefined && !said.includes(fails)) differs('fails', fails, said === '' ? 'no error' : said)
  if (intent !== undefined && intent !== happened.intent) differs('intent', intent, happened.intent)
  if (slots !== undefined && !same(slots, happened.slots)) differs('slots', slots, happened.slots)
  if (reply !== undefined && !fits(reply, happened.reply)) differs('reply', reply, happened.reply)
  if (asks !== undefined && asks !== happened.asks) differs('asks', asks, happened.asks ?? 'nothing')
  const kinds = happened.calls.map(({ change }) => change).filter((kind) => kind !== 'log')
  if (calls !== undefined && !same(calls, kinds)) differs('calls', calls, kinds)
  const wanted = announced === undefined ? undefined : [announced].flat()
  const fit =
    wanted?.length === happened.announced.length &&
    wanted.every((text, at) => fits(text, happened.announced[at]!))
  if (wanted !== undefined && !fit) differs('announced', wanted, happened.announced)
  if (card !== undefined && !same(card, happened.cards.at(-1))) differs('card', card, happened.cards.at(-1))
  if (expected.commands !== undefined && !same(expected.commands, commands))
    differs('commands', expected.commands, commands)
  return found
}

/** Exactly, or a pattern between slashes. */
function fits(wanted: string, heard: string): boolean {
  const pattern = /^\/(.*)\/$/s.exec(wanted)?.[1]
  return pattern === undefined ? wanted === heard : new RegExp(pattern, 'u').test(heard)
}

const same = (a: unknown, b: unknown): boolean => ordered(a) === ordered(b)

const ordered = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([x], [y]) => (x < y ? -1 : 1)))
      : one,
  ) ?? ''

const shown = (value: unknown): string =>
  typeof value === 'string' ? `“${value}”` : (JSON.stringify(value) ?? 'nothing')
