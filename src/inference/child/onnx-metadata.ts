/**
 * The metadata of an ONNX file (`ModelProto.metadata_props`, field 14), read without loading its weights: top-level fields
 * are stepped over by their lengths. A file whose steps do not end exactly at its end is damaged or something else.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const GRAPH = 7
const METADATA = 14
/** One entry is a short key and a short value. */
const MAX_ENTRY_BYTES = 64 * 1024

/** Undefined when the file is not a whole ONNX model. Errors: those of the file system. */
export function onnxMetadata(path: string): ReadonlyMap<string, string> | undefined {
  const file = openSync(path, 'r')
  try {
    return walk(file, fstatSync(file).size)
  } finally {
    closeSync(file)
  }
}

function walk(file: number, size: number): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>()
  let offset = 0
  let graph = false
  while (offset < size) {
    const head = readAt(file, offset, Math.min(20, size - offset))
    const tag = varint(head, 0)
    if (tag === undefined) return undefined
    const field = Math.floor(tag.value / 8)
    const wire = tag.value % 8
    const value = varint(head, tag.end)
    if (value === undefined || field === 0) return undefined
    if (wire === 0) {
      offset += value.end
      continue
    }
    if (wire !== 2) return undefined
    const start = offset + value.end
    offset = start + value.value
    if (offset > size) return undefined
    if (field === GRAPH) graph = true
    if (field === METADATA && value.value <= MAX_ENTRY_BYTES) {
      const entry = stringEntry(readAt(file, start, value.value))
      if (entry === undefined) return undefined
      found.set(entry.key, entry.value)
    }
  }
  return graph ? found : undefined
}

function readAt(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  return bytes.subarray(0, readSync(file, bytes, 0, length, offset))
}

/** Base-128 number at `at`; undefined when it runs over the end or beyond what a file size can be. */
function varint(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0
  for (let i = 0; i < 8; i += 1) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, end: at + i + 1 }
  }
  return undefined
}

/** `StringStringEntryProto { key = 1; value = 2 }`. */
function stringEntry(bytes: Uint8Array): { key: string; value: string } | undefined {
  const fields = ['', '', '']
  let at = 0
  while (at < bytes.length) {
    const tag = varint(bytes, at)
    const length = tag === undefined ? undefined : varint(bytes, tag.end)
    if (tag === undefined || length === undefined || tag.value % 8 !== 2) return undefined
    at = length.end + length.value
    if (at > bytes.length) return undefined
    fields[Math.floor(tag.value / 8)] = Buffer.from(bytes.subarray(length.end, at)).toString('utf8')
  }
  return { key: fields[1]!, value: fields[2]! }
}

/**
 * Entries to be put at the end of an ONNX file: a protobuf that is followed by more fields is one with these fields too
 * (protocol buffers, encoding: "Last One Wins", repeated fields are joined).
 */
export function withMetadata(entries: Readonly<Record<string, string>>): Uint8Array {
  const field = (number: number, bytes: Uint8Array): Uint8Array =>
    Buffer.concat([Uint8Array.from([number * 8 + 2]), varintOf(bytes.length), bytes])
  return Buffer.concat(
    Object.entries(entries).map(([key, value]) =>
      field(METADATA, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))])),
    ),
  )
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Uint8Array.from([...bytes, rest])
}
