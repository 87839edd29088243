import { describe, expect, test } from 'vitest'
import { MAX_INTERFACES } from '../../../src/cluster/discovery/bounds.ts'
import { openDiscovery } from '../../../src/cluster/discovery/discovery.ts'
import type { DiscoveryEffect } from '../../../src/cluster/discovery/inputs.ts'
import {
  isOnLink,
  isSameNetwork,
  isTellable,
  type NetworkInterface,
  usable,
} from '../../../src/cluster/discovery/interfaces.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import { type Clock, type Host, type Monotonic, nodeIdOf, type Wall, wall } from '../../../src/host/index.ts'
import { SimulatedClock, SimulatedRandom } from '../../../src/host/simulated/index.ts'

const v4 = (name: string, address: string, prefix = 24, internal = false): NetworkInterface => ({
  name,
  address,
  family: 'IPv4',
  prefix,
  internal,
})
const v6 = (name: string, address: string, prefix = 64): NetworkInterface => ({
  name,
  address,
  family: 'IPv6',
  prefix,
  internal: false,
})
const lo = v4('lo', '127.0.0.1', 8, true)

describe('interfaces', () => {
  test('worth a socket are networks of IPv4, loopback, and one link-local address of IPv6 each', () => {
    const eth0 = v4('eth0', '192.168.1.20')
    const local = v6('eth0', 'fe80::1')
    const list = [
      lo,
      eth0,
      local,
      v6('eth0', 'fe80::2'),
      v6('eth0', '2001:db8::1'),
      v4('tun0', '10.8.0.1', 32),
    ]
    expect(usable(list)).toEqual([lo, eth0, local])
    const many = Array.from({ length: 60 }, (_, i) => v4(`veth${i}`, `172.${i}.0.1`, 16))
    expect(usable(many)).toHaveLength(MAX_INTERFACES)
  })

  test.each([
    [v4('eth0', '192.168.1.20'), '192.168.1.255', true],
    [v4('eth0', '192.168.1.20'), '192.168.2.1', false],
    [v4('eth0', '192.168.1.20', 16), '192.168.2.1', true],
    [v4('eth0', '200.0.0.1', 31), '200.0.0.0', true],
    [v4('eth0', '200.0.0.1', 31), '200.0.0.2', false],
    [lo, '127.9.9.9', true],
    [lo, '192.168.1.20', false],
    [v6('eth0', 'fe80::1'), 'fe80::99%eth0', true],
    [v6('eth0', 'fe80::1'), 'fe80::99%eth1', false],
    [v6('eth0', 'fe80::1'), '2001:db8::1', false],
    [v4('eth0', '192.168.1.20'), 'fe80::99%eth0', false],
  ])('%o hears %s: %s', (own, from, expected) => {
    expect(isOnLink(own, from)).toBe(expected)
  })

  test('are compared whatever their order', () => {
    const [a, b] = [v4('eth0', '192.168.1.20'), v4('wlan0', '192.168.1.21')]
    expect(isSameNetwork([a, b], [b, a])).toBe(true)
    expect(isSameNetwork([a], [a, b])).toBe(false)
    expect(isSameNetwork([a], [{ ...a, address: '192.168.1.22' }])).toBe(false)
  })

  test('others are told addresses that mean something to them', () => {
    const hosts = [
      '192.168.1.20',
      '127.0.0.1',
      '::1',
      'fe80::1',
      'fe80::1%eth0',
      'localhost',
      '0.0.0.0',
      '2001:db8::1',
    ]
    expect(hosts.filter(isTellable)).toEqual(['192.168.1.20', '2001:db8::1'])
  })
})

describe('a machine that slept', () => {
  /** The wall clock runs on while the machine sleeps; the monotonic one stands. */
  class Sleeper implements Clock {
    readonly inner = new SimulatedClock()
    asleep_ms = 0
    monotonic = (): Monotonic => this.inner.monotonic()
    wall = (): Wall => wall(this.inner.wall() + this.asleep_ms)
    after: Clock['after'] = (delay_ms, run) => this.inner.after(delay_ms, run)
    soon: Clock['soon'] = (run) => this.inner.soon(run)
  }

  test('dials again at once whom it would have dialled much later', async () => {
    const clock = new Sleeper()
    const effects: DiscoveryEffect[] = []
    const host: Pick<Host, 'clock' | 'random'> = { clock, random: new SimulatedRandom(1) }
    const node = nodeIdOf('02'.repeat(32))
    const discovery = openDiscovery({
      host,
      life: { node: nodeIdOf('01'.repeat(32)), incarnation: 1, boot: '0'.repeat(16) },
      ports: { mesh: 7421, enrolment: 7422 },
      multicast: false,
      interfaces: { list: () => [v4('eth0', '192.168.1.20')] },
      onEffect: (effect) => effects.push(effect),
    })
    discovery.take({ type: 'tell', standing: undefined, keys: [new Secret(Buffer.alloc(32, 1))] })
    discovery.take({ type: 'members', members: new Set([node]), revoked: new Set() })
    discovery.take({ type: 'told', node, places: [{ host: '192.168.1.21', port: 7421 }] })
    clock.inner.advance(120_000)
    const dials = (): number => effects.filter(({ type }) => type === 'dial').length
    // Right after one of its rare attempts.
    const before = dials()
    while (dials() === before) clock.inner.advance(50)
    const seen = dials()
    clock.asleep_ms = 3_600_000
    clock.inner.advance(2_500)
    expect(dials()).toBeGreaterThan(seen)
    expect(discovery.counts.wakes).toBe(1)
    await discovery.stop()
  })
})
