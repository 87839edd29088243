/** Promised: R1 to R4 of `changing.ts`; and packages come out of their pieces as they went in, or not at all. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SkillManifest } from '../../../src/skills/manifest/index.ts'
import { readManifest } from '../../../src/skills/manifest/index.ts'
import {
  added,
  compareVersions,
  grantedTo,
  type Incoming,
  joined,
  piecesOf,
  pinned,
  recordsIn,
  removed,
  type SkillRecord,
} from '../../../src/skills/registry/index.ts'
import { asksOf, type Level, TrustError } from '../../../src/skills/trust/index.ts'
import { type PetOptions, petManifest } from '../package/pets.ts'

const WHO = { by: 'attic', at: '2026-11-26T12:00:00.000Z' }
const manifestOf = (options: PetOptions): SkillManifest =>
  readManifest(petManifest(options), 'skill.yaml').manifest

const incoming = (options: PetOptions & { level?: Level; digest?: string } = {}): Incoming => ({
  content: { manifest: manifestOf(options), digest: (options.digest ?? 'a').repeat(64) },
  verdict: { level: options.level ?? 'vetted', publisher: options.publisher ?? 'somebody' },
  bytes: 1_000,
})
const installed = (options: Parameters<typeof incoming>[0] = {}): SkillRecord =>
  added(undefined, incoming(options), true, WHO).record

const faultOf = (run: () => unknown): string => {
  try {
    run()
    return 'done'
  } catch (thrown) {
    if (!(thrown instanceof TrustError)) throw thrown
    return thrown.fault
  }
}

describe('adding', () => {
  it('needs somebody who agreed to what it asks for', () => {
    expect(faultOf(() => added(undefined, incoming({ uses: ['storage'] }), false, WHO))).toBe(
      'skill-ungranted',
    )
    expect(added(undefined, incoming({ uses: ['storage'] }), true, WHO)).toMatchObject({
      outcome: 'installed',
      more: ['use:storage'],
      record: { granted: ['use:storage'], owner: 'vetted:somebody', pinned: false },
    })
  })

  it.each<[string, SkillRecord, Incoming, string]>([
    [
      'another publisher (R1)',
      installed(),
      incoming({ version: '2.0.0', publisher: 'else' }),
      'skill-untrusted',
    ],
    [
      'the same name from a lesser root (R1)',
      installed({ level: 'official' }),
      incoming({ version: '2.0.0' }),
      'skill-untrusted',
    ],
    [
      'an older version (R2)',
      installed({ version: '1.10.0' }),
      incoming({ version: '1.9.9', digest: 'b' }),
      'skill-downgrade',
    ],
    ['another package as the same version (R2)', installed(), incoming({ digest: 'b' }), 'skill-downgrade'],
    [
      'anything newer than what is pinned (R3)',
      pinned(installed(), true),
      incoming({ version: '2.0.0', digest: 'b' }),
      'skill-pinned',
    ],
  ])('refuses %s', (_, before, next, fault) => {
    for (const granted of [true, false]) expect(faultOf(() => added(before, next, granted, WHO))).toBe(fault)
  })

  it('lets a household build its own work again and again under one version (R2)', () => {
    const next = incoming({ level: 'own', digest: 'b' })
    expect(added(installed({ level: 'own' }), next, false, WHO)).toMatchObject({ outcome: 'updated' })
  })

  it('lets what asks for more wait, while the old one goes on (R4)', () => {
    const before = installed({ uses: ['clock'] })
    const next = incoming({ version: '1.3.0', uses: ['clock', 'speak'], digest: 'b' })
    const waiting = added(before, next, false, WHO)
    expect(waiting).toMatchObject({
      outcome: 'waiting',
      more: ['use:speak'],
      record: { version: '1.2.3', granted: ['use:clock'] },
    })
    const granted = grantedTo('pet', waiting.record, asksOf(next.content.manifest), WHO)
    expect(granted).toMatchObject({ version: '1.3.0', granted: ['use:clock', 'use:speak'] })
    expect(granted.waiting).toBeUndefined()
    expect(faultOf(() => grantedTo('pet', granted, [], WHO))).toBe('skill-ungranted')
    // One that asks for less needs no word of anybody, and loses what it no longer asks for.
    expect(added(granted, incoming({ version: '1.4.0', digest: 'c' }), false, WHO).record.granted).toEqual([])
  })

  it('after removing, anything goes that may be added', () => {
    const gone = removed(installed({ version: '5.0.0' }), WHO)
    expect(gone).toMatchObject({ state: 'removed', granted: [] })
    expect(added(gone, incoming({ publisher: 'else' }), true, WHO).outcome).toBe('installed')
  })
})

it('what others wrote is read with care: a record that is none is as if it were not there', () => {
  const good = installed()
  const entries = [
    { key: 'pet', value: good },
    { key: '../pet', value: good },
    { key: 'cat', value: { ...good, digest: 'short' } },
    { key: 'dog', value: { ...good, bytes: 1e12 } },
    { key: 'cow', value: null },
    { key: 'hen', value: { ...good, granted: Array(1_000).fill('use:storage') } },
    { key: 'new', value: { ...good, later: 'a key of a later version' } },
  ]
  expect([...recordsIn(entries).keys()]).toEqual(['pet', 'new'])
})

it('versions are compared as numbers', () => {
  const number = fc.integer({ min: 0, max: 99_999 })
  fc.assert(
    fc.property(fc.tuple(number, number, number), fc.tuple(number, number, number), (a, b) => {
      const expected = Math.sign(a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
      expect(Math.sign(compareVersions(a.join('.'), b.join('.')))).toBe(expected)
    }),
    { seed: 20_261_126, numRuns: 500 },
  )
})

it('a package comes out of its pieces whole or not at all', () => {
  const digest = 'd'.repeat(64)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200_000 }), fc.nat(9), (size, drop) => {
      const bytes = new Uint8Array(size).map((_, at) => (at * 7) & 255)
      const turns = piecesOf(digest, bytes)
      const entries = turns
        .flat()
        .map((change) => ({ key: change.key, value: change.change === 'put' ? change.value : '' }))
      for (const turn of turns) expect(JSON.stringify(turn).length).toBeLessThan(128 * 1024)
      for (const { value } of entries) expect(JSON.stringify(value).length).toBeLessThan(64 * 1024)
      expect(Buffer.from(joined(digest, size, entries)!).equals(bytes)).toBe(true)
      expect(joined(digest, size + 1, entries)).toBeUndefined()
      const without = entries.filter((_, at) => at !== drop % entries.length)
      expect(joined(digest, size, without)).toBeUndefined()
    }),
    { seed: 20_261_126, numRuns: 60 },
  )
})
