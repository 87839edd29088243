/** What actors of different nodes may rely on, beyond what holds on one node. Numbers as in `actors/behavior.ts`. */
import { describe, expect, it } from 'vitest'
import {
  type Effect,
  type Message,
  PrivateError,
  type Ref,
  type Spawned,
  spawnAddress,
} from '../../../src/actors/index.ts'
import { LAYOUT, ROW } from '../../../src/cluster/remote/wire.ts'
import { encodeValue, nodeId, requestId } from '../../../src/host/index.ts'
import { doing, note, numbers, type Terminated, types } from '../../actors/probe.ts'
import { afar, onNode, placed, Stage, twoNodes } from './stage.ts'

const said = (messages: readonly Message[], type: string) => messages.filter((each) => each.type === type)

describe('telling and asking', () => {
  it('reaches an actor of another node by its address, in the order of telling', async () => {
    const { stage, a, b } = await twoNodes()
    b.runtime.spawn({ kind: 'probe', path: 'ear' })
    for (let n = 0; n < 3_000; n += 1) {
      expect(a.runtime.tell(onNode(b, 'ear'), note(n))).toBe(true)
      if (n % 500 === 499) stage.advance(1)
    }
    stage.advance(50)
    expect(numbers(await stage.heard(b, onNode(b, 'ear')))).toEqual([...Array(3_000).keys()])
  })

  it('finds a placed actor where the map says, and gives its sender as a ref that leads back', async () => {
    const { stage, a, b } = await twoNodes()
    const asker = a.runtime.spawn({ kind: 'probe', key: 'asker' })
    b.runtime.spawn({ kind: 'probe', key: 'answerer' })
    stage.places.set(placed('answerer'), b.id)
    const ask: Effect = {
      type: 'ask',
      id: requestId('q'),
      to: placed('answerer'),
      message: { type: 'report' },
      deadline_ms: 500,
    }
    a.runtime.tell(asker, doing(ask))
    stage.advance(20)
    const [answer] = said(await stage.heard(a, asker), 'answer') as [
      Message & { message: Message & { sender: Ref; deadline_ms: number } },
    ]
    expect(answer.message.sender).toEqual({ address: asker.address, incarnation: asker.incarnation })
    expect(answer.message.deadline_ms).toBeLessThanOrEqual(500)
    // No map knows the asker: the ref alone says whose it is.
    b.runtime.tell(answer.message.sender, note(7))
    stage.advance(20)
    expect(numbers(await stage.heard(a, asker))).toEqual([7])
  })

  it('answers asks from outside the actor system', async () => {
    const { stage, a, b } = await twoNodes()
    b.runtime.spawn({ kind: 'probe', path: 'ear' })
    const answer = a.runtime.ask(onNode(b, 'ear'), { type: 'report' }, { deadline_ms: 100 })
    stage.advance(20)
    expect((await answer).type).toBe('report')
    expect(a.remote.peers()[0]!.asks).toBe(0)
  })

  it('brings samples across as what they were, and leaves out what is undefined', async () => {
    const { stage, a, b } = await twoNodes()
    b.runtime.spawn({ kind: 'probe', path: 'ear' })
    const message = {
      type: 'audio.frame',
      samples: new Int16Array([1, -2, 3]),
      floats: new Float32Array([0.5]),
      bytes: new Uint8Array([9, 8]),
      nothing: undefined,
      nil: null,
    }
    a.runtime.tell(onNode(b, 'ear'), message)
    stage.advance(20)
    const { nothing: _nothing, ...expected } = message
    const [got] = await stage.heard(b, onNode(b, 'ear'))
    expect(got).toEqual(expected)
    expect((got as typeof message).samples).toBeInstanceOf(Int16Array)
    expect('nothing' in got!).toBe(false)
  })
})

