/** For every node seen there is one reason why it is not connected, in words that say what to do. */
import { describe, expect, test } from 'vitest'
import type { Announcement } from '../../../src/cluster/discovery/announcement.ts'
import { DIALLING } from '../../../src/cluster/discovery/bounds.ts'
import {
  type DiscoveringEffect,
  type DiscoveringInput,
  type DiscoveryState,
  discovering,
  startDiscovering,
} from '../../../src/cluster/discovery/discovering.ts'
import { explain, type Known, type NodeRow, type WhyNot } from '../../../src/cluster/discovery/explain.ts'
import { hourOf, tagOf } from '../../../src/cluster/discovery/tag.ts'
import { ClonedError } from '../../../src/cluster/household/clones.ts'
import { ClockWrongError, HouseholdError } from '../../../src/cluster/household/errors.ts'
import type { HouseholdId } from '../../../src/cluster/household/records.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import {
  LoqaError,
  monotonic,
  type NodeId,
  nodeIdOf,
  PROTOCOL_VERSION,
  wall,
} from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const WALL = wall(1_800_000_000_000)
const idOf = (seed: number): NodeId => nodeIdOf(seed.toString(16).padStart(2, '0').repeat(32))
const [SELF, ANNA, OTHER] = [idOf(1), idOf(2), idOf(3)]
const KEY = new Secret(Buffer.alloc(32, 1))
const life = (node: NodeId) => ({ node, incarnation: 1, boot: '0123456789abcdef' })
const HOUSEHOLD = '0f'.repeat(16) as HouseholdId

/** A machine that is told one thing after the other, and the effects it had. */
class Desk {
  now = 1_000
  state: DiscoveryState
  readonly effects: DiscoveringEffect[] = []
  readonly #random = new SimulatedRandom(1)

  constructor(peers: { host: string; port: number }[] = []) {
    this.state = startDiscovering(life(SELF), { mesh: 7421, enrolment: 7422 }, peers)
    this.take({ type: 'tell', standing: undefined, keys: [KEY] })
  }

