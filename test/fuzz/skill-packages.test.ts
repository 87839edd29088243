/**
 * Packages and manifests come from strangers. Promised: whatever their bytes are, reading ends in a package whose files are exactly what
 * its signature is about, or in an error with words; never in a crash, and never beyond the bounds.
 */
import { expect, it } from 'vitest'
import { LoqaError } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { ManifestError, readManifest } from '../../src/skills/manifest/index.ts'
import { archive, tarOf } from '../../src/skills/package/archive.ts'
import { readPackage } from '../../src/skills/package/index.ts'
import { judge } from '../../src/skills/trust/index.ts'
import { OFFICIAL, petFiles, petManifest, signedPet, TODAY, trustedWith } from '../skills/package/pets.ts'

const SEED = 20_261_126
const ARCHIVES = 3_000
const MANIFESTS = 2_000

/** Flips, edge values, cuts, copies, insertions. Most of what is checked stands at the front. */
function mutated(bytes: Uint8Array, random: SimulatedRandom): Uint8Array {
  let now = Uint8Array.from(bytes)
  for (let change = random.below(3); change >= 0 && now.length > 0; change -= 1) {
    const at = random.below(random.float() < 0.6 ? Math.min(now.length, 600) : now.length)
    const kind = random.below(5)
    if (kind === 0) now[at]! ^= 1 << random.below(8)
    else if (kind === 1) now[at] = [0, 1, 0x2e, 0x2f, 0x80, 0xff][random.below(6)]!
    else if (kind === 2) now = now.slice(0, at)
    else if (kind === 3) now = joined(now.subarray(0, at), now.subarray(random.below(now.length)))
    else now = joined(now.subarray(0, at), Uint8Array.of(random.below(256)), now.subarray(at))
  }
  return now
}

const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts))

it(`${ARCHIVES} damaged packages: none is taken for what was signed`, { timeout: 60_000 }, async () => {
  const random = new SimulatedRandom(SEED)
  const whole = await signedPet(OFFICIAL, { more: 'assets: [a.txt]\n' }).catch(() => signedPet(OFFICIAL))
  const { files, signature, digest } = await readPackage(whole)
  const tar = await tarOf([{ name: '.signature', bytes: signature! }, ...files])
  const met = { unreadable: 0, refused: 0, trusted: 0 }
  for (let round = 0; round < ARCHIVES; round += 1) {
    // Damage to the zip is mostly found by its checksum: two of three hit the archive inside.
    const bytes = round % 3 === 0 ? mutated(whole, random) : await archive(mutated(tar, random))
    try {
      const read = await readPackage(bytes)
      try {
        judge(read, trustedWith(), TODAY)
        met.trusted += 1
        expect(read.digest).toBe(digest)
      } catch (thrown) {
        if (!(thrown instanceof LoqaError)) throw thrown
        met.refused += 1
      }
    } catch (thrown) {
      if (!(thrown instanceof LoqaError) || thrown.message.length > 600) throw thrown
      met.unreadable += 1
    }
  }
  // Some rounds change nothing that counts, e.g. swap a byte for itself.
  expect(met.trusted).toBeLessThan(ARCHIVES / 10)
  expect(met.unreadable).toBeGreaterThan(ARCHIVES / 2)
  expect(met.refused).toBeGreaterThan(ARCHIVES / 100)
})

const PIECES = [
  ': ',
  '\n  - ',
  '{',
  '}',
  '[',
  ']',
  '"',
  '&a ',
  '*a',
  '!!binary ',
  '!!js/function ',
  '<<: ',
  '? ',
  '|\n',
  '>\n',
  '# ',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '\t',
  '\u0000',
  '\uFEFF',
  '\u2028',
  '1e999',
  '0x7fffffffffffffff',
  '~',
  '__proto__: 1\n',
  'constructor: { prototype: {} }\n',
  'zone: 3\n',
  '    pet.feed: {}\n',
  '(a|b',
  '<set> ',
  '{item}',
  '\u{1F600}',
]

it(`${MANIFESTS} damaged manifests: a mistake with its place, or a manifest`, { timeout: 60_000 }, () => {
  const random = new SimulatedRandom(SEED)
  const text = petManifest({
    uses: ['storage', 'timers'],
    more: 'config: { town: { type: string, summary: "Where" } }\n',
  })
  const met = { refused: 0, accepted: 0 }
  for (let round = 0; round < MANIFESTS; round += 1) {
    let changed = text
    for (let change = random.below(3); change >= 0; change -= 1) {
      const at = random.below(changed.length)
      const piece = PIECES[random.below(PIECES.length)]!
      const cut = random.below(2) === 0 ? 0 : random.below(40)
      changed = changed.slice(0, at) + piece + changed.slice(at + cut)
    }
    try {
      expect(readManifest(changed, 'skill.yaml').manifest.budgets.call_ms).toBeLessThanOrEqual(2_000)
      met.accepted += 1
    } catch (thrown) {
      if (!(thrown instanceof ManifestError)) throw thrown
      met.refused += 1
      const [first] = thrown.problems
      const lines = changed.split(/\r\n|\r|\n/).length
      expect(first!.line).toBeGreaterThanOrEqual(1)
      expect(first!.line).toBeLessThanOrEqual(lines + 1)
      expect(first!.allowed).not.toBe('')
      expect(thrown.message.length).toBeLessThan(2_000)
    }
  }
  expect(Object.prototype).not.toHaveProperty('1')
  expect(met.refused).toBeGreaterThan(MANIFESTS / 2)
  expect(met.accepted).toBeGreaterThan(MANIFESTS / 100)
})

it('a manifest nested without end, or as long as allowed, is read in bounded time', () => {
  const before = performance.now()
  const slow = [
    '['.repeat(200_000),
    '[{a: '.repeat(40_000),
    '- '.repeat(100_000),
    '? '.repeat(100_000),
    'a:\n '.repeat(50_000),
    Array.from({ length: 7_000 }, (_, index) => `k${index}: 1`).join('\n'),
    Array.from({ length: 600 }, (_, index) => `${' '.repeat(index)}k:`).join('\n'),
    'a: b: c\n'.repeat(30_000),
    '---\na\n'.repeat(40_000),
    '%\n'.repeat(100_000),
    ']'.repeat(200_000),
    `x: "${'\\u0041'.repeat(40_000)}"`,
  ]
  for (const text of slow) {
    expect(() => readManifest(text, 'skill.yaml')).toThrow(ManifestError)
  }
  expect(performance.now() - before).toBeLessThan(5_000)
  expect(petFiles().length).toBe(2)
})
