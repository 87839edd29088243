/**
 * A loudspeaker that plays one reply after the other, each through a program of its own. Pure: (state, input) → { state, effects }.
 *
 * M1 At most one program runs. M2 After `hush` nothing of what came before is played. M3 A reply that begins while the one before is
 *    still heard waits for it, `MAX_HELD` pieces at most. M4 A program that fails costs that reply; the next one is tried again, and that
 *    nothing is heard is told once for each reason, and once when something is again. M5 A tone sounds by itself where nothing does, within
 *    the reply whose sound does not come, and before the reply that waits for the one before; it ends nothing and is no reply.
 */
import { assertNever } from '../host/index.ts'

/** Pieces that wait for the program before to be gone: a second or two of sound. */
export const MAX_HELD = 64

export type Mouth =
  | { readonly phase: 'quiet'; readonly told: string | undefined }
  | { readonly phase: 'playing'; readonly told: string | undefined }
  /** The program plays what it has, or was killed; what came since waits for its end. */
  | {
      readonly phase: 'leaving'
      readonly told: string | undefined
      readonly killed: boolean
      readonly held: readonly Uint8Array[]
      readonly held_ends: boolean
    }
  /** Nothing more of this reply is played. */
  | { readonly phase: 'mute'; readonly told: string }

export type MouthInput =
  | { readonly type: 'sound'; readonly pcm: Uint8Array }
  | { readonly type: 'reply-end' }
  /** Whole. */
  | { readonly type: 'tone'; readonly pcm: Uint8Array }
  | { readonly type: 'hush' }
  /** The program is gone, or was never there; `why` is undefined when it says that all was played. */
  | { readonly type: 'ended'; readonly why: string | undefined }

export type MouthEffect =
  | { readonly type: 'spawn' }
  | { readonly type: 'write'; readonly pcm: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'kill' }
  | { readonly type: 'works' }
  | { readonly type: 'fails'; readonly why: string }

export interface MouthStep {
  readonly state: Mouth
  readonly effects: readonly MouthEffect[]
}

export const newMouth: Mouth = { phase: 'quiet', told: undefined }

const step = (state: Mouth, ...effects: readonly MouthEffect[]): MouthStep => ({ state, effects })

export function mouth(state: Mouth, input: MouthInput): MouthStep {
  switch (input.type) {
    case 'sound':
      return sound(state, input.pcm)
    case 'reply-end':
      return replyEnd(state)
    case 'tone':
      return tone(state, input.pcm)
    case 'hush':
      return hush(state)
    case 'ended':
      return ended(state, input.why)
    default:
      return assertNever(input)
  }
}

function sound(state: Mouth, pcm: Uint8Array): MouthStep {
  switch (state.phase) {
    case 'quiet':
      return step({ phase: 'playing', told: state.told }, { type: 'spawn' }, { type: 'write', pcm })
    case 'playing':
      return step(state, { type: 'write', pcm })
    case 'leaving':
      if (state.held.length >= MAX_HELD) return step(state)
      return step({ ...state, held: [...state.held, pcm], held_ends: false })
    case 'mute':
      return step(state)
    default:
      return assertNever(state)
  }
}

function tone(state: Mouth, pcm: Uint8Array): MouthStep {
  switch (state.phase) {
    case 'quiet':
      return step(leaving(state.told, false), { type: 'spawn' }, { type: 'write', pcm }, { type: 'end' })
    case 'playing':
      return step(state, { type: 'write', pcm })
    case 'leaving':
      if (state.held.length >= MAX_HELD) return step(state)
      return step({
        ...state,
        held: [...state.held, pcm],
        held_ends: state.held.length === 0 || state.held_ends,
      })
    case 'mute':
      return step(state)
    default:
      return assertNever(state)
  }
}

const leaving = (told: string | undefined, killed: boolean): Mouth => ({
  ...{ phase: 'leaving', told, killed, held: [], held_ends: false },
})

function replyEnd(state: Mouth): MouthStep {
  switch (state.phase) {
    case 'playing':
      return step(leaving(state.told, false), { type: 'end' })
    case 'leaving':
      return step({ ...state, held_ends: state.held.length > 0 })
    case 'mute':
      return step({ phase: 'quiet', told: state.told })
    case 'quiet':
      return step(state)
    default:
      return assertNever(state)
  }
}

function hush(state: Mouth): MouthStep {
  switch (state.phase) {
    case 'playing':
      return step(leaving(state.told, true), { type: 'kill' })
    case 'leaving':
      return state.killed
        ? step({ ...state, held: [], held_ends: false })
        : step(leaving(state.told, true), { type: 'kill' })
    case 'mute':
      return step({ phase: 'quiet', told: state.told })
    case 'quiet':
      return step(state)
    default:
      return assertNever(state)
  }
}

function ended(state: Mouth, why: string | undefined): MouthStep {
  switch (state.phase) {
    case 'playing': {
      const reason = why ?? 'it stopped in the middle'
      return step({ phase: 'mute', told: reason }, ...failure(state.told, reason))
    }
    case 'leaving': {
      const good = state.killed || why === undefined
      const told = state.killed ? state.told : why
      const news: readonly MouthEffect[] = good
        ? state.told !== undefined && !state.killed
          ? [{ type: 'works' }]
          : []
        : failure(state.told, why!)
      if (state.held.length === 0) return step({ phase: 'quiet', told }, ...news)
      const writes = state.held.map((pcm): MouthEffect => ({ type: 'write', pcm }))
      const begun: readonly MouthEffect[] = [...news, { type: 'spawn' }, ...writes]
      return state.held_ends
        ? step(leaving(told, false), ...begun, { type: 'end' })
        : step({ phase: 'playing', told }, ...begun)
    }
    case 'mute':
    case 'quiet':
      return step(state)
    default:
      return assertNever(state)
  }
}

const failure = (told: string | undefined, why: string): readonly MouthEffect[] =>
  told === why ? [] : [{ type: 'fails', why }]
