/**
 * A skill's state and the store: how what a call changed becomes entries, and how entries, whoever wrote them, become state.
 * Storage lies under `storage/<key>`, timers under `timer/<name>`, what is kept of one person under `person/<person>/<key>`, in the collection `skill.<name>`, which all nodes of the
 * household share: what is read here may come from another node and is checked. Pure.
 */
import { z } from 'zod'
import type { Context, Effect, EntryChange, Followed } from '../actors/index.ts'
import { assertNever, monotonic, type NodeId, nodeId, wall } from '../host/index.ts'
import type { Change } from './call.ts'
import { HEAR_AGAIN_MS } from './ringing.ts'
import { personOf } from './skill-calls.ts'
import { FLIGHT_PREFIX, readFlight } from './skill-flight.ts'
import { type Flight, type SkillState, skillCollection, type Timer, type Work } from './skill-state.ts'

export { skillCollection }

const STORAGE_PREFIX = 'storage/'
const TIMER_PREFIX = 'timer/'
/** `person/<person>/<key>`. */
const PERSON_PREFIX = 'person/'

/** The entry of a timer that is over. */
export const forgetTimer = (timer: string): EntryChange => ({ change: 'delete', key: TIMER_PREFIX + timer })

const name = z.string().min(1).max(128)
const storedText = z.string().max(16_384)
/** What is stored of a timer. Fields a later version adds are ignored. */
const storedTimer = z.object({
  /** Milliseconds since 1970 by the clock of the node that set it; within what a date can show. */
  due_wall: z.number().min(-8.64e15).max(8.64e15),
  delay_ms: z.number().min(0).max(604_800_000),
  /** Absent in entries of earlier versions. */
  by: name.exactOptional(),
  /** Absent when it was asked for in no room. */
  room: name.exactOptional(),
  /** The conversation. Absent in entries of earlier versions, and when it was asked for in none. */
  session: name.exactOptional(),
})
type StoredTimer = z.infer<typeof storedTimer>

/**
 * Timers, and texts, that are kept of one skill; more are left out. A skill sets at most 128 timers of those it sees; a household cut in
 * eight may have eight times as many when it is one again.
 */
const MOST_TIMERS = 1_024
const MOST_TEXTS = 4_096
/** Persons of a household, and calls under way in it, of which one skill knows. */
const MOST_PERSONS = 64
const MOST_FLIGHTS = 256

/** What a call makes of the state: what to store, and what to do once that is durable. */
export interface Noted {
  readonly entries: readonly EntryChange[]
  readonly effects: readonly Effect[]
}

export function noted(
  { kept, args }: Pick<SkillState, 'kept' | 'args'>,
  work: Work,
  changes: readonly Change[],
  context: Context,
): Noted {
  const entries: EntryChange[] = work.kind === 'due' ? [forgetTimer(work.timer)] : []
  const effects: Effect[] = []
  const { room, session } = askedIn(work, kept)
  const person = personOf(work)
  for (const change of changes) {
    switch (change.change) {
      case 'put':
        entries.push({ change: 'put', key: STORAGE_PREFIX + change.key, value: change.value, renews: true })
        break
      case 'delete':
        entries.push({ change: 'delete', key: STORAGE_PREFIX + change.key })
        break
      case 'timer-set': {
        const stored: StoredTimer = {
          due_wall: Math.round(context.wall + change.delay_ms),
          delay_ms: change.delay_ms,
          by: args.node,
          ...(room === undefined || room === '' ? {} : { room }),
          ...(session === undefined || session === '' ? {} : { session }),
        }
        entries.push({ change: 'put', key: TIMER_PREFIX + change.timer, value: stored, renews: true })
        break
      }
      case 'timer-cancel':
        entries.push(forgetTimer(change.timer))
        break
      case 'log':
        effects.push({
          type: 'log',
          level: change.level,
          message: 'A skill logged',
          values: { pii: { text: change.message } },
        })
        break
      case 'announce':
      // What reaches out is carried out once the rest is durable: `skill-reach.ts`.
      case 'device':
      case 'http':
      case 'language':
      case 'question':
      case 'publish':
      case 'card':
        break
      case 'personal-put':
        if (person === undefined) break
        // Does not renew: who has a person erased erases also what was kept of them out of reach.
        entries.push({ change: 'put', key: personalKey(person, change.key), value: change.value })
        break
      case 'personal-delete':
        if (person !== undefined) entries.push({ change: 'delete', key: personalKey(person, change.key) })
        break
      default:
        assertNever(change)
    }
  }
  return { entries, effects }
}

/** Where a timer was asked for that a timer set is where that one was. */
function askedIn(
  work: Work,
  { timers }: SkillState['kept'],
): { readonly room?: string | undefined; readonly session?: string | undefined } {
  if (work.kind === 'handle') return work.invoke
  return work.kind === 'due' ? (timers[work.timer] ?? {}) : work.origin
}

const personalKey = (person: string, key: string): string => personPrefix(person) + key

/** Under which keys of a skill's collection all that it keeps of a person lies. */
export const personPrefix = (person: string): string => `${PERSON_PREFIX}${person}/`

