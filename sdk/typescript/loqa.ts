/**
 * Loqa's kit for skills in one TypeScript file. A skill exports up to three functions: `handle` carries out an intent, `due`
 * is told that a timer rang, `heard` what came of something that took time. Each returns what `say`, `ask`, `confirm` or
 * `silence` return.
 *
 *     import { type Invocation, say } from 'loqa'
 *     export function handle({ room }: Invocation) {
 *       return say(`Hello from the ${room}.`)
 *     }
 *
 * Whatever a call changes (storage, timers, announcements) counts when it ends well, all of it or nothing. Each call
 * starts afresh: variables do not last, storage does. Nothing waits: there are no promises to await, no network, no files.
 *
 * The node brings its own copy of this file; one beside your skill is there for your editor.
 */

/** What the node offers this skill: the functions of the permissions it was granted. */
interface HostFunctions {
  storage_get(key: string): string | undefined
  storage_put(key: string, value: string): number
  storage_delete(key: string): number
  storage_list(prefix: string): string
  timer_set(timer: string, delay_ms: number): number
  timer_cancel(timer: string): number
  timer_left(timer: string): number
  timer_list(): string
  announce(speech: string, room: string, session: string): number
  clock_now(): number
  clock_offset(): number
  random(): number
  device_list(): string
  device_command(json: string): number
  http_send(json: string): number
  topic_publish(json: string): number
  language_ask(json: string): number
  question_ask(json: string): number
  card_update(json: string): number
  personal_get(key: string): string | undefined
  personal_put(key: string, value: string): number
  personal_delete(key: string): number
  personal_list(prefix: string): string
  config_get(key: string): string | undefined
  log_debug(message: string): void
  log_info(message: string): void
  log_warn(message: string): void
  log_error(message: string): void
}

const granted = (globalThis as { loqa_host?: Partial<HostFunctions> }).loqa_host ?? {}
delete (globalThis as { loqa_host?: unknown }).loqa_host

/** Which permission a function of the node needs, by the beginning of its name. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  storage: 'storage',
  timer: 'timers',
  announce: 'speak',
  clock: 'clock',
  random: 'random',
  device: 'devices',
  http: 'http',
  topic: 'topics',
  language: 'language',
  question: 'question',
  card: 'cards',
  personal: 'personal',
}

function host<Name extends keyof HostFunctions>(name: Name): HostFunctions[Name] {
  const run = granted[name]
  if (run !== undefined) return run
  const permission = PERMISSIONS[name.slice(0, `${name}_`.indexOf('_'))]
  throw new Error(`the permission "${permission}" was not granted: add it to permissions in skill.yaml`)
}

// — what a skill is called with —

export type SlotValue = string | number | readonly string[]

export interface Invocation {
  /** e.g. `timer.set`. */
  readonly intent: string
  /** The part behind the dot: `set` of `timer.set`. */
  readonly verb: string
  /** Durations arrive as whole seconds, slots with `many: true` as lists. */
  readonly slots: Readonly<Record<string, SlotValue | undefined>>
  readonly room: string
  readonly session: string
  /** The person said yes to the question the manifest's `confirm` asks. */
  readonly confirmed: boolean
}

export interface DueTimer {
  readonly timer: string
  /** How long ago it was due. */
  readonly late_ms: number
  /** It fell due while the node was not running. */
  readonly missed: boolean
}

export interface Heard {
  /** As the skill named it; the topic for what was said on one. */
  readonly id: string
  readonly of: 'http' | 'language' | 'question' | 'topic' | 'device' | 'approval'
  readonly ok: boolean
  /** http: `{ status, headers, body }`; language: `{ text }`; question: `{ yes }`; topic: `{ data, from }`. */
  // biome-ignore lint/suspicious/noExplicitAny: as different as what can be heard
  readonly value?: any
  readonly error?: { readonly code: string; readonly message: string }
  readonly room: string
  readonly session: string
}

// — what it answers —

export interface Answer {
  readonly speech?: string
  readonly follow_up?: { readonly slot: string } | { readonly confirm: true }
  /** Something to look at; displays show it. */
  readonly card?: Readonly<Record<string, unknown>>
}

/** Says it; the turn is over. */
export const say = (speech: string, card?: Answer['card']): Answer =>
  card === undefined ? { speech: speakable(speech) } : { speech: speakable(speech), card }

/** Says it and waits for the person to name the slot; the intent then comes again with it. */
export const ask = (slot: string, speech: string): Answer => ({
  speech: speakable(speech),
  follow_up: { slot },
})

/** Says it and waits for yes or no; after a yes the intent comes again, confirmed. */
export const confirm = (speech: string): Answer => ({
  speech: speakable(speech),
  follow_up: { confirm: true },
})

