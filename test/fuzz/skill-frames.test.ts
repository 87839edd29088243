/**
 * What goes between the node and a sandbox process, changed in all ways: the node takes what it is told for what it is or refuses it, and
 * lets no change pass that was not granted; the runner answers every order; a host function called with anything ends the call or
 * returns, and nothing else. 100,000 frames each way, and as many host calls.
 */
import { expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import type { Change, SkillCall } from '../../src/skills/call.ts'
import { grantedImports, HOST_FUNCTIONS, PERMISSIONS } from '../../src/skills/permissions.ts'
import {
  decodeFrame,
  encodeFrame,
  FrameJoiner,
  MAX_ANSWER_BYTES,
  SandboxFrameError,
} from '../../src/skills/sandbox/frames.ts'
import { HostCalls } from '../../src/skills/sandbox/hostcalls.ts'
import type { Answer, Order } from '../../src/skills/sandbox/protocol.ts'
import { bindImports, serving } from '../../src/skills/sandbox/runner/bindings.ts'
import { Kernel, Stop } from '../../src/skills/sandbox/runner/kernel.ts'
import { OrderBook } from '../../src/skills/sandbox/runner/orders.ts'
import { type Grant, verifyAnswer } from '../../src/skills/sandbox/verify.ts'
import { checkModule, readyModule } from '../../src/skills/wasm.ts'
import { saying } from '../skills/hostile.ts'

const ROUNDS = 100_000
const SEED = Number(process.env.SEED ?? 20_261_126)

const GRANT: Grant = {
  permissions: ['storage', 'timers'],
  budget: { call_ms: 100, memory_kb: 256, host_calls: 8, storage_kb: 1 },
}
const CALL: SkillCall = {
  entry: 'handle',
  input: '{"intent":"pet.feed"}',
  storage: { old: 'value' },
  timers: { ringing: 5 },
  time: { wall_ms: 1_000, offset_min: 60 },
  seed: 42,
}
const CHANGES: readonly Change[] = [
  { change: 'put', key: 'a', value: 'b' },
  { change: 'delete', key: 'old' },
  { change: 'timer-set', timer: 't', delay_ms: 5 },
  { change: 'timer-cancel', timer: 'ringing' },
  { change: 'log', level: 'info', message: 'hm' },
  { change: 'announce', speech: 'boo', room: '', session: '' },
]
const ANSWERS: readonly Answer[] = [
  { answer: 'answered', output: '{"speech":"done"}', changes: CHANGES.slice(0, 5) },
  { answer: 'answered', output: '', changes: CHANGES },
  { answer: 'failed', fault: 'skill-trapped', message: 'it trapped' },
  { answer: 'ready' },
  { answer: 'loaded' },
]

/** Values that break what expects others. */
const ODD: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    0,
    1.5,
    1e308,
    2 ** 53,
    '',
    'x',
    '__proto__',
    'constructor',
    [],
    {},
    [[]],
    { length: 9 },
  ],
  ...['handle', 'put', 'storage', 'x'.repeat(200), '\u0000', '\ud800'],
]

/** One value of it, however deep, is another. */
function changed(value: unknown, random: SimulatedRandom): unknown {
  if (typeof value !== 'object' || value === null || random.below(4) === 0)
    return ODD[random.below(ODD.length)]
  const entries = Object.entries(value)
  const at = random.below(entries.length + 1)
  if (at === entries.length)
    return Array.isArray(value) ? [...value, ODD[random.below(ODD.length)]] : { ...value, extra: 1 }
  const [name, old] = entries[at]!
  const made: unknown = random.below(6) === 0 ? undefined : changed(old, random)
  if (Array.isArray(value)) return value.with(Number(name), made)
  return { ...value, [name]: made }
}

/** Its bytes with one to three changes. */
function corrupted(bytes: Uint8Array, random: SimulatedRandom): Uint8Array {
  const made = bytes.slice()
  for (let change = random.below(3); change >= 0; change -= 1) {
    made[random.below(random.below(2) === 0 ? 8 : made.length)]! ^= 1 << random.below(8)
  }
  return made
}

