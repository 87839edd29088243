/** What `loqa doctor` makes of clocks, of the network and of the room on the disk: each fault with what to do. */
import { describe, expect, it } from 'vitest'
import { clockFinding, multicastFinding, roomFinding } from '../../src/node/checks.ts'

const NOON = Date.UTC(2026, 10, 27, 12)

describe('the clock', () => {
  const at = (founded: number | undefined, ...ahead: readonly number[]) =>
    clockFinding({
      ...{ now: NOON, founded },
      others: ahead.map((ahead_ms, i) => ({ name: `node-${i}`, ahead_ms })),
    })

  it('is right where it goes on from the founding, and agrees with the others', () => {
    expect(at(NOON - 86_400_000)).toMatchObject({ ok: true, detail: '2026-11-27T12:00:00.000Z' })
    expect(at(NOON + 900, 1_900, -1_900)).toMatchObject({
      ok: true,
      detail: 'as those of 2 other nodes, within 2 s',
    })
  })

  it('is wrong before the founding, as on a machine without a battery', () => {
    expect(at(NOON + 86_400_000)).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/12:00:00.*founded later/),
      fix: expect.stringMatching(/set-ntp/),
    })
  })

  it('is named with each other one that differs', () => {
    expect(at(undefined, 12_300, 100, -4_000)).toMatchObject({
      ok: false,
      detail: "node-0's is 12.3 s ahead of this one, node-2's is 4.0 s behind this one",
    })
  })
})

describe('multicast DNS', () => {
  const heard = (network: string, heard_ms: number | null) => ({ network, heard_ms })

  it('works where this node hears itself, on one interface at least', () => {
    expect(multicastFinding([heard('eth0', 900)])).toMatchObject({ ok: true, detail: 'heard on eth0' })
    expect(multicastFinding([heard('eth0', 900), heard('tun0', null)])).toMatchObject({
      ok: true,
      detail: 'heard on eth0; not on tun0, nodes there need --peer',
    })
  })

  it('does not where it hears nothing of itself, or not any more', () => {
    for (const lost of [null, 60_000]) {
      expect(multicastFinding([heard('wlan0', lost)])).toMatchObject({
        ok: false,
        detail: 'what this node says on wlan0 is not heard, not even here',
        fix: expect.stringMatching(/UDP 5353.*--peer/),
      })
    }
  })

  it('is no fault where there is none to be had', () => {
    expect([multicastFinding(undefined), multicastFinding([])].map(({ ok }) => ok)).toEqual([true, true])
  })
})

describe('the disk', () => {
  it('is full soon below half a gigabyte', () => {
    expect(roomFinding('/data', 42e9)).toMatchObject({ ok: true, detail: '/data, 42 GB free' })
    expect(roomFinding('/data', undefined)).toMatchObject({ ok: true, detail: '/data' })
    expect(roomFinding('/data', 120e6)).toMatchObject({
      ok: false,
      detail: '/data, 120 MB free',
      fix: expect.stringMatching(/loqa models rm.*--data/),
    })
  })
})
