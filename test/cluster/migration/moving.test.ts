/**
 * Actors that really move between nodes: real runtimes, links and maps, virtual time. State, mailbox, times and watches come along (A28);
 * who sends to it notices nothing; what cannot move says why and goes on.
 */
import { expect, it } from 'vitest'
import type { Address, Message } from '../../../src/actors/index.ts'
import {
  LAYOUT,
  OLDEST_UNDERSTOOD,
  ROW,
  type Row,
  readFrame,
  VERSION,
} from '../../../src/cluster/remote/wire.ts'
import type { Link } from '../../../src/cluster/transport/mesh.ts'
import { encodeValue, nodeId, requestId } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { doing, note } from '../../actors/probe.ts'
import { afar, placed } from '../remote/stage.ts'
import { flush, House, type HouseNode } from './house.ts'

const numbers = (heard: readonly Message[]): number[] =>
  heard.filter(({ type }) => type === 'note').map((each) => (each as Message & { n: number }).n)

async function three(options: { seed?: number; latency_ms?: number } = {}) {
  const house = new House(options)
  const [a, b, c] = (await house.open(['a', 'b', 'c'])) as [HouseNode, HouseNode, HouseNode]
  return { house, a, b, c }
}

it('it goes on with what it remembers, at the same address and in the same life', async () => {
  const { house, a, b, c } = await three()
  const address = house.live(a, 'one')
  a.runtime.tell(address, note(1))
  house.advance(5)
  const before = afar(a.runtime.find(address)!)
  expect(await house.move(a, address, b)).toMatchObject({ from: 'a', to: 'b' })
  expect(house.livesOn(address)).toEqual(['b'])
  expect(afar(b.runtime.find(address)!)).toEqual(before)
  // By its address and by a ref of before, from all nodes.
  for (const node of [a, b, c]) {
    node.runtime.tell(address, note(2))
    node.runtime.tell(before, note(3))
  }
  house.advance(50)
  expect(numbers(await house.heard(c, address))).toEqual([1, 2, 3, 2, 3, 2, 3])
  for (const node of [a, b, c]) expect(node.remote.whereIs(address)).toBe('b')
})

it('it can be moved from any node, there and back', async () => {
  const { house, a, b, c } = await three()
  const address = house.live(a, 'one')
  for (const [by, to] of [
    [c, b],
    [a, c],
    [b, a],
  ] as const) {
    expect(await house.move(by, address, to)).toMatchObject({ to: to.id })
    by.runtime.tell(address, note(1))
    // The way before is closed by then, and it may move again.
    house.advance(20_000)
  }
  expect(house.livesOn(address)).toEqual(['a'])
  expect(numbers(await house.heard(a, address))).toEqual([1, 1, 1])
})