/** Says nothing: for `due` and `heard`, when the announcement was all. */
export const silence = (): Answer => ({})

// — what it can do —

const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'))

/** What the skill remembers between calls: texts by key. */
export const storage = {
  get: (key: string): string | undefined => host('storage_get')(key),
  /** False: the skill's storage is full, or key or value are too long; nothing changed. */
  put: (key: string, value: string): boolean => host('storage_put')(key, value) === 0,
  remove: (key: string): void => void host('storage_delete')(key),
  /** The keys that begin with the prefix, sorted. */
  keys: (prefix = ''): string[] => lines(host('storage_list')(prefix)),
}

/** What it remembers of the person who speaks, apart from all others. There is none while nobody said who speaks. */
export const personal = {
  get: (key: string): string | undefined => host('personal_get')(key),
  put: (key: string, value: string): boolean => host('personal_put')(key, value) === 0,
  remove: (key: string): void => void host('personal_delete')(key),
  keys: (prefix = ''): string[] => lines(host('personal_list')(prefix)),
}

/** Calls the skill's `due` later, also after a restart of the node. */
export const timers = {
  /** Sets or moves a timer. False: too many timers, or a delay over a week; nothing changed. */
  set: (timer: string, delay_ms: number): boolean => host('timer_set')(timer, delay_ms) === 0,
  cancel: (timer: string): void => void host('timer_cancel')(timer),
  /** Milliseconds until it rings; −1 when there is none. */
  left: (timer: string): number => host('timer_left')(timer),
  list: (): string[] => lines(host('timer_list')()),
}

/** Speaks without being asked. Empty room: everywhere. False: too many announcements in one call. */
export const announce = (speech: string, room = '', session = ''): boolean =>
  host('announce')(speakable(speech), room, session) === 0

export interface LocalTime {
  readonly year: number
  /** 1 … 12. */
  readonly month: number
  /** 1 … 31. */
  readonly day: number
  /** 0 is Sunday. */
  readonly weekday: number
  readonly hour: number
  readonly minute: number
}

/** The time where the node lives. It stands still during a call. */
export const clock = {
  /** Milliseconds since 1970 UTC. */
  now: (): number => host('clock_now')(),
  local(days_later = 0): LocalTime {
    const shown = new Date(host('clock_now')() + host('clock_offset')() * 60_000 + days_later * 86_400_000)
    return {
      year: shown.getUTCFullYear(),
      month: shown.getUTCMonth() + 1,
      day: shown.getUTCDate(),
      weekday: shown.getUTCDay(),
      hour: shown.getUTCHours(),
      minute: shown.getUTCMinutes(),
    }
  },
}

/** Random numbers. They come from the call's seed: a call repeated draws the same ones. */
export const random = {
  /** Uniform in [0, 2³²). */
  draw: (): number => host('random')() >>> 0,
  /** Six letters and digits, one of a thousand million: for what is told apart by nothing else. */
  name(): string {
    let drawn = random.draw()
    let text = ''
    for (let i = 0; i < 6; i += 1) {
      text += '0123456789abcdefghjkmnpqrstvwxyz'[drawn & 31]
      drawn >>>= 5
    }
    return text
  },
}

export interface Device {
  readonly id: string
  readonly name: string
  readonly room: string
  readonly kind: 'light' | 'switch' | 'cover' | 'climate' | 'lock' | 'scene' | 'sensor'
  readonly state: Readonly<Record<string, string | number | boolean | undefined>>
}

/** The devices of the house. A risky command is asked back before it is carried out. */
export const devices = {
  list: (): readonly Device[] => JSON.parse(host('device_list')()) as Device[],
  /** Carried out when the call has ended well. False: too many in one call. */
  command: (device: string, command: string, value?: string | number | boolean): boolean =>
    host('device_command')(JSON.stringify({ device, command, value })) === 0,
}

