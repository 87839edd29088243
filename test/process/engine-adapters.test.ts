/**
 * Each adapter, with its own library and a real file, in a process that is killed, aborts, leaks or stops in the middle of a run, and
 * one that does many. A new adapter gets its row in `engine-cases.ts`; those of engines elsewhere are in `contract/engines-elsewhere`.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ENGINES } from '../contract/engine-cases.ts'
import { ENDS, openMortal, pidOf, STOPS, survives } from '../contract/engine-faults.ts'
import { growth, run, specs, type TestPool, temporaryDirectory } from '../inference/engines.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const directory = temporaryDirectory()
let engines: TestPool

beforeAll(async () => {
  const models = ENGINES.map(({ model }) => model)
  engines = openMortal(await specs(models, { unpacked_dir: directory.path }))
  await engines.pool.start()
})
afterAll(async () => {
  await engines?.pool.stop()
  directory.remove()
})

describe.each(ENGINES)('the process of $to', (engine) => {
  const { to, request, inputs, few = 20 } = engine

  test('takes no more memory for many runs than for a few', async () => {
    const whole = () => run(engines.pool, to, request, inputs)
    expect(await growth(pidOf(engines, engine), few, whole)).toBeLessThan(20e6)
  })

  test.each(ENDS)('in mid-run a $signal is $code: it is replaced, and the next run is as before', (fault) =>
    survives(engines, engine, fault),
  )
})

// All at once: it is waited for longer than for all else here together.
test('every engine whose process stops in mid-run is found out, replaced, and does the next run as before', async () => {
  await Promise.all(ENGINES.map((engine) => survives(engines, engine, STOPS)))
})
