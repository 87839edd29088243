/** A real model beside the voice detector, in its own process: what it takes out, and that nobody waits for it when that process ends. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { detectorsWith } from '../../src/node/detecting.ts'
import { toInt16, type VoiceDetector } from '../../src/voice/index.ts'
import {
  eventually,
  HIGH_HZ,
  LOW_HZ,
  openPool,
  specs,
  type TestPool,
  temporaryDirectory,
  tone,
} from '../inference/engines.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const directory = temporaryDirectory()
let engines: TestPool
beforeAll(async () => {
  engines = openPool(await specs(['loud-low'], { unpacked_dir: directory.path }))
  await engines.pool.start()
})
afterAll(async () => {
  await engines?.pool.stop()
  directory.remove()
})

const frame = (hz: number): Int16Array => toInt16(tone(hz, 20))
const VOICE = frame(LOW_HZ)
const HISS = frame(HIGH_HZ)

/** One that takes every sound for a voice, so that what is left out was left out by the model. */
const credulous = (): VoiceDetector => ({ isVoiced: () => true, close: () => undefined })

test('a hiss is no voice; while the process is away everything is again, and later it is not', async () => {
  const detector = detectorsWith(engines.pool, credulous)()
  const isVoiced = (sound: Int16Array) => () => detector.isVoiced(sound)
  await eventually(isVoiced(HISS)).toBe(false)
  await eventually(isVoiced(VOICE)).toBe(true)
  await eventually(isVoiced(HISS)).toBe(false)
  const [{ name } = { name: '' }] = engines.pool.capabilities()
  process.kill(engines.pool.pids().get(name)!, 'SIGKILL')
  await eventually(isVoiced(HISS)).toBe(true)
  await engines.until(name, ({ state, restarts }) => state === 'ready' && restarts === 1)
  for (let i = 0; i < 300; i += 1) detector.isVoiced(HISS)
  await eventually(isVoiced(HISS)).toBe(false)
  detector.close()
  await eventually(() => engines.pool.capabilities()[0]!.load).toBe(0)
})

test('without a model the detectors are those that came with the node', () => {
  const nothing = openPool([]).pool
  expect(detectorsWith(nothing, credulous)).toBe(credulous)
})