export interface Request {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  /** A value may hold `{secret:NAME}`: the node puts the secret in its place, and the skill never sees it. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Asks a server the manifest names. The answer comes later, as `heard` with the same id. False: too many in one call. */
export const http = {
  get: (id: string, url: string): boolean => http.send(id, { url }),
  send: (id: string, { method = 'GET', url, headers = {}, body }: Request): boolean =>
    host('http_send')(JSON.stringify({ id, method, url, headers, body })) === 0,
}

/** The language model of the house. What it wrote comes later, as `heard` with the same id. False: too many in one call. */
export const language = {
  ask: (id: string, prompt: string, max_tokens = 128): boolean =>
    host('language_ask')(JSON.stringify({ id, prompt, max_tokens })) === 0,
}

/** Asks a person without having been asked; yes, no or silence comes later, as `heard` with the same id. */
export const questions = {
  put: (id: string, speech: string, room = '', session = ''): boolean =>
    host('question_ask')(JSON.stringify({ id, speech: speakable(speech), room, session })) === 0,
}

/** Topics: what skills tell each other, in the whole house. A skill hears those its manifest subscribes to, as `heard`. */
export const topics = {
  publish: (topic: string, data: string): boolean =>
    host('topic_publish')(JSON.stringify({ topic, data })) === 0,
}

/** Shows something without having been asked, where there is a screen. */
export const cards = {
  show: (card: Readonly<Record<string, unknown>>, room = ''): boolean =>
    host('card_update')(JSON.stringify({ card, room })) === 0,
}

/** What the household chose for the skill's settings; the defaults of its manifest otherwise. */
export const config = {
  text: (key: string): string => host('config_get')(key) ?? '',
  number: (key: string): number => Number(config.text(key)),
  flag: (key: string): boolean => config.text(key) === 'true',
}

/** Lines for whoever develops the skill: `loqa skill dev` shows them. */
export const log = {
  debug: (message: string): void => host('log_debug')(message),
  info: (message: string): void => host('log_info')(message),
  warn: (message: string): void => host('log_warn')(message),
  error: (message: string): void => host('log_error')(message),
}

// — words a voice says well, and that people can say back —

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']
const ORDINALS =
  'zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth'.split(
    ' ',
  )

/** 0 … 999 in words, other numbers in digits: "forty two". */
export function numberWords(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 999) return String(value)
  if (value < 20) return SMALL[value]!
  if (value < 100) return TENS[Math.floor(value / 10)]! + (value % 10 === 0 ? '' : ` ${SMALL[value % 10]}`)
  const rest = value % 100
  return `${SMALL[Math.floor(value / 100)]} hundred${rest === 0 ? '' : ` and ${numberWords(rest)}`}`
}

/** 1 … 99 as a rank: "twenty first". */
export function ordinalWords(value: number): string {
  if (value < 20) return ORDINALS[value]!
  const tens = TENS[Math.floor(value / 10)]!
  return value % 10 === 0 ? `${tens.slice(0, -1)}ieth` : `${tens} ${ORDINALS[value % 10]}`
}

/** "one timer", "three timers". */
export const count = (value: number, noun: string): string =>
  `${numberWords(value)} ${noun}${value === 1 ? '' : 's'}`

/** A length of time: "one hour and ten minutes", "three minutes and ten seconds". */
export function durationWords(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3_600), 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [Math.floor(seconds) % 60, 'second'],
  ] as const
  const said = parts.filter(([value]) => value > 0).map(([value, noun]) => count(value, noun))
  return said.length === 0 ? 'no time' : joinWords(said)
}

/** A length of time before a noun: "five minute", "one hour and ten minute". */
export const durationAdjective = (seconds: number): string => durationWords(seconds).replace(/s$/, '')

/** "milk", "milk and eggs", "milk, eggs and bread". */
export const joinWords = (parts: readonly string[], last = 'and'): string =>
  parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} ${last} ${parts.at(-1)}`

/** With a capital letter in front. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** The node refuses to speak more than this at once: a minute and a half of talking. */
const MOST_SPOKEN = 1_000
const CUT_WORDS = ' and so on.'

/** The text, or so much of it as the node speaks at once, cut between words and saying so. */
export function speakable(text: string): string {
  if (text.length <= MOST_SPOKEN) return text
  const room = MOST_SPOKEN - CUT_WORDS.length
  const gap = text.lastIndexOf(' ', room)
  if (gap > 0) return text.slice(0, gap) + CUT_WORDS
  const last = text.charCodeAt(room - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? room - 1 : room) + CUT_WORDS
}

// — for the node —

/** A skill as the node calls it. */
export interface Script {
  readonly handle?: (invocation: Invocation) => Answer
  readonly due?: (timer: DueTimer) => Answer | undefined
  readonly heard?: (heard: Heard) => Answer | undefined
}

/** Calls one of the skill's functions with the node's JSON; its answer as JSON. Skills have no use for it. */
export function callSkill(skill: Script, entry: keyof Script, input: string): string {
  const run = skill[entry] as ((given: unknown) => unknown) | undefined
  if (typeof run !== 'function') throw new Error(`the skill exports no function "${entry}"`)
  const given = JSON.parse(input) as Record<string, unknown>
  if (entry === 'handle') {
    const intent = String(given.intent)
    given.verb = intent.slice(intent.indexOf('.') + 1)
  }
  const answer = run(given) ?? {}
  if (typeof answer !== 'object') {
    throw new Error(`"${entry}" returned ${typeof answer}: return say(…), ask(…), confirm(…) or silence()`)
  }
  if (typeof (answer as { then?: unknown }).then === 'function') {
    throw new Error(`"${entry}" returned a promise: nothing waits here, results come to "heard"`)
  }
  return JSON.stringify(answer)
}
