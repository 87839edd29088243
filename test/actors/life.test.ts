/** The page of promises in `behavior.ts`: living and dying. */
import { describe, expect, it } from 'vitest'
import type { Effect, Message, Ref, TreeSpec } from '../../src/actors/index.ts'
import { InvariantError, requestId } from '../../src/host/index.ts'
import { at, bench, breaking, doing, note, numbers, placed, probe } from './probe.ts'

const publish = (topic: string): Effect => ({ type: 'publish', topic, message: { type: topic } })
const write: Effect = { type: 'write', id: requestId('w'), to: 'shelf', op: 'put' }

function watched() {
  const system = bench()
  const target = system.runtime.spawn({ kind: 'probe', key: 'target' })
  const watcher = system.runtime.spawn({ kind: 'probe', key: 'watcher' })
  system.runtime.tell(watcher, doing({ type: 'watch', target }, { type: 'watch', target: target.address }))
  system.advance(1)
  return { ...system, target, watcher }
}

describe('A13 stopping', () => {
  const family: TreeSpec = {
    id: 'tree',
    children: ['a', 'b', 'c'].map((id) => ({
      id,
      kind: 'probe',
      args: { atStop: [publish(`${id} says farewell`)] },
    })),
  }

  it('goes through the tree youngest first, and each says farewell', async () => {
    const system = bench()
    system.runtime.start(family)
    system.advance(1)
    const said: string[] = []
    for (const id of ['a', 'b', 'c']) {
      system.runtime.subscribe(`${id} says farewell`, ({ type }) => said.push(type))
    }
    const done = system.runtime.shutdown(1_000)
    system.advance(10)
    await done
    expect(said).toEqual(['c says farewell', 'b says farewell', 'a says farewell'])
    expect(system.runtime.actors()).toEqual([])
  })

  it('ends children before their parent says farewell', () => {
    const system = bench()
    const spawn: Effect = {
      type: 'spawn',
      kind: 'probe',
      key: 'child',
      args: { atStop: [publish('child')] },
    }
    const parent = system.runtime.spawn({
      kind: 'probe',
      key: 'parent',
      args: { atStart: [spawn], atStop: [publish('parent')] },
    })
    system.advance(1)
    const said: string[] = []
    for (const topic of ['child', 'parent']) system.runtime.subscribe(topic, ({ type }) => said.push(type))
    system.runtime.stop(parent)
    system.advance(1)
    expect(said).toEqual(['child', 'parent'])
    expect(system.row(placed('child'))).toBeUndefined()
  })

  it('waits for the last write, but not longer than its time', () => {
    let finish: (() => void) | undefined
    const system = bench({
      outside: () => ({
        write: ({ id }, deliver) => {
          finish = () => deliver({ type: 'outcome', id, event: 'done' })
        },
      }),
    })
    const spawn = (key: string): Ref =>
      system.runtime.spawn({ kind: 'probe', key, shutdown_ms: 300, args: { atStop: [write] } })
    const [quick, stuck] = [spawn('quick'), spawn('stuck')]
    system.advance(1)
    system.runtime.stop(quick)
    system.advance(100)
    expect(system.row(quick)?.state).toBe('stopping')
    finish!()
    system.advance(1)
    expect(system.row(quick)).toBeUndefined()
    system.runtime.stop(stuck)
    system.advance(299)
    expect(system.row(stuck)?.state).toBe('stopping')
    system.advance(2)
    expect(system.row(stuck)).toBeUndefined()
  })

  it('kills what is not done when the node must end', async () => {
    const system = bench({ outside: () => ({ write: () => undefined }) })
    system.runtime.spawn({ kind: 'probe', key: 'stuck', shutdown_ms: 60_000, args: { atStop: [write] } })
    system.advance(1)
    const done = system.runtime.shutdown(500)
    system.advance(499)
    expect(system.row(placed('stuck'))?.state).toBe('stopping')
    system.advance(1)
    await done
    expect(system.runtime.actors()).toEqual([])
  })

  it('kills at once, with all below, and nobody says farewell', () => {
    const system = bench()
    const atStop = [publish('farewell')]
    const spawn: Effect = { type: 'spawn', kind: 'probe', key: 'child', args: { atStop } }
    const parent = system.runtime.spawn({ kind: 'probe', key: 'p', args: { atStart: [spawn], atStop } })
    system.advance(1)
    let farewells = 0
    system.runtime.subscribe('farewell', () => {
      farewells += 1
    })
    system.runtime.stop(parent, { kill: true })
    system.advance(1)
    expect(system.row(parent)).toBeUndefined()
    expect(system.row(placed('child'))).toBeUndefined()
    expect(farewells).toBe(0)
  })

  it('ends thousands of children of one parent', () => {
    const system = bench()
    const atStart = Array.from(
      { length: 3_000 },
      (_, i): Effect => ({ type: 'spawn', kind: 'probe', key: `c${i}` }),
    )
    const parent = system.runtime.spawn({ kind: 'probe', key: 'parent', args: { atStart } })
    system.advance(1)
    expect(system.runtime.actors().length).toBeGreaterThan(3_000)
    system.runtime.stop(parent)
    system.advance(1)
    expect(system.row(parent)).toBeUndefined()
    expect(system.runtime.actors().map(({ kind }) => kind)).toEqual(['supervisor', 'supervisor'])
  })
})

