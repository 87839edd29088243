/**
 * The side a move starts from. Pure: frozen and thawed, said and dropped is what the effects say. In front of `resume` giving up is
 * free; behind it, until `resumed`, nobody here can know whether the other runs it, and taking it back costs a new epoch.
 *
 * freezing ─ offering ─ resuming ─ forwarding ─ ended, and from each of the first three back: `thaw`.
 */
import { assertNever } from '../../host/index.ts'
import { FREEZE_MS, HOLD_MS, MAX_LATE, OFFER_MS, RESUME_MS, RETRY_MS, WINDOW_CHUNKS } from './bounds.ts'
import { chunksOf, pack } from './bundle.ts'
import { type Fence, outranks } from './fence.ts'
import { forwarding, lost, moved } from './forwarding.ts'
import type { MoveMessage } from './messages.ts'
import {
  bury,
  type In,
  type Move,
  type Outcome,
  ofMove,
  type SourceEffect,
  type SourceInput,
  type SourceState,
  type SourceStep,
  say,
  step,
  toldOf,
} from './source-state.ts'

export const beginMove = (move: Move, kind: string, version: number, now: number): SourceStep =>
  step({ phase: 'freezing', move, kind, version, deadline: now + FREEZE_MS, late: [] }, { type: 'freeze' })

export function source(state: SourceState, input: SourceInput, now: number): SourceStep {
  if (state.phase === 'ended') return step(state)
  if (input.type === 'claimed' && outranks(input.fence, fenceOf(state))) return outranked(state)
  switch (state.phase) {
    case 'freezing':
      return freezing(state, input, now)
    case 'offering':
      return offering(state, input, now)
    case 'resuming':
      return resuming(state, input, now)
    case 'forwarding':
      return forwarding(state, input, now)
    default:
      return assertNever(state)
  }
}

/** When `due` is to come; undefined: never. */
export function sourceDue(state: SourceState): number | undefined {
  switch (state.phase) {
    case 'freezing':
      return state.deadline
    case 'offering':
    case 'resuming':
      return Math.min(state.deadline, state.retry_at)
    case 'forwarding': {
      const quiet = state.closing ? Number.POSITIVE_INFINITY : state.until
      const waits = state.queue.length > 0 || state.closing
      return waits ? Math.min(state.retry_at, state.heard_at + HOLD_MS, quiet) : quiet
    }
    case 'ended':
      return undefined
    default:
      return assertNever(state)
  }
}

/** What the move's own target will hold it under: whatever is above that ends both copies of this move. */
const fenceOf = ({ move }: SourceState): Fence => ({ epoch: move.epoch, node: move.to })

function freezing(state: In<'freezing'>, input: SourceInput, now: number): SourceStep {
  switch (input.type) {
    case 'frozen': {
      const packed = pack(input.bundle)
      if (typeof packed === 'string') return aborted(state, packed)
      const { move, kind, version, late } = state
      const chunks = chunksOf(packed)
      const deadline = now + OFFER_MS
      const next: In<'offering'> = {
        ...{ phase: 'offering', move, kind, version, late, deadline, chunks },
        ...{ bytes: packed.length, got: 0, sent: 0, retry_at: now + RETRY_MS },
      }
      return sayChunks(next, { type: 'say', message: offerOf(next) })
    }
    case 'cannot':
      return aborted(state, 'cannot-freeze')
    case 'due':
      return now >= state.deadline ? aborted(state, 'timeout') : step(state)
    default:
      return beforeResume(state, input)
  }
}

function offering(state: In<'offering'>, input: SourceInput, now: number): SourceStep {
  if (input.type === 'heard') {
    const { message } = input
    if (message.type === 'got' && message.next > state.got && message.next <= state.sent) {
      return sayChunks({ ...state, got: message.next, retry_at: now + RETRY_MS })
    }
    if (message.type === 'refuse') return aborted(state, message.why)
    if (message.type === 'accept') {
      const { move, kind, version, late } = state
      const times = { deadline: now + RESUME_MS, retry_at: now + RETRY_MS }
      return step(
        { phase: 'resuming', move, kind, version, late, ...times },
        say({ type: 'resume', ...ofMove(move) }),
      )
    }
    return step(state)
  }
  if (input.type !== 'due') return beforeResume(state, input)
  if (now >= state.deadline) return aborted(state, 'timeout')
  if (now < state.retry_at) return step(state)
  // From the first that is missing: it costs little, and is right whatever was lost.
  return sayChunks({ ...state, sent: state.got, retry_at: now + RETRY_MS }, say(offerOf(state)))
}

