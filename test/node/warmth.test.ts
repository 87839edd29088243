/** A node lets go of an engine that others have as well, says so, and has it back as soon as one of them is lost. */
import { expect, test } from 'vitest'
import type { Offer } from '../../src/cluster/index.ts'
import { nodeId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { Warmth } from '../../src/node/warmth.ts'

const KEEP_MS = 60_000
const TAG = 'stt.sherpa:small'

function scene(keep_ms: number) {
  const clock = new SimulatedClock()
  const done: string[] = []
  let resting = false
  let others = ['a', 'b']
  const offer = (node: string): Offer => ({
    ...{ node: nodeId(node), tag: TAG, p95_ms: 20, room: 16, running: 0, load: 0, rtt_ms: 1, steady: true },
  })
  const warmth = new Warmth({
    ...{ self: nodeId('c'), clock, keep_ms },
    pool: {
      kept: () => [{ name: 'stt', tag: TAG, resting, idle_ms: clock.monotonic() }],
      rest: () => {
        resting = true
      },
      wake: () => {
        resting = false
      },
    },
    offers: () => [...others, ...(resting ? [] : ['c'])].map(offer),
    log: { info: (message, values) => done.push(`${message}: ${Object.values(values ?? {}).join(', ')}`) },
    metrics: { add: (_name, _add, labels) => done.push(Object.values(labels ?? {}).join(' ')) },
  })
  warmth.start()
  const lose = (node: string): void => {
    others = others.filter((other) => other !== node)
    warmth.listener.member?.({ id: nodeId(node), status: 'suspect' } as never)
  }
  return { clock, done, warmth, lose, isResting: () => resting }
}

test('it rests once it was idle for long, and wakes when one of the others is lost', () => {
  const { clock, done, lose, isResting, warmth } = scene(KEEP_MS)
  clock.advance(KEEP_MS - 1)
  expect(isResting()).toBe(false)
  clock.advance(60_000)
  expect(isResting()).toBe(true)
  lose('b')
  expect(isResting()).toBe(false)
  expect(done).toEqual([
    'An engine rests: stt, idle',
    'stt rest',
    'An engine wakes: stt, few others',
    'stt wake',
  ])
  warmth.stop()
  expect(clock.pending).toBe(0)
})

test('told to keep all, it does', () => {
  const { clock, done, lose } = scene(0)
  clock.advance(3_600_000)
  lose('a')
  expect(done).toEqual([])
})
