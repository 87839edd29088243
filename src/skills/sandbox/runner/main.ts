/**
 * Entry of a sandbox process. It has no environment, may read nothing but these files, and knows one thing: take an
 * order from standard input, carry it out, answer on standard output. Reading blocks on purpose, since there is never
 * anything else to do and a blocked read wakes faster than an event loop. It ends when the node closes the pipe.
 *
 * Every call gets a fresh instance of its module: nothing a skill does can outlive the call except its changes.
 */
import { readSync, writeSync } from 'node:fs'
import type { SkillCall } from '../../call.ts'
import type { Permission } from '../../permissions.ts'
import { decodeFrame, encodeFrame, MAX_ORDER_BYTES } from '../frames.ts'
import { HostCalls } from '../hostcalls.ts'
import type { Answer, Budget, Order } from '../protocol.ts'
import { unpackScript } from '../script-source.ts'
import { bindImports } from './bindings.ts'
import { Kernel, Stop } from './kernel.ts'

/** A skill, ready to be called. */
interface Loaded {
  run(call: SkillCall): Answer
  /** Between two calls, when the first was answered. */
  makeReady?(): Promise<void>
}

type LoadOrder = Extract<Order, { order: 'load' }>

const loaded = new Map<string, Loaded>()
const encoder = new TextEncoder()

async function load(
  { runtime, skill, permissions, budget }: LoadOrder,
  payload: Uint8Array,
): Promise<Answer> {
  if (runtime === 'typescript') {
    // Most sandboxes never see a script: what runs it is read when one comes.
    const { loadScript } = await import('./script.ts')
    loaded.set(skill, await loadScript(unpackScript(payload), permissions, budget))
  } else {
    // V8 keeps a reference to the bytes: they must not lie in the read buffer.
    const module = new WebAssembly.Module(payload.slice())
    loaded.set(skill, { run: (call) => runModule(module, call, permissions, budget) })
  }
  return { answer: 'loaded' }
}

function call(order: Exclude<Order, LoadOrder>): Answer {
  const skill = loaded.get(order.skill)
  if (skill === undefined) throw new Stop('skill-crashed', 'its module is not loaded')
  return skill.run(order.call)
}

function runModule(
  module: WebAssembly.Module,
  call: SkillCall,
  permissions: readonly Permission[],
  budget: Budget,
): Answer {
  const host = new HostCalls(call, budget)
  const kernel = new Kernel(encoder.encode(call.input), budget.memory_kb * 1024, (level, message) =>
    host.log(level, message),
  )
  const instance = new WebAssembly.Instance(module, bindImports(kernel, host, permissions, budget))
  const entry = instance.exports[call.entry]
  if (typeof entry !== 'function') throw new Stop('skill-refused', `it has no function "${call.entry}"`)
  const status: unknown = entry()
  if (status !== 0 && status !== undefined) {
    throw new Stop('skill-trapped', kernel.error ?? `it returned ${String(status)}`)
  }
  return { answer: 'answered', output: kernel.output(), changes: host.changes }
}

function failure(thrown: unknown): Answer {
  if (thrown instanceof Stop) return { answer: 'failed', fault: thrown.fault, message: thrown.message }
  if (thrown instanceof WebAssembly.CompileError || thrown instanceof WebAssembly.LinkError) {
    return { answer: 'failed', fault: 'skill-refused', message: 'its module cannot be loaded' }
  }
  const message = thrown instanceof RangeError ? 'it used up its stack' : 'it executed an illegal operation'
  return { answer: 'failed', fault: 'skill-trapped', message }
}

/** Fills `target` from standard input; false at its end. */
function readFully(target: Uint8Array): boolean {
  let filled = 0
  while (filled < target.length) {
    const count = readSync(0, target, filled, target.length - filled, null)
    if (count === 0) return false
    filled += count
  }
  return true
}

function say(answer: Answer): void {
  const frame = encodeFrame(answer)
  let written = 0
  while (written < frame.length) written += writeSync(1, frame, written)
}

// Ctrl-C and service managers signal every process of the node at once; a call that runs must still be answered.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

const header = new Uint8Array(4)
say({ answer: 'ready' })
while (readFully(header)) {
  const length = new DataView(header.buffer).getUint32(0)
  if (length > MAX_ORDER_BYTES) break
  const bytes = new Uint8Array(length)
  if (!readFully(bytes)) break
  const { body, payload } = decodeFrame(bytes)
  const order = body as Order
  let answer: Answer
  try {
    answer = order.order === 'load' ? await load(order, payload) : call(order)
  } catch (thrown) {
    answer = failure(thrown)
  }
  say(answer)
  if (order.order === 'call') await loaded.get(order.skill)?.makeReady?.()
}
