/** What a behaviour may return; anything else is a defect in it and fails the actor. */
import { InvariantError } from '../host/index.ts'
import { type Next, NO_EFFECTS } from './behavior.ts'
import type { Effect } from './effects.ts'

/** Errors: `InvariantError` for a promise, or for anything that is not state and effects. */
export function acceptNext(returned: unknown, during: string): Next<unknown> {
  const next = returned as Partial<Next<unknown>> | null | undefined
  if (next?.effects === NO_EFFECTS || Array.isArray(next?.effects)) return next as Next<unknown>
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
