/**
 * What a skill is charged with, and when it is stopped for it: switched off until a person switches it on again. Pure.
 *
 * A skill that fails may have a bug; one that fails all the time is of no use. Some failures are signs that it means harm, and those
 * weigh more: running into a quota again and again (`storm`), and a process that says what the runner never says (`escape`): whoever
 * makes it say that is outside the runner's rules.
 */
import { type Monotonic, monotonic } from '../../host/index.ts'
import type { SkillErrorShape } from '../errors.ts'
import type { SkillRecord, StopReason } from './machine-state.ts'

export const MAX_FAILURES = 5
/** Quotas are a hundred times what honest skills use: the first overrun may be a bug, the third is none. */
export const MAX_OVERRUNS = 3
export const FAILURE_WINDOW_MS = 600_000
/** All 128 timers of a skill in one minute, and as many answers to what it asked for. */
export const MAX_WAKES = 256
const WAKES_WINDOW_MS = 60_000

export const newRecord = (call_ms: number): SkillRecord => ({
  call_ms,
  failures: [],
  overruns: [],
  wakes: { since: monotonic(0), count: 0 },
  stopped: undefined,
})

/** Counts a call the skill caused itself. Above `MAX_WAKES` it is one that sets a timer for now whenever a timer rings. */
export function awoken(record: SkillRecord, now: Monotonic): SkillRecord {
  const { since, count } = record.wakes
  const wakes = now - since < WAKES_WINDOW_MS ? { since, count: count + 1 } : { since: now, count: 1 }
  return { ...record, wakes }
}

export const wakesTooOften = ({ wakes }: SkillRecord): boolean => wakes.count > MAX_WAKES

/** A person switched it on again: it begins afresh. */
export const forgiven = (record: SkillRecord): SkillRecord => newRecord(record.call_ms)

export function charged(record: SkillRecord, { code }: SkillErrorShape, now: Monotonic): SkillRecord {
  const since = monotonic(now - FAILURE_WINDOW_MS)
  const failures = recent(record.failures, since, now, MAX_FAILURES)
  const overruns =
    code === 'skill-budget' ? recent(record.overruns, since, now, MAX_OVERRUNS) : record.overruns
  return { ...record, failures, overruns, stopped: record.stopped ?? reason(code, failures, overruns) }
}

function recent(times: readonly Monotonic[], since: Monotonic, now: Monotonic, most: number): Monotonic[] {
  return [...times.filter((time) => time > since), now].slice(-most)
}

function reason(
  code: SkillErrorShape['code'],
  failures: readonly Monotonic[],
  overruns: readonly Monotonic[],
): StopReason | undefined {
  if (code === 'skill-escape') return 'escape'
  if (overruns.length >= MAX_OVERRUNS) return 'storm'
  return failures.length >= MAX_FAILURES ? 'failures' : undefined
}
