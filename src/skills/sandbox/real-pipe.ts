/**
 * A child's pipe without the event loop between: a frame is written at once, and for an answer it is looked a moment, since hearing of
 * one through the loop takes longer than most skills do. Reading and writing here and through the stream is in order, because both
 * happen in this thread and neither holds anything back.
 */
import { readSync, writeSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Each 3 µs: together a tenth of a millisecond, what waking up for an answer would take. */
const LOOKS = 40
/** An answer of a skill is a few hundred bytes; what is longer comes the ordinary way. */
const LOOK_BYTES = 16 * 1024
const LOOKED = new Uint8Array(LOOK_BYTES)
/** With one processor looking would keep the skill from answering. */
const MAY_LOOK = availableParallelism() > 1

/** Undefined once the pipe is closed, and where pipes have none. Not documented, and there since Node 0.x; without it all goes the ordinary way. */
function fdOf(pipe: unknown): number | undefined {
  const { fd } = (pipe as { readonly _handle?: { readonly fd?: number } | null })._handle ?? {}
  return fd !== undefined && fd >= 0 ? fd : undefined
}

/** Bytes that went without waiting. */
export function writeAtOnce(pipe: unknown, frame: Uint8Array): number {
  const fd = fdOf(pipe)
  if (fd === undefined) return 0
  try {
    return writeSync(fd, frame)
  } catch {
    // It is full, or broken: the stream waits, or says so.
    return 0
  }
}

/** What is there, or comes within a tenth of a millisecond. */
export function look(pipe: unknown): Uint8Array | undefined {
  const fd = fdOf(pipe)
  if (fd === undefined || !MAY_LOOK) return undefined
  // That nothing is there is thrown, 40 times in a row: where it was thrown nobody reads, and noting it takes half of the time.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    for (let left = LOOKS; left > 0; left -= 1) {
      const read = readWithoutWaiting(fd)
      if (read !== undefined) return read === 0 ? undefined : LOOKED.slice(0, read)
    }
    return undefined
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Bytes read, 0 when nothing will come; undefined: nothing yet. */
function readWithoutWaiting(fd: number): number | undefined {
  try {
    return readSync(fd, LOOKED, 0, LOOK_BYTES, null)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EAGAIN' ? undefined : 0
  }
}
