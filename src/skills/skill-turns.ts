/**
 * When a skill's timers ring here: each waits for this node's turn, which is worked out anew whenever timers or the household change.
 * Pure; whose turn it is stands in `ringing.ts`.
 */
import type { Context, Effect, Next } from '../actors/index.ts'
import { next } from '../actors/index.ts'
import { monotonic, requestId } from '../host/index.ts'
import { HEAR_AGAIN_MS, RING_STEP_MS, turnOf } from './ringing.ts'
import type { House, SkillMessage, SkillState, Timer, Work } from './skill-state.ts'

/** A turn that comes so much late was slept through: schedules are 10 ms late at most, a busy event loop 20. */
const OVERSLEPT_MS = 250
/** The others have noticed that this node was away, and may have given up their links to it. */
const LONG_MS = 1_000

const timerId = (timer: string) => requestId(`timer/${timer}`)

/** Works out all turns: schedules those to come, cancels those that are not, and puts among the work what is to ring now. */
export function arranged(before: SkillState, context: Context): Next<SkillState> {
  const state = awake(before, context)
  const rings: Record<string, number> = {}
  const effects: Effect[] = []
  const due: Extract<Work, { kind: 'due' }>[] = []
  for (const [name, timer] of Object.entries(state.kept.timers)) {
    if (isUnderWay(state, name)) continue
    const at = ringsAt(state, name, timer, context)
    rings[name] = at
    if (at <= context.now) due.push({ kind: 'due', timer: name, due: timer.due, missed: timer.missed })
    else if (at !== state.rings[name]) effects.push(scheduled(name, at, context))
  }
  for (const [name, at] of Object.entries(state.rings)) {
    if (rings[name] === undefined && at > context.now) effects.push({ type: 'cancel', id: timerId(name) })
  }
  due.sort((a, b) => a.due - b.due)
  return next({ ...state, rings, waiting: [...state.waiting, ...due] }, effects)
}

/** The schedule fired. */
export function turnCame(state: SkillState, timer: string, context: Context): Next<SkillState> {
  const at = state.rings[timer]
  if (at === undefined || at <= context.now) return arranged(state, context)
  // Moved since, or woken too early: a schedule of the same name replaces the one there is.
  return next(state, [scheduled(timer, at, context)])
}

/** The household changed. A node that has just caught up takes its turn from now on: before, it could not know. */
export function houseChanged(state: SkillState, house: House, context: Context): Next<SkillState> {
  const caught_up = house.caught_up && !state.house.caught_up
  const kept = caught_up ? later(state, () => true, context.now) : state.kept
  return arranged({ ...state, house, kept }, context)
}

/** It did not ring when its turn came: once more, after a while. */
export function againAfter(state: SkillState, timer: string, delay_ms: number, context: Context): SkillState {
  return { ...state, kept: later(state, (name) => name === timer, context.now + delay_ms) }
}

/**
 * A turn that others before it would have had by now, had they known sooner who is gone, does not come at once: whoever is first now
 * has just heard of it too, and rings.
 */
function ringsAt({ args, house, rings }: SkillState, name: string, timer: Timer, { now }: Context): number {
  if (!house.caught_up) return Number.POSITIVE_INFINITY
  const { by, room, ripe } = timer
  const turn = turnOf(args.node, { name, by, room }, house.nodes)
  const at = ripe + RING_STEP_MS * turn
  const planned = rings[name]
  if (turn === 0 || planned === undefined || planned <= now) return at
  return Math.max(at, Math.min(planned, now + RING_STEP_MS))
}

/**
 * Whoever was asleep when its turn came does not know what happened meanwhile: it may have rung elsewhere, and the word of it waits to
 * be read, or to be sent again. It lets so much time pass before it takes its turn.
 */
function awake(state: SkillState, { now }: Context): SkillState {
  if (state.house.nodes.length < 2) return state
  const slept = Object.entries(state.rings)
    .filter(([timer, at]) => now - at > OVERSLEPT_MS && !isUnderWay(state, timer))
    .map(([timer]) => timer)
  if (slept.length === 0) return state
  const longest = Math.max(...slept.map((timer) => now - state.rings[timer]!))
  const wait_ms = longest > LONG_MS ? HEAR_AGAIN_MS : RING_STEP_MS
  return { ...state, kept: later(state, (timer) => slept.includes(timer), now + wait_ms) }
}

function later({ kept }: SkillState, which: (timer: string) => boolean, ripe: number): SkillState['kept'] {
  const timers = Object.entries(kept.timers).map(([name, timer]): [string, Timer] => [
    name,
    which(name) && timer.ripe < ripe ? { ...timer, ripe: monotonic(ripe) } : timer,
  ])
  return { ...kept, timers: Object.fromEntries(timers) }
}

/** It waits for the sandbox, or is being rung. */
function isUnderWay({ now, waiting }: SkillState, timer: string): boolean {
  const rings = (work: Work): boolean => work.kind === 'due' && work.timer === timer
  return waiting.some(rings) || ((now.phase === 'calling' || now.phase === 'saving') && rings(now.work))
}

function scheduled(timer: string, at: number, { now }: Context): Effect {
  if (at === Number.POSITIVE_INFINITY) return { type: 'cancel', id: timerId(timer) }
  const message: SkillMessage = { type: 'timer.due', timer }
  return { type: 'schedule', id: timerId(timer), delay_ms: Math.max(0, at - now), message }
}
