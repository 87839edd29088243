/**
 * The side a move starts from. Pure: frozen and thawed, said and dropped is what the effects say. In front of `resume` giving up is
 * free; behind it, until `resumed`, nobody here can know whether the other runs it, and taking it back costs a new epoch.
 *
 * freezing ─ offering ─ resuming ─ forwarding ─ ended, and from each of the first three back: `thaw`.
 */
import { assertNever, type NodeId } from '../../host/index.ts'
import {
  FORWARD_MS,
  FREEZE_MS,
  HOLD_MS,
  MAX_LATE,
  OFFER_MS,
  RESUME_MS,
  RETRY_MS,
  WINDOW_CHUNKS,
  WINDOW_FORWARDS,
} from './bounds.ts'
import { type Bundle, chunksOf, type PackFault, pack } from './bundle.ts'
import { type Fence, outranks } from './fence.ts'
import type { MoveMessage, Passed, Refusal } from './messages.ts'

export interface Move {
  readonly address: string
  readonly from: NodeId
  readonly to: NodeId
  /** What the target will hold it under; never offered twice. */
  readonly epoch: number
}

export type Outcome =
  | { readonly how: 'moved' }
  /** It runs here as before. */
  | {
      readonly how: 'aborted'
      readonly why: Refusal | PackFault | 'cannot-freeze' | 'timeout' | 'gone' | 'cancelled' | 'overloaded'
    }
  /** It runs here again, under a new epoch, without the messages that had gone along. */
  | { readonly how: 'taken-back'; readonly why: 'timeout' | 'gone' }
  /** Another copy counts. */
  | { readonly how: 'outranked' }

export type SourceState = { readonly move: Move; readonly kind: string; readonly version: number } & (
  | { readonly phase: 'freezing'; readonly deadline: number; readonly late: readonly Passed[] }
  | {
      readonly phase: 'offering'
      readonly bytes: number
      readonly chunks: readonly Uint8Array<ArrayBuffer>[]
      readonly got: number
      readonly sent: number
      readonly deadline: number
      readonly retry_at: number
      readonly late: readonly Passed[]
    }
  | {
      readonly phase: 'resuming'
      readonly deadline: number
      readonly retry_at: number
      readonly late: readonly Passed[]
    }
  | {
      readonly phase: 'forwarding'
      /** Not acknowledged yet; the first of them has the number `first`. */
      readonly queue: readonly Passed[]
      readonly first: number
      readonly sent: number
      /** Forwarding ends then. */
      readonly until: number
      readonly closing: boolean
      /** When the target last said something. */
      readonly heard_at: number
      readonly retry_at: number
    }
  | { readonly phase: 'ended' }
)
type In<Phase extends SourceState['phase']> = Extract<SourceState, { phase: Phase }>
export type Told = Extract<Passed, { what: 'told' }>

export type SourceInput =
  /** All that moves, as it is now that nothing handles it. */
  | { readonly type: 'frozen'; readonly bundle: Bundle }
  /** It has children, outside work under way, or is no kind that moves. */
  | { readonly type: 'cannot' }
  | { readonly type: 'heard'; readonly message: MoveMessage }
  /** For the actor, from a node that still looks for it here; or that node's word that it no longer does. */
  | { readonly type: 'arrived'; readonly passed: Passed }
  /** The target died, or is another life of its node. */
  | { readonly type: 'gone' }
  /** The map of placements names this copy. */
  | { readonly type: 'claimed'; readonly fence: Fence }
  | { readonly type: 'cancel' }
  | { readonly type: 'due' }

export type SourceEffect =
  /** After the message it is handling; answer with `frozen` or `cannot`. Its mailbox is left as it is. */
  | { readonly type: 'freeze' }
  | { readonly type: 'say'; readonly message: MoveMessage }
  /** It goes on, and then has these in its mailbox too. `without`: what was in the mailbox when it froze is given up: it may have been handled. */
  | { readonly type: 'thaw'; readonly late: readonly Told[]; readonly without_mailbox: boolean }
  /** Tell the map, under this epoch, that it lives here. */
  | { readonly type: 'claim'; readonly epoch: number }
  /** The copy here is no more, silently: watchers and schedules went along. */
  | { readonly type: 'release' }
  /** These reach nobody. */
  | { readonly type: 'bury'; readonly told: readonly Told[]; readonly why: 'unreachable' | 'overflow' }
  | { readonly type: 'ended'; readonly outcome: Outcome }

