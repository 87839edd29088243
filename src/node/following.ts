/** Follows a collection for as long as this node runs: when the store ends that, it is opened again, and followed anew. */
import type { Followed } from '../actors/index.ts'
import type { Cancel, Clock } from '../host/index.ts'
import type { Store } from '../store/index.ts'

/** A store that is opened again takes about so long. */
export const FOLLOW_AGAIN_MS = 1_000

/** `hear` is told all of it first, and all of it again after each new beginning. Returns how to stop. */
export function following(
  { store, clock }: { readonly store: Pick<Store, 'follow'>; readonly clock: Pick<Clock, 'after'> },
  collection: string,
  hear: (followed: Followed) => void,
): Cancel {
  let stopped = false
  let end: Cancel = () => undefined
  const follow = (): void => {
    let failed = false
    const stop = store.follow(collection, {
      hear,
      failed: () => {
        failed = true
        if (!stopped) end = clock.after(FOLLOW_AGAIN_MS, follow)
      },
    })
    // One that is closed says so before it returns.
    if (!failed) end = stop
  }
  follow()
  return () => {
    stopped = true
    end()
  }
}
