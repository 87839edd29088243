/**
 * Entry of a sandbox process. It has no environment, may read nothing but these files, and knows one thing: take an
 * order from standard input, carry it out, answer on standard output. Reading blocks on purpose, since there is never
 * anything else to do and a blocked read wakes faster than an event loop. It ends when the node closes the pipe.
 * What an order means is the business of `orders.ts`.
 */
import { readSync, writeSync } from 'node:fs'
import { encodeFrame, MAX_ORDER_BYTES } from '../frames.ts'
import type { Answer } from '../protocol.ts'
import { OrderBook } from './orders.ts'

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

const orders = new OrderBook()
const header = new Uint8Array(4)
say({ answer: 'ready' })
while (readFully(header)) {
  const length = new DataView(header.buffer).getUint32(0)
  if (length > MAX_ORDER_BYTES) break
  const bytes = new Uint8Array(length)
  if (!readFully(bytes)) break
  const { answer, skill } = await orders.answer(bytes)
  say(answer)
  await orders.makeReady(skill)
}