describe('errors by their codes', () => {
  const failing = async (
    prepare: (stage: Awaited<ReturnType<typeof twoNodes>>) => string,
    deadline_ms = 1_000,
  ) => {
    const nodes = await twoNodes()
    const target = prepare(nodes)
    const failed = nodes.a.runtime.ask(target as Ref['address'], { type: 'report' }, { deadline_ms }).then(
      () => 'answered',
      (error: { code: string }) => error.code,
    )
    nodes.stage.advance(deadline_ms + 50)
    return failed
  }

  it('not-found', async () => {
    expect(await failing(({ b }) => onNode(b, 'nobody'))).toBe('not-found')
  })
  it('unreachable: no link leads there', async () => {
    expect(await failing(() => 'loqa://elsewhere/ear')).toBe('unreachable')
  })
  it('timeout, from the side of who asks', async () => {
    expect(
      await failing(({ b }) => {
        b.runtime.spawn({ kind: 'probe', path: 'mute', args: { silent: true } })
        return onNode(b, 'mute')
      }, 200),
    ).toBe('timeout')
  })
  it('overloaded', async () => {
    expect(
      await failing(({ b }) => {
        b.runtime.spawn({
          kind: 'probe',
          path: 'full',
          args: { silent: true },
          mailbox: { capacity: 1, overflow: 'reject' },
        })
        for (let n = 0; n < 4; n += 1) b.runtime.tell(onNode(b, 'full'), doing({ type: 'stash' }))
        return onNode(b, 'full')
      }),
    ).toBe('overloaded')
  })
  it('stopped: it ended before it answered', async () => {
    expect(
      await failing(({ stage, b }) => {
        b.runtime.spawn({ kind: 'probe', path: 'mute', args: { silent: true } })
        stage.host.clock.after(20, () => b.runtime.stop(onNode(b, 'mute')))
        return onNode(b, 'mute')
      }),
    ).toBe('stopped')
  })
  it('unreachable at once when the link is lost', async () => {
    const { stage, a, b } = await twoNodes()
    b.runtime.spawn({ kind: 'probe', path: 'mute', args: { silent: true } })
    const failed = a.runtime
      .ask(onNode(b, 'mute'), { type: 'report' }, { deadline_ms: 60_000 })
      .catch((error: unknown) => error)
    stage.advance(10)
    stage.network.kill(b.id)
    stage.advance(10)
    expect(await failed).toMatchObject({ code: 'unreachable' })
  })
  it('private: ephemeral content does not leave the node', async () => {
    const { stage, a, b } = await twoNodes({
      labelOf: (message) =>
        message.type === 'secret'
          ? {
              trace_id: 't',
              session_id: 's',
              capability_tier: 'fast',
              privacy_scope: 'ephemeral',
            }
          : undefined,
    })
    b.runtime.spawn({ kind: 'probe', path: 'ear' })
    await expect(
      a.runtime.ask(onNode(b, 'ear'), { type: 'secret' }, { deadline_ms: 100 }),
    ).rejects.toBeInstanceOf(PrivateError)
    expect(a.runtime.tell(onNode(b, 'ear'), { type: 'secret' })).toBe(false)
    stage.advance(20)
    expect(await stage.heard(b, onNode(b, 'ear'))).toEqual([])
    expect(a.runtime.deadLetters().counts).toEqual({ private: 1 })
  })
})

describe('a link that was replaced', () => {
  it('A22 brings nothing any more, and its end ends nothing', async () => {
    const { stage, a, b } = await twoNodes()
    b.runtime.spawn({ kind: 'probe', path: 'ear' })
    const old = b.links.get(a.id)!.events
    const bytes = Buffer.alloc(1_000)
    bytes[0] = LAYOUT
    const named = encodeValue([ROW.name, 9, onNode(b, 'ear'), null], bytes, 1, 1_000)
    const end = encodeValue([ROW.tell, 9, 0, 0, note(1)], bytes, named, 1_000)
    const frame = Uint8Array.from(bytes.subarray(0, end))
    old.frame(frame.slice())
    stage.advance(10)
    await stage.link(a, b)
    a.runtime.tell(onNode(b, 'ear'), note(2))
    stage.advance(10)
    old.frame(frame.slice())
    old.lost()
    a.runtime.tell(onNode(b, 'ear'), note(3))
    stage.advance(10)
    expect(numbers(await stage.heard(b, onNode(b, 'ear')))).toEqual([1, 2, 3])
  })
})

