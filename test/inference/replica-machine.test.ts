/** The life of an engine process, event by event: the seven promises of `replica-machine.ts`, each by its number. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ErrorShape } from '../../src/host/index.ts'
import {
  decide,
  idle,
  type ReplicaEvent,
  type ReplicaOrder,
  type ReplicaState,
  restartDelay,
  type Timer,
} from '../../src/inference/replica-machine.ts'

const settings = {
  name: 'stt.test',
  load_timeout_ms: 1_000,
  ping_interval_ms: 100,
  ping_timeout_ms: 300,
  cancel_timeout_ms: 200,
  rss_limit_mb: 100,
  restart_delay_min_ms: 100,
  restart_delay_max_ms: 1_600,
}
const retryable: ErrorShape = { code: 'disk-io', message: 'The disk failed', retryable: true }
const final: ErrorShape = { code: 'model-invalid', message: 'The model is damaged', retryable: false }

function stepped(...events: ReplicaEvent[]): { state: ReplicaState; orders: readonly ReplicaOrder[] } {
  let step: { state: ReplicaState; orders: readonly ReplicaOrder[] } = { state: idle, orders: [] }
  for (const event of events) step = decide(step.state, event, settings, 0.5)
  return step
}

const READY: ReplicaEvent[] = [
  { type: 'start' },
  { type: 'checked' },
  { type: 'started' },
  { type: 'loaded' },
]
const fired = (timer: Timer): ReplicaEvent => ({ type: 'timer', timer })
const doings = (orders: readonly ReplicaOrder[]): string[] =>
  orders.filter((order) => order.do !== 'log').map((order) => order.do)
const errorOf = (orders: readonly ReplicaOrder[]): string | undefined => {
  const order = orders.find((each) => each.do === 'fail-runs')
  return order?.do === 'fail-runs' ? order.error.code : undefined
}

describe('R1: files are checked before a process sees them', () => {
  test('start checks, and only then starts a process', () => {
    expect(doings(stepped({ type: 'start' }).orders)).toEqual(['check-files'])
    expect(doings(stepped({ type: 'start' }, { type: 'checked' }).orders)).toEqual(['start-process', 'arm'])
  })
  test('files are checked again before every restart', () => {
    const { orders } = stepped(...READY, { type: 'exited', how: 'x' }, fired('restart'))
    expect(doings(orders)).toEqual(['check-files'])
  })
  test('files that failed start nothing', () => {
    const { state, orders } = stepped({ type: 'start' }, { type: 'check-failed', error: final })
    expect(state.life).toEqual({ phase: 'failed', error: final })
    expect(doings(orders)).not.toContain('start-process')
  })
})

describe('R2, R3: a process that misbehaves is killed and its runs fail', () => {
  test.each<[string, ReplicaEvent[], string]>([
    ['it ends', [...READY, { type: 'exited', how: 'by signal SIGSEGV' }], 'engine-crashed'],
    [
      'it ends while loading',
      [...READY.slice(0, 3), { type: 'exited', how: 'with exit code 255' }],
      'engine-crashed',
    ],
    ['it sends garbage', [...READY, { type: 'garbled' }], 'engine-crashed'],
    ['it does not start in time', [...READY.slice(0, 2), fired('load')], 'engine-hung'],
    ['it does not load in time', [...READY.slice(0, 3), fired('load')], 'engine-hung'],
    ['it answers no ping', [...READY, fired('ping'), fired('silence'), fired('silence')], 'engine-hung'],
    [
      'it keeps a cancelled run',
      [...READY, { type: 'cancelling', stream: 3 }, fired('cancel:3'), fired('overdue:3')],
      'engine-hung',
    ],
    [
      'it grows too large',
      [...READY, fired('ping'), { type: 'pong', ping: 1, rss_mb: 101 }],
      'engine-over-memory',
    ],
  ])('%s', (_, events, code) => {
    const { state, orders } = stepped(...events)
    expect(doings(orders)).toEqual(['kill-process', 'disarm-all', 'arm', 'fail-runs'])
    expect(errorOf(orders)).toBe(code)
    expect(state.life.phase).toBe('restarting')
  })

  test('a run that is released in time costs nothing', () => {
    const { orders } = stepped(...READY, { type: 'cancelling', stream: 3 }, { type: 'released', stream: 3 })
    expect(orders).toEqual([
      { do: 'disarm', timer: 'cancel:3' },
      { do: 'disarm', timer: 'overdue:3' },
    ])
  })

  test('memory close to the limit is logged once', () => {
    const pong: ReplicaEvent = { type: 'pong', ping: 1, rss_mb: 85 }
    const warns = (orders: readonly ReplicaOrder[]) => orders.filter((order) => order.do === 'log').length
    expect(warns(stepped(...READY, pong).orders)).toBe(1)
    expect(warns(stepped(...READY, pong, pong).orders)).toBe(0)
  })
})

describe('R4: it is started again, later and later', () => {
  const crash: ReplicaEvent[] = [{ type: 'exited', how: 'x' }, fired('restart'), ...READY.slice(1)]

  test('the delay doubles up to its limit', () => {
    const delays = [1, 2, 3, 4, 5, 6, 50].map((failures) => restartDelay(failures, settings, 0.5))
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 1_600, 1_600])
  })
  test('jitter stays within a fifth', () => {
    expect(restartDelay(1, settings, 0)).toBeCloseTo(80)
    expect(restartDelay(1, settings, 1)).toBeCloseTo(120)
  })
  test('failures are forgotten after a healthy stretch, not before', () => {
    const twice = stepped(...READY, ...crash, ...crash)
    expect(twice.state).toMatchObject({ failures: 2, restarts: 2 })
    expect(decide(twice.state, fired('healthy'), settings, 0.5).state.failures).toBe(0)
  })
})

describe('R5: what cannot mend itself is not tried again', () => {
  test('a model that does not fit', () => {
    const { state, orders } = stepped(...READY.slice(0, 3), { type: 'load-failed', error: final })
    expect(state.life).toEqual({ phase: 'failed', error: final })
    expect(doings(orders)).toEqual(['kill-process', 'disarm-all', 'fail-runs'])
  })
  test('a disk that failed is tried again', () => {
    const { state } = stepped({ type: 'start' }, { type: 'check-failed', error: retryable })
    expect(state.life.phase).toBe('restarting')
  })
})

describe('R7: an own clock that was late proves nothing', () => {
  test('the first silence asks again', () => {
    const { state, orders } = stepped(...READY, fired('ping'), fired('silence'))
    expect(state.life).toMatchObject({ phase: 'ready', silence: 'asked-twice' })
    expect(doings(orders)).toEqual(['ping', 'arm'])
  })
  test('a run that is not released in time gets a second chance', () => {
    const { state, orders } = stepped(...READY, { type: 'cancelling', stream: 3 }, fired('cancel:3'))
    expect(state.life.phase).toBe('ready')
    expect(orders).toEqual([{ do: 'arm', timer: 'overdue:3', delay_ms: 800 }])
  })
  test('any answer ends the silence', () => {
    const { state } = stepped(...READY, fired('ping'), fired('silence'), { type: 'pong', ping: 1, rss_mb: 5 })
    expect(state.life).toMatchObject({ phase: 'ready', silence: 'none' })
  })
})

describe('R8: it rests and wakes when it is told to', () => {
  test('its process ends and nothing is started', () => {
    const { state, orders } = stepped(...READY, { type: 'rest' })
    expect(doings(orders)).toEqual(['disarm-all', 'kill-process'])
    for (const event of [fired('restart'), fired('ping'), { type: 'exited', how: 'x' }] as const) {
      expect(decide(state, event, settings, 0.5)).toEqual({ state, orders: [] })
    }
  })
  test('woken it begins as at first', () => {
    const { state, orders } = stepped(...READY, { type: 'rest' }, { type: 'wake' })
    expect(state).toMatchObject({ life: { phase: 'checking' }, restarts: 0, failures: 0 })
    expect(doings(orders)).toEqual(['check-files'])
  })
  test('what is not ready does not rest, and what does not rest is not woken', () => {
    expect(stepped({ type: 'start' }, { type: 'rest' }).state.life.phase).toBe('checking')
    expect(stepped(...READY, { type: 'wake' }).orders).toEqual([])
  })
})

describe('whatever happens, in any order', () => {
  const timers = fc.constantFrom<Timer>(
    'load',
    'ping',
    'silence',
    'restart',
    'healthy',
    'cancel:1',
    'cancel:2',
  )
  const event: fc.Arbitrary<ReplicaEvent> = fc.oneof(
    fc.constantFrom<ReplicaEvent>(
      { type: 'start' },
      { type: 'rest' },
      { type: 'wake' },
      { type: 'checked' },
      { type: 'started' },
      { type: 'loaded' },
      { type: 'garbled' },
      { type: 'exited', how: 'x' },
      { type: 'check-failed', error: retryable },
      { type: 'load-failed', error: final },
      { type: 'cancelling', stream: 1 },
      { type: 'released', stream: 1 },
    ),
    timers.map(fired),
    fc.record({ type: fc.constant('pong' as const), ping: fc.nat(9), rss_mb: fc.nat(200) }),
  )

  test('a process is started only when there is none, and every one is killed or seen to end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = idle
        let processes = 0
        for (const each of [...events, { type: 'stop' } as const]) {
          const step = decide(state, each, settings, 0.5)
          state = step.state
          for (const order of step.orders) {
            if (order.do === 'start-process') processes += 1
            if (order.do === 'kill-process') processes = 0
          }
          expect(processes).toBeLessThanOrEqual(1)
          const has = ['starting', 'loading', 'ready'].includes(state.life.phase)
          expect(processes).toBe(has ? 1 : 0)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('R6: after stop nothing happens any more', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), fc.array(event, { maxLength: 20 }), (before, later) => {
        let { state } = decide(stepped(...before).state, { type: 'stop' }, settings, 0.5)
        for (const each of later) {
          const step = decide(state, each, settings, 0.5)
          state = step.state
          expect(doings(step.orders).filter((doing) => doing !== 'disarm')).toEqual([])
        }
        expect(state.life.phase).toBe('stopped')
      }),
      { numRuns: 2_000 },
    )
  })
})