it('what waits for it goes along, and asks among it are answered through the node they came to', async () => {
  const { house, a, b, c } = await three({ latency_ms: 5 })
  const address = house.live(a, 'one')
  const asked = [a, b, c].map((node) => node.runtime.ask(address, { type: 'who' }, { deadline_ms: 1_000 }))
  a.runtime.tell(address, note(1))
  const moved = a.moving.move(address, b.id)
  for (let n = 2; n <= 10; n += 1) a.runtime.tell(address, note(n))
  expect(await house.outcome(moved)).toMatchObject({ to: 'b' })
  house.advance(100)
  for (const answer of asked) expect((await answer).type).toBe('report')
  expect(numbers(await house.heard(c, address))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

it('asks that come while it is away are answered', async () => {
  const { house, a, b, c } = await three({ latency_ms: 20 })
  const address = house.live(a, 'one')
  const moved = a.moving.move(address, b.id)
  house.advance(30)
  const asked = [a, b, c].map((node) => node.runtime.ask(address, { type: 'who' }, { deadline_ms: 1_000 }))
  expect(await house.outcome(moved)).toMatchObject({ to: 'b' })
  house.advance(200)
  for (const answer of asked) expect((await answer).type).toBe('report')
})

it('its times go on: not early, and late by no more than the way', async () => {
  const { house, a, b } = await three()
  const address = house.live(a, 'one')
  a.runtime.tell(
    address,
    doing(
      { type: 'schedule', id: requestId('ring'), delay_ms: 1_000, message: note(7) },
      { type: 'schedule', id: requestId('never'), delay_ms: 900, message: note(8) },
    ),
  )
  house.advance(400)
  expect(await house.move(a, address, b)).toMatchObject({ to: 'b' })
  // Named as before: it can be cancelled.
  b.runtime.tell(address, doing({ type: 'cancel', id: requestId('never') }))
  house.advance(550)
  expect(numbers(await house.heard(b, address))).toEqual([])
  house.advance(100)
  expect(numbers(await house.heard(b, address))).toEqual([7])
})

it('who watches it hears of no end until it ends, wherever they are, and once', async () => {
  const { house, a, b, c } = await three()
  const address = house.live(a, 'one')
  const before = afar(a.runtime.find(address)!)
  const watchers = [a, b, c].map((node) => [node, house.live(node, `watcher-${node.id}`)] as const)
  for (const [node, watcher] of watchers)
    node.runtime.tell(watcher, doing({ type: 'watch', target: node === c ? before : address }))
  house.advance(20)
  expect(await house.move(a, address, b)).toMatchObject({ to: 'b' })
  house.advance(50)
  for (const [node, watcher] of watchers) expect(await house.heard(node, watcher)).toEqual([])
  b.runtime.stop(address)
  house.advance(50)
  for (const [node, watcher] of watchers) {
    const heard = await house.heard(node, watcher)
    expect(heard, node.id).toMatchObject([{ type: 'terminated', ref: before, reason: { kind: 'stopped' } }])
  }
})

it('what it watches it watches there', async () => {
  const { house, a, b, c } = await three()
  const address = house.live(a, 'one')
  const others = [a, b, c].map((node) => house.live(node, `other-${node.id}`))
  a.runtime.tell(address, doing(...others.map((target) => ({ type: 'watch', target }) as const)))
  house.advance(20)
  expect(await house.move(a, address, b)).toMatchObject({ to: 'b' })
  house.advance(20)
  expect(await house.heard(b, address)).toEqual([])
  for (const [i, node] of [a, b, c].entries()) node.runtime.stop(others[i]!)
  house.advance(50)
  expect((await house.heard(b, address)).map(({ type }) => type)).toEqual([
    'terminated',
    'terminated',
    'terminated',
  ])
})

it('what belongs to its node stays with it, and it says why', async () => {
  const { house, a, b } = await three()
  const cases: [string, Message, RegExp][] = [
    ['parent', doing({ type: 'spawn', kind: 'probe', key: 'child' }), /actors of its own/],
    [
      'asker',
      doing({ type: 'ask', id: requestId('q'), to: placed('silent'), deadline_ms: 9_000, message: note(1) }),
      /in the middle/,
    ],
  ]
  house.live(a, 'silent', { silent: true })
  for (const [key, message, why] of cases) {
    const address = house.live(a, key)
    a.runtime.tell(address, message)
    house.advance(5)
    expect(String(await house.move(a, address, b)), key).toMatch(why)
    a.runtime.tell(address, note(9))
    house.advance(5)
    expect(numbers(await house.heard(a, address)), key).toEqual([9])
  }
  expect(String(await house.move(a, placed('nobody'), b))).toMatch(/lives on no node/)
  const owing = house.live(a, 'owing', { silent: true })
  const answer = a.runtime.ask(owing, { type: 'who' }, { deadline_ms: 100 }).catch(({ code }) => code)
  house.advance(5)
  // As soon as nobody waits any more it can go.
  expect(await house.move(a, owing, b)).toMatchObject({ to: 'b' })
  expect(await answer).toBe('timeout')
  expect(await house.move(a, owing, b)).toMatchObject({ code: 'already-there' })
})

it('a node that is gone, or does not know moves, gets nothing, and the actor goes on', async () => {
  const { house, a, b, c } = await three({ latency_ms: 20 })
  const address = house.live(a, 'one')
  const { link } = a.links.get(b.id)!
  link.abort('pulled')
  house.advance(50)
  expect(await house.move(a, address, b)).toMatchObject({ code: 'unreachable' })
  // In the middle of it.
  const moved = a.moving.move(address, c.id)
  house.advance(30)
  a.runtime.tell(address, note(1))
  a.links.get(c.id)!.link.abort('pulled')
  a.remote.dead(c.id)
  expect(String(await house.outcome(moved))).toMatch(/other node is gone; it goes on where it was/)
  expect(numbers(await house.heard(a, address))).toEqual([1])
  expect(house.livesOn(address)).toEqual(['a'])
})

it('a node of the version before is linked as ever, is told no word of moves, and hears that what it watched is gone from here', async () => {
  const { house, a, b } = await three()
  const address = house.live(a, 'one')
  const told: Row[] = []
  const link = {
    peer: nodeId('old'),
    send: (_: string, frame: Uint8Array) => readFrame(frame, (row) => told.push(row)).dropped === 0,
    abort: () => expect.unreachable('it keeps to the rules'),
  } as unknown as Link
  const events = a.remote.linked(link)
  const rows = [
    [ROW.hello, 1, 1, 77],
    [ROW.name, 1, address, null],
    [ROW.watch, 1],
  ]
  const bytes = Buffer.alloc(500)
  bytes[0] = LAYOUT
  let end = 1
  for (const row of rows) end = encodeValue(row, bytes, end, 500)
  events.frame(Uint8Array.from(bytes.subarray(0, end)))
  house.advance(5)
  expect(told[0]?.slice(0, 3)).toEqual([ROW.hello, VERSION, OLDEST_UNDERSTOOD])
  expect(await house.outcome(a.moving.move(address, nodeId('old')))).toMatchObject({ code: 'unreachable' })
  expect(await house.move(a, address, b)).toMatchObject({ to: 'b' })
  house.advance(5)
  const kinds = told.map(([kind]) => kind)
  expect(kinds).not.toContain(ROW.move)
  expect(kinds).not.toContain(ROW.moved)
  expect(told.find(([kind]) => kind === ROW.gone)?.[3]).toEqual({ kind: 'stopped', reason: 'it moved' })
})

it('told to stop while it is frozen it stops, and no copy is left', async () => {
  const { house, a, b } = await three({ latency_ms: 50 })
  const address = house.live(a, 'one')
  const moved = a.moving.move(address, b.id)
  house.advance(20)
  a.runtime.stop(address)
  await house.outcome(moved)
  b.runtime.stop(address)
  house.advance(100)
  expect(house.livesOn(address)).toEqual([])
})

/** Who counts aloud: each node, at random times; a seed is a run. */
async function crowd(seed: number): Promise<void> {
  const random = new SimulatedRandom(seed)
  const { house, a, b, c } = await three({ seed, latency_ms: 1 + (seed % 4) * 4 })
  const nodes = [a, b, c]
  const counter: Address = house.live(a, 'counter')
  const senders: { node: HouseNode; address: Address; said: number }[] = []
  for (const node of nodes) senders.push({ node, address: house.live(node, `sender-${node.id}`), said: 0 })
  const asks: Promise<Message>[] = []
  let at = 0
  for (let step = 0; step < 600; step += 1) {
    const sender = senders[random.uint32() % 3]!
    sender.said += 1
    const message = { type: 'count', by: sender.node.id, n: sender.said } as Message
    // By an actor, through the effects of a turn, or by the node itself.
    if (random.uint32() % 2 === 0)
      sender.node.runtime.tell(sender.address, doing({ type: 'send', to: counter, message }))
    else sender.node.runtime.tell(sender.address, doing({ type: 'send', to: counter, message }))
    if (random.uint32() % 8 === 0)
      asks.push(
        sender.node.runtime.ask(counter, { type: 'count', by: 'ask', n: 0 } as Message, {
          deadline_ms: 5_000,
        }),
      )
    if (step % 150 === 50) {
      at = (at + 1 + (random.uint32() % 2)) % 3
      nodes[random.uint32() % 3]!.moving.move(counter, nodes[at]!.id).catch(() => undefined)
    }
    house.advance(step % 150 === 149 ? 20_000 : random.uint32() % 3)
    await flush()
  }
  house.advance(30_000)
  for (const ask of asks) expect((await ask).type, `seed ${seed}`).toBe('report')
  expect(house.livesOn(counter), `seed ${seed}`).toHaveLength(1)
  const home = nodes.find(({ id }) => house.livesOn(counter).includes(id))!
  const heard = (await house.heard(home, counter)) as (Message & { by: string; n: number })[]
  for (const { node, said } of senders) {
    const counted = heard.filter(({ by }) => by === node.id).map(({ n }) => n)
    expect(counted, `seed ${seed}, from ${node.id}`).toEqual(Array.from({ length: said }, (_, i) => i + 1))
  }
  expect(
    heard.filter(({ by }) => by === 'ask'),
    `seed ${seed}`,
  ).toHaveLength(asks.length)
}

it('nothing is lost, doubled or out of order, while it moves about and all nodes tell and ask it', async () => {
  for (let seed = 1; seed <= 8; seed += 1) await crowd(seed)
}, 60_000)
