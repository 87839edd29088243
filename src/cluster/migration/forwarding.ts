/**
 * The source after the move: what came for the actor since it froze, and what others still send the old way, goes on to the target, each
 * numbered, until the old way is closed. Pure.
 */
import { FORWARD_MS, HOLD_MS, MAX_LATE, RETRY_MS, WINDOW_FORWARDS } from './bounds.ts'
import type { MoveMessage } from './messages.ts'
import {
  bury,
  type In,
  ofMove,
  type SourceEffect,
  type SourceInput,
  type SourceState,
  type SourceStep,
  say,
  step,
} from './source-state.ts'

export function moved({ move, kind, version, late }: In<'resuming'>, now: number): SourceStep {
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

export function forwarding(state: In<'forwarding'>, input: SourceInput, now: number): SourceStep {
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
export const lost = (state: In<'forwarding'>): SourceStep =>
  step({ ...state, phase: 'ended' } as In<'ended'>, ...bury(state.queue, 'unreachable'))

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
