/**
 * The whole matrix: wherever an actor can fail, however it fails, and whether it has children or not, it alone is
 * restarted with fresh state, its siblings notice nothing, and whoever waits for it is told.
 */
import { describe, expect, it } from 'vitest'
import { type Behavior, type Message, next, type TreeSpec } from '../../src/actors/index.ts'
import { at, bench, breakDown, breaking, FAULTS, type Fault, note, numbers, placed, probe } from './probe.ts'

const PHASES = ['start', 'receive', 'outcome', 'childExited', 'stopping', 'snapshot', 'restore'] as const
type Phase = (typeof PHASES)[number]
type Role = 'child' | 'supervisor'
const ROLES: readonly Role[] = ['child', 'supervisor']

interface FaultyState {
  readonly heard: readonly Message[]
}

const outcome = { type: 'read', id: 'r', to: 'x', op: 'get' } as never

/** Fails once in the given phase, then behaves. With the role of a supervisor it has a child, which it starts in `start`. */
function faulty(phase: Phase, fault: Fault, role: Role) {
  let left = 1
  const perhaps = (here: Phase): boolean => {
    if (here !== phase || left === 0) return false
    left -= 1
    return true
  }
  const family =
    role === 'supervisor' || phase === 'childExited'
      ? [{ type: 'spawn', kind: 'probe', key: 'grandchild', restart: 'temporary' } as const]
      : []
  const behavior: Behavior<FaultyState, Message> = {
    kind: 'faulty',
    start: () => (perhaps('start') ? breakDown(fault) : next({ heard: [] }, family)),
    receive(state, message, { replyTo }) {
      if (message.type === 'fail' && perhaps('receive')) return breakDown(fault)
      if (message.type === 'fail' && phase === 'outcome') return next(state, [outcome])
      if (message.type === 'outcome' && perhaps('outcome')) return breakDown(fault)
      const heard = [...state.heard, message]
      if (replyTo === undefined) return next({ heard })
      return next({ heard }, [
        { type: 'reply', to: replyTo, message: { type: 'report', ...state } as Message },
      ])
    },
    childExited: (state) => (perhaps('childExited') ? breakDown(fault) : next(state)),
    stopping: () => (perhaps('stopping') ? breakDown(fault) : []),
    snapshot: (state) => (perhaps('snapshot') ? breakDown(fault) : state),
    restore: (snapshot) => (perhaps('restore') ? breakDown(fault) : next(snapshot as FaultyState)),
  }
  return behavior
}

const cases = PHASES.flatMap((phase) =>
  FAULTS.flatMap((fault) => ROLES.map((role) => ({ phase, fault, role }))),
)

const TREE: TreeSpec = {
  id: 'tree',
  children: [
    { id: 'elder', kind: 'probe' },
    { id: 'faulty', kind: 'faulty' },
    { id: 'younger', kind: 'probe' },
  ],
}

