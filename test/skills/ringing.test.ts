import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeId } from '../../src/host/index.ts'
import { type HouseNode, type RingingTimer, ringingOrder, turnOf } from '../../src/skills/ringing.ts'

const node = (name: string, ...speakers: string[]): HouseNode => ({
  ...{ node: nodeId(name), speakers, steady: true },
})
const timer = (by?: string, room?: string): RingingTimer => ({
  ...{ name: 't', by: by === undefined ? undefined : nodeId(by), room },
})

describe('who rings a timer', () => {
  it.each([
    [
      'the node that set it, when nobody has a loudspeaker',
      timer('b'),
      [node('a'), node('b'), node('c')],
      'b',
    ],
    [
      'the node that set it, when it has one and the room is not known',
      timer('b'),
      [node('a', 'hall'), node('b', 'kitchen')],
      'b',
    ],
    [
      'another one that has, when it has none',
      timer('b', 'kitchen'),
      [node('a', 'hall'), node('b'), node('c')],
      'a',
    ],
    [
      'one in the room, before one elsewhere',
      timer('x', 'kitchen'),
      [node('a', 'hall'), node('b', 'attic', 'kitchen'), node('c')],
      'b',
    ],
    [
      'one in the room, before the node that set it and is heard elsewhere only',
      timer('a', 'kitchen'),
      [node('a', 'hall'), node('b', 'kitchen')],
      'b',
    ],
    [
      'the node that set it, of two in the room',
      timer('a', 'kitchen'),
      [node('a', 'kitchen'), node('b', 'kitchen'), node('c', 'kitchen')],
      'a',
    ],
    ['whoever there is, when the one that set it is gone', timer('gone', 'kitchen'), [node('a')], 'a'],
  ])('%s', (_, ringing, nodes, first) => {
    expect(ringingOrder(ringing, nodes)[0]).toBe(first)
  })

  it('is this node when it was told of nobody', () => {
    expect(turnOf(nodeId('a'), timer('b'), [])).toBe(0)
  })

  const rooms = fc.subarray(['kitchen', 'hall', 'attic'])
  const houses = fc
    .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), rooms), {
      ...{ minLength: 1, maxLength: 8, selector: ([name]) => name },
    })
    .map((all) => all.map(([name, speakers]) => node(name, ...speakers)))
  const timers = fc.record({
    name: fc.string({ minLength: 1, maxLength: 16 }),
    by: fc.constantFrom(undefined, nodeId('gone')),
    room: fc.constantFrom(undefined, 'kitchen', 'cellar'),
  })
  const timerOf = (drawn: RingingTimer, house: readonly HouseNode[], pick: number): RingingTimer =>
    pick < house.length ? { ...drawn, by: house[pick]!.node } : drawn

  it('is computed alike by all, whatever the order in which they know each other', () => {
    fc.assert(
      fc.property(houses, timers, fc.nat(12), fc.nat(), (house, drawn, pick, turn) => {
        const ringing = timerOf(drawn, house, pick)
        const at = turn % house.length
        const turned = [...house.slice(at), ...house.slice(0, at)].reverse()
        const order = ringingOrder(ringing, house)
        expect(ringingOrder(ringing, turned)).toEqual(order)
        expect([...order].sort()).toEqual(house.map((one) => one.node).sort())
        expect(order.map((one) => turnOf(one, ringing, house))).toEqual(order.map((_, index) => index))
      }),
    )
  })

  it('is the next in order when one is gone, and nobody else changes places', () => {
    fc.assert(
      fc.property(houses, timers, fc.nat(12), fc.nat(), (house, drawn, pick, gone) => {
        const ringing = timerOf(drawn, house, pick)
        const lost = house[gone % house.length]!
        const rest = house.filter((one) => one !== lost)
        expect(ringingOrder(ringing, rest)).toEqual(
          ringingOrder(ringing, house).filter((one) => one !== lost.node),
        )
      }),
    )
  })

  it('is heard where that is possible', () => {
    fc.assert(
      fc.property(houses, timers, (house, ringing) => {
        const first = house.find((one) => one.node === ringingOrder(ringing, house)[0])!
        const heard = house.some(({ speakers }) => speakers.length > 0)
        const inRoom = house.some(({ speakers }) => speakers.includes(ringing.room ?? ''))
        expect(first.speakers.length > 0).toBe(heard)
        if (inRoom) expect(first.speakers).toContain(ringing.room)
      }),
    )
  })

  it('is spread over equals: of many timers none of four nodes rings all', () => {
    const house = ['a', 'b', 'c', 'd'].map((name) => node(name))
    const counts = new Map<string, number>()
    for (let index = 0; index < 1_000; index += 1) {
      const [first] = ringingOrder({ ...timer(), name: `t${index}` }, house)
      counts.set(first!, (counts.get(first!) ?? 0) + 1)
    }
    expect(Math.min(...counts.values())).toBeGreaterThan(150)
  })
})
