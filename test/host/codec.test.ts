import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import {
  decodeFrame,
  type Envelope,
  encodeFrame,
  FrameError,
  FrameReader,
  limits,
} from '../../src/host/index.ts'

const envelope: Envelope = {
  trace_id: 't1',
  session_id: 's1',
  actor_id: 'loqa:/session/s1',
  capability_tier: 'fast',
  privacy_scope: 'ephemeral',
  type: 'audio.frame',
  body: { samples: [1, 2, 3], text: 'héllo', nested: { yes: true, none: null } },
}

const faultOf = (bytes: Uint8Array): string => {
  try {
    decodeFrame(bytes)
    return 'accepted'
  } catch (error) {
    return error instanceof FrameError ? error.fault : `threw ${String(error)}`
  }
}

const packer = new Packr({ useRecords: false })
const framed = (value: unknown): Uint8Array => Uint8Array.from([1, ...packer.pack(value)])

describe('frames', () => {
  it('come back as they were sent', () => {
    expect(decodeFrame(encodeFrame(envelope).subarray(4))).toEqual(envelope)
  })

  it('are cut out of a stream whatever the chunks', () => {
    const stream = Buffer.concat([
      encodeFrame(envelope),
      encodeFrame({ ...envelope, type: 'b' }),
      encodeFrame(envelope),
    ])
    for (const size of [1, 2, 3, 5, 7, 64, stream.length]) {
      const types: string[] = []
      const reader = new FrameReader({
        onFrame: (frame) => types.push(frame.type),
        onFault: (error) => types.push(error.fault),
      })
      for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size))
      expect(types).toEqual(['audio.frame', 'b', 'audio.frame'])
    }
  })

  it('over the limit are refused from their header, before anything is held', () => {
    const faults: FrameError[] = []
    const reader = new FrameReader({ onFrame: () => {}, onFault: (error) => faults.push(error) })
    reader.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff))
    reader.push(new Uint8Array(1000))
    expect(faults.map(({ fault, fatal }) => ({ fault, fatal }))).toEqual([
      { fault: 'oversized', fatal: true },
    ])
    expect(() => encodeFrame({ ...envelope, body: new Uint8Array(limits.MAX_FRAME_BYTES) })).toThrow(
      FrameError,
    )
  })

  it('that lie about their content are refused without building it', () => {
    const tenMillionItems = Uint8Array.from([1, 0xdd, 0x00, 0x98, 0x96, 0x80])
    const deep = Uint8Array.from([1, ...Array.from({ length: 5000 }, () => 0x91), 0xc0])
    expect(faultOf(tenMillionItems)).toBe('too-many-items')
    expect(faultOf(deep)).toBe('too-deep')
    expect(faultOf(Uint8Array.from([1, 0xd4, 0x72, 0x40]))).toBe('extension')
    expect(faultOf(Uint8Array.from([1, 0x81, 0x01, 0x01]))).toBe('bad-key')
    expect(faultOf(Uint8Array.from([1, 0xc0, 0xc0]))).toBe('trailing-bytes')
    expect(faultOf(Uint8Array.from([1, 0xda, 0x01]))).toBe('truncated')
    expect(faultOf(Uint8Array.from([9, 0xc0]))).toBe('version-unknown')
    expect(faultOf(new Uint8Array())).toBe('version-unknown')
  })

  it('with an incomplete, unknown or wrong envelope are refused', () => {
    expect(faultOf(framed({ ...envelope, capability_tier: 'super' }))).toBe('bad-envelope')
    expect(faultOf(framed({ ...envelope, extra: 1 }))).toBe('bad-envelope')
    expect(faultOf(framed({ type: 'x' }))).toBe('bad-envelope')
    expect(faultOf(framed('text'))).toBe('bad-envelope')
  })

  it('cannot reach the prototype of what they become', () => {
    const hostile = packer.pack({ ...envelope, body: JSON.parse('{"__proto__": {"admin": true}}') })
    const decoded = decodeFrame(Uint8Array.from([1, ...hostile]))
    expect((decoded.body as { admin?: boolean }).admin).toBeUndefined()
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })
})