describe.each(cases)('$role that fails in $phase by $fault', ({ phase, fault, role }) => {
  function begin() {
    const sleeps = phase === 'snapshot' || phase === 'restore'
    // A grandchild keeps an actor awake, so the sleeper of the supervisor's role loses it first.
    const system = bench({
      behaviors: {
        probe,
        faulty: {
          behavior: faulty(phase, fault, role),
          ...(sleeps ? { passivate_after_ms: 1_000 } : {}),
        },
      },
      outside: () => ({
        read: ({ id }, deliver) => deliver({ type: 'outcome', id, event: 'done' }),
      }),
    })
    system.runtime.start(TREE)
    system.advance(1)
    system.runtime.tell(at('elder'), note(1))
    system.runtime.tell(at('younger'), note(2))
    return system
  }

  function provoke(system: ReturnType<typeof begin>): void {
    const { runtime } = system
    switch (phase) {
      case 'start':
        break
      case 'receive':
      case 'outcome':
        runtime.tell(at('faulty'), { type: 'fail' })
        break
      case 'childExited':
        runtime.stop(placed('grandchild'))
        break
      case 'stopping':
        runtime.stop(at('faulty'))
        break
      case 'snapshot':
      case 'restore':
        if (role === 'supervisor') runtime.stop(placed('grandchild'))
        system.advance(3_000)
        if (phase === 'restore') runtime.tell(at('faulty'), { type: 'wake' })
        break
    }
    system.advance(1_000)
  }

  it('leaves siblings as they are', async () => {
    const system = begin()
    provoke(system)
    expect(numbers(await system.heard(at('elder')))).toEqual([1])
    expect(numbers(await system.heard(at('younger')))).toEqual([2])
    expect(system.row(at('elder'))?.restarts).toBe(0)
    expect(system.row(at('younger'))?.restarts).toBe(0)
    expect(system.failure()).toBeUndefined()
  })

  it('is seen: the failure is logged with the phase it happened in', () => {
    const system = begin()
    provoke(system)
    const failures = system.logs.filter(({ message }) => message === 'An actor failed')
    expect(failures).toHaveLength(1)
    expect(failures[0]!.values.during).toBe(phase === 'outcome' ? 'receive' : phase)
    expect(String(failures[0]!.values.error ?? '')).toContain(fault === 'reject' ? 'may not be async' : '')
  })

  if (phase === 'stopping') {
    it('ends all the same, and whoever watches hears of the failure', async () => {
      const system = begin()
      const watcher = system.runtime.spawn({
        kind: 'probe',
        key: 'watcher',
        args: { atStart: [{ type: 'watch', target: at('faulty') }] },
      })
      system.advance(1)
      provoke(system)
      expect(system.row(at('faulty'))).toBeUndefined()
      const [told] = await system.heard(watcher)
      expect(told).toMatchObject({ type: 'terminated', reason: { kind: 'failed' } })
      if (role === 'supervisor') expect(system.row(placed('grandchild'))).toBeUndefined()
    })
    return
  }

  it('is restarted once, in its incarnation, and works', async () => {
    const system = begin()
    const before = system.row(at('faulty'))!
    provoke(system)
    const row = system.row(at('faulty'))!
    expect(row.restarts).toBe(1)
    expect(['running', 'passive']).toContain(row.state)
    expect(row.incarnation).toBe(before.incarnation)
    const heard = await system.heard(at('faulty'))
    // Its state is fresh; a message that found it asleep or unstarted was kept.
    expect(heard.map(({ type }) => type)).toEqual(phase === 'restore' ? ['wake'] : [])
  })

  if (role === 'supervisor') {
    it('takes its children down with it and starts them anew', () => {
      const system = begin()
      const before = system.row(placed('grandchild'))
      provoke(system)
      const after = system.row(placed('grandchild'))
      expect(after?.state).toBe('running')
      if (before !== undefined) expect(after!.incarnation).toBeGreaterThan(before.incarnation)
    })
  }
})

