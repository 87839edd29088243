/** What a behaviour may return; anything else is a defect in it and fails the actor. */
import { InvariantError } from '../host/index.ts'
import type { Next } from './behavior.ts'
import type { Effect } from './effects.ts'

/** Errors: `InvariantError` for a promise, or for anything that is not state and effects. */
export function acceptNext(returned: unknown, during: string): Next<unknown> {
  if (isNext(returned)) return returned
  return refuse(returned, during)
}

export function acceptEffects(returned: unknown, during: string): readonly Effect[] {
  if (Array.isArray(returned)) return returned
  return refuse(returned, during)
}

/** Plain data; a promise is no snapshot. */
export function acceptSnapshot(returned: unknown): unknown {
  return isThenable(returned) ? refuse(returned, 'snapshot') : returned
}

export const isNext = (returned: unknown): returned is Next<unknown> =>
  typeof returned === 'object' &&
  returned !== null &&
  'effects' in returned &&
  Array.isArray(returned.effects)

function refuse(returned: unknown, during: string): never {
  if (isThenable(returned)) {
    // Its rejection is heard here, so that it does not end the process as an unhandled one.
    returned.then(undefined, () => undefined)
    throw new InvariantError(`${during} returned a promise: behaviours may not be async`)
  }
  throw new InvariantError(`${during} did not return state and effects`)
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
