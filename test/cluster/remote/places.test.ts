/** Placed actors are found from every node by who claimed them. */
import { describe, expect, it } from 'vitest'
import { FORGET_MS } from '../../../src/cluster/placement/placements.ts'
import { doing, note, numbers } from '../../actors/probe.ts'
import { placed, Stage, type StageNode } from './stage.ts'

async function three() {
  const stage = new Stage()
  const events: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) =>
    stage.add(name, {
      placed: {
        lost: (address) => events.push(`${name} lost ${address}`),
        orphaned: (addresses, of) => events.push(`${name} orphaned ${addresses} of ${of}`),
      },
    }),
  ) as [StageNode, StageNode, StageNode]
  return { stage, a, b, c, events }
}
const KEY = placed('one')

describe('the map of placements between nodes', () => {
  it('leads every node to the actor, also one that was linked later, and through others', async () => {
    const { stage, a, b, c } = await three()
    await stage.link(a, b)
    b.runtime.spawn({ kind: 'probe', key: 'one' })
    expect(b.remote.claim(KEY)).toBe(true)
    stage.advance(10)
    a.runtime.tell(KEY, note(1))
    // c never meets b before it knows.
    await stage.link(a, c)
    stage.advance(10)
    expect(c.remote.whereIs(KEY)).toBe(b.id)
    await stage.link(c, b)
    c.runtime.tell(KEY, note(2))
    stage.advance(10)
    expect(numbers(await stage.heard(b, KEY))).toEqual([1, 2])
  })

  it('forgets what was released: then it is nowhere', async () => {
    const { stage, a, b } = await three()
    await stage.link(a, b)
    b.remote.claim(KEY)
    stage.advance(10)
    b.remote.release(KEY)
    stage.advance(10)
    expect(a.remote.whereIs(KEY)).toBeUndefined()
    const asker = a.runtime.spawn({ kind: 'probe', path: 'asker' })
    a.runtime.tell(asker, doing({ type: 'send', to: KEY, message: note(1) }))
    stage.advance(10)
    expect(a.runtime.deadLetters().counts).toEqual({ 'unknown-actor': 1 })
  })

  it('of two claims made apart one counts on both sides, and the other side is told to stop its copy', async () => {
    const { stage, a, b, events } = await three()
    a.remote.claim(KEY)
    b.remote.claim(KEY)
    await stage.link(a, b)
    expect([a, b].map(({ remote }) => remote.whereIs(KEY))).toEqual([a.id, a.id])
    expect(events).toEqual([`b lost ${KEY}`])
  })

  it('gives up what a dead node had, and the one who takes over is found', async () => {
    const { stage, a, b, c, events } = await three()
    await stage.link(a, b)
    await stage.link(a, c)
    await stage.link(b, c)
    b.remote.claim(KEY)
    stage.advance(10)
    stage.network.kill(b.id)
    stage.advance(10)
    a.remote.dead(b.id)
    c.remote.dead(b.id)
    expect(events).toEqual([`a orphaned ${KEY} of b`, `c orphaned ${KEY} of b`])
    c.runtime.spawn({ kind: 'probe', key: 'one' })
    c.remote.claim(KEY)
    stage.advance(10)
    a.runtime.tell(KEY, note(5))
    stage.advance(10)
    expect(numbers(await stage.heard(c, KEY))).toEqual([5])
  })

  it('forgets what comes and goes, also on links that last: the map does not fill up', async () => {
    const { stage, a, b } = await three()
    await stage.link(a, b)
    for (let n = 0; n < 200; n += 1) {
      const key = placed(`n${n}`)
      expect(a.remote.claim(key)).toBe(true)
      a.remote.release(key)
      stage.advance(FORGET_MS / 20)
    }
    for (const { remote } of [a, b]) expect(remote.placements().entries.size).toBeLessThan(30)
  })
})
