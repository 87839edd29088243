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

/** A call with some kilobytes of state fits. */
const FIRST_READ_BYTES = 64 * 1024

/** What was read and is not yet used. An order as a rule comes whole, with one read. */
let held = new Uint8Array(FIRST_READ_BYTES)
let [begin, end] = [0, 0]

/** The next `length` bytes of standard input, good until the next call; undefined at its end. */
function take(length: number): Uint8Array | undefined {
  if (begin + length > held.length) {
    const roomy = new Uint8Array(Math.max(FIRST_READ_BYTES, length))
    roomy.set(held.subarray(begin, end))
    held = roomy
    end -= begin
    begin = 0
  }
  while (end - begin < length) {
    const count = readSync(0, held, end, held.length - end, null)
    if (count === 0) return undefined
    end += count
  }
  begin += length
  return held.subarray(begin - length, begin)
}

function say(answer: Answer): void {
  const frame = encodeFrame(answer)
  let written = 0
  while (written < frame.length) written += writeSync(1, frame, written)
}

// Ctrl-C and service managers signal every process of the node at once; a call that runs must still be answered.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

const orders = new OrderBook()
say({ answer: 'ready' })
for (;;) {
  if (begin === end) begin = end = 0
  const header = take(4)
  if (header === undefined) break
  const length = new DataView(header.buffer, header.byteOffset).getUint32(0)
  if (length > MAX_ORDER_BYTES) break
  const bytes = take(length)
  if (bytes === undefined) break
  const { answer, skill } = await orders.answer(bytes)
  say(answer)
  await orders.makeReady(skill)
}