describe('A14 restarting', () => {
  it('keeps identity and mailbox, and nothing of the old life', async () => {
    const system = bench({ outside: () => ({ read: () => undefined }) })
    const a = system.runtime.spawn({ kind: 'probe', key: 'a' })
    const b = system.runtime.spawn({ kind: 'probe', key: 'b', args: { silent: true } })
    const question = { type: 'ask', to: b, message: { type: 'question' }, deadline_ms: 60_000 } as const
    system.runtime.tell(
      a,
      doing(
        { type: 'schedule', id: requestId('s'), delay_ms: 500, message: note(1) },
        { ...question, id: requestId('q') },
        { type: 'subscribe', topic: 'news' },
        { type: 'watch', target: b },
        { type: 'spawn', kind: 'probe', key: 'child' },
      ),
    )
    system.runtime.tell(a, note(2))
    system.runtime.tell(a, breaking('throw'))
    system.runtime.tell(a, note(3))
    system.advance(1)
    expect(system.row(a)).toMatchObject({ state: 'restarting', mailbox: 1 })
    system.advance(1_000)
    system.runtime.publish('news', note(4))
    system.runtime.stop(b)
    system.advance(1)
    expect(await system.heard(a)).toEqual([note(3)])
    expect(system.row(a)).toMatchObject({ restarts: 1, incarnation: a.incarnation })
    expect(system.row(placed('child'))).toBeUndefined()
  })

  it('handles what was put aside', async () => {
    let open = false
    const shy = {
      kind: 'shy',
      start: () => ({ state: undefined, effects: [] }),
      receive(_state: unknown, message: Message) {
        if (message.type === 'break') throw new Error('a defect')
        if (!open) return { state: undefined, effects: [{ type: 'stash' as const }] }
        return { state: undefined, effects: [{ type: 'publish' as const, topic: 'seen', message }] }
      },
    }
    const system = bench({ behaviors: { probe, shy } })
    const seen: Message[] = []
    system.runtime.subscribe('seen', (message) => seen.push(message))
    const actor = system.runtime.spawn({ kind: 'shy', key: 's' })
    for (const n of [1, 2]) system.runtime.tell(actor, note(n))
    system.advance(1)
    open = true
    system.runtime.tell(actor, breaking('throw'))
    system.advance(1_000)
    expect(numbers(seen)).toEqual([1, 2])
  })
})

