/** Whatever arrives is a message within its limits or an error; the configuration cannot contradict itself. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMembership, MEMBERSHIP_PRESETS, membershipConfig } from '../../../src/cluster/index.ts'

const header = { boot: 1, seq: 1, incarnation: 0 }
const heartbeat = { type: 'heartbeat', ...header, digest: -5, news: [] }
const entry = { id: 'n1', boot: 1, incarnation: 0, status: 'alive' }

describe('decoding', () => {
  test('takes what members send', () => {
    for (const value of [
      heartbeat,
      { ...heartbeat, leaving: true, you: { boot: 1, incarnation: 3, status: 'dead' }, news: [entry] },
      { type: 'ping', ...header, probe: 1 },
      { type: 'probe-request', ...header, probe: 1, target: 'n2' },
      { type: 'ack', ...header, probe: 1, origin: 'n1', about: 'n2' },
      { type: 'sync', ...header, entries: Array(64).fill({ ...entry, by: 'n3' }) },
    ]) {
      expect(decodeMembership(value)).toEqual({ ok: true, message: value })
    }
  })

  test('ignores fields of a later version, drops message types of a later version', () => {
    const later = { ...heartbeat, mood: 'calm', news: [{ ...entry, colour: 1 }] }
    expect(decodeMembership(later)).toEqual({ ok: true, message: { ...heartbeat, news: [entry] } })
    expect(decodeMembership({ type: 'weather', ...header })).toEqual({ ok: false, why: 'unknown-type' })
  })

  test.each([
    ['a list of ten million', { type: 'sync', ...header, entries: new Array(10_000_000) }, 'too-many'],
    ['one entry too many', { type: 'sync', ...header, entries: Array(65).fill(entry) }, 'too-many'],
    ['a negative incarnation', { ...heartbeat, incarnation: -1 }, 'malformed'],
    ['an incarnation that cannot be counted on', { ...heartbeat, incarnation: 2 ** 53 }, 'malformed'],
    ['a broken incarnation', { ...heartbeat, incarnation: 0.5 }, 'malformed'],
    ['no number', { ...heartbeat, digest: Number.NaN }, 'malformed'],
    ['a sequence number of zero', { ...heartbeat, seq: 0 }, 'malformed'],
    ['a status nobody has', { ...heartbeat, news: [{ ...entry, status: 'zombie' }] }, 'malformed'],
    ['an id that is a path', { ...heartbeat, news: [{ ...entry, id: '../x' }] }, 'malformed'],
    ['an id without end', { ...heartbeat, news: [{ ...entry, id: 'x'.repeat(1e6) }] }, 'malformed'],
    ['a list that is none', { ...heartbeat, news: { length: 1 } }, 'malformed'],
    ['an inherited type', { type: 'toString' }, 'unknown-type'],
    ['nothing', undefined, 'malformed'],
    ['null', null, 'malformed'],
    ['a list', [heartbeat], 'malformed'],
  ])('refuses %s', (_name, value, why) => {
    expect(decodeMembership(value)).toEqual({ ok: false, why })
  })

  test('never throws, and never lets more through than the limits', () => {
    const scalar = fc.oneof(
      fc.anything(),
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.constantFrom('alive', 'dead'),
    )
    const some = fc.record(
      {
        type: fc.constantFrom('heartbeat', 'ping', 'probe-request', 'ack', 'sync', 'x'),
        boot: fc.oneof(fc.nat(), scalar),
        seq: fc.oneof(fc.integer({ min: 1 }), scalar),
        incarnation: fc.oneof(fc.nat(), scalar),
        digest: fc.oneof(fc.integer(), scalar),
        probe: fc.oneof(fc.nat(), scalar),
        target: scalar,
        news: fc.oneof(fc.constant([]), fc.array(fc.oneof(fc.constant(entry), scalar)), scalar),
        entries: fc.oneof(fc.constant([entry]), fc.array(scalar), scalar),
        you: scalar,
      },
      { requiredKeys: ['type'] },
    )
    let accepted = 0
    fc.assert(
      fc.property(
        fc.oneof({ weight: 4, arbitrary: some }, { weight: 1, arbitrary: fc.anything() }),
        (value) => {
          const decoded = decodeMembership(value)
          if (!decoded.ok) return
          accepted += 1
          const { message } = decoded
          expect(message.incarnation).toBeLessThan(2 ** 52)
          if (message.type === 'heartbeat') expect(message.news.length).toBeLessThanOrEqual(32)
          if (message.type === 'sync') expect(message.entries.length).toBeLessThanOrEqual(64)
        },
      ),
      { numRuns: 5_000, seed: 4 },
    )
    expect(accepted).toBeGreaterThan(50)
  })
})

describe('configuration', () => {
  test('of the LAN suspects a cut link within 1.2 s, calls it dead within 5 s, and bears a stop of 3 s', () => {
    const c = MEMBERSHIP_PRESETS.lan
    expect(c.suspect_after_ms + c.heartbeat_ms).toBeLessThanOrEqual(1_200)
    expect(c.suspect_after_ms + c.suspicion_min_ms + 2 * c.heartbeat_ms).toBeLessThanOrEqual(5_000)
    expect(c.suspect_after_ms + c.suspicion_min_ms).toBeGreaterThanOrEqual(3_000 + 2 * c.heartbeat_ms)
  })

  test('of Wi-Fi is more patient, of tests faster in everything', () => {
    const { lan, wifi, test: fast } = MEMBERSHIP_PRESETS
    expect(wifi.suspect_after_ms).toBe(lan.suspect_after_ms * 1.5)
    expect(wifi.heartbeat_ms).toBe(lan.heartbeat_ms)
    expect(fast.suspicion_min_ms * 5).toBe(lan.suspicion_min_ms)
  })

  test.each([
    ['a value out of range', { heartbeat_ms: 0 }, 'heartbeat_ms is 0'],
    ['no number', { helpers: Number.NaN }, 'helpers is NaN'],
    ['no time for probes', { suspect_after_ms: 600 }, 'suspect_after_ms leaves probes'],
    ['no time to refute', { suspicion_min_ms: 1_000 }, 'suspicion_min_ms leaves a suspect'],
    ['most below least', { suspicion_max_ms: 3_000 }, 'suspicion_max_ms is not below'],
    ['an odd degree', { degree: 15 }, 'degree is even'],
    ['calm above damp', { calm_at: 4 }, 'calm_at < damp_at'],
  ])('refuses %s', (_name, changes, message) => {
    expect(() => membershipConfig(changes)).toThrow(message)
  })
})
