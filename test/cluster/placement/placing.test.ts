/** Placed actors of real runtimes, started on the best node, found from all, started anew when their node dies. */
import { describe, expect, it } from 'vitest'
import { type Message, placedAddress, spawnAddress } from '../../../src/actors/index.ts'
import type { PlacedKinds } from '../../../src/cluster/placement/placer-state.ts'
import { note, numbers, probe } from '../../actors/probe.ts'
import type { NodeOptions, StageNode } from '../remote/stage.ts'
import { idle, offer, PlacingHouse } from './house.ts'

const KINDS: PlacedKinds = new Map([
  ['probe', { requirement: { tag: 'llm', tier: 'balanced', place: undefined }, when_lost: 'start-anew' }],
])
const KEY = placedAddress('probe', 'one')
const able = { ...idle, capabilities: [offer('llm.x:3b')] }
const slow = { ...idle, capabilities: [offer('llm.x:3b', { p95_ms: 900 })] }

/** a cannot do it, b is quick at it, c slow. */
async function three(options: NodeOptions = {}) {
  const house = new PlacingHouse()
  const a = house.add('a', KINDS)
  const b = house.add('b', KINDS, options, able)
  const c = house.add('c', KINDS, {}, slow)
  await house.link(a, b)
  await house.link(a, c)
  await house.link(b, c)
  return { house, a, b, c }
}

async function want(house: PlacingHouse, node: StageNode, key = 'one', args?: unknown): Promise<string> {
  const wanted = house.of(node).want('probe', key, args)
  wanted.catch(() => undefined)
  // Each refusal is a promise, and the next node is asked when it is settled.
  for (let asked = 0; asked < 3; asked += 1) {
    house.stage.advance(50)
    await new Promise((done) => setImmediate(done))
  }
  return wanted
}
const copies = (house: PlacingHouse, address = KEY): string[] =>
  [...house.placing.keys()].filter(({ runtime }) => runtime.find(address) !== undefined).map(({ id }) => id)

describe('a placed actor', () => {
  it('is started on the best node, with its arguments, and found from all nodes at once', async () => {
    const { house, a, b, c } = await three()
    expect(await want(house, a, 'one', { silent: false })).toBe('b')
    // Claimed before it was answered: whoever asked finds it without waiting.
    expect([a, b, c].map(({ remote }) => remote.whereIs(KEY))).toEqual(['b', 'b', 'b'])
    a.runtime.tell(KEY, note(1))
    c.runtime.tell(KEY, note(2))
    house.stage.advance(10)
    expect(numbers(await house.stage.heard(b, KEY)).sort()).toEqual([1, 2])
    expect(await want(house, c)).toBe('b')
    expect(copies(house)).toEqual(['b'])
  })

  it('is wanted by many at once, and there is one', async () => {
    const { house, a, b, c } = await three()
    const wanted = [a, b, c, a].map((node) => house.of(node).want('probe', 'one'))
    house.stage.advance(50)
    expect(await Promise.all(wanted)).toEqual(['b', 'b', 'b', 'b'])
    expect(copies(house)).toEqual(['b'])
  })

  it('goes to the next best node when the best refuses it', async () => {
    const { house, a } = await three({ behaviors: { probe: { behavior: probe } } })
    expect(await want(house, a)).toBe('c')
  })

  it('is refused with the reason when nobody takes it', async () => {
    const house = new PlacingHouse()
    const a = house.add('a', KINDS)
    await expect(want(house, a)).rejects.toMatchObject({ code: 'no-place' })
    const b = house.add(
      'b',
      KINDS,
      { behaviors: { probe: { behavior: probe, from_afar: { args: () => false } } } },
      able,
    )
    await house.link(a, b)
    await expect(want(house, a)).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('is not started for others where it is known to live elsewhere', async () => {
    const { house, a, b, c } = await three()
    await want(house, a)
    const request = { type: 'actor.spawn', kind: 'probe', key: 'one' } as Message
    const refused = a.runtime.ask(spawnAddress(c.id), request, { deadline_ms: 100 })
    refused.catch(() => undefined)
    house.stage.advance(20)
    await expect(refused).rejects.toMatchObject({ code: 'placed-elsewhere' })
    const again = a.runtime.ask(spawnAddress(b.id), request, { deadline_ms: 100 })
    house.stage.advance(20)
    expect(await again).toMatchObject({ existed: true })
  })

  it('is forgotten everywhere when it ended, and may be wanted again', async () => {
    const { house, a, b, c } = await three()
    await want(house, a)
    b.runtime.stop(KEY)
    house.stage.advance(20)
    expect([a, b, c].map(({ remote }) => remote.whereIs(KEY))).toEqual([undefined, undefined, undefined])
    expect(await want(house, c)).toBe('b')
  })

  it('begun where it is needed, is found, and taken over by who needs it more', async () => {
    const { house, a, b } = await three()
    a.runtime.spawn({ kind: 'probe', key: 'one' })
    house.of(a).taken(KEY)
    house.stage.advance(10)
    expect(house.of(b).livesOn(KEY)).toBe('a')
    b.runtime.spawn({ kind: 'probe', key: 'one' })
    house.of(b).taken(KEY)
    house.stage.advance(50)
    expect(copies(house)).toEqual(['b'])
    expect(house.of(a).livesOn(KEY)).toBe('b')
  })

  it('whose node dies is started anew by exactly one of the others', async () => {
    const { house, a, b, c } = await three()
    const keys = ['one', 'two', 'three']
    for (const key of keys) expect(await want(house, a, key)).toBe('b')
    house.kill(b)
    house.stage.advance(600)
    for (const key of keys) {
      // a cannot do it.
      expect(copies(house, placedAddress('probe', key))).toEqual(['c'])
      expect(a.remote.whereIs(placedAddress('probe', key))).toBe('c')
    }
    expect(c.faults).toEqual([])
  })

  it('started on both sides of a partition has one copy after it', async () => {
    const house = new PlacingHouse()
    const [a, b] = [house.add('a', KINDS, {}, able), house.add('b', KINDS, {}, able)]
    await house.link(a, b)
    a.links.get(b.id)!.link.abort('cut')
    house.stage.advance(10)
    house.verdict(a, b)
    house.verdict(b, a)
    expect(await want(house, a)).toBe('a')
    expect(await want(house, b)).toBe('b')
    await house.link(a, b)
    house.stage.advance(50)
    expect(copies(house)).toEqual(['a'])
    expect(b.remote.whereIs(KEY)).toBe('a')
  })

  it('of a node that was started anew is not looked for there any more', async () => {
    const { house, a, b } = await three()
    await want(house, a)
    house.kill(b)
    // Before anybody else had it: only a is left, which cannot.
    const again = house.add('b', KINDS, {}, able)
    await house.link(a, again)
    house.stage.advance(600)
    expect(copies(house)).toHaveLength(1)
    expect(a.remote.whereIs(KEY)).toBe(copies(house)[0])
  })
})
