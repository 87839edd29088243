/** Who follows a collection is told of it for as long as it wants to, also when the store was opened again meanwhile. */
import { describe, expect, it } from 'vitest'
import { LoqaError } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { FOLLOW_AGAIN_MS, following } from '../../src/node/following.ts'
import type { Store } from '../../src/store/index.ts'

type Follower = Parameters<Store['follow']>[1]
const LOST = new LoqaError('store-closed', 'closed')

function stage(refuses: () => boolean = () => false) {
  const clock = new SimulatedClock()
  const followers: (Follower | undefined)[] = []
  let whole = 0
  const store: Pick<Store, 'follow'> = {
    follow(_collection, follower) {
      if (refuses()) {
        followers.push(undefined)
        follower.failed(LOST)
        return () => undefined
      }
      const index = followers.push(follower) - 1
      follower.hear({ whole: true, changes: [] })
      return () => {
        followers[index] = undefined
      }
    },
  }
  const stop = following({ store, clock }, 'things', (followed) => {
    if (followed.whole) whole += 1
  })
  return { clock, followers, stop, whole: () => whole, open: () => followers.filter(Boolean).length }
}

describe('following a collection', () => {
  it('begins anew when the store ends it, with all of it', () => {
    const { clock, followers, whole, open } = stage()
    const [first] = followers
    followers[0] = undefined
    first?.failed(LOST)
    expect(open()).toBe(0)
    clock.advance(FOLLOW_AGAIN_MS)
    expect([open(), whole()]).toEqual([1, 2])
  })

  it('is tried again and again by a store that is closed, and never twice at once', () => {
    let closed = true
    const { clock, whole, open } = stage(() => closed)
    clock.advance(3 * FOLLOW_AGAIN_MS)
    expect([open(), whole()]).toEqual([0, 0])
    closed = false
    clock.advance(3 * FOLLOW_AGAIN_MS)
    expect([open(), whole()]).toEqual([1, 1])
  })

  it('ends when it is stopped, followed or waiting', () => {
    const following = stage()
    following.stop()
    expect(following.open()).toBe(0)
    const waiting = stage(() => true)
    waiting.stop()
    waiting.clock.advance(5 * FOLLOW_AGAIN_MS)
    expect(waiting.followers).toHaveLength(1)
  })
})