it('from a sandbox: nothing that was not granted passes, and nothing is thrown but that it is no frame', () => {
  const random = new SimulatedRandom(SEED)
  const met = { accepted: 0, refused: 0, escape: 0, unframed: 0 }
  const frames = ANSWERS.map((answer) => encodeFrame(answer))
  for (let round = 0; round < ROUNDS; round += 1) {
    const which = random.below(ANSWERS.length)
    const bytes =
      random.below(3) === 0
        ? corrupted(frames[which]!, random)
        : encodeFrame(changed(ANSWERS[which], random) ?? null)
    const joiner = new FrameJoiner(MAX_ANSWER_BYTES)
    const half = random.below(bytes.length)
    try {
      for (const frame of [...joiner.push(bytes.subarray(0, half)), ...joiner.push(bytes.subarray(half))]) {
        const outcome = verifyAnswer(frame.body, 'pet', CALL, GRANT)
        if (!outcome.ok) {
          met[outcome.error.code === 'skill-escape' ? 'escape' : 'refused'] += 1
          continue
        }
        met.accepted += 1
        const { changes } = outcome.result
        if (changes.length > 24 || changes.some(({ change }) => change === 'announce')) {
          throw new Error(`accepted ${JSON.stringify(frame.body)}`)
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof SandboxFrameError)) throw thrown
      met.unframed += 1
    }
  }
  for (const count of Object.values(met)) expect(count).toBeGreaterThan(ROUNDS / 100)
})

const MODULE = readyModule(
  checkModule(saying('{"speech":"hello"}'), {
    imports: grantedImports(GRANT.permissions),
    exports: ['handle'],
    memory_kb: GRANT.budget.memory_kb,
  }).bytes,
)
const LOAD: Order = {
  ...{ order: 'load', runtime: 'wasm', skill: 'pet', ahead: true },
  ...{ permissions: GRANT.permissions, budget: GRANT.budget },
  ...(MODULE.memory && { memory: MODULE.memory }),
}
const RUN: Order = { order: 'call', skill: 'pet', call: CALL }
const WORDS = new Set(['loaded', 'answered', 'failed'])

it('to a sandbox: every frame is answered', { timeout: 120_000 }, async () => {
  const random = new SimulatedRandom(SEED)
  const met: Record<string, number> = {}
  let book = new OrderBook()
  await book.answer(encodeFrame(LOAD, MODULE.bytes).subarray(4))
  const run = encodeFrame(RUN).subarray(4)
  const load = encodeFrame(LOAD, MODULE.bytes).subarray(4)
  for (let round = 0; round < ROUNDS; round += 1) {
    // Loading compiles: one in three hundred, which are still hundreds.
    const loads = random.below(300) === 0
    const bytes = [
      () => corrupted(loads ? load : run, random),
      () =>
        encodeFrame(changed(loads ? LOAD : RUN, random) ?? null, loads ? MODULE.bytes : undefined).subarray(
          4,
        ),
    ][random.below(2)]!()
    const { answer } = await book.answer(bytes)
    met[answer.answer] = (met[answer.answer] ?? 0) + 1
    if (!WORDS.has(answer.answer)) throw new Error(`said ${JSON.stringify(answer)}`)
    if (loads) {
      book = new OrderBook()
      await book.answer(load)
    }
  }
  const answer = await book.answer(run)
  expect(answer.answer).toMatchObject({ answer: 'answered', output: '{"speech":"hello"}' })
  for (const word of WORDS) expect(met[word]).toBeGreaterThan(30)
})

it('host functions: called with anything, they return or end the call', () => {
  const random = new SimulatedRandom(SEED)
  const budget = { ...GRANT.budget, host_calls: 64 }
  const values = [0n, 1n, -1n, 8n, 16n, 24n, 100n, 1n << 31n, 1n << 32n, (1n << 63n) - 1n, -(1n << 63n)]
  const met = { returned: 0, ended: 0 }
  let functions: ((...args: unknown[]) => unknown)[] = []
  const begin = (): void => {
    const kernel = new Kernel(
      new Uint8Array(10),
      budget.memory_kb * 1_024,
      budget.host_calls,
      () => undefined,
    )
    const host = new HostCalls(CALL, budget)
    for (const text of ['a', 'old', '{"id":"1"}', '']) kernel.put(text)
    functions = Object.values(bindImports(serving(kernel, host), PERMISSIONS, budget))
      .flatMap((module) => Object.values(module))
      .filter((each) => typeof each === 'function') as typeof functions
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % 100 === 0) begin()
    const called = functions[random.below(functions.length)]!
    const args = [0, 1, 2].map(() => values[random.below(values.length)]!)
    try {
      called(...args)
      met.returned += 1
    } catch (thrown) {
      // A byte to store is an i32; the engine sees to that, not the kernel.
      if (!(thrown instanceof Stop) && !(thrown instanceof TypeError)) throw thrown
      met.ended += 1
    }
  }
  expect(Object.values(HOST_FUNCTIONS).flat().length).toBeGreaterThan(10)
  for (const count of Object.values(met)) expect(count).toBeGreaterThan(ROUNDS / 20)
})

it('a frame that was read is what was written', () => {
  const { body, payload } = decodeFrame(encodeFrame(RUN, MODULE.bytes).subarray(4))
  expect(body).toEqual(RUN)
  expect(payload).toEqual(MODULE.bytes)
})
