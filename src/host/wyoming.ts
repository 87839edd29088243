/**
 * Wyoming on the wire, version 1: a line of JSON, then `data_length` bytes of more JSON, then `payload_length` bytes of sound.
 * https://github.com/OHF-Voice/wyoming, README, "Format". Pure.
 */
import { z } from 'zod'

/** A line names an event and little else; its data may hold the text of a turn, 16 KiB at most. */
export const MAX_LINE_BYTES = 64 * 1024
export const MAX_DATA_BYTES = 64 * 1024
/** Four seconds at 16 kHz; satellites send 20 to 100 ms at a time. */
export const MAX_PAYLOAD_BYTES = 128 * 1024

export interface WyomingEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly payload: Uint8Array
}

/** Why nothing more of a stream can be read: where the next event begins is not known. */
export type WireFault = 'oversized' | 'garbled'

const headerSchema = z.object({
  type: z.string().min(1).max(64),
  data: z.record(z.string(), z.unknown()).nullish(),
  data_length: z.int().min(0).nullish(),
  payload_length: z.int().min(0).nullish(),
})
const dataSchema = z.record(z.string(), z.unknown())

const NEWLINE = 0x0a
const NOTHING = new Uint8Array(0)
const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

interface Expected {
  readonly header: z.infer<typeof headerSchema>
  readonly data_length: number
  readonly payload_length: number
}

/** Cuts a stream into events. Holds one event and one chunk at most. */
export class EventCutter {
  #bytes: Uint8Array = NOTHING
  #expected: Expected | undefined
  #fault: WireFault | undefined

  /** Events that are whole now; after a fault it is the last thing given, ever. */
  push(chunk: Uint8Array): (WyomingEvent | WireFault)[] {
    if (this.#fault !== undefined) return []
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const events: (WyomingEvent | WireFault)[] = []
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      events.push(next)
      if (typeof next !== 'string') continue
      this.#fault = next
      this.#bytes = NOTHING
      break
    }
    return events
  }

  #next(): WyomingEvent | WireFault | undefined {
    const expected = this.#expected ?? this.#header()
    if (expected === undefined || typeof expected === 'string') return expected
    this.#expected = expected
    const { header, data_length, payload_length } = expected
    if (this.#bytes.length < data_length + payload_length) return undefined
    this.#expected = undefined
    const more = data_length === 0 ? {} : jsonOf(this.#take(data_length), dataSchema)
    // A copy: the chunk it lies in must not be kept alive by a few samples.
    const payload = Uint8Array.from(this.#take(payload_length))
    if (more === undefined) return 'garbled'
    return { type: header.type, data: { ...header.data, ...more }, payload }
  }

  #header(): Expected | WireFault | undefined {
    const end = this.#bytes.indexOf(NEWLINE)
    if (end > MAX_LINE_BYTES || (end === -1 && this.#bytes.length > MAX_LINE_BYTES)) return 'oversized'
    if (end === -1) return undefined
    const header = jsonOf(this.#take(end), headerSchema)
    this.#take(1)
    if (header === undefined) return 'garbled'
    const data_length = header.data_length ?? 0
    const payload_length = header.payload_length ?? 0
    if (data_length > MAX_DATA_BYTES || payload_length > MAX_PAYLOAD_BYTES) return 'oversized'
    return { header, data_length, payload_length }
  }

  #take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(0, count)
    this.#bytes = this.#bytes.subarray(count)
    return taken
  }
}

/** Data goes behind the line, as Wyoming's own library writes it. */
export function encodeEvent({ type, data, payload }: WyomingEvent): Uint8Array {
  const body = Object.keys(data).length === 0 ? NOTHING : encoder.encode(JSON.stringify(data))
  const header = {
    type,
    version: WYOMING_VERSION,
    ...(body.length === 0 ? {} : { data_length: body.length }),
    ...(payload.length === 0 ? {} : { payload_length: payload.length }),
  }
  return Buffer.concat([encoder.encode(`${JSON.stringify(header)}\n`), body, payload])
}

/** The version of the protocol whose events are spoken here. */
const WYOMING_VERSION = '1.7.2'

function jsonOf<T>(bytes: Uint8Array, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(decoder.decode(bytes))).data
  } catch {
    return undefined
  }
}
