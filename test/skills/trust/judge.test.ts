/**
 * Promised: a package runs only if somebody who is trusted vouches for the key that signed all of it (J1); nothing that was revoked runs
 * (J2); the zone comes from the signature (J3); a policy takes away and never gives (J4).
 */
import { describe, expect, it } from 'vitest'
import { archive, tarOf } from '../../../src/skills/package/archive.ts'
import { withSignature } from '../../../src/skills/package/index.ts'
import {
  judge,
  newKeyFile,
  type Policy,
  refuseUnsigned,
  signContent,
  signerFrom,
  signPackage,
  TrustError,
  type Trusted,
} from '../../../src/skills/trust/index.ts'
import { encodeSignature, signStatement } from '../../../src/skills/trust/statements.ts'
import {
  contentOf,
  NODE,
  OFFICIAL,
  type PetOptions,
  POLICY,
  PUBLISHER,
  petFiles,
  petPackage,
  STRANGER,
  signedPet,
  TODAY,
  trustedWith,
  VETTED,
  vettedPublisher,
} from '../package/pets.ts'

const faultOf = async (bytes: Uint8Array, trusted: Trusted = trustedWith(), day = TODAY): Promise<string> => {
  try {
    judge(await contentOf(bytes), trusted, day)
    return 'trusted'
  } catch (thrown) {
    if (!(thrown instanceof TrustError)) throw thrown
    return thrown.fault
  }
}
const verdictOf = async (bytes: Uint8Array, trusted = trustedWith()) =>
  judge(await contentOf(bytes), trusted, TODAY)
const byPublisher = (options = {}, delegation = vettedPublisher()) =>
  signedPet(PUBLISHER, options, delegation)

describe('whom it trusts', () => {
  it('roots, publishers they vouch for, and the nodes of the household; each with its zone (J1, J3)', async () => {
    expect(await verdictOf(await signedPet(OFFICIAL))).toMatchObject({ level: 'official', zone: 2 })
    expect(await verdictOf(await byPublisher())).toMatchObject({
      level: 'vetted',
      zone: 2,
      publisher: 'somebody',
      root: VETTED.key,
      until: '2027-12-31',
    })
    expect(await verdictOf(await signedPet(NODE, { zone: 1 }))).toMatchObject({ level: 'own', zone: 3 })
    const known = trustedWith({ publishers: [vettedPublisher({ level: 'own' }, NODE)] })
    expect(await verdictOf(await signedPet(PUBLISHER), known)).toMatchObject({ level: 'own', zone: 3 })
  })

  it('gives no better zone than a manifest asks for, and never that of the node (J3)', async () => {
    expect(await verdictOf(await signedPet(OFFICIAL, { zone: 1 }))).toMatchObject({ zone: 2 })
    expect(await verdictOf(await signedPet(OFFICIAL, { zone: 3 }))).toMatchObject({ zone: 3 })
  })

  it('a key from a file, made here or by openssl', async () => {
    const signer = signerFrom(newKeyFile())
    const trusted = trustedWith({ members: new Set([signer.key]) })
    expect(await faultOf(await signedPet(signer), trusted)).toBe('trusted')
    expect(() => signerFrom('-----BEGIN NONSENSE-----')).toThrow('no private key')
  })
})

describe('an attack is refused', () => {
  const swapped = async () => {
    // The signature of one package on the files of another.
    const { signature } = await contentOf(await byPublisher())
    return withSignature(await contentOf(await petPackage({ uses: ['storage'] })), signature!)
  }
  const signedAs = async (change: object) => {
    const content = await contentOf(await petPackage())
    const { name, version, publisher } = content.manifest
    const about = { name, version, publisher, digest: content.digest, ...change }
    return withSignature(content, encodeSignature(signStatement(about, PUBLISHER, vettedPublisher())))
  }
  const raw = async (signature: string) =>
    withSignature(await contentOf(await petPackage()), Buffer.from(signature))

  it.each<[string, () => Promise<Uint8Array>, string]>([
    ['nobody signed it', () => petPackage(), 'skill-unsigned'],
    ['a manifest swapped under a signature', swapped, 'skill-tampered'],
    ['a signature for another name', () => signedAs({ name: 'cat' }), 'skill-tampered'],
    ['a signature for another version', () => signedAs({ version: '9.9.9' }), 'skill-tampered'],
    ['a signature for another publisher', () => signedAs({ publisher: 'loqa' }), 'skill-tampered'],
    ['a signature that is none', () => raw('{"version":1}'), 'skill-tampered'],
    ['a signature that is no JSON', () => raw('\u0000\u0001'), 'skill-tampered'],
    ['a key nobody knows', () => signedPet(STRANGER), 'skill-untrusted'],
    [
      'a stranger who vouches for himself',
      () => signedPet(PUBLISHER, {}, vettedPublisher({}, STRANGER)),
      'skill-untrusted',
    ],
    [
      'a vetted root that makes somebody official',
      () => byPublisher({}, vettedPublisher({ level: 'official' })),
      'skill-untrusted',
    ],
    ['a delegation for another key', () => signedPet(STRANGER, {}, vettedPublisher()), 'skill-untrusted'],
    ['a delegation of another publisher', () => byPublisher({ publisher: 'loqa' }), 'skill-untrusted'],
    [
      'a delegation that was stretched',
      () => byPublisher({}, { ...vettedPublisher(), until: '2099-01-01' }),
      'skill-untrusted',
    ],
    [
      'a delegation that is over',
      () => byPublisher({}, vettedPublisher({ until: '2026-02-01' })),
      'skill-expired',
    ],
    [
      'a delegation of days to come',
      () => byPublisher({}, vettedPublisher({ from: '2026-12-01' })),
      'skill-expired',
    ],
  ])('%s', async (_, make, fault) => {
    expect(await faultOf(await make())).toBe(fault)
  })

  it('any byte changed in any file of a signed package', async () => {
    const content = await contentOf(await byPublisher())
    const signature = { name: '.signature', bytes: content.signature! }
    let tried = 0
    for (const [index, file] of content.files.entries()) {
      for (const at of [0, file.bytes.length >> 1, file.bytes.length - 1]) {
        const bytes = Uint8Array.from(file.bytes)
        bytes[at]! ^= 1
        const files = content.files.with(index, { ...file, bytes })
        const fault = await faultOf(await archive(await tarOf([signature, ...files]))).catch(
          () => 'unreadable',
        )
        expect(['skill-tampered', 'unreadable']).toContain(fault)
        tried += 1
      }
    }
    expect(tried).toBe(6)
  })

  it('a removed node of the household signs no more (J1)', async () => {
    const package_ = await signedPet(NODE)
    expect(await faultOf(package_)).toBe('trusted')
    expect(await faultOf(package_, trustedWith({ members: new Set() }))).toBe('skill-untrusted')
  })
})

