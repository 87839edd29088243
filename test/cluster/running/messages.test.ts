import { describe, expect, it } from 'vitest'
import { Cutter } from '../../../src/cluster/running/cutter.ts'
import { type ControlMessage, decodeControl, encodeControl } from '../../../src/cluster/running/messages.ts'
import { MAX_CAPABILITIES } from '../../../src/cluster/running/sheets.ts'
import { capability, everyMessage, hello, self } from './control-messages.ts'

describe('a control message', () => {
  it.each(everyMessage.map((message) => [message.type, message] as const))(
    '%s is read as it was written',
    (_, message) => {
      expect(decodeControl(encodeControl(self, message))).toEqual({ ok: true, message })
    },
  )

  it('of a later version may say more in its greeting; in the others what is not known is refused', () => {
    const later = { ...hello, speaks: 2, hovers: true } as unknown as ControlMessage
    expect(decodeControl(encodeControl(self, later))).toMatchObject({ ok: true, message: { speaks: 2 } })
    const ping = { type: 'ping', number: 1, loud: true } as unknown as ControlMessage
    expect(decodeControl(encodeControl(self, ping))).toEqual({ ok: false, why: 'malformed' })
    const unknown = { type: 'telepathy', number: 1 } as unknown as ControlMessage
    expect(decodeControl(encodeControl(self, unknown))).toEqual({ ok: false, why: 'unknown-type' })
  })

  it('that lists more than there may be is refused', () => {
    const nodes = Array.from({ length: 129 }, () => ({ node: self, places: [] }))
    const capabilities = Array.from({ length: MAX_CAPABILITIES + 1 }, () => capability)
    const sheet = { type: 'sheet', version: 1, room: 'a', program: '', capabilities, load: 0 } as const
    for (const message of [
      { type: 'places', nodes } as const,
      sheet,
      { ...hello, holding: [1, 2, 3, 4, 5] },
    ]) {
      expect(decodeControl(encodeControl(self, message))).toEqual({ ok: false, why: 'malformed' })
    }
  })
})

describe('bytes of a stranger', () => {
  it('are cut into frames however they come, and no further after a length over the limit', () => {
    const frame = (bytes: number): Buffer => {
      const buffer = Buffer.alloc(4 + bytes, 7)
      buffer.writeUInt32BE(bytes, 0)
      return buffer
    }
    const stream = Buffer.concat([frame(3), frame(10), frame(1)])
    for (let size = 1; size <= stream.length; size += 1) {
      const cutter = new Cutter(10)
      const frames: (Uint8Array | 'oversized')[] = []
      for (let at = 0; at < stream.length; at += size)
        frames.push(...cutter.push(stream.subarray(at, at + size)))
      expect(frames.map((each) => each.length)).toEqual([3, 10, 1])
    }
    const cutter = new Cutter(10)
    expect(cutter.push(Buffer.concat([frame(11), frame(1)]))).toEqual(['oversized'])
    expect(cutter.push(frame(1))).toEqual([])
    expect(new Cutter(10).push(Buffer.alloc(8))).toEqual(['oversized'])
  })
})
