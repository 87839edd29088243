import { describe, expect, test } from 'vitest'
import {
  type Announcement,
  type DnsRecord,
  type Heard,
  lookAt,
  read,
  recordsOf,
  SERVICE,
} from '../../../src/cluster/discovery/announcement.ts'
import { hourOf, isOurs, tagOf } from '../../../src/cluster/discovery/tag.ts'
import type { HouseholdId } from '../../../src/cluster/household/records.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import { nodeIdOf, wall } from '../../../src/host/index.ts'

const life = { node: nodeIdOf('ab'.repeat(32)), incarnation: 3, boot: '0123456789abcdef' }
const closed: Announcement = {
  life,
  mesh_port: 7421,
  enrolment_port: 7422,
  speaks: 2,
  understands: 1,
  tag: 'fedcba9876543210',
  standing: undefined,
}
const open: Announcement = {
  ...closed,
  standing: { household: '0f'.repeat(16) as HouseholdId, movable: false },
}

/** As the library hands them on: texts are bytes. */
const received = (records: readonly DnsRecord[]): DnsRecord[] =>
  records.map((record) =>
    record.type === 'TXT'
      ? { ...record, data: (record.data as string[]).map((text) => Buffer.from(text, 'latin1')) }
      : record,
  )
const texts = (...lines: string[]): DnsRecord[] =>
  received(recordsOf(closed).map((record) => (record.type === 'TXT' ? { ...record, data: lines } : record)))
const told = recordsOf(closed).find(({ type }) => type === 'TXT')!.data as string[]

describe('what a node tells strangers', () => {
  test('is read back as it was written', () => {
    for (const one of [closed, open]) {
      expect(read(received(recordsOf(one)))).toEqual({ type: 'announced', announcement: one })
    }
  })

  test('names no person, room, machine or household, and only the household while its window is open', () => {
    const words = JSON.stringify(recordsOf(closed))
    expect(words).not.toMatch(/"h=|"m=|name=|room=/)
    expect(told.map((line) => line.split('=')[0])).toEqual(['id', 'n', 'b', 'e', 'p', 'o', 't'])
    expect(JSON.stringify(recordsOf(open))).toContain('h=0f0f')
  })

  test('bears a tag that members read and strangers cannot compare, new every hour', () => {
    const [ours, theirs] = [new Secret(Buffer.alloc(32, 1)), new Secret(Buffer.alloc(32, 2))]
    const other = { ...life, node: nodeIdOf('cd'.repeat(32)) }
    const hour = hourOf(wall(1_800_000_000_000))
    const tag = tagOf(ours, life, hour)
    expect(isOurs(tag, [theirs, ours], life, hour)).toBe(true)
    expect(isOurs(tag, [theirs], life, hour)).toBe(false)
    // Clocks may differ by an hour, an announcement is no older than that.
    expect([hour - 2, hour - 1, hour + 1, hour + 2].map((at) => isOurs(tag, [ours], life, at))).toEqual([
      false,
      true,
      true,
      false,
    ])
    // Two nodes of one household show nothing in common, nor does one node an hour later.
    expect(new Set([tag, tagOf(ours, other, hour), tagOf(ours, life, hour + 1)]).size).toBe(3)
    // It vouches for the start it was made at: nobody else can claim another one.
    expect(isOurs(tag, [ours], { ...life, incarnation: 4 }, hour)).toBe(false)
    expect(isOurs(tag, [ours], other, hour)).toBe(false)
  })
})

describe('what others say', () => {
  const refused = (fault: string) => ({ type: 'refused', fault })
  const srv = received(recordsOf(closed)).filter(({ type }) => type === 'SRV')
  const cases: [string, DnsRecord[], Heard | object][] = [
    ['a goodbye', received(recordsOf(closed, 0)), { type: 'goodbye', node: life.node }],
    ['nothing', [], { type: 'other' }],
    [
      'another service',
      [{ type: 'PTR', name: '_ipp._tcp.local', data: 'x._ipp._tcp.local' }],
      { type: 'other' },
    ],
    ['two nodes in one packet', received([...recordsOf(closed), ...recordsOf(open)]), refused('crowded')],
    ['no port', received(recordsOf(closed)).filter(({ type }) => type !== 'SRV'), refused('incomplete')],
    ['two ports', [...received(recordsOf(closed)), ...srv], refused('incomplete')],
    ['a pointer to nothing', [{ type: 'PTR', name: SERVICE, data: 7 }], refused('incomplete')],
    [
      'texts that are none',
      [
        ...srv,
        { type: 'PTR', name: SERVICE, data: srv[0]!.name },
        { type: 'TXT', name: srv[0]!.name, data: 'id=x' },
      ],
      refused('text'),
    ],
    ['control characters', texts(...told, 'x=\u001b[2J'), refused('text')],
    ['one key twice', texts(...told, 'e=7499'), refused('text')],
    [
      'more texts than we have',
      texts(...told, ...Array.from({ length: 24 }, (_, i) => `z${i}=1`)),
      refused('text'),
    ],
    [
      'a port out of range',
      texts(...told.map((line) => (line.startsWith('e=') ? 'e=65536' : line))),
      refused('schema'),
    ],
    [
      'an id that is none',
      texts(...told.map((line) => (line.startsWith('id=') ? 'id=me' : line))),
      refused('schema'),
    ],
    [
      'a household without saying whether it moves',
      texts(...told, `h=${'0f'.repeat(16)}`),
      refused('schema'),
    ],
    ['keys of a later version', texts(...told, 'zz=later'), { type: 'announced', announcement: closed }],
  ]
  test.each(cases)('%s', (_, records, heard) => {
    expect(read(records)).toEqual(heard)
  })

  test("everybody else's multicast is skipped without being taken apart", () => {
    expect(lookAt(Buffer.alloc(9_000))).toBe('other')
    expect(lookAt(Buffer.alloc(3))).toBe('size')
  })
})
