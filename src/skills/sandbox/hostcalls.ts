/**
 * What a skill can do besides computing: storage, timers, speech, time, devices, and what takes time. It runs in the sandbox on the
 * copy of the state that came with the call, and notes every change; the node applies the notes after checking them
 * with `verify.ts`, so a skill killed half way has changed nothing. Texts in, texts out: offsets are the kernel's business.
 *
 * Calls answer with a status where something can be refused, so that a skill can say so in its own words.
 */
import type { Change, SkillCall } from '../call.ts'
import type { Device } from '../host-ports.ts'
import type { Budget } from './protocol.ts'

export const OK = 0
/** Nothing was changed: the skill's storage, or its number of timers, is used up. */
export const FULL = 1
/** Nothing was changed: the argument is not acceptable. */
export const INVALID = 2

/** Pending timers of one skill. The timer skill offers 32 and as many reminders. */
export const MAX_TIMERS = 128
/** A week: longer than that is a calendar. */
export const MAX_DELAY_MS = 604_800_000
export const MAX_KEY_CHARS = 128
export const MAX_VALUE_CHARS = 16_384
export const MAX_SPEECH_CHARS = 1_000
/** Announcements in one call: nobody listens to more. */
export const MAX_ANNOUNCEMENTS = 4
export const MAX_LOG_LINES = 16
/** Commands to devices in one call: every lamp of a large house. */
export const MAX_COMMANDS = 64
/** Requests, prompts, questions, messages and cards in one call, of each. */
export const MAX_REQUESTS = 8
/** All that reaches out in one call, as JSON; beside a storage written anew it must fit one answer (`frames.ts`). */
const MAX_REACHING_CHARS = 96 * 1024
/** Keys and values kept of one person. */
export const MAX_PERSONAL_BYTES = 32 * 1024
export const MAX_LOG_CHARS = 512

/** Bytes an entry counts for: what its key and value take as UTF-8, at most. */
export const entrySize = (key: string, value: string): number => (key.length + value.length) * 3

export class HostCalls {
  readonly #call: SkillCall
  readonly #storage: Map<string, string>
  readonly #timers: Map<string, number>
  readonly #personal: Map<string, string>
  readonly #limit_bytes: number
  /** The last change of each key and timer counts; those before it are forgotten. */
  readonly #changes = new Map<string, Change>()
  #stored_bytes = 0
  #announcements = 0
  #logLines = 0
  #personal_bytes = 0
  #reaching_chars = 0
  readonly #requests = new Map<Change['change'], number>()
  #random: number

