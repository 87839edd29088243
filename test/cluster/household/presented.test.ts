/** Whose certificate is believed: each reason for refusing it has a name of its own. */
import { describe, expect, it } from 'vitest'
import { SKEW_MS, TERM_MS } from '../../../src/cluster/household/bounds.ts'
import { found, newSelf } from '../../../src/cluster/household/founding.ts'
import { issueCertificate, issueTombstone, issueWarrant } from '../../../src/cluster/household/issue.ts'
import { admittance, allows, type Presented } from '../../../src/cluster/household/presented.ts'
import { type Certificate, RECORD_VERSION, signRecord } from '../../../src/cluster/household/records.ts'
import { merge } from '../../../src/cluster/household/roster.ts'
import type { Self } from '../../../src/cluster/household/state.ts'
import { monotonic, wall } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY = 86_400_000
const random = new SimulatedRandom(3)
const context = { now: monotonic(0), wall: wall(NOW), random }
const signer = (self: Self) => ({ node: self.card.node, identity: self.identity })

const [founder, kitchen, gone, guest, stranger] = ['founder', 'kitchen', 'gone', 'guest', 'stranger'].map(
  (name) => newSelf(name, random),
) as [Self, Self, Self, Self, Self]
const base = found(founder, context, { locked: false }).roster
const other = found(stranger, context, { locked: false }).roster
const by = (self: Self, of: Self, at = NOW, limits?: string[]) =>
  issueCertificate(base, signer(self), of.card, wall(at), limits)

const admitted = merge(base, [
  issueWarrant(base, signer(founder), kitchen.card.node, wall(NOW)),
  issueWarrant(base, signer(founder), gone.card.node, wall(NOW)),
  by(founder, kitchen),
  by(founder, gone),
  by(founder, guest, NOW, ['mic:*']),
]).roster
const roster = merge(admitted, [issueTombstone(admitted, signer(founder), gone.card.node, wall(NOW))]).roster

const resigned = (certificate: Certificate, change: Partial<Certificate>): Certificate => {
  const { signature: _, ...unsigned } = certificate
  return signRecord(founder.identity, { ...unsigned, ...change })
}
const good = by(founder, kitchen)
const show = (
  certificate: Certificate,
  presenter = certificate.card.node,
  rest: Partial<Presented> = {},
): Presented => ({
  certificate,
  presenter,
  ...rest,
})

const cases: [string, Presented, number, string][] = [
  ['a good one', show(good), NOW, 'admitted'],
  ['another node shows it: a replay', show(good, stranger.card.node), NOW, 'certificate-not-yours'],
  [
    'of another household',
    show(issueCertificate(other, signer(stranger), stranger.card, wall(NOW))),
    NOW,
    'other-household',
  ],
  ['changed after signing', show({ ...good, limits: ['*', 'x'] }), NOW, 'certificate-forged'],
  [
    'with another name on the card',
    show({ ...good, card: { ...good.card, name: 'attic' } }),
    NOW,
    'certificate-forged',
  ],
  [
    'with a card that node never signed',
    show(resigned(good, { card: { ...good.card, sealing_key: stranger.card.sealing_key } })),
    NOW,
    'certificate-forged',
  ],
  ['signed by a stranger', show(by(stranger, stranger)), NOW, 'issuer-unknown'],
  ['signed by a member that may not sign', show(by(guest, stranger)), NOW, 'issuer-unknown'],
  ['signed by a removed member', show(by(gone, stranger)), NOW, 'issuer-revoked'],
  ['of a removed member', show(by(founder, gone)), NOW, 'member-revoked'],
  ['of a removed member, newly made', show(by(founder, gone, NOW + DAY)), NOW + DAY, 'member-revoked'],
  ['to its last minute', show(good), NOW + TERM_MS + SKEW_MS, 'admitted'],
  ['a minute later', show(good), NOW + TERM_MS + SKEW_MS + 60_000, 'certificate-expired'],
  ['signed by a clock four minutes ahead', show(by(founder, kitchen, NOW + 4 * 60_000)), NOW, 'admitted'],
  [
    'signed in the future, as our clock has it',
    show(by(founder, kitchen, NOW + 3 * DAY)),
    NOW,
    'clock-wrong',
  ],
  [
    'shown by a node whose clock is an hour off',
    show(good, good.card.node, { their_time: wall(NOW + 3_600_000) }),
    NOW,
    'clock-wrong',
  ],
  [
    'for longer than a term',
    show(resigned(good, { expires: NOW + TERM_MS + 1 })),
    NOW,
    'certificate-malformed',
  ],
  [
    'that was good until its limits were narrowed',
    show(by(founder, guest, NOW - DAY)),
    NOW,
    'certificate-superseded',
  ],
]

describe('a certificate', () => {
  it.each(cases)('%s', (_what, presented, now, verdict) => {
    const answer = admittance(roster, presented, wall(now))
    expect(answer.admitted ? 'admitted' : answer.error.code).toBe(verdict)
  })

  it('says by how much which clock is wrong', () => {
    const told = (presented: Presented): string => {
      const answer = admittance(roster, presented, wall(NOW))
      return answer.admitted ? '' : answer.error.message
    }
    expect(told(show(by(founder, kitchen, NOW + 3 * DAY)))).toBe('your clock is wrong by 3 d (behind)')
    expect(told(show(good, good.card.node, { their_time: wall(NOW - 90_000 * 60) }))).toBe(
      'your clock is wrong by 1 h 30 min (behind)',
    )
    expect(
      told(show(by(founder, kitchen, NOW + 3 * DAY), kitchen.card.node, { their_time: wall(NOW) })),
    ).toBe("its issuer's clock is wrong by 3 d (ahead)")
  })

  it('limits what its node may offer', () => {
    expect(allows(by(founder, guest, NOW, ['mic:*', 'tts.kokoro:en_US']), 'mic:kitchen')).toBe(true)
    expect(allows(by(founder, guest, NOW, ['mic:*', 'tts.kokoro:en_US']), 'tts.kokoro:de_DE')).toBe(false)
    expect(allows(by(founder, guest, NOW, []), 'mic:kitchen')).toBe(false)
    expect(good.version).toBe(RECORD_VERSION)
  })
})