  take(...inputs: DiscoveringInput[]): this {
    for (const input of inputs) {
      const context = { now: monotonic(this.now), wall: WALL, random: this.#random, config: DIALLING }
      const { state, effects } = discovering(this.state, input, context)
      this.state = state
      this.effects.push(...effects)
    }
    return this
  }

  pass(ms: number): this {
    const end = this.now + ms
    for (; this.now < end; this.now += 50) this.take({ type: 'tick' })
    return this
  }

  dials(): Extract<DiscoveringEffect, { type: 'dial' }>[] {
    return this.effects.filter((effect) => effect.type === 'dial')
  }

  /** All that is being dialled ends so. */
  fail(code: string): this {
    for (const attempt of [...this.state.dialling.attempts.keys()]) {
      this.take({ type: 'dialled', attempt, outcome: { error: new LoqaError(code, 'no') } })
    }
    return this
  }
}

const heard = (node: NodeId, from: string, more: Partial<Announcement> = {}): DiscoveringInput => ({
  type: 'announced',
  from,
  announcement: {
    life: life(node),
    mesh_port: 7421,
    enrolment_port: 7422,
    speaks: PROTOCOL_VERSION,
    understands: PROTOCOL_VERSION,
    tag: '0'.repeat(16),
    standing: undefined,
    ...more,
  },
})
const members = (...nodes: NodeId[]): DiscoveringInput => ({
  type: 'members',
  members: new Set(nodes),
  revoked: new Set(),
})
const someone = { name: 'anna', room: 'kitchen', state: undefined, rtt_ms: null, capabilities: [] }
const nobody: Known = {
  self: { id: SELF, ...someone, name: 'self' },
  members: new Map(),
  revoked: new Set(),
  pending: new Map(),
  joining: undefined,
}
const member: Known = { ...nobody, members: new Map([[ANNA, someone]]) }
const rowOf = (desk: Desk, known: Known, id: string): NodeRow | undefined =>
  explain(desk.state, known, monotonic(desk.now)).find((row) => row.id === id)
const whyNot = (desk: Desk, known: Known, id: string): WhyNot | null | undefined =>
  rowOf(desk, known, id)?.why_not_connected

describe('why a node that was seen is not connected', () => {
  const cases: [string, Desk, Known, Partial<WhyNot>][] = [
    [
      'another household that is open',
      new Desk().take(heard(ANNA, '10.0.0.2', { standing: { household: HOUSEHOLD, movable: true } })),
      nobody,
      { reason: 'other-household', hint: expect.stringContaining('loqa household reset') },
    ],
    [
      'a household that is closed',
      new Desk().take(heard(ANNA, '10.0.0.2')),
      nobody,
      { reason: 'unknown-household' },
    ],
    [
      'it waits for a person here',
      new Desk().take(heard(ANNA, '10.0.0.2')),
      { ...nobody, pending: new Map([[ANNA, { name: 'anna', code: '123456' }]]) },
      { reason: 'pending', code: '123456', hint: expect.stringContaining('loqa household approve 123456') },
    ],
    [
      'we wait for a person there',
      new Desk().take(heard(ANNA, '10.0.0.2')),
      { ...nobody, joining: { node: ANNA, code: '654321' } },
      { reason: 'joining', code: '654321' },
    ],
    [
      'a later version',
      new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2', { speaks: 99, understands: 98 })),
      member,
      { reason: 'version-too-new', hint: 'Update this node.' },
    ],
    [
      'an earlier version',
      new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2', { speaks: 0, understands: 0 })),
      member,
      { reason: 'version-too-old', hint: 'Update that node.' },
    ],
    ['it was never heard', new Desk().take(members(ANNA)), member, { reason: 'no-address' }],
    [
      'it is being dialled',
      new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2')).pass(500),
      member,
      { reason: 'connecting' },
    ],
    [
      'a firewall',
      new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2')).pass(500).fail('unreachable').pass(10_000),
      member,
      {
        reason: 'unreachable',
        hint: expect.stringContaining('firewall'),
        tried: [{ address: '10.0.0.2:7421', error: 'timed-out', failing_s: expect.any(Number) }],
      },
    ],
    [
      'another key',
      new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2')).pass(500).fail('wrong-key'),
      member,
      { reason: 'wrong-key' },
    ],
    [
      'another node at its address',
      new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2')).pass(500).fail('wrong-peer'),
      member,
      { reason: 'wrong-peer' },
    ],
    [
      'a clock',
      new Desk().take(members(ANNA), {
        type: 'refused',
        node: ANNA,
        error: new ClockWrongError('your', 7_200_000),
      }),
      member,
      { reason: 'clock-wrong', message: 'your clock is wrong by 2 h (ahead)' },
    ],
    [
      'a copied data directory',
      new Desk().take(members(ANNA), {
        type: 'refused',
        node: ANNA,
        error: new ClonedError({ ...life(ANNA), address: 'a' }, { ...life(ANNA), address: 'b' }),
      }),
      member,
      { reason: 'cloned' },
    ],
    [
      'a certificate that ran out',
      new Desk().take(members(ANNA), {
        type: 'refused',
        node: ANNA,
        error: new HouseholdError('certificate-expired', 'it expired'),
      }),
      member,
      { reason: 'refused', message: 'it expired', hint: expect.stringContaining('approve') },
    ],
    [
      'it was removed',
      new Desk().take(
        { type: 'members', members: new Set(), revoked: new Set([ANNA]) },
        heard(ANNA, '10.0.0.2'),
      ),
      { ...nobody, revoked: new Set([ANNA]) },
      { reason: 'revoked' },
    ],
  ]
  test.each(cases)('%s', (_, desk, known, expected) => {
    expect(whyNot(desk, known, ANNA)).toMatchObject(expected)
  })

  test('a row has the shape scripts rely on, and no reason while connected', () => {
    const desk = new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2'), heard(ANNA, 'fe80::2%eth0'))
    desk.take({ type: 'linked', node: ANNA, place: { host: '10.0.0.2', port: 7421 } })
    const known = {
      ...nobody,
      members: new Map([[ANNA, { ...someone, state: 'alive' as const, rtt_ms: 0.4 }]]),
    }
    expect(rowOf(desk, known, ANNA)).toEqual({
      id: ANNA,
      name: 'anna',
      room: 'kitchen',
      self: false,
      state: 'alive',
      addresses: ['10.0.0.2:7421', '[fe80::2%eth0]:7421'],
      rtt_ms: 0.4,
      capabilities: [],
      why_not_connected: null,
    })
    expect(rowOf(desk, known, SELF)).toMatchObject({ self: true, why_not_connected: null })
  })

  test('an address given by hand where nobody answers is shown although no node is known', () => {
    const desk = new Desk([{ host: 'attic', port: 7421 }]).pass(500).fail('unreachable')
    expect(rowOf(desk, nobody, '')).toMatchObject({
      addresses: ['attic:7421'],
      why_not_connected: { reason: 'unreachable' },
    })
  })
})

describe('who is dialled at all', () => {
  test('members, and whoever bears the tag of the household, not others', () => {
    const tag = tagOf(KEY, life(OTHER), hourOf(WALL))
    const desk = new Desk().take(members(ANNA), heard(ANNA, '10.0.0.2'), heard(OTHER, '10.0.0.3', { tag }))
    desk.take(heard(idOf(4), '10.0.0.4')).pass(500)
    expect(new Set(desk.dials().map(({ expected }) => expected))).toEqual(new Set([ANNA, OTHER]))
  })

  test('nobody at an address of our own, now or a moment ago', () => {
    const eth0 = { name: 'eth0', address: '10.0.0.1', family: 'IPv4', prefix: 24, internal: false } as const
    const desk = new Desk([{ host: '10.0.0.1', port: 7421 }]).take(
      { type: 'network', interfaces: [eth0] },
      { type: 'network', interfaces: [] },
      members(ANNA),
      { type: 'told', node: ANNA, places: [{ host: '10.0.0.1', port: 7421 }] },
    )
    expect(desk.pass(2_000).dials()).toEqual([])
    expect(desk.effects).toContainEqual({ type: 'moved', places: [{ host: '10.0.0.1', port: 7421 }] })
  })

  test('a peer given by hand until it is known who answers there; then that node, once', () => {
    const desk = new Desk([{ host: 'attic', port: 7421 }]).pass(200)
    const [dial] = desk.dials()
    expect(dial).toMatchObject({ place: { host: 'attic', port: 7421 }, expected: undefined })
    desk.take(members(ANNA), { type: 'dialled', attempt: dial!.attempt, outcome: { node: ANNA } })
    desk.take({ type: 'linked', node: ANNA, place: dial!.place }).pass(30_000)
    expect(desk.dials()).toHaveLength(1)
    desk.take({ type: 'unlinked', node: ANNA, why: 'cut' }).pass(500)
    expect(
      desk
        .dials()
        .slice(1)
        .map(({ expected }) => expected),
    ).toEqual([ANNA])
  })

  test('a link-local address only when there is no other', () => {
    const desk = new Desk()
      .take(members(ANNA), heard(ANNA, 'fe80::2%eth0'), heard(ANNA, '10.0.0.2'))
      .pass(2_000)
    expect(new Set(desk.dials().map(({ place }) => place.host))).toEqual(new Set(['10.0.0.2']))
    const alone = new Desk().take(members(ANNA), heard(ANNA, 'fe80::2%eth0')).pass(500)
    expect(alone.dials()[0]).toMatchObject({ place: { host: 'fe80::2%eth0' } })
  })

  test('where a stranger says that a member is: nobody listens; where a member says so: dialled', () => {
    const desk = new Desk().take(members(ANNA))
    const elsewhere = { type: 'told', node: OTHER, places: [{ host: '10.0.0.9', port: 1 }] } as const
    desk.take(elsewhere, { ...elsewhere, node: ANNA, places: [{ host: '127.0.0.1', port: 1 }] }).pass(500)
    expect(desk.dials()).toEqual([])
    desk.take({ ...elsewhere, node: ANNA }).pass(500)
    expect(desk.dials()[0]).toMatchObject({ place: { host: '10.0.0.9', port: 1 }, expected: ANNA })
  })

  test('a node heard on three interfaces is met once', () => {
    const desk = new Desk().take(
      heard(ANNA, '127.0.0.1'),
      heard(ANNA, '10.0.0.2'),
      heard(ANNA, 'fe80::2%eth0'),
    )
    expect(desk.effects.filter(({ type }) => type === 'met')).toHaveLength(1)
    desk.now += 9_000
    desk.take(heard(ANNA, '10.0.0.2'))
    expect(desk.effects.filter(({ type }) => type === 'met')).toHaveLength(2)
  })
})
