/** A satellite that says nothing of its room is in the one its address stands for. */
import { expect, it } from 'vitest'
import { roomOf, roomsBy } from '../../../src/api/wyoming/places.ts'

const rooms = roomsBy([
  '192.168.1.31=kitchen',
  '192.168.1.32=living room',
  'fe80::1=attic',
  '192.168.1.31=cellar',
])

it.each([
  ['192.168.1.31:40000', 'kitchen'],
  ['::ffff:192.168.1.32:40000', 'living room'],
  ['::FFFF:192.168.1.32:1', 'living room'],
  ['fe80::1:40000', 'attic'],
  ['192.168.1.3:40000', undefined],
  ['unknown:0', undefined],
  ['', undefined],
])('%s', (remote, room) => {
  expect(roomOf(rooms, remote)).toBe(room)
})
