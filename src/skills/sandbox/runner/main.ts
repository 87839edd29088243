/**
 * Entry of a sandbox process. It has no environment, may read nothing but these files, and knows one thing: take an
 * order from standard input, carry it out, answer on standard output. Reading blocks on purpose, since there is never
 * anything else to do and a blocked read wakes faster than an event loop. It ends when the node closes the pipe.
 * What a skill is made of is the business of `module.ts` and `script.ts`.
 */
import { readSync, writeSync } from 'node:fs'
import type { SkillCall } from '../../call.ts'
import { decodeFrame, encodeFrame, MAX_ORDER_BYTES } from '../frames.ts'
import type { Answer, Order } from '../protocol.ts'
import { unpackScript } from '../script-source.ts'
import { Stop } from './kernel.ts'
import { LoadedModule } from './module.ts'

/** A skill, ready to be called. */
interface Loaded {
  run(call: SkillCall): Answer
  /** While there is nothing else to do: gets ready for the next call. */
  makeReady(): Promise<void>
}

const loaded = new Map<string, Loaded>()

async function carryOut(order: Order, payload: Uint8Array): Promise<Answer> {
  if (order.order === 'load') return load(order, payload)
  const skill = loaded.get(order.skill)
  if (skill === undefined) throw new Stop('skill-crashed', 'its module is not loaded')
  return skill.run(order.call)
}

async function load(order: Extract<Order, { order: 'load' }>, payload: Uint8Array): Promise<Answer> {
  const { runtime, skill, permissions, budget, ahead, memory } = order
  if (runtime === 'typescript') {
    // Most sandboxes never see a script: what runs it is read when one comes.
    const { loadScript } = await import('./script.ts')
    loaded.set(skill, await loadScript(unpackScript(payload), permissions, budget))
  } else {
    loaded.set(skill, new LoadedModule({ bytes: payload, permissions, budget, ahead, memory }))
  }
  return { answer: 'loaded' }
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
    answer = await carryOut(body as Order, payload)
  } catch (thrown) {
    answer = failure(thrown)
  }
  say(answer)
  await loaded.get((body as Order).skill)?.makeReady()
}
