/**
 * The lines of a log in pieces, forwards and backwards: a log may be larger than the memory, and whoever reads it must not
 * hold up the conversations meanwhile.
 */
import type { Clock, Disk } from '../host/index.ts'
import { MAX_LINE_BYTES } from './audit-record.ts'

/** Some 150 records: checked in 1 to 2 ms, then others have their turn. No smaller than a line may be. */
const PIECE_BYTES = MAX_LINE_BYTES

const LINE_END = 0x0a

export interface ReadLines {
  /** Undefined for a line whose bytes are no text, or that is longer than any record. */
  readonly lines: readonly (string | undefined)[]
  /** Only in the last one: what stands behind the last line's end. */
  readonly unfinished: string
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** Lines between whole line ends. */
function linesOf(bytes: Uint8Array): (string | undefined)[] {
  const text = textOf(bytes)
  if (text !== undefined) return text.split('\n').slice(0, -1)
  const lines: (string | undefined)[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(LINE_END, from)
    lines.push(textOf(bytes.subarray(from, end)))
    from = end + 1
  }
  return lines
}

const together = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** Conversations go on between two pieces. */
export const othersFirst = (clock: Clock): Promise<void> => new Promise((resolve) => clock.soon(resolve))

/** The first `size` bytes of the file. Errors: `DiskError`. */
export async function* readLines(
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
  path: string,
  size: number,
): AsyncGenerator<ReadLines> {
  let rest: Uint8Array = new Uint8Array()
  /** Inside a line that is too long for a record: its bytes are dropped up to its end. */
  let too_long = false
  for (let at = 0; at < size; ) {
    const piece = await disk.readAt(path, at, Math.min(PIECE_BYTES, size - at))
    // Somebody made it shorter meanwhile.
    if (piece.length === 0) break
    at += piece.length
    const bytes = together(rest, piece)
    const end = bytes.lastIndexOf(LINE_END) + 1
    rest = bytes.slice(end)
    const lines = end === 0 ? [] : linesOf(bytes.subarray(0, end))
    if (too_long && lines.length > 0) {
      lines[0] = undefined
      too_long = false
    }
    if (rest.length > MAX_LINE_BYTES) {
      too_long = true
      rest = rest.slice(-1)
    }
    yield { lines, unfinished: '' }
    if (at < size) await othersFirst(clock)
  }
  if (rest.length > 0) yield { lines: [], unfinished: textOf(rest) ?? 'no text' }
}

/** Whole lines of the first `size` bytes, the last one first, in batches. What stands behind the last line's end is passed over. */
export async function* readLinesBackwards(
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
  path: string,
  size: number,
): AsyncGenerator<readonly (string | undefined)[]> {
  /** End of a line whose beginning is still to come. */
  let rest: Uint8Array = new Uint8Array()
  for (let until = size; until > 0; ) {
    const from = Math.max(0, until - PIECE_BYTES)
    const piece = await disk.readAt(path, from, until - from)
    if (piece.length === 0) return
    until = from
    const read = together(piece, rest)
    const bytes = read.subarray(0, read.lastIndexOf(LINE_END) + 1)
    const start = from === 0 ? 0 : bytes.indexOf(LINE_END) + 1
    rest = bytes.slice(0, start)
    // A line longer than any record comes in parts, which are no records either.
    if (rest.length > MAX_LINE_BYTES) rest = Uint8Array.of(LINE_END)
    yield linesOf(bytes.subarray(start)).reverse()
    if (until > 0) await othersFirst(clock)
  }
}