  constructor(call: SkillCall, budget: Budget) {
    this.#call = call
    this.#limit_bytes = budget.storage_kb * 1024
    this.#storage = new Map(Object.entries(call.storage))
    this.#timers = new Map(Object.entries(call.timers))
    this.#random = call.seed >>> 0
    this.#personal = new Map(Object.entries(call.personal ?? {}))
    for (const [key, value] of this.#storage) this.#stored_bytes += entrySize(key, value)
    for (const [key, value] of this.#personal) this.#personal_bytes += entrySize(key, value)
  }

  get changes(): Change[] {
    return [...this.#changes.values()]
  }

  get(key: string): string | undefined {
    return this.#storage.get(key)
  }

  put(key: string, value: string): number {
    if (!fits(key, MAX_KEY_CHARS) || value.length > MAX_VALUE_CHARS) return INVALID
    const old = this.#storage.get(key)
    const grown = this.#stored_bytes + entrySize(key, value) - (old === undefined ? 0 : entrySize(key, old))
    if (grown > this.#limit_bytes) return FULL
    this.#stored_bytes = grown
    this.#storage.set(key, value)
    this.#note(`key ${key}`, { change: 'put', key, value })
    return OK
  }

  delete(key: string): number {
    const old = this.#storage.get(key)
    if (old === undefined) return OK
    this.#stored_bytes -= entrySize(key, old)
    this.#storage.delete(key)
    this.#note(`key ${key}`, { change: 'delete', key })
    return OK
  }

  /** Keys with this prefix, sorted. */
  keys(prefix: string): string[] {
    return [...this.#storage.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  setTimer(timer: string, delay_ms: number): number {
    if (!fits(timer, MAX_KEY_CHARS) || !(delay_ms >= 0 && delay_ms <= MAX_DELAY_MS)) return INVALID
    if (!this.#timers.has(timer) && this.#timers.size >= MAX_TIMERS) return FULL
    const delay = Math.round(delay_ms)
    this.#timers.set(timer, delay)
    this.#note(`timer ${timer}`, { change: 'timer-set', timer, delay_ms: delay })
    return OK
  }

  cancelTimer(timer: string): number {
    if (this.#timers.delete(timer)) this.#note(`timer ${timer}`, { change: 'timer-cancel', timer })
    return OK
  }

  /** Milliseconds until the timer rings; −1 when there is none of that name. */
  timerLeft(timer: string): number {
    return this.#timers.get(timer) ?? -1
  }

  timers(): string[] {
    return [...this.#timers.keys()].sort()
  }

  /** Speaks unasked. Empty room and session: everywhere. */
  announce(speech: string, room: string, session: string): number {
    if (!fits(speech, MAX_SPEECH_CHARS) || room.length > MAX_KEY_CHARS || session.length > MAX_KEY_CHARS) {
      return INVALID
    }
    if (this.#announcements >= MAX_ANNOUNCEMENTS) return FULL
    this.#announcements += 1
    this.#note(`announcement ${this.#announcements}`, { change: 'announce', speech, room, session })
    return OK
  }

  /** Lines over the limit are dropped: a log is never worth failing for. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    if (this.#logLines >= MAX_LOG_LINES) return
    this.#logLines += 1
    this.#note(`line ${this.#logLines}`, { change: 'log', level, message: message.slice(0, MAX_LOG_CHARS) })
  }

  wall_ms(): number {
    return Math.round(this.#call.time.wall_ms)
  }

  offset_min(): number {
    return this.#call.time.offset_min
  }

  /** Uniform in [0, 2³²), from the call's seed (mulberry32). */
  random(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0
    let mixed = this.#random
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** Whoever speaks is known: only then there is something to keep for them. */
  getPersonal(key: string): string | undefined {
    return this.#personal.get(key)
  }

  /** `INVALID` too when nobody said who speaks. */
  putPersonal(key: string, value: string): number {
    if (this.#call.personal === undefined) return INVALID
    if (!fits(key, MAX_KEY_CHARS) || value.length > MAX_VALUE_CHARS) return INVALID
    const old = this.#personal.get(key)
    const grown = this.#personal_bytes + entrySize(key, value) - (old === undefined ? 0 : entrySize(key, old))
    if (grown > MAX_PERSONAL_BYTES) return FULL
    this.#personal_bytes = grown
    this.#personal.set(key, value)
    this.#note(`personal ${key}`, { change: 'personal-put', key, value })
    return OK
  }

  deletePersonal(key: string): number {
    const old = this.#personal.get(key)
    if (old === undefined) return OK
    this.#personal_bytes -= entrySize(key, old)
    this.#personal.delete(key)
    this.#note(`personal ${key}`, { change: 'personal-delete', key })
    return OK
  }

  personalKeys(prefix: string): string[] {
    return [...this.#personal.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  devices(): readonly Device[] {
    return this.#call.devices ?? []
  }

  /** The household's choice, as text; undefined when the skill has no such setting. */
  setting(key: string): string | undefined {
    const { config } = this.#call
    return config !== undefined && Object.hasOwn(config, key) ? String(config[key]) : undefined
  }

  /**
   * A change that reaches out, as JSON of all its fields but `change`. What it says is judged in the node, where the call fails as a
   * whole when it is not in the form agreed upon; here only what would break the frame is refused.
   */
  reachOut(change: ReachingOut, json: string): number {
    if (this.#reaching_chars + json.length > MAX_REACHING_CHARS) return FULL
    const fields = asObject(json)
    if (fields === undefined) return INVALID
    const made = this.#requests.get(change) ?? 0
    if (made >= (change === 'device' ? MAX_COMMANDS : MAX_REQUESTS)) return FULL
    this.#requests.set(change, made + 1)
    this.#reaching_chars += json.length
    this.#note(`${change} ${made}`, { ...fields, change } as Change)
    return OK
  }

  #note(about: string, change: Change): void {
    this.#changes.delete(about)
    this.#changes.set(about, change)
  }
}

export type ReachingOut = 'device' | 'http' | 'language' | 'question' | 'publish' | 'card'

function asObject(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const fits = (text: string, most: number): boolean => text.length > 0 && text.length <= most
