import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLoopback, reachOf } from '../../../src/skills/http/index.ts'

describe('an address', () => {
  it.each([
    ['1.1.1.1', 'public'],
    ['93.184.216.34', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['127.0.0.1', 'private'],
    ['127.255.255.255', 'private'],
    ['::1', 'private'],
    ['fd00::1', 'private'],
    ['fc00::1', 'private'],
    ['fe80::1', 'private'],
    ['fe80::1%eth0', 'private'],
    // IPv4 in the clothes of IPv6: mapped, translated, NAT64, 6to4, compatible.
    ['::ffff:127.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['0:0:0:0:0:ffff:10.1.2.3', 'private'],
    ['::ffff:0:192.168.0.1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b:1::192.168.0.1', 'private'],
    ['2002:7f00:1::', 'private'],
    ['::127.0.0.1', 'private'],
    ['169.254.169.254', 'never'],
    ['::ffff:169.254.169.254', 'never'],
    ['0.0.0.0', 'never'],
    ['0.1.2.3', 'never'],
    ['::', 'never'],
    ['224.0.0.1', 'never'],
    ['255.255.255.255', 'never'],
    ['240.0.0.1', 'never'],
    ['ff02::1', 'never'],
    ['192.0.2.1', 'never'],
    ['198.51.100.7', 'never'],
    ['203.0.113.9', 'never'],
    ['2001:db8::1', 'never'],
    ['100::1', 'never'],
    // Not as a resolver writes it: nobody's.
    ['0x7f.0.0.1', 'never'],
    ['127.1', 'never'],
    ['010.0.0.1', 'never'],
    ['1.2.3.256', 'never'],
    ['localhost', 'never'],
    ['', 'never'],
    ['1:2:3:4:5:6:7:8:9', 'never'],
    ['1::2::3', 'never'],
  ])('%s is %s', (address, reach) => {
    expect(reachOf(address)).toBe(reach)
  })

  it('that is private stays private in whatever clothes of IPv6', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const inHouse = fc.oneof(
      fc.tuple(fc.constant(10), byte, byte, byte),
      fc.tuple(fc.constant(127), byte, byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
    )
    fc.assert(
      fc.property(inHouse, (bytes) => {
        const [a, b, c, d] = bytes
        const hex = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16)).join(':')
        for (const form of ['::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::']) {
          if (reachOf(form + hex) !== 'private' || reachOf(form + bytes.join('.')) !== 'private') return false
        }
        return reachOf(`2002:${hex}::1`) === 'private'
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('never throws, whatever is given for one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.%x') }), (text) => {
        expect(['public', 'private', 'never']).toContain(reachOf(text))
        expect(typeof isLoopback(text)).toBe('boolean')
      }),
      { seed: 7, numRuns: 3_000 },
    )
  })

  it('of this machine is known by all its names', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1'].every(isLoopback)).toBe(
      true,
    )
    expect(['10.0.0.1', '::2', 'fe80::1'].some(isLoopback)).toBe(false)
  })
})
