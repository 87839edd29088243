/**
 * A microphone that is to be heard all the time, through a program that may not start, stop or say nothing. Pure:
 * (state, input, now) → { state, effects }.
 *
 * E1 At most one program runs. E2 After one ended there is a pause, twice as long each time up to `LONGEST_PAUSE_MS`, and then the next
 *    one: a microphone that is plugged in again is heard again. E3 One that was heard for `STEADY_MS` begins with the shortest pause. E4
 *    One that gives nothing for `SILENT_MS` is ended. E5 That nothing is heard is told once for each reason, and once when it is again.
 *    E6 When sound stops in mid-sentence the recording ends there, so that what was said is answered.
 */
import { assertNever, type Monotonic } from '../host/index.ts'

/** A cable that was moved is back at once. */
const FIRST_PAUSE_MS = 250
/** Who plugs a microphone in waits so long at most; a program is started in vain so rarely. */
const LONGEST_PAUSE_MS = 8_000
const STEADY_MS = 5_000
/** A device gives sound every 20 ms, silent or not; one that is asleep wakes within a second. */
export const SILENT_MS = 3_000

export type Ear =
  | { readonly phase: 'off' }
  /** A program runs; nothing came from it. */
  | { readonly phase: 'opening'; readonly tries: number; readonly told: string | undefined }
  | { readonly phase: 'hearing'; readonly tries: number; readonly since: Monotonic }
  /** It was told to end, and has not. */
  | {
      readonly phase: 'closing'
      readonly tries: number
      readonly why: string
      readonly told: string | undefined
    }
  | { readonly phase: 'waiting'; readonly tries: number; readonly told: string }

export type EarInput =
  | { readonly type: 'start' }
  | { readonly type: 'sound' }
  /** The program is gone, or was never there. */
  | { readonly type: 'ended'; readonly why: string }
  /** The pause is over. */
  | { readonly type: 'due' }
  /** `SILENT_MS` passed; whether sound came in them. */
  | { readonly type: 'looked'; readonly sound: boolean }
  | { readonly type: 'stop' }

export type EarEffect =
  | { readonly type: 'spawn' }
  | { readonly type: 'kill' }
  | { readonly type: 'pause'; readonly ms: number }
  /** Look after `SILENT_MS`. */
  | { readonly type: 'look' }
  | { readonly type: 'cut' }
  | { readonly type: 'heard' }
  | { readonly type: 'lost'; readonly why: string }

export interface EarStep {
  readonly state: Ear
  readonly effects: readonly EarEffect[]
}

export const newEar: Ear = { phase: 'off' }

const step = (state: Ear, ...effects: readonly EarEffect[]): EarStep => ({ state, effects })

export function ear(state: Ear, input: EarInput, now: Monotonic): EarStep {
  switch (input.type) {
    case 'start':
      if (state.phase !== 'off') return step(state)
      return step({ phase: 'opening', tries: 0, told: undefined }, { type: 'spawn' }, { type: 'look' })
    case 'sound':
      if (state.phase !== 'opening') return step(state)
      return step({ phase: 'hearing', tries: state.tries, since: now }, { type: 'heard' })
    case 'looked':
      if (state.phase !== 'opening' && state.phase !== 'hearing') return step(state)
      return input.sound ? step(state, { type: 'look' }) : silent(state, now)
    case 'ended':
      return ended(state, input.why, now)
    case 'due':
      if (state.phase !== 'waiting') return step(state)
      return step({ ...state, phase: 'opening' }, { type: 'spawn' }, { type: 'look' })
    case 'stop':
      return state.phase === 'off' || state.phase === 'waiting'
        ? step(newEar)
        : step(newEar, { type: 'kill' })
    default:
      return assertNever(input)
  }
}

function silent(state: Extract<Ear, { phase: 'opening' | 'hearing' }>, now: Monotonic): EarStep {
  const why = `it gave no sound for ${SILENT_MS / 1000} s`
  const told = state.phase === 'opening' ? state.told : undefined
  const cut: EarEffect[] = state.phase === 'hearing' ? [{ type: 'cut' }] : []
  return step({ phase: 'closing', tries: triesOf(state, now), why, told }, ...cut, { type: 'kill' })
}

function ended(state: Ear, why: string, now: Monotonic): EarStep {
  switch (state.phase) {
    case 'off':
    case 'waiting':
      return step(state)
    case 'closing':
      return wait(state.tries, state.why, state.told)
    case 'opening':
      return wait(state.tries, why, state.told)
    case 'hearing': {
      const { state: next, effects } = wait(triesOf(state, now), why, undefined)
      return step(next, { type: 'cut' }, ...effects)
    }
    default:
      return assertNever(state)
  }
}

const triesOf = (state: Extract<Ear, { phase: 'opening' | 'hearing' }>, now: Monotonic): number =>
  state.phase === 'hearing' && now - state.since >= STEADY_MS ? 0 : state.tries

function wait(tries: number, why: string, told: string | undefined): EarStep {
  const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries)
  const tell: EarEffect[] = told === why ? [] : [{ type: 'lost', why }]
  return step({ phase: 'waiting', tries: tries + 1, told: why }, ...tell, { type: 'pause', ms })
}