describe('a supervisor of the tree', () => {
  const tree = (extra: Partial<TreeSpec>): TreeSpec => ({
    id: 'tree',
    children: [
      {
        id: 'group',
        ...extra,
        children: [
          { id: 'a', kind: 'probe' },
          { id: 'b', kind: 'probe' },
          { id: 'c', kind: 'probe' },
        ],
      },
      { id: 'other', kind: 'probe' },
    ],
  })
  const names = ['a', 'b', 'c'].map((name) => at(`group/${name}`))

  function crashing(spec: TreeSpec, fault: Fault) {
    const system = bench()
    system.runtime.start(spec)
    system.advance(1)
    names.forEach((name, index) => {
      system.runtime.tell(name, note(index))
    })
    system.runtime.tell(names[1]!, breaking(fault))
    system.advance(1_000)
    return system
  }
  const restarts = (system: ReturnType<typeof bench>) => names.map((name) => system.row(name)?.restarts)

  it.each(FAULTS)('one_for_one restarts the failed one alone (%s)', (fault) => {
    expect(restarts(crashing(tree({ strategy: 'one_for_one' }), fault))).toEqual([0, 1, 0])
  })

  it.each(FAULTS)('one_for_all restarts all of them (%s)', async (fault) => {
    const system = crashing(tree({ strategy: 'one_for_all' }), fault)
    expect(restarts(system)).toEqual([1, 1, 1])
    for (const name of names) expect(await system.heard(name)).toEqual([])
  })

  it.each(FAULTS)('rest_for_one restarts it and those after it (%s)', async (fault) => {
    const system = crashing(tree({ strategy: 'rest_for_one' }), fault)
    expect(restarts(system)).toEqual([0, 1, 1])
    expect(numbers(await system.heard(names[0]!))).toEqual([0])
  })

  it('stops a group youngest first and starts it eldest first', () => {
    const system = crashing(tree({ strategy: 'one_for_all' }), 'throw')
    const steps = system
      .trace()
      .map((line) => line.split(' ').slice(1).join(' '))
      .filter((line) => /^(resting|started) .*group\/./.test(line))
      .map((line) => `${line.split(' ')[0]} ${/group\/(.)/.exec(line)![1]}`)
    expect(steps).toEqual([
      ...['started a', 'started b', 'started c'],
      ...['resting b', 'resting c', 'resting a'],
      ...['started a', 'started b', 'started c'],
    ])
  })

  it('waits longer before every further restart, and starts from the shortest wait after a quiet period', () => {
    const backoff = { min_ms: 100, max_ms: 1_000, factor: 2 }
    const system = bench()
    system.runtime.start(tree({ backoff, intensity: 10, period_ms: 60_000 }))
    const waits: number[] = []
    const crash = (): void => {
      system.runtime.tell(names[0]!, breaking('throw'))
      system.advance(1)
      const begin = system.host.clock.monotonic()
      while (system.row(names[0]!)?.state !== 'running') system.advance(1)
      waits.push(system.host.clock.monotonic() - begin)
    }
    for (let i = 0; i < 6; i += 1) crash()
    const full = [100, 200, 400, 800, 1_000, 1_000]
    full.forEach((most, index) => {
      expect(waits[index]).toBeGreaterThanOrEqual(most / 2 - 2)
      expect(waits[index]).toBeLessThanOrEqual(most + 2)
    })
    system.advance(60_000)
    crash()
    expect(waits.at(-1)).toBeLessThanOrEqual(102)
  })

  it('fails itself when children fail too often, and is restarted with new ones', () => {
    const system = bench()
    system.runtime.start(tree({ intensity: 2, period_ms: 10_000 }))
    system.advance(1)
    const before = system.row(names[0]!)!.incarnation
    for (let i = 0; i < 3; i += 1) {
      system.runtime.tell(names[i]!, breaking('throw'))
      system.advance(200)
    }
    expect(system.row(at('group'))?.restarts).toBe(1)
    expect(system.row(names[0]!)!.incarnation).toBeGreaterThan(before)
    expect(system.row(at('other'))?.restarts).toBe(0)
  })

  it('lets the failure rise to the root, which ends the node', () => {
    const system = bench()
    system.runtime.start({ ...tree({ intensity: 0 }), intensity: 1 })
    for (let i = 0; i < 2; i += 1) {
      system.advance(1_000)
      system.runtime.tell(names[0]!, breaking('throw'))
    }
    system.advance(1_000)
    expect(system.failure()).toMatchObject({ kind: 'failed', error: { code: 'intensity-exceeded' } })
    expect(system.row(at('other'))).toBeUndefined()
  })

  it('restarts permanent children always, transient ones after a failure, temporary ones never', () => {
    const kinds = ['permanent', 'transient', 'temporary'] as const
    const spec: TreeSpec = {
      id: 'tree',
      children: kinds.map((restart) => ({ id: restart, kind: 'probe', restart })),
    }
    const alive = (act: (system: ReturnType<typeof bench>, kind: string) => void) => {
      const system = bench()
      system.runtime.start(spec)
      system.advance(1)
      for (const kind of kinds) act(system, kind)
      system.advance(1_000)
      return kinds.filter((kind) => system.row(at(kind)) !== undefined)
    }
    const stopItself = { type: 'do', effects: [{ type: 'stop' }] } as Message
    expect(alive((system, kind) => system.runtime.tell(at(kind), stopItself))).toEqual(['permanent'])
    expect(alive((system, kind) => system.runtime.tell(at(kind), breaking('throw')))).toEqual([
      'permanent',
      'transient',
    ])
    expect(alive((system, kind) => system.runtime.stop(at(kind)))).toEqual([])
  })

  it('ends a spawned actor that fails for ever without touching the others', () => {
    const system = bench()
    const bad = system.runtime.spawn({ kind: 'probe', key: 'bad' })
    const good = system.runtime.spawn({ kind: 'probe', key: 'good' })
    for (let i = 0; i < 10; i += 1) {
      system.runtime.tell(bad, breaking('throw'))
      system.advance(700)
    }
    expect(system.row(bad)).toBeUndefined()
    expect(system.row(good)?.restarts).toBe(0)
    expect(system.failure()).toBeUndefined()
  })

  it('refuses a tree with an unknown kind or a doubled id before anything starts', () => {
    const { runtime } = bench()
    const before = runtime.actors().length
    expect(() => runtime.start({ id: 't', children: [{ id: 'a', kind: 'nobody' }] })).toThrow('nobody')
    const twice = { id: 'a', kind: 'probe' }
    expect(() => runtime.start({ id: 't', children: [twice, twice] })).toThrow('called a')
    expect(runtime.actors()).toHaveLength(before)
  })
})
