/**
 * Promised: the same files give the same package whatever order they came in; a package has exactly the files its manifest names; every
 * trick with archives is refused, before anything is unfolded beyond its bound.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { describe, expect, it } from 'vitest'
import { realHost } from '../../../src/host/real.ts'
import { archive, tarOf, unarchive } from '../../../src/skills/package/archive.ts'
import { packSkill, readFolder, readPackage } from '../../../src/skills/package/index.ts'
import { petFiles, petManifest, petPackage } from './pets.ts'

const ASSET = { name: 'icons/cat.svg', bytes: Buffer.from('<svg/>') }
const withAsset = { more: 'assets: [icons/cat.svg]\n' }

const problemOf = async (bytes: Uint8Array): Promise<string> => {
  try {
    await readPackage(bytes)
    return 'accepted'
  } catch (thrown) {
    return (thrown as Error).message
  }
}

const entry = (name: string, bytes: Uint8Array, change: object = {}) => ({
  header: {
    name,
    size: bytes.length,
    type: 'file' as const,
    mode: 0o644,
    mtime: new Date(0),
    uid: 0,
    gid: 0,
    ...change,
  },
  body: bytes,
})
const [MANIFEST, MODULE] = petFiles() as [
  { name: string; bytes: Uint8Array },
  { name: string; bytes: Uint8Array },
]

describe('a package', () => {
  it('is the same whatever order its files came in, and is read as what it was made of', async () => {
    const files = [...petFiles(withAsset), ASSET]
    const one = await packSkill(files)
    const other = await packSkill([files[2]!, files[0]!, files[1]!])
    expect(Buffer.from(one).equals(other)).toBe(true)
    const read = await readPackage(one)
    expect(read.files.map(({ name }) => name)).toEqual(['icons/cat.svg', 'pet.wasm', 'skill.yaml'])
    expect(read.manifest.name).toBe('pet')
    expect(read.digest).toMatch(/^[0-9a-f]{64}$/)
    expect((await readPackage(other)).digest).toBe(read.digest)
  })

  it('is known by a digest that changes with every byte of its files', async () => {
    const digests = await Promise.all(
      [{}, { says: 'Fed!' }, { version: '1.2.4' }, { uses: ['clock'] }].map(
        async (options) => (await readPackage(await petPackage(options))).digest,
      ),
    )
    expect(new Set(digests).size).toBe(4)
  })

  it('is made of what the manifest of a folder names and of nothing else there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'loqa-package-'))
    for (const { name, bytes } of petFiles()) writeFileSync(join(folder, name), bytes)
    writeFileSync(join(folder, 'secrets.txt'), 'my password')
    const files = await readFolder(realHost().disk, folder)
    rmSync(folder, { recursive: true })
    expect(files.map(({ name }) => name)).toEqual(['skill.yaml', 'pet.wasm'])
  })
})

describe('what is no package is refused', () => {
  it.each([
    [
      'a file outside',
      [MANIFEST, MODULE, { name: '../../etc/cron.d/x', bytes: ASSET.bytes }],
      'does not name',
    ],
    ['an absolute path', [MANIFEST, MODULE, { name: '/etc/passwd', bytes: ASSET.bytes }], 'does not name'],
    ['a file nobody named', [MANIFEST, MODULE, ASSET], 'does not name'],
    ['no manifest', [MODULE], 'no skill.yaml'],
    ['no module', [MANIFEST], 'lacks the file pet.wasm'],
    ['two files of one name', [MANIFEST, MODULE, MODULE], 'two files of one name'],
    [
      'a second signature',
      [
        { name: '.signature', bytes: ASSET.bytes },
        { name: '.signature', bytes: ASSET.bytes },
        MANIFEST,
        MODULE,
      ],
      'does not name',
    ],
    [
      'a signature without end',
      [{ name: '.signature', bytes: new Uint8Array(20_000) }, MANIFEST, MODULE],
      'signature is larger',
    ],
    [
      'a manifest without end',
      [{ name: 'skill.yaml', bytes: new Uint8Array(300_000) }, MODULE],
      'larger than 256 KiB',
    ],
    [
      'a manifest that is no text',
      [{ name: 'skill.yaml', bytes: Uint8Array.of(0xff, 0xfe) }, MODULE],
      'not text',
    ],
    [
      'a manifest with a mistake',
      [{ name: 'skill.yaml', bytes: Buffer.from(petManifest().replace('zone: 2', 'zone: 7')) }, MODULE],
      'skill.yaml:6:7: zone: given 7',
    ],
    [
      'more files than a skill has',
      Array.from({ length: 200 }, (_, i) => ({ name: `f${i}.txt`, bytes: ASSET.bytes })),
      'more than 66 files',
    ],
  ])('%s', async (_, files, problem) => {
    expect(await problemOf(await archive(await tarOf(files)))).toContain(problem)
  })

  it.each([
    [
      'a link',
      [
        entry('skill.yaml', MANIFEST.bytes),
        { header: { name: 'pet.wasm', size: 0, type: 'symlink' as const, linkname: '/etc/passwd' } },
      ],
    ],
    [
      'a folder',
      [entry('pet.wasm', MODULE.bytes), { header: { name: 'x/', size: 0, type: 'directory' as const } }],
    ],
    [
      'a file that may be run',
      [entry('pet.wasm', MODULE.bytes, { mode: 0o4755 }), entry('skill.yaml', MANIFEST.bytes)],
    ],
    [
      'a file with a date',
      [entry('pet.wasm', MODULE.bytes, { mtime: new Date(1e12) }), entry('skill.yaml', MANIFEST.bytes)],
    ],
    [
      'a file of somebody',
      [entry('pet.wasm', MODULE.bytes, { uid: 0, uname: 'root' }), entry('skill.yaml', MANIFEST.bytes)],
    ],
    [
      'hidden headers',
      [entry('pet.wasm', MODULE.bytes, { pax: { path: '../../x' } }), entry('skill.yaml', MANIFEST.bytes)],
    ],
    ['files in another order', [entry('skill.yaml', MANIFEST.bytes), entry('pet.wasm', MODULE.bytes)]],
  ])('an archive with %s', async (_, entries) => {
    expect(await problemOf(await archive(await packTar(entries)))).toMatch(
      /not written as packages are|damaged/,
    )
  })

  it.each([
    ['something behind its end', async (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.from('more')])],
    ['a second archive behind it', async (bytes: Uint8Array) => Buffer.concat([bytes, bytes])],
    ['a checksum that is another', async (bytes: Uint8Array) => Buffer.from(bytes).fill(1, bytes.length - 8)],
    ['its end cut off', async (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 9)],
    ['a name in its zip header', async (bytes: Uint8Array) => Buffer.from(bytes).fill(8, 3, 4)],
    [
      'something behind the archive inside',
      async () => archive(Buffer.concat([await tarOf([MANIFEST, MODULE]), Buffer.alloc(512, 1)])),
    ],
    ['an archive of archives', async (bytes: Uint8Array) => archive(bytes)],
    ['nothing in it', async () => new Uint8Array()],
  ])('%s', async (_, change) => {
    expect(await problemOf(await change(await petPackage()))).toMatch(/not a skill package/)
  })

  it('a bomb: 64 KiB that would unfold to 64 MiB are given up at the bound', async () => {
    const bomb = Buffer.from(gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 }))
    Buffer.from('1f8b08000000000002ff', 'hex').copy(bomb)
    const before = process.memoryUsage().rss
    await expect(unarchive(bomb)).rejects.toThrow('unfolds to more than 8192 KiB')
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
    await expect(unarchive(new Uint8Array(4 * 1024 * 1024 + 1))).rejects.toThrow('larger than 4096 KiB')
  })
})
