/** When the clock is read: often enough to be fair and to find who is slow, and hardly ever otherwise. */
import { describe, expect, it } from 'vitest'
import { createRuntime, type Message, type Ref, same } from '../../src/actors/index.ts'
import type { Monotonic } from '../../src/host/index.ts'
import { nodeId } from '../../src/host/index.ts'
import { SimulatedClock, simulatedHost } from '../../src/host/simulated/index.ts'

/** Virtual time that a handler can use up, and that counts how often it is looked at. */
class WatchedClock extends SimulatedClock {
  reads = 0
  used_ms = 0

  override monotonic(): Monotonic {
    this.reads += 1
    return (super.monotonic() + this.used_ms) as Monotonic
  }
}

function system() {
  const clock = new WatchedClock()
  const logs: string[] = []
  const worker = {
    kind: 'worker',
    start: () => same(0),
    receive(state: unknown, message: Message) {
      clock.used_ms += (message as Message & { ms: number }).ms
      return same(state)
    },
  }
  const runtime = createRuntime({
    node: nodeId('watched'),
    host: { clock, random: simulatedHost(1).random },
    behaviors: { worker },
    outside: {},
    observe: {
      log: (_level, message) => logs.push(message),
      metric: () => undefined,
      audit: () => undefined,
    },
  })
  const workers = ['a', 'b'].map((key) => runtime.spawn({ kind: 'worker', key }))
  clock.runUntilIdle()
  /** Looks at the clock that so many messages to each of two actors cost. */
  const looksFor = (count: number, ms = 0): number => {
    const before = clock.reads
    for (let told = 0; told < count; told += 100) {
      for (const to of workers as Ref[]) {
        for (let i = 0; i < 100; i += 1) runtime.tell(to, { type: 'work', ms } as Message)
      }
      clock.runUntilIdle()
    }
    return clock.reads - before
  }
  return { clock, runtime, logs, workers: workers as [Ref, Ref], looksFor }
}

describe('the clock is read', () => {
  it('once per stretch of quick messages', () => {
    const { looksFor } = system()
    looksFor(1_000)
    expect(looksFor(10_000)).toBeLessThan(20_000 / 30)
  })

  it('at every message while messages are slow, so that others wait for one at most', () => {
    const { looksFor } = system()
    expect(looksFor(100, 2)).toBeGreaterThanOrEqual(200)
  })

  it('at every message of a suspect, but not for ever', () => {
    const { runtime, clock, logs, workers, looksFor } = system()
    looksFor(1_000)
    for (const to of workers) {
      for (const ms of [0, 0, 60, 0, 0]) runtime.tell(to, { type: 'work', ms } as Message)
    }
    clock.runUntilIdle()
    expect(logs).toContain('One of several actors kept the thread')
    expect(looksFor(800)).toBeGreaterThanOrEqual(1_600)
    looksFor(1_000)
    expect(looksFor(10_000)).toBeLessThan(20_000 / 30)
  })
})