describe('A15 failing', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['no effects', { state: 1 }],
    ['effects that are no list', { state: 1, effects: 'send' }],
    ['an unknown effect', { state: 1, effects: [{ type: 'explode' }] }],
    ['a child of no kind', { state: 1, effects: [{ type: 'spawn', kind: 'nobody', key: 'x' }] }],
    ['a child with a bad key', { state: 1, effects: [{ type: 'spawn', kind: 'probe', key: 'a/b' }] }],
    [
      'an ask without end',
      { state: 1, effects: [{ type: 'ask', id: 'x', to: 'y', message: {}, deadline_ms: Infinity }] },
    ],
    ['a delay below zero', { state: 1, effects: [{ type: 'schedule', id: 'x', delay_ms: -1, message: {} }] }],
  ])('is what returns %s', (_what, returned) => {
    const odd = {
      kind: 'odd',
      start: () => ({ state: 0, effects: [] }),
      receive: () => returned as never,
    }
    const system = bench({ behaviors: { probe, odd } })
    const actor = system.runtime.spawn({ kind: 'odd', key: 'o', restart: 'temporary' })
    const other = system.runtime.spawn({ kind: 'probe', key: 'p' })
    system.runtime.tell(actor, note(1))
    system.advance(100)
    expect(system.row(actor)).toBeUndefined()
    expect(system.row(other)?.restarts).toBe(0)
    expect(system.logs).toHaveLength(1)
  })

  it('never shows the words of an unknown error except as personal content', () => {
    const system = bench()
    const talking = {
      kind: 'talking',
      start: () => ({ state: 0, effects: [] }),
      receive: () => {
        throw new Error('she said: my secret')
      },
    }
    const other = bench({ behaviors: { talking } })
    other.runtime.tell(other.runtime.spawn({ kind: 'talking', key: 't' }), note(1))
    other.advance(1)
    const [failure] = other.logs
    const { 'pii.error': words, ...open } = failure!.values
    expect(words).toContain('secret')
    expect(JSON.stringify(open)).not.toContain('secret')
    expect(system.logs).toEqual([])
  })
})

describe('A16 watching', () => {
  it('tells once when the watched one stopped, was killed, or failed for good', async () => {
    for (const [end, reason] of [
      [
        (s: ReturnType<typeof watched>) => s.runtime.stop(s.target, { reason: 'enough' }),
        { kind: 'stopped', reason: 'enough' },
      ],
      [(s: ReturnType<typeof watched>) => s.runtime.stop(s.target, { kill: true }), { kind: 'killed' }],
    ] as const) {
      const system = watched()
      end(system)
      system.advance(1)
      expect(await system.heard(system.watcher)).toEqual([{ type: 'terminated', ref: system.target, reason }])
    }
  })

  it('does not tell of a restart, but of the end of a temporary one', async () => {
    const system = watched()
    system.runtime.tell(system.target, breaking('throw'))
    system.advance(1_000)
    expect(await system.heard(system.watcher)).toEqual([])
    const brief = system.runtime.spawn({ kind: 'probe', key: 'brief', restart: 'temporary' })
    system.runtime.tell(system.watcher, doing({ type: 'watch', target: brief }))
    system.advance(1)
    system.runtime.tell(brief, breaking('throw'))
    system.advance(1)
    expect(await system.heard(system.watcher)).toMatchObject([{ ref: brief, reason: { kind: 'failed' } }])
  })

  it('tells at once of one who is not there, and not after unwatch', async () => {
    const system = watched()
    const gone = { address: placed('gone'), incarnation: 3 }
    system.runtime.tell(
      system.watcher,
      doing(
        { type: 'watch', target: placed('nobody') },
        { type: 'watch', target: gone },
        { type: 'unwatch', target: system.target },
      ),
    )
    system.advance(1)
    system.runtime.stop(system.target)
    system.advance(1)
    expect(await system.heard(system.watcher)).toMatchObject([
      { ref: { address: placed('nobody') }, reason: { kind: 'unknown-actor' } },
      { ref: gone, reason: { kind: 'unknown-actor' } },
    ])
  })

  it('tells a parent of a child that is not coming back', async () => {
    const system = bench()
    const parent = system.runtime.spawn({ kind: 'probe', key: 'parent' })
    system.runtime.tell(parent, doing({ type: 'spawn', kind: 'probe', key: 'child', restart: 'temporary' }))
    system.advance(1)
    system.runtime.tell(placed('child'), breaking('invariant'))
    system.advance(1)
    expect(await system.heard(parent)).toMatchObject([
      { type: 'child-exited', child: { address: placed('child') }, reason: { error: { code: 'invariant' } } },
    ])
  })
})

