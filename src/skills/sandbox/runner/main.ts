/**
 * Entry of a sandbox process. It has no environment, may read nothing but these files, and knows one thing: take an
 * order from standard input, carry it out, answer on standard output. Reading blocks on purpose, since there is never
 * anything else to do and a blocked read wakes faster than an event loop. It ends when the node closes the pipe.
 *
 * Every call gets a fresh instance of its module: nothing a skill does can outlive the call except its changes. The next one is made
 * after the answer went out, while there is nothing else to do.
 */
import { readSync, writeSync } from 'node:fs'
import type { SkillCall } from '../../call.ts'
import type { Permission } from '../../permissions.ts'
import { decodeFrame, encodeFrame, MAX_ORDER_BYTES } from '../frames.ts'
import { HostCalls } from '../hostcalls.ts'
import type { Answer, Budget, Order } from '../protocol.ts'
import { bindImports } from './bindings.ts'
import { Gate } from './gate.ts'
import { Kernel, type LogSink, Stop } from './kernel.ts'

interface Loaded {
  readonly module: WebAssembly.Module
  readonly permissions: readonly Permission[]
  readonly budget: Budget
  readonly gate: Gate
  /** Nothing of the module runs when an instance is made, so that it may be made at any time. */
  readonly ahead: boolean
  /** Made ahead, for the next call. */
  next: WebAssembly.Instance | undefined
  readonly pages: { readonly least: number; readonly most: number } | undefined
  /** Of the last instance. */
  memory: WebAssembly.Memory | undefined
}

const PAGE_BYTES = 65_536

const NO_CALL: SkillCall = {
  entry: 'handle',
  input: '',
  storage: {},
  timers: {},
  time: { wall_ms: 0, offset_min: 0 },
  seed: 0,
}

const loaded = new Map<string, Loaded>()
const encoder = new TextEncoder()

function carryOut(order: Order, payload: Uint8Array): Answer {
  return order.order === 'load' ? load(order, payload) : call(order)
}

function load(order: Extract<Order, { order: 'load' }>, payload: Uint8Array): Answer {
  const { skill, permissions, budget, ahead, memory: pages } = order
  // V8 keeps a reference to the bytes: they must not lie in the read buffer.
  const module = new WebAssembly.Module(payload.slice())
  const sample = bindImports(kernelFor(NO_CALL, budget), new HostCalls(NO_CALL, budget), permissions, budget)
  const made = { next: undefined, memory: undefined }
  loaded.set(skill, { module, permissions, budget, gate: new Gate(sample), ahead, pages, ...made })
  return { answer: 'loaded' }
}

function call({ skill: name, call }: Extract<Order, { order: 'call' }>): Answer {
  const skill = loaded.get(name)
  if (skill === undefined) throw new Stop('skill-crashed', 'its module is not loaded')
  const { permissions, budget, gate } = skill
  const host = new HostCalls(call, budget)
  const kernel = kernelFor(call, budget, (level, message) => host.log(level, message))
  gate.open(bindImports(kernel, host, permissions, budget))
  try {
    const instance = skill.next ?? instantiate(skill)
    skill.next = undefined
    const entry = instance.exports[call.entry]
    if (typeof entry !== 'function') throw new Stop('skill-refused', `it has no function "${call.entry}"`)
    const status: unknown = entry()
    if (status !== 0 && status !== undefined) {
      throw new Stop('skill-trapped', kernel.error ?? `it returned ${String(status)}`)
    }
  } finally {
    const stopped = gate.close()
    // biome-ignore lint/correctness/noUnsafeFinally: a stop counts whatever the module made of it.
    if (stopped !== undefined) throw stopped
  }
  return { answer: 'answered', output: kernel.output(), changes: host.changes }
}

const kernelFor = (call: SkillCall, budget: Budget, log: LogSink = () => undefined): Kernel =>
  new Kernel(encoder.encode(call.input), budget.memory_kb * 1024, budget.host_calls, log)

/** The memory of the instance before is wiped and used again, unless that one made it larger: to all of them it is the same. */
function instantiate(skill: Loaded): WebAssembly.Instance {
  const { module, gate, pages } = skill
  if (pages === undefined) return new WebAssembly.Instance(module, gate.imports)
  const { least: initial, most: maximum } = pages
  if (skill.memory?.buffer.byteLength === initial * PAGE_BYTES) new Uint8Array(skill.memory.buffer).fill(0)
  else skill.memory = new WebAssembly.Memory({ initial, maximum })
  return new WebAssembly.Instance(module, { ...gate.imports, loqa: { memory: skill.memory } })
}

/** With nothing to do: an instance for the next call of this skill. */
function makeAhead(name: string): void {
  const skill = loaded.get(name)
  if (skill === undefined || !skill.ahead || skill.next !== undefined) return
  try {
    skill.next = instantiate(skill)
  } catch {
    // The call will find out the same, and say so.
  }
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
  let answer: Answer
  try {
    answer = carryOut(body as Order, payload)
  } catch (thrown) {
    answer = failure(thrown)
  }
  say(answer)
  makeAhead((body as Order).skill)
}