export interface SourceStep {
  readonly state: SourceState
  readonly effects: readonly SourceEffect[]
}

const step = (state: SourceState, ...effects: readonly SourceEffect[]): SourceStep => ({ state, effects })

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

const ofMove = ({ address, epoch }: Move) => ({ address, epoch })

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

function moved({ move, kind, version, late }: In<'resuming'>, now: number): SourceStep {
  const times = { until: now + FORWARD_MS, heard_at: now, retry_at: now + RETRY_MS }
  const next: SourceState = {
    phase: 'forwarding',
    move,
    kind,
    version,
    queue: late,
    first: 0,
    sent: 0,
    closing: false,
    ...times,
  }
  const sent = sayForwards(next)
  return step(sent.state, { type: 'release' }, { type: 'ended', outcome: { how: 'moved' } }, ...sent.effects)
}

function forwarding(state: In<'forwarding'>, input: SourceInput, now: number): SourceStep {
  switch (input.type) {
    case 'arrived': {
      if (state.closing || state.queue.length >= MAX_LATE) {
        return step(state, ...bury([input.passed], state.closing ? 'unreachable' : 'overflow'))
      }
      const retry_at = state.queue.length === 0 ? now + RETRY_MS : state.retry_at
      const heard_at = state.queue.length === 0 ? now : state.heard_at
      return sayForwards({ ...state, queue: [...state.queue, input.passed], retry_at, heard_at })
    }
    case 'heard':
      return heardForwarding(state, input.message, now)
    case 'gone':
      return lost(state)
    case 'due': {
      const waits = state.queue.length > 0 || state.closing
      if (waits && now >= state.heard_at + HOLD_MS) return lost(state)
      if (!state.closing && now >= state.until) return close(state, now)
      if (!waits || now < state.retry_at) return step(state)
      if (state.closing && state.queue.length === 0) {
        return step({ ...state, retry_at: now + RETRY_MS }, sayClose(state))
      }
      return sayForwards({ ...state, sent: state.first, retry_at: now + RETRY_MS })
    }
    default:
      return step(state)
  }
}

function heardForwarding(state: In<'forwarding'>, message: MoveMessage, now: number): SourceStep {
  if (message.type === 'refuse') return lost(state)
  if (message.type === 'closed') {
    return state.closing ? step({ ...state, phase: 'ended' } as In<'ended'>) : step(state)
  }
  if (message.type !== 'forwarded' || message.next > state.sent) return step(state)
  const done = Math.max(0, message.next - state.first)
  const queue = state.queue.slice(done)
  const first = state.first + done
  const retry_at = done > 0 ? now + RETRY_MS : state.retry_at
  const next = { ...state, queue, first, retry_at, heard_at: now }
  return next.closing && queue.length === 0 ? step(next, sayClose(next)) : sayForwards(next)
}

/** No more is taken; what waits still goes. */
function close(state: In<'forwarding'>, now: number): SourceStep {
  const times = state.queue.length > 0 ? {} : { heard_at: now, retry_at: now + RETRY_MS }
  const next = { ...state, closing: true, ...times }
  return next.queue.length === 0 ? step(next, sayClose(next)) : step(next)
}

const sayClose = ({ move, first }: In<'forwarding'>): SourceEffect =>
  say({ type: 'close', ...ofMove(move), count: first })

/** The target is gone, or takes no more: what is not acknowledged is lost with it. */
const lost = (state: In<'forwarding'>): SourceStep =>
  step({ ...state, phase: 'ended' } as In<'ended'>, ...bury(state.queue, 'unreachable'))

const toldOf = (passed: readonly Passed[]): readonly Told[] => passed.filter((each) => each.what === 'told')

const bury = (passed: readonly Passed[], why: 'unreachable' | 'overflow'): readonly SourceEffect[] => {
  const told = toldOf(passed)
  return told.length === 0 ? [] : [{ type: 'bury', told, why }]
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

const say = (message: MoveMessage): SourceEffect => ({ type: 'say', message })

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

function sayForwards(state: In<'forwarding'>): SourceStep {
  const { queue, first, move } = state
  const sent = first + Math.min(queue.length, WINDOW_FORWARDS)
  const said = queue
    .slice(Math.max(0, state.sent - first), sent - first)
    .map((passed, i) =>
      say({ type: 'forward', ...ofMove(move), number: Math.max(first, state.sent) + i, passed }),
    )
  return step({ ...state, sent: Math.max(sent, state.sent) }, ...said)
}