describe('a peer that breaks the rules', () => {
  it('loses its link for what cannot be read, and is told on for what is wrong', async () => {
    const { stage, a, b } = await twoNodes()
    const { events } = b.links.get(a.id)!
    const bytes = Buffer.alloc(1_000)
    bytes[0] = LAYOUT
    const end = encodeValue([ROW.tell, 77, 0, 0, note(1)], bytes, encodeValue(['x'], bytes, 1, 1_000), 1_000)
    events.frame(Uint8Array.from(bytes.subarray(0, end)))
    expect(b.faults).toEqual(['unnamed', 'bad-row'])
    expect(b.remote.peers()[0]!.linked).toBe(true)
    events.frame(Uint8Array.from([LAYOUT + 1]))
    expect(b.faults.at(-1)).toBe('version')
    expect(b.remote.peers()[0]!.linked).toBe(false)
    stage.advance(10)
    expect(a.remote.peers()[0]!.linked).toBe(false)
  })
})

describe('dead letters', () => {
  it('are counted where they arose and told back to the sender', async () => {
    const { stage, a, b } = await twoNodes()
    for (let n = 0; n < 5; n += 1) a.runtime.tell(onNode(b, 'nobody'), note(n))
    stage.advance(20)
    expect(b.runtime.deadLetters().counts).toEqual({ 'unknown-actor': 5 })
    expect(a.runtime.deadLetters().counts).toEqual({ 'unknown-actor': 5 })
    expect(a.runtime.deadLetters().last).toMatchObject([{ to: onNode(b, 'nobody'), type: 'note' }])
  })
  it('are counted at once when no link leads there', async () => {
    const { a } = await twoNodes()
    expect(a.runtime.tell(onNode({ id: nodeId('c') } as never, 'x'), note(1))).toBe(false)
    expect(a.runtime.deadLetters().counts).toEqual({ unreachable: 1 })
  })
})

describe('watching', () => {
  const watching = async () => {
    const { stage, a, b } = await twoNodes()
    const watcher = a.runtime.spawn({ kind: 'probe', key: 'watcher' })
    const watched = afar(b.runtime.spawn({ kind: 'probe', path: 'watched' }))
    a.runtime.tell(watcher, doing({ type: 'watch', target: watched }))
    stage.advance(20)
    const ends = async () => said(await stage.heard(a, watcher), 'terminated') as Terminated[]
    return { stage, a, b, watcher, watched, ends }
  }

  it('tells once when the actor ends', async () => {
    const { stage, b, watched, ends } = await watching()
    expect(await ends()).toEqual([])
    b.runtime.stop(watched, { reason: 'enough' })
    stage.advance(20)
    expect(await ends()).toEqual([
      {
        type: 'terminated',
        ref: { address: watched.address, incarnation: watched.incarnation },
        reason: { kind: 'stopped', reason: 'enough' },
      },
    ])
  })
  it('tells at once of an actor that is not there, and of a node nobody knows', async () => {
    const { stage, a, b, watcher, ends } = await watching()
    a.runtime.tell(
      watcher,
      doing(
        { type: 'watch', target: onNode(b, 'nobody') },
        { type: 'watch', target: 'loqa://elsewhere/x' as Ref['address'] },
      ),
    )
    stage.advance(20)
    expect((await ends()).map(({ reason }) => reason.kind).sort()).toEqual(['node-gone', 'unknown-actor'])
  })
  it('outlives a lost link, and tells what happened meanwhile', async () => {
    const { stage, a, b, watched, ends } = await watching()
    a.links.get(b.id)!.link.abort('cut')
    stage.advance(20)
    expect(await ends()).toEqual([])
    b.runtime.stop(watched)
    stage.advance(20)
    await stage.link(b, a)
    expect((await ends()).map(({ reason }) => reason.kind)).toEqual(['unknown-actor'])
  })
  it('ends with the verdict on the node', async () => {
    const { stage, a, b, ends } = await watching()
    a.remote.dead(b.id)
    stage.advance(20)
    expect((await ends()).map(({ reason }) => reason.kind)).toEqual(['node-gone'])
  })
  it('ends when the node comes back in another life, whoever lives at the address then', async () => {
    const { stage, a, b, watched, ends } = await watching()
    stage.network.kill(b.id)
    stage.advance(20)
    const again = stage.add('b')
    const other = afar(again.runtime.spawn({ kind: 'probe', path: 'watched' }))
    await stage.link(again, a)
    expect((await ends()).map(({ reason }) => reason.kind)).toEqual(['node-gone'])
    expect(other.incarnation).not.toBe(watched.incarnation)
    a.runtime.tell(watched, note(1))
    a.runtime.tell(other, note(2))
    stage.advance(20)
    expect(numbers(await stage.heard(again, other))).toEqual([2])
    expect(a.runtime.deadLetters().counts).toEqual({ 'stale-incarnation': 1 })
  })
  it('can be called off', async () => {
    const { stage, a, b, watcher, watched, ends } = await watching()
    a.runtime.tell(watcher, doing({ type: 'unwatch', target: watched }))
    stage.advance(20)
    b.runtime.stop(watched)
    stage.advance(20)
    expect(await ends()).toEqual([])
  })
})

