/**
 * What keeps the enrolment listener cheap and codes unguessable: greetings counted per address and in all, and a lock-out
 * after wrong codes.
 *
 * G1 In any span of GREETINGS_SPAN_MS at most twice GREETINGS_PER_SOURCE greetings of one address that is remembered, and
 *    at most twice GREETINGS_IN_ALL of all, get an answer (counted in fixed spans, so two halves may meet).
 * G2 Never more than MAX_SOURCES addresses are remembered. Whoever changes addresses escapes the first bound, not the second.
 * G3 After WRONG_CODES wrong codes no code is looked at for LOCKOUT_MS, right or wrong.
 */
import type { Monotonic } from '../../host/index.ts'
import {
  GREETINGS_IN_ALL,
  GREETINGS_PER_SOURCE,
  GREETINGS_SPAN_MS,
  LOCKOUT_MS,
  MAX_SOURCES,
  WRONG_CODES,
} from './bounds.ts'

interface Count {
  readonly since: Monotonic
  readonly greetings: number
}

export interface Gate {
  readonly sources: ReadonlyMap<string, Count>
  readonly all: Count
  readonly wrong_codes: number
  readonly locked_until: Monotonic
}

export const openGate = (now: Monotonic): Gate => ({
  sources: new Map(),
  all: { since: now, greetings: 0 },
  wrong_codes: 0,
  locked_until: now,
})

/** Called before a byte of a new connection is read; `source` is its address without the port. */
export function greet(gate: Gate, source: string, now: Monotonic): { gate: Gate; allowed: boolean } {
  const own = counted(gate.sources.get(source), now)
  const all = counted(gate.all, now)
  const sources = new Map(gate.sources)
  sources.delete(source)
  sources.set(source, own)
  if (sources.size > MAX_SOURCES) sources.delete(sources.keys().next().value!)
  // A refused greeting of one address costs the others nothing of what they share.
  if (own.greetings > GREETINGS_PER_SOURCE) return { gate: { ...gate, sources }, allowed: false }
  return { gate: { ...gate, sources, all }, allowed: all.greetings <= GREETINGS_IN_ALL }
}

function counted(before: Count | undefined, now: Monotonic): Count {
  if (before === undefined || now - before.since >= GREETINGS_SPAN_MS) return { since: now, greetings: 1 }
  return { since: before.since, greetings: before.greetings + 1 }
}

export const isLocked = (gate: Gate, now: Monotonic): boolean => gate.locked_until > now

/** Tells whether this was the one too many. */
export function wrongCode(gate: Gate, now: Monotonic): { gate: Gate; locked: boolean } {
  const wrong_codes = gate.wrong_codes + 1
  if (wrong_codes < WRONG_CODES) return { gate: { ...gate, wrong_codes }, locked: false }
  return { gate: { ...gate, wrong_codes: 0, locked_until: (now + LOCKOUT_MS) as Monotonic }, locked: true }
}

export const rightCode = (gate: Gate): Gate => ({ ...gate, wrong_codes: 0 })