describe('what was revoked does not run (J2)', () => {
  it.each([
    ['the key', `key:${PUBLISHER.key}`],
    ['the publisher', 'publisher:somebody'],
    ['the root above', `key:${VETTED.key}`],
  ])('%s', async (_, what) => {
    const revoked = new Map([[what, { why: 'stolen' }]])
    expect(await faultOf(await byPublisher())).toBe('trusted')
    expect(await faultOf(await byPublisher(), trustedWith({ revoked }))).toBe('skill-revoked')
  })

  it('the package, whoever signs it anew', async () => {
    const { digest } = await contentOf(await petPackage())
    const revoked = new Map([[`package:${digest}`, { why: 'it listens' }]])
    for (const signer of [OFFICIAL, NODE]) {
      expect(await faultOf(await signedPet(signer), trustedWith({ revoked }))).toBe('skill-revoked')
    }
    expect(await faultOf(await signedPet(OFFICIAL, { version: '1.2.4' }), trustedWith({ revoked }))).toBe(
      'trusted',
    )
  })
})

const NATIVE: PetOptions = { zone: 3, more: 'runtime: native\n' }

describe('a policy only takes away (J4)', () => {
  it.each<[string, Partial<Policy>, PetOptions]>([
    ['levels', { allow: ['official'] }, {}],
    ['permissions', { forbid: ['storage'] }, { uses: ['storage'] }],
    ['native adapters of others', {}, NATIVE],
  ])('%s', async (_, change, options) => {
    const trusted = trustedWith({
      policy: { ...POLICY, ...change },
    })
    expect(await faultOf(await byPublisher(options), trusted)).toBe('skill-forbidden')
  })

  it('also from what a person runs unsigned', async () => {
    const { manifest } = await contentOf(await petPackage({ uses: ['storage'] }))
    expect(() => refuseUnsigned(manifest, POLICY)).not.toThrow()
    for (const change of [{ unsigned: 'never' }, { forbid: ['storage'] }, { allow: ['official'] }] as const) {
      expect(() => refuseUnsigned(manifest, { ...POLICY, ...change } as Policy)).toThrow(TrustError)
    }
  })

  it('and makes nobody trusted', async () => {
    const policy = { ...POLICY, native: ['somebody'] }
    expect(await faultOf(await signedPet(STRANGER, NATIVE), trustedWith({ policy }))).toBe('skill-untrusted')
  })
})

describe('a native adapter (J5)', () => {
  const policy = { ...POLICY, native: ['somebody'] }
  const trusted = trustedWith({ policy })

  it('runs in zone 3 when the key of a publisher that the policy names signed it', async () => {
    expect(await verdictOf(await byPublisher(NATIVE), trusted)).toMatchObject({ level: 'vetted', zone: 3 })
    const known = trustedWith({ policy, publishers: [vettedPublisher({ level: 'own' }, NODE)] })
    expect(await verdictOf(await signedPet(PUBLISHER, NATIVE), known)).toMatchObject({
      level: 'own',
      zone: 3,
    })
    await expect(petPackage({ ...NATIVE, zone: 2 })).rejects.toThrow('allowed 3 for the runtime native')
  })

  it('does not when a node of the household did, whatever publisher it names, nor unsigned', async () => {
    expect(await faultOf(await signedPet(NODE, NATIVE), trusted)).toBe('skill-forbidden')
    const { manifest } = await contentOf(await petPackage(NATIVE))
    expect(() => refuseUnsigned(manifest, policy)).toThrow('only if their publisher signed them')
  })
})

it('signing again replaces a signature and leaves the files as they were', async () => {
  const first = await contentOf(await signedPet(STRANGER))
  const second = await contentOf(await signContent(first, OFFICIAL))
  expect(second.digest).toBe(first.digest)
  expect(await faultOf(await signPackage(await signedPet(STRANGER), OFFICIAL))).toBe('trusted')
  expect(petFiles().length).toBe(second.files.length)
})
