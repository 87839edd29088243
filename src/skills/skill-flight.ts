/**
 * Calls in flight when their node dies. A call of an intent whose manifest says `idempotent: true` is noted in the store before it
 * begins, and the note goes with what the call changed, in one transaction. When the node that noted it is gone, the first of the
 * others (in the order of `ringing.ts`) notes that it tries again, and does. Pure.
 *
 * F1 A call of any other intent is never repeated. F2 A call is tried again once: a note that says so is nobody's work any more.
 * F3 What is older than anybody would still want is dropped. F4 The reply is said aloud where it was asked for: the conversation
 * died with its node. A node whose note had not reached anybody when it died is not replaced.
 */
import { z } from 'zod'
import type { Context, Effect, EntryChange, Next } from '../actors/index.ts'
import { next, same, writeEntries } from '../actors/index.ts'
import { limits, monotonic, type NodeId, nodeId, requestId, type SessionId, wall } from '../host/index.ts'
import { RING_STEP_MS, turnOf } from './ringing.ts'
import { type Flight, type SkillMessage, type SkillState, skillCollection, type Work } from './skill-state.ts'

export const FLIGHT_PREFIX = 'flight/'
/** After this nobody wants it any more; clocks that differ by less do no harm. */
const FORGOTTEN_MS = 60_000
/** As for a ring: nobody waits in silence. */
const AGAIN_WITHIN_MS = 10_000

const name = z.string().min(1).max(128)
const text = z.string().max(limits.MAX_TURN_TEXT)
const storedFlight = z.object({
  by: name,
  intent: z.object({
    name,
    slots: z.record(name, z.union([text, z.number(), z.array(text).max(64)])),
  }),
  room: z.string().max(128),
  session: z.string().max(128),
  person: name.exactOptional(),
  at_wall: z.number().min(-8.64e15).max(8.64e15),
  /** The person had said yes. */
  confirmed: z.boolean(),
  again: z.boolean(),
})

/** Undefined: no such note, or not one of ours. */
export function readFlight(value: unknown): Flight | undefined {
  const read = storedFlight.safeParse(value)
  if (!read.success) return undefined
  const { by, at_wall, person, ...rest } = read.data
  return { ...rest, person, by: nodeId(by), at_wall: wall(at_wall) }
}

type Handle = Extract<Work, { kind: 'handle' }>

/** Whether this work is to be noted before it begins; alone there is nobody to note it for. */
export function takesOff({ args, house }: SkillState, work: Handle): boolean {
  if (work.flight !== undefined) return work.aloud === true
  return house.nodes.length > 1 && args.idempotent?.includes(work.invoke.intent.name) === true
}

/** The work with its note, and the note. */
export function noting(
  state: SkillState,
  work: Handle,
  context: Context,
): { readonly work: Handle; readonly entries: readonly EntryChange[] } {
  const { node } = state.args
  const flight = work.flight ?? `${node}.${context.entropy.toString(36)}.${state.next}`
  const { intent, room, session, person, confirmed } = work.invoke
  const value = {
    ...{ by: node, intent, room, session },
    ...(person === undefined ? {} : { person }),
    ...{ at_wall: Math.round(context.wall), confirmed, again: work.aloud === true },
  }
  return { work: { ...work, flight }, entries: [{ change: 'put', key: FLIGHT_PREFIX + flight, value }] }
}

export const landed = (flight: string): EntryChange => ({ change: 'delete', key: FLIGHT_PREFIX + flight })

/** Nothing else of it is under way. `now`: the work just done. */
export function isOver(state: SkillState, flight: string, now: Work): boolean {
  const mine = (origin: { readonly flight: string | undefined }): boolean => origin.flight === flight
  return !(
    Object.values(state.reaching).some(({ origin }) => mine(origin)) ||
    Object.values(state.held).some(({ origin }) => mine(origin)) ||
    state.waiting.some((work) => work !== now && work.kind === 'heard' && mine(work.origin))
  )
}

/** Notes that are looked after when the household or the notes have changed: taken up in turn, or thrown away. */
export function lookedAfter(state: SkillState, context: Context): Next<SkillState> {
  const { args, house, kept } = state
  if (!house.caught_up) return same(state)
  const effects: Effect[] = []
  const old: EntryChange[] = []
  for (const [key, flight] of Object.entries(kept.flights)) {
    if (isForgotten(flight, context) || isOwnOfBefore(state, key, flight)) old.push(landed(key))
    else if (isOrphan(state, flight)) {
      const turn = turnOf(args.node, { name: key, by: undefined, room: flight.room }, house.nodes)
      const message: SkillMessage = { type: 'flight.turn', flight: key }
      effects.push({
        type: 'schedule',
        id: requestId(FLIGHT_PREFIX + key),
        delay_ms: turn * RING_STEP_MS,
        message,
      })
    }
  }
  if (old.length === 0) return next(state, effects)
  const flights = Object.fromEntries(
    Object.entries(kept.flights).filter(([key]) => !old.some((entry) => entry.key === FLIGHT_PREFIX + key)),
  )
  return next({ ...state, kept: { ...kept, flights } }, [
    ...effects,
    writeEntries(requestId('flights-over'), skillCollection(args.name), old),
  ])
}

const isForgotten = ({ at_wall }: Flight, { wall: now }: Context): boolean =>
  Math.abs(now - at_wall) > FORGOTTEN_MS

/** This process knows nothing of it: it was noted in an earlier life. Others had the time to take it up. */
const isOwnOfBefore = (state: SkillState, key: string, flight: Flight): boolean =>
  flight.by === state.args.node && !isUnderWay(state, key)

const isOrphan = ({ args, house }: SkillState, { by, again }: Flight): boolean =>
  !again && by !== args.node && !house.nodes.some(({ node }: { node: NodeId }) => node === by)

function isUnderWay(state: SkillState, flight: string): boolean {
  const { now, waiting, reaching, held } = state
  const mine = (work: Work): boolean =>
    (work.kind === 'handle' && work.flight === flight) ||
    (work.kind === 'heard' && work.origin.flight === flight)
  return (
    waiting.some(mine) ||
    ('work' in now && mine(now.work)) ||
    Object.values(reaching).some(({ origin }) => origin.flight === flight) ||
    Object.values(held).some(({ origin }) => origin.flight === flight)
  )
}

/** This node's turn: the note still stands and nobody who wrote it is there. */
export function takenUp(state: SkillState, key: string, context: Context): Next<SkillState> {
  const flight = state.kept.flights[key]
  if (flight === undefined || isUnderWay(state, key) || !isOrphan(state, flight)) return same(state)
  const { intent, room, session, person, confirmed } = flight
  const work: Work = {
    kind: 'handle',
    invoke: {
      ...{ type: 'skill.invoke', intent, room, session: session as SessionId, confirmed },
      ...(person === undefined ? {} : { person }),
    },
    replyTo: undefined,
    until: monotonic(context.now + AGAIN_WITHIN_MS),
    flight: key,
    aloud: true,
  }
  const { name } = state.args
  return next({ ...state, waiting: [...state.waiting, work] }, [
    { type: 'audit', what: 'skill.again', object: intent.name, outcome: 'its node is gone' },
    {
      type: 'log',
      level: 'info',
      message: 'A call is tried again: its node is gone',
      values: { skill: name },
    },
  ])
}
