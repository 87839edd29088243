/**
 * The metadata of an ONNX file (`ModelProto.metadata_props`, field 14) and its inputs and outputs, read without loading its weights:
 * fields are stepped over by their lengths. A file whose steps do not end exactly at its end is damaged or something else.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const GRAPH = 7
const METADATA = 14
/** Of a graph. */
const WEIGHT = 5
const INPUT = 11
const OUTPUT = 12
/** Of a `ValueInfoProto`. */
const NAME = 1
/** Of a `TensorProto`. */
const NAME_OF_WEIGHT = 8
/** One entry is a short key and a short value. */
const MAX_ENTRY_BYTES = 64 * 1024

/** Undefined when the file is not a whole ONNX model. Errors: those of the file system. */
export const onnxMetadata = (path: string): ReadonlyMap<string, string> | undefined =>
  inFile(path, (file, size) => {
    const found = new Map<string, string>()
    const fields = fieldsOf(file, 0, size)
    if (fields === undefined || !fields.some(({ number }) => number === GRAPH)) return undefined
    for (const { number, start, length } of fields) {
      if (number !== METADATA || length > MAX_ENTRY_BYTES) continue
      const entry = stringEntry(readAt(file, start, length))
      if (entry === undefined) return undefined
      found.set(entry.key, entry.value)
    }
    return found
  })

export interface OnnxPorts {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Names of what the graph takes and gives, in order (`GraphProto.input`, `.output`). Undefined and errors as of `onnxMetadata`. */
export const onnxPorts = (path: string): OnnxPorts | undefined =>
  inFile(path, (file, size) => {
    const graph = fieldsOf(file, 0, size)?.find(({ number }) => number === GRAPH)
    const fields = graph && fieldsOf(file, graph.start, graph.start + graph.length)
    if (fields === undefined) return undefined
    const names = (wanted: number, name = NAME): string[] =>
      fields.filter(({ number }) => number === wanted).map((field) => nameIn(file, field, name))
    // Files of older versions list their weights among the inputs as well.
    const weights = new Set(names(WEIGHT, NAME_OF_WEIGHT))
    return { inputs: names(INPUT).filter((name) => !weights.has(name)), outputs: names(OUTPUT) }
  })

function inFile<T>(path: string, read: (file: number, size: number) => T): T {
  const file = openSync(path, 'r')
  try {
    return read(file, fstatSync(file).size)
  } finally {
    closeSync(file)
  }
}

/** One with a length; where its content is. */
interface Field {
  readonly number: number
  readonly start: number
  readonly length: number
}

/** Undefined when steps do not end exactly at `end`. */
function fieldsOf(file: number, from: number, end: number): readonly Field[] | undefined {
  const fields: Field[] = []
  let offset = from
  while (offset < end) {
    const head = readAt(file, offset, Math.min(20, end - offset))
    const tag = varint(head, 0)
    if (tag === undefined) return undefined
    const number = Math.floor(tag.value / 8)
    const wire = tag.value % 8
    const value = varint(head, tag.end)
    if (value === undefined || number === 0) return undefined
    if (wire === 0) {
      offset += value.end
      continue
    }
    if (wire !== 2) return undefined
    const start = offset + value.end
    offset = start + value.value
    if (offset > end) return undefined
    fields.push({ number, start, length: value.value })
  }
  return fields
}

/** Empty when it has none. */
function nameIn(file: number, { start, length }: Field, field: number): string {
  const name = fieldsOf(file, start, start + length)?.find(({ number }) => number === field)
  if (name === undefined || name.length > MAX_ENTRY_BYTES) return ''
  return Buffer.from(readAt(file, name.start, name.length)).toString('utf8')
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