/** The state after what the store told. Entries that are no skill's are left out, as if they were not there. */
export function absorbed(state: SkillState, { whole, changes }: Followed, context: Context): SkillState {
  const storage: Record<string, string> = whole ? {} : { ...state.kept.storage }
  const timers: Record<string, Timer> = whole ? {} : { ...state.kept.timers }
  const personal: Record<string, Record<string, string>> = whole ? {} : { ...state.kept.personal }
  const flights: Record<string, Flight> = whole ? {} : { ...state.kept.flights }
  const over: Record<string, number> = { ...state.over }
  const room = {
    timers: MOST_TIMERS - Object.keys(timers).length,
    texts: MOST_TEXTS - Object.keys(storage).length,
  }
  for (const { key, value } of changes.map(asEntry)) {
    if (key.startsWith(STORAGE_PREFIX)) {
      const name = key.slice(STORAGE_PREFIX.length)
      const text = storedText.safeParse(value).data
      const had = storage[name] !== undefined
      if (isForeign(name) || (!had && (text === undefined || room.texts <= 0))) continue
      if (text === undefined) delete storage[name]
      else storage[name] = text
      room.texts += Number(had) - Number(text !== undefined)
    } else if (key.startsWith(PERSON_PREFIX)) {
      absorbPersonal(personal, key.slice(PERSON_PREFIX.length), storedText.safeParse(value).data)
    } else if (key.startsWith(FLIGHT_PREFIX)) {
      const flight = key.slice(FLIGHT_PREFIX.length)
      const stored = readFlight(value)
      if (isForeign(flight)) continue
      if (stored === undefined) delete flights[flight]
      else if (Object.keys(flights).length < MOST_FLIGHTS) flights[flight] = stored
    } else if (key.startsWith(TIMER_PREFIX)) {
      const timer = key.slice(TIMER_PREFIX.length)
      const stored = storedTimer.safeParse(value).data
      if (isForeign(timer) || (stored !== undefined && over[timer] === stored.due_wall)) continue
      const had = timers[timer] !== undefined
      if (stored !== undefined && !had && room.timers <= 0) continue
      room.timers += Number(had) - Number(stored !== undefined)
      delete over[timer]
      if (stored === undefined) delete timers[timer]
      else timers[timer] = timerFrom(stored, state, state.kept.timers[timer], whole, context)
    }
  }
  return { ...state, kept: { storage, timers, personal, flights }, over }
}

function absorbPersonal(
  personal: Record<string, Record<string, string>>,
  path: string,
  text: string | undefined,
): void {
  const slash = path.indexOf('/')
  const person = path.slice(0, slash)
  const key = path.slice(slash + 1)
  if (slash <= 0 || isForeign(person) || isForeign(key)) return
  const { [key]: _, ...others } = personal[person] ?? {}
  const left = text === undefined ? others : { ...others, [key]: text }
  const many = Object.keys(left).length > MOST_TEXTS || Object.keys(personal).length >= MOST_PERSONS
  if (Object.keys(left).length === 0) delete personal[person]
  else if (!many || personal[person] !== undefined) personal[person] = left
}

/** What every object has under that name is no entry. */
const isForeign = (name: string): boolean => name in Object.prototype

const asEntry = (change: EntryChange): { key: string; value: unknown } =>
  change.change === 'put' ? change : { key: change.key, value: undefined }

function timerFrom(
  stored: StoredTimer,
  state: SkillState,
  known: Timer | undefined,
  whole: boolean,
  context: Context,
): Timer {
  const { due_wall, delay_ms, room, session } = stored
  const by = stored.by === undefined ? undefined : nodeId(stored.by)
  // The same timer once more goes on ringing by this process' clock, whatever was done to the wall's meanwhile.
  if (known?.due_wall === due_wall && known.delay_ms === delay_ms && known.by === by) return known
  const left_ms = wasSetJustNow(stored, by, state, whole, context)
    ? delay_ms
    : Math.min(due_wall - context.wall, delay_ms)
  const due = monotonic(context.now + left_ms)
  // First heard of long after it was due: it came with what was missed, and so may the word that it rang where it was set.
  const missing = state.now.phase !== 'loading' && by !== state.args.node && left_ms < -OVERDUE_MS
  return {
    due,
    due_wall: wall(due_wall),
    delay_ms,
    by,
    room,
    session,
    missed: state.now.phase === 'loading' && due <= context.now,
    ripe: monotonic(Math.max(due, context.now + (missing ? HEAR_AGAIN_MS : 0))),
  }
}

/** Clocks of two machines are taken to agree when they differ by less: a change is told within 150 ms. */
const CLOCKS_AGREE_MS = 500
/** A timer of a second is told and heard before it is due. */
const OVERDUE_MS = 500

/**
 * Clocks differ, and a machine without a battery for its own may start years back. A timer never has more left than it was set to.
 * And what a node that has been linked for a while tells now, it set now: when its clock says otherwise, that clock is behind ours.
 */
function wasSetJustNow(
  { due_wall, delay_ms }: StoredTimer,
  by: NodeId | undefined,
  { args, house }: SkillState,
  whole: boolean,
  context: Context,
): boolean {
  if (whole || by === args.node || due_wall - context.wall > delay_ms - CLOCKS_AGREE_MS) return false
  return house.nodes.some(({ node, steady }) => node === by && steady)
}

/** Without a timer that rang and could not be forgotten. */
export function overHere(state: SkillState, timer: string): SkillState {
  const { [timer]: rang, ...timers } = state.kept.timers
  if (rang === undefined) return state
  return {
    ...state,
    kept: { ...state.kept, timers },
    over: { ...state.over, [timer]: rang.due_wall },
  }
}