describe('starting an actor on another node', () => {
  it('gives its ref; asking again gives the same', async () => {
    const { stage, a, b } = await twoNodes()
    const spawn = async () => {
      const answer = a.runtime.ask(
        spawnAddress(b.id),
        { type: 'actor.spawn', kind: 'probe', key: 'far', args: {} } as Message,
        { deadline_ms: 100 },
      )
      stage.advance(20)
      return (await answer) as Spawned
    }
    const first = await spawn()
    expect(first.existed).toBe(false)
    expect(await spawn()).toEqual({ ...first, existed: true })
    a.runtime.tell(first.ref, note(1))
    stage.advance(20)
    expect(numbers(await stage.heard(b, first.ref.address))).toEqual([1])
  })
  it('is refused for kinds that are not to be started from afar, and for bad arguments', async () => {
    const { probe } = await import('../../actors/probe.ts')
    const { stage, a, b } = await twoNodes({
      behaviors: { probe: { behavior: probe, from_afar: { args: (args) => args === 'good' } } },
    })
    const code = async (kind: string, key: string, args: unknown) => {
      const answer = a.runtime
        .ask(spawnAddress(b.id), { type: 'actor.spawn', kind, key, args } as Message, { deadline_ms: 100 })
        .then(
          () => 'started',
          (error: { code: string }) => error.code,
        )
      stage.advance(20)
      return answer
    }
    expect(await code('other', 'x', 'good')).toBe('not-found')
    expect(await code('probe', 'x', 'bad')).toBe('invalid-input')
    expect(await code('probe', 'x/y', 'good')).toBe('invalid-input')
    expect(await code('probe', 'x', 'good')).toBe('started')
  })
})

describe('five nodes', () => {
  it('all tell each other', async () => {
    const stage = new Stage()
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((name) => stage.add(name))
    for (const [i, one] of nodes.entries())
      for (const other of nodes.slice(i + 1)) await stage.link(one, other)
    const ears = nodes.map((node) => afar(node.runtime.spawn({ kind: 'probe', path: 'ear' })))
    for (const node of nodes) for (const ear of ears) node.runtime.tell(ear, note(1))
    stage.advance(50)
    for (const [i, node] of nodes.entries()) {
      expect(types(await stage.heard(node, ears[i]!))).toEqual(Array(5).fill('note'))
    }
  })
})
