/** Wyoming's bytes: what is written is read again however it is cut, and what lies about its length is refused before it is waited for. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  EventCutter,
  encodeEvent,
  MAX_DATA_BYTES,
  MAX_LINE_BYTES,
  MAX_PAYLOAD_BYTES,
} from '../../src/host/wyoming.ts'

const seed = Number(process.env.LOQA_SEED ?? 20_261_126)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const anEvent = fc.record({
  type: fc.string({ minLength: 1, maxLength: 64 }),
  data: fc.dictionary(
    fc.string({ maxLength: 8 }).filter((key) => key !== '__proto__'),
    fc.jsonValue({ maxDepth: 2 }),
  ),
  payload: fc.uint8Array({ maxLength: 64 }),
})

describe('events', () => {
  it('are the same after the wire, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anEvent, { maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (events, cuts) => {
          const stream = Buffer.concat(events.map(encodeEvent))
          const cutter = new EventCutter()
          const read: unknown[] = []
          for (let at = 0; at < stream.length; ) {
            const size = cuts.next().value
            read.push(...cutter.push(stream.subarray(at, at + size)))
            at += size
          }
          const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown
          expect(plain(read)).toEqual(plain(events))
        },
      ),
      { seed, numRuns: 300 },
    )
  })

  it('may carry their data in the line, behind it, or both', () => {
    const cutter = new EventCutter()
    const line =
      '{"type":"transcribe","data":{"name":"a","language":"en"},"data_length":12,"payload_length":null}\n'
    expect(cutter.push(bytes(`${line}{"name":"b"}`))).toEqual([
      { type: 'transcribe', data: { name: 'b', language: 'en' }, payload: new Uint8Array(0) },
    ])
  })
})

describe('a stream that cannot be read', () => {
  const faults: readonly [string, string, string][] = [
    ['a line without an end', 'x'.repeat(MAX_LINE_BYTES + 1), 'oversized'],
    ['a payload of 2 GB', '{"type":"audio-chunk","payload_length":2147483648}\n', 'oversized'],
    ['a payload one byte too long', `{"type":"a","payload_length":${MAX_PAYLOAD_BYTES + 1}}\n`, 'oversized'],
    ['data one byte too long', `{"type":"a","data_length":${MAX_DATA_BYTES + 1}}\n`, 'oversized'],
    ['a negative length', '{"type":"a","payload_length":-1}\n', 'garbled'],
    ['a length that is no number', '{"type":"a","payload_length":"7"}\n', 'garbled'],
    ['no JSON', 'GET / HTTP/1.1\n', 'garbled'],
    ['no type', '{"data":{}}\n', 'garbled'],
    ['data that is a list', '{"type":"a","data_length":2}\n[]', 'garbled'],
    ['half a header that ends', '{"type":"desc\n', 'garbled'],
  ]
  for (const [what, sent, fault] of faults) {
    it(`${what}: ${fault}, and nothing after it counts`, () => {
      const cutter = new EventCutter()
      expect(cutter.push(bytes(sent))).toEqual([fault])
      expect(cutter.push(bytes('{"type":"ping"}\n'))).toEqual([])
    })
  }
})
