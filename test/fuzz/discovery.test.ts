import packet from 'dns-packet'
import { describe, expect, test } from 'vitest'
import {
  type Announcement,
  lookAt,
  read,
  recordsOf,
  SERVICE,
} from '../../src/cluster/discovery/announcement.ts'
import { MAX_ANSWER_BYTES } from '../../src/cluster/discovery/bounds.ts'
import type { HouseholdId } from '../../src/cluster/household/records.ts'
import { nodeIdOf } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'

const ROUNDS = Number(process.env.LOQA_FUZZ_ROUNDS ?? 100_000)
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

const announcement: Announcement = {
  life: { node: nodeIdOf('ab'.repeat(32)), incarnation: 3, boot: '0123456789abcdef' },
  mesh_port: 7421,
  enrolment_port: 7422,
  speaks: 1,
  understands: 1,
  tag: 'fedcba9876543210',
  standing: { household: '0f'.repeat(16) as HouseholdId, movable: true },
}

const encode = (records: unknown): Uint8Array =>
  packet.encode({ type: 'response', answers: structuredClone(records) as never })

/** What arrives is taken apart as the library does it, behind the same look. */
function take(bytes: Uint8Array): string {
  const look = lookAt(bytes)
  if (look !== 'read') return look
  let decoded: packet.Packet
  try {
    decoded = packet.decode(Buffer.from(bytes))
  } catch {
    return 'undecodable'
  }
  const heard = read([...(decoded.answers ?? []), ...(decoded.additionals ?? [])] as never)
  return heard.type === 'refused' ? heard.fault : heard.type
}

describe('answers from anybody on the network', () => {
  test(`are read or refused, never thrown on: ${ROUNDS} damaged packets`, () => {
    const random = new SimulatedRandom(SEED)
    const pick = (below: number): number => random.uint32() % below
    const good = encode(recordsOf(announcement))
    const open = encode(recordsOf({ ...announcement, standing: undefined }))
    const outcomes = new Map<string, number>()
    for (let round = 0; round < ROUNDS; round += 1) {
      let bytes = Buffer.from(pick(2) === 0 ? good : open)
      const changes = 1 + pick(4)
      for (let i = 0; i < changes; i += 1) {
        const at = pick(bytes.length)
        switch (pick(6)) {
          case 0:
            bytes[at] = pick(256)
            break
          case 1:
            bytes[at] = bytes[at]! ^ (1 << pick(8))
            break
          case 2:
            bytes = bytes.subarray(0, Math.max(1, at))
            break
          case 3:
            bytes = Buffer.concat([
              bytes.subarray(0, at),
              Buffer.from(random.bytes(pick(40))),
              bytes.subarray(at),
            ])
            break
          case 4:
            // A pointer, as loops of names are made of.
            bytes.writeUInt8(0xc0 | pick(4), at)
            break
          default:
            bytes = Buffer.concat([bytes, bytes.subarray(at)])
        }
      }
      const outcome = take(bytes)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    // The damage reached every way out, and the good ones still pass.
    const reached = ['announced', 'undecodable', 'incomplete', 'records', 'schema', 'text', 'other']
    for (const outcome of reached) expect(outcomes.get(outcome), outcome).toBeGreaterThan(0)
  })

  test('cost little at their worst: names that point to names, as many as fit', () => {
    // The data of one record is a chain of pointers as long as the packet; the names of all others walk it.
    const header = Buffer.alloc(12)
    header.writeUInt16BE(0x8400, 2)
    header.writeUInt16BE(16, 6)
    const service = Buffer.concat([Buffer.from('\x05_loqa\x04_udp\x05local'), Buffer.from([0])])
    const chain = Buffer.alloc(1_200)
    const carrier = Buffer.alloc(11)
    carrier.writeUInt16BE(0xff00, 1)
    carrier.writeUInt16BE(service.length + chain.length, 9)
    const start = header.length + carrier.length
    for (let i = 0; i < chain.length; i += 2) {
      chain.writeUInt16BE(0xc000 + (i === 0 ? start : start + service.length + i - 2), i)
    }
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc000 + start + service.length + chain.length - 2, 0)
    record.writeUInt16BE(16, 2)
    const walkers = Array.from({ length: 15 }, () => record)
    const bytes = Buffer.concat([header, carrier, service, chain, ...walkers])
    expect(bytes.length).toBeLessThanOrEqual(MAX_ANSWER_BYTES)
    // It is whole: the names were walked to their end.
    expect(packet.decode(bytes).answers![15]!.name).toBe(SERVICE)
    const began = performance.now()
    for (let i = 0; i < 100; i += 1) expect(take(bytes)).toBe('other')
    // 256 packets a second are read at most.
    expect((performance.now() - began) / 100).toBeLessThan(4)
  })

  test('are refused for their size before they are taken apart', () => {
    expect(take(encode(recordsOf(announcement)).subarray(0, 11))).toBe('size')
    const long = recordsOf(announcement)
    long.push({ type: 'TXT', name: 'x', data: ['y'.repeat(250), ...Array(8).fill('z'.repeat(250))] })
    expect(take(encode(long))).toBe('size')
  })

  test('of a thousand services in one packet count for none', () => {
    const many = Array.from({ length: 17 }, () => ({ type: 'PTR', name: SERVICE, data: 'x' }))
    expect(take(encode(many))).toBe('records')
    expect(read(Array.from({ length: 1_000 }, () => recordsOf(announcement)).flat())).toEqual({
      type: 'refused',
      fault: 'records',
    })
  })
})