describe('A17 incarnations', () => {
  it('keep a ref from reaching a later actor at the same address', async () => {
    const system = bench()
    const first = system.runtime.spawn({ kind: 'probe', key: 'a' })
    system.advance(1)
    system.runtime.stop(first)
    system.advance(1)
    const second = system.runtime.spawn({ kind: 'probe', key: 'a' })
    system.advance(1)
    expect(second.incarnation).toBeGreaterThan(first.incarnation)
    const copied = JSON.parse(JSON.stringify(first)) as Ref
    for (const stale of [first, copied]) expect(system.runtime.tell(stale, note(1))).toBe(false)
    for (const live of [second, JSON.parse(JSON.stringify(second)) as Ref, second.address]) {
      expect(system.runtime.tell(live, note(2))).toBe(true)
    }
    expect(numbers(await system.heard(second))).toEqual([2, 2, 2])
    expect(system.runtime.deadLetters().counts).toEqual({ 'stale-incarnation': 2 })
  })

  it('are refused to two at a time', () => {
    const { runtime } = bench()
    runtime.spawn({ kind: 'probe', key: 'a' })
    expect(() => runtime.spawn({ kind: 'probe', key: 'a' })).toThrow(InvariantError)
    expect(() => runtime.spawn({ kind: 'probe', key: 'b', parent: placed('nobody') })).toThrow('parent')
  })

  it('move with a snapshot: an actor starts from what another one left', async () => {
    const system = bench()
    const snapshot = { of: { heard: [note(1)] } }
    const a = system.runtime.spawn({ kind: 'probe', key: 'a', snapshot })
    system.runtime.tell(a, note(2))
    expect(numbers(await system.heard(a))).toEqual([1, 2])
  })
})

describe('A18 sleeping', () => {
  const sleepy = () => bench({ behaviors: { probe: { behavior: probe, passivate_after_ms: 1_000 } } })

  it('puts an idle actor away and brings it back with the next message', async () => {
    const system = sleepy()
    const a = system.runtime.spawn({ kind: 'probe', key: 'a' })
    system.runtime.tell(a, note(1))
    system.advance(900)
    expect(system.row(a)?.state).toBe('running')
    system.advance(2_000)
    expect(system.row(a)).toMatchObject({ state: 'passive', incarnation: a.incarnation })
    system.runtime.tell(a, note(2))
    expect(numbers(await system.heard(a))).toEqual([1, 2])
    expect(system.row(a)).toMatchObject({ state: 'running', restarts: 0, incarnation: a.incarnation })
  })

  it('leaves alone who waits for something', () => {
    const system = sleepy()
    const spawn = (key: string, ...atStart: Effect[]): Ref =>
      system.runtime.spawn({ kind: 'probe', key, args: { atStart } })
    const busy = [
      spawn('timer', { type: 'schedule', id: requestId('s'), delay_ms: 60_000, message: note(1) }),
      spawn('parent', { type: 'spawn', kind: 'probe', key: 'child' }),
    ]
    system.advance(10_000)
    for (const ref of busy) expect(system.row(ref)?.state).toBe('running')
    expect(system.row(placed('child'))?.state).toBe('passive')
  })

  it('lets a sleeper say farewell', () => {
    const system = sleepy()
    const a = system.runtime.spawn({ kind: 'probe', key: 'a', args: { atStop: [publish('farewell')] } })
    let farewells = 0
    system.runtime.subscribe('farewell', () => {
      farewells += 1
    })
    system.advance(5_000)
    expect(system.row(a)?.state).toBe('passive')
    system.runtime.stop(a)
    system.advance(1)
    expect(farewells).toBe(1)
  })
})

describe('a fixed actor', () => {
  it('lives at its path in the tree, a placed one at its key', () => {
    const system = bench()
    system.runtime.start({
      id: 'tree',
      children: [
        { id: 'branch', children: [{ id: 'leaf', kind: 'probe' }] },
        { id: 'shelf', kind: 'probe', key: 'books' },
      ],
    })
    expect(system.row(at('branch/leaf'))?.kind).toBe('probe')
    expect(system.row(placed('books'))?.kind).toBe('probe')
    expect(system.row(at('branch'))?.kind).toBe('supervisor')
  })
})
