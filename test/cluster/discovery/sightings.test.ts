import { describe, expect, test } from 'vitest'
import {
  FORGET_MS,
  HEARD_MS,
  MAX_PER_SOURCE,
  MAX_PLACES,
  MAX_STRANGERS,
} from '../../../src/cluster/discovery/bounds.ts'
import { ranked, written } from '../../../src/cluster/discovery/places.ts'
import * as sightings from '../../../src/cluster/discovery/sightings.ts'
import { monotonic, type NodeId, nodeId } from '../../../src/host/index.ts'

const at = monotonic
const nobody = (): boolean => false
const from = (node: NodeId, address: string, port = 7421): sightings.HeardFrom => ({
  announcement: {
    life: { node, incarnation: 1, boot: '0123456789abcdef' },
    mesh_port: port,
    enrolment_port: port + 1,
    speaks: 1,
    understands: 1,
    tag: 'fedcba9876543210',
    standing: undefined,
  },
  from: address,
  is_ours: false,
})
const addresses = (seen: sightings.Sightings, node: NodeId): string[] =>
  ranked(seen.get(node)?.places ?? []).map(({ place }) => written(place))
const ANNA = nodeId('anna')
const EMPTY: sightings.Sightings = new Map()

describe('what is remembered of nodes that were seen', () => {
  test('a flood of invented nodes pushes out its own, never a member, and ends at the bound', () => {
    let seen = sightings.heard(EMPTY, from(ANNA, '10.0.0.1'), (node) => node === ANNA, at(0))
    seen = sightings.heard(seen, from(nodeId('neighbour'), '10.0.0.2'), (node) => node === ANNA, at(1))
    for (let i = 0; i < 1_000; i += 1) {
      seen = sightings.heard(seen, from(nodeId(`x${i}`), '10.0.0.66'), (node) => node === ANNA, at(2 + i))
    }
    expect(seen.size).toBe(2 + MAX_PER_SOURCE)
    expect(seen.has(ANNA) && seen.has(nodeId('neighbour'))).toBe(true)
    for (let i = 0; i < 1_000; i += 1) {
      seen = sightings.heard(
        seen,
        from(nodeId(`y${i}`), `10.0.${i % 200}.7`),
        (node) => node === ANNA,
        at(2_000 + i),
      )
    }
    expect(seen.size).toBe(1 + MAX_STRANGERS)
    expect(seen.has(ANNA)).toBe(true)
  })

  test("somebody who claims a member's id adds addresses, and cannot take the proved one away", () => {
    let seen = sightings.proved(EMPTY, ANNA, { host: '10.0.0.1', port: 7421 }, false, at(0))
    for (let i = 0; i < 100; i += 1)
      seen = sightings.heard(seen, from(ANNA, `10.0.6.${i}`), nobody, at(1 + i))
    expect(seen.get(ANNA)!.places).toHaveLength(MAX_PLACES)
    expect(addresses(seen, ANNA)[0]).toBe('10.0.0.1:7421')
  })

  test('a goodbye takes back what came from the same address, nothing else', () => {
    let seen = sightings.heard(EMPTY, from(ANNA, '10.0.0.1'), nobody, at(0))
    seen = sightings.heard(seen, from(ANNA, 'fe80::1%eth0'), nobody, at(0))
    seen = sightings.told(seen, ANNA, [{ host: '10.8.0.1', port: 7421 }], at(0))
    expect(addresses(sightings.goodbye(seen, ANNA, '10.0.0.66'), ANNA)).toHaveLength(3)
    expect(addresses(sightings.goodbye(seen, ANNA, '10.0.0.1'), ANNA)).toEqual([
      '10.8.0.1:7421',
      '[fe80::1%eth0]:7421',
    ])
  })

  test('what is not repeated is forgotten, strangers after a while, the addresses of members never', () => {
    let seen = sightings.heard(EMPTY, from(ANNA, '10.0.0.1'), nobody, at(0))
    seen = sightings.told(seen, ANNA, [{ host: '10.8.0.1', port: 7421 }], at(0))
    seen = sightings.aged(seen, nobody, at(HEARD_MS + 1))
    expect(addresses(seen, ANNA)).toEqual(['10.8.0.1:7421'])
    expect(sightings.aged(seen, nobody, at(FORGET_MS + 1)).size).toBe(0)
    expect(
      addresses(
        sightings.aged(seen, () => true, at(FORGET_MS * 1_000)),
        ANNA,
      ),
    ).toEqual(['10.8.0.1:7421'])
  })

  test('the place of the last link comes first, then what was said last; where another answered comes last', () => {
    let seen = sightings.heard(EMPTY, from(ANNA, '10.0.0.1'), nobody, at(0))
    seen = sightings.heard(seen, from(ANNA, '10.0.0.2'), nobody, at(1))
    seen = sightings.heard(seen, from(ANNA, 'fe80::2%eth0'), nobody, at(2))
    expect(addresses(seen, ANNA)).toEqual(['10.0.0.2:7421', '10.0.0.1:7421', '[fe80::2%eth0]:7421'])
    seen = sightings.proved(seen, ANNA, { host: '10.0.0.1', port: 7421 }, false, at(3))
    expect(addresses(seen, ANNA)[0]).toBe('10.0.0.1:7421')
    seen = sightings.failed(seen, ANNA, { host: '10.0.0.2', port: 7421 }, 'wrong-peer', at(4))
    expect(addresses(seen, ANNA).at(-1)).toBe('10.0.0.2:7421')
    // Told only, and somebody else answers: it was wrong.
    seen = sightings.told(seen, ANNA, [{ host: '10.8.0.1', port: 7421 }], at(5))
    seen = sightings.failed(seen, ANNA, { host: '10.8.0.1', port: 7421 }, 'wrong-peer', at(6))
    expect(addresses(seen, ANNA)).not.toContain('10.8.0.1:7421')
  })
})
