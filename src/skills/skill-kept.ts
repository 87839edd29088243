/**
 * A skill's state and the store: how what a call changed becomes entries and schedules, and entries become state again.
 * Storage lies under `storage/<key>`, timers under `timer/<name>`, in the collection `skill.<name>`. Pure.
 */
import type { Context, Effect, Entry, EntryChange } from '../actors/index.ts'
import { assertNever, monotonic, requestId, wall } from '../host/index.ts'
import type { Change } from './call.ts'
import type { Kept, SkillMessage, StoredTimer, Timer, Work } from './skill-state.ts'

const STORAGE_PREFIX = 'storage/'
const TIMER_PREFIX = 'timer/'

export const skillCollection = (skill: string): string => `skill.${skill}`

/** The entry of a timer that is over. */
export const forgetTimer = (timer: string): EntryChange => ({ change: 'delete', key: TIMER_PREFIX + timer })

/** What a call makes of the state: the new state, what to store of it, and what to do once that is durable. */
export interface Applied {
  readonly kept: Kept
  readonly entries: readonly EntryChange[]
  readonly effects: readonly Effect[]
}

export function applyChanges(
  before: Kept,
  work: Work,
  changes: readonly Change[],
  context: Context,
): Applied {
  const storage = { ...before.storage }
  const timers = { ...before.timers }
  const entries: EntryChange[] = []
  const effects: Effect[] = []
  if (work.kind === 'due') {
    delete timers[work.timer]
    entries.push(forgetTimer(work.timer))
  }
  for (const change of changes) {
    switch (change.change) {
      case 'put':
        storage[change.key] = change.value
        entries.push({ change: 'put', key: STORAGE_PREFIX + change.key, value: change.value })
        break
      case 'delete':
        delete storage[change.key]
        entries.push({ change: 'delete', key: STORAGE_PREFIX + change.key })
        break
      case 'timer-set': {
        const timer = timerIn(change.delay_ms, context)
        timers[change.timer] = timer
        const stored: StoredTimer = { due_wall: timer.due_wall, delay_ms: timer.delay_ms }
        entries.push({ change: 'put', key: TIMER_PREFIX + change.timer, value: stored })
        effects.push(scheduleOf(change.timer, timer, context))
        break
      }
      case 'timer-cancel':
        delete timers[change.timer]
        entries.push(forgetTimer(change.timer))
        effects.push({ type: 'cancel', id: timerId(change.timer) })
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
        break
      default:
        assertNever(change)
    }
  }
  return { kept: { storage, timers }, entries, effects }
}

const timerIn = (delay_ms: number, context: Context): Timer => ({
  due: monotonic(context.now + delay_ms),
  due_wall: wall(Math.round(context.wall + delay_ms)),
  delay_ms,
})

export const timerId = (name: string) => requestId(TIMER_PREFIX + name)

export function scheduleOf(name: string, timer: Timer, context: Context): Effect {
  const message: SkillMessage = { type: 'timer.due', timer: name }
  return { type: 'schedule', id: timerId(name), delay_ms: Math.max(0, timer.due - context.now), message }
}

/**
 * The state as it was stored. A machine without a battery-backed clock may start years back: a timer then never has more
 * left than it was set to.
 */
export function keptFrom(entries: readonly Entry[], context: Context): Kept {
  const storage: Record<string, string> = {}
  const timers: Record<string, Timer> = {}
  for (const { key, value } of entries) {
    if (key.startsWith(STORAGE_PREFIX)) storage[key.slice(STORAGE_PREFIX.length)] = value as string
    else if (key.startsWith(TIMER_PREFIX)) {
      const { due_wall, delay_ms } = value as StoredTimer
      const left_ms = Math.min(due_wall - context.wall, delay_ms)
      timers[key.slice(TIMER_PREFIX.length)] = {
        due: monotonic(context.now + left_ms),
        due_wall: wall(due_wall),
        delay_ms,
      }
    }
  }
  return { storage, timers }
}