/** What is the same while nothing is in doubt. */
function beforeResume(state: In<'freezing' | 'offering'>, input: SourceInput): SourceStep {
  switch (input.type) {
    case 'arrived': {
      const late = [...state.late, input.passed]
      return late.length > MAX_LATE ? aborted({ ...state, late }, 'overloaded') : step({ ...state, late })
    }
    case 'gone':
      return aborted(state, 'gone')
    case 'cancel':
      return aborted(state, 'cancelled')
    default:
      return step(state)
  }
}

function resuming(state: In<'resuming'>, input: SourceInput, now: number): SourceStep {
  const { move } = state
  switch (input.type) {
    case 'heard':
      if (input.message.type === 'resumed') return moved(state, now)
      // It never ran there and will not.
      if (input.message.type === 'refuse') return aborted(state, input.message.why)
      return step(state)
    case 'claimed':
      return input.fence.epoch === move.epoch && input.fence.node === move.to
        ? moved(state, now)
        : step(state)
    case 'arrived': {
      if (state.late.length < MAX_LATE) return step({ ...state, late: [...state.late, input.passed] })
      return step(state, ...bury([input.passed], 'overflow'))
    }
    case 'gone':
      return takenBack(state, 'gone')
    case 'due':
      if (now >= state.deadline) return takenBack(state, 'timeout')
      if (now < state.retry_at) return step(state)
      return step({ ...state, retry_at: now + RETRY_MS }, say({ type: 'resume', ...ofMove(move) }))
    default:
      return step(state)
  }
}

/** As if nothing had been. The target forgets it when it hears so, or by itself. */
function aborted(state: In<'freezing' | 'offering' | 'resuming'>, why: AbortReason): SourceStep {
  const silent = state.phase === 'freezing' || why === 'gone'
  const effects: SourceEffect[] = silent ? [] : [say({ type: 'abort', ...ofMove(state.move) })]
  return step(
    ended(state),
    ...effects,
    { type: 'thaw', late: toldOf(state.late), without_mailbox: false },
    { type: 'ended', outcome: { how: 'aborted', why } },
  )
}
type AbortReason = Extract<Outcome, { how: 'aborted' }>['why']

function takenBack(state: In<'resuming'>, why: 'timeout' | 'gone'): SourceStep {
  const effects: SourceEffect[] = why === 'gone' ? [] : [say({ type: 'abort', ...ofMove(state.move) })]
  return step(
    ended(state),
    { type: 'claim', epoch: state.move.epoch + 1 },
    ...effects,
    { type: 'thaw', late: toldOf(state.late), without_mailbox: true },
    { type: 'ended', outcome: { how: 'taken-back', why } },
  )
}

function outranked(state: Exclude<SourceState, { phase: 'ended' }>): SourceStep {
  if (state.phase === 'forwarding') return lost(state)
  return step(
    ended(state),
    ...(state.phase === 'freezing' ? [] : [say({ type: 'abort', ...ofMove(state.move) })]),
    { type: 'release' },
    ...bury(state.late, 'unreachable'),
    { type: 'ended', outcome: { how: 'outranked' } },
  )
}

const ended = ({ move, kind, version }: SourceState): SourceState => ({ phase: 'ended', move, kind, version })

const offerOf = ({ move, kind, version, bytes, chunks }: In<'offering'>): MoveMessage => ({
  ...{ type: 'offer', ...ofMove(move), kind, version, bytes },
  chunks: chunks.length,
})

function sayChunks(state: In<'offering'>, ...before: readonly SourceEffect[]): SourceStep {
  const { chunks, got, move } = state
  const sent = Math.min(chunks.length, got + WINDOW_CHUNKS)
  const said = chunks
    .slice(state.sent, sent)
    .map((bytes, i) => say({ type: 'chunk', ...ofMove(move), index: state.sent + i, bytes }))
  return step({ ...state, sent: Math.max(sent, state.sent) }, ...before, ...said)
}
