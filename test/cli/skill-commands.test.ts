/** Promised: nothing is added before a person saw what it may do and said yes; what nobody signed needs more than a yes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { packageFrom } from '../../src/cli/skill-sources.ts'
import type { World } from '../../src/cli/world.ts'
import { realHost } from '../../src/host/real.ts'
import { type Live, live } from '../api/live.ts'
import type { ScriptedSkills } from '../api/scripted-skills.ts'
import type { ScriptedView } from '../api/scripted-view.ts'
import { petFiles, petPackage } from '../skills/package/pets.ts'
import { type Desk, desk } from './run.ts'

let node: Live
let ada: Desk
let view: ScriptedView
let skills: ScriptedSkills
beforeAll(async () => {
  node = await live()
  view = node.view as ScriptedView
  ada = await desk(node.api.port)
  await ada.disk.write('/work/weather.loqa', Buffer.from('a package'))
})
beforeEach(() => {
  skills = view.skills
  skills.wanted.length = 0
  skills.reviewNow = { outcome: 'installed', more: [], unsigned: false }
})
afterAll(() => node.api.stop())

const typed = (text: string) => ({ input: Buffer.from(text) })
const asked = (change: object = {}) => ({
  add: 'a package',
  grant: false,
  unsigned: false,
  dry_run: true,
  ...change,
})

describe('loqa skill add', () => {
  it('shows in plain words what it may do, and adds it when its name is typed', async () => {
    const { err, out, code } = await ada.run(['skill', 'add', 'weather.loqa'], typed('weather\n'))
    expect(err).toContain('weather 1.2.0 of acme: Tells the weather.')
    expect(err).toContain('! talk to api.example.com (new)')
    expect(err).toContain('know the time and the date, because it says for when')
    expect(out).toContain('Added weather 1.2.0')
    expect(code).toBe(0)
    expect(skills.wanted).toEqual([asked(), asked({ grant: true, dry_run: false })])
  })

  it('adds nothing when anything else is typed, or on a dry run', async () => {
    expect((await ada.run(['skill', 'add', 'weather.loqa'], typed('yes\n'))).code).toBe(2)
    expect((await ada.run(['skill', 'add', 'weather.loqa', '--dry-run'])).out).toContain(
      'talk to api.example.com',
    )
    expect(skills.wanted).toEqual([asked(), asked()])
  })

  it('takes what nobody signed only for a person’s own work', async () => {
    skills.reviewNow = { outcome: 'installed', more: [], unsigned: true }
    const { err, code } = await ada.run(['skill', 'add', 'weather.loqa', '--yes'])
    expect([code, err]).toEqual([2, expect.stringContaining('Nobody vouches for weather')])
    expect((await ada.run(['skill', 'add', 'weather.loqa', '--yes', '--unsigned'])).code).toBe(0)
    expect(skills.wanted.at(-1)).toEqual(asked({ grant: true, unsigned: true, dry_run: false }))
  })

  it('an update that asks for more waits, unless a person read it or says --grant', async () => {
    skills.reviewNow = { outcome: 'updated', more: ['host:api.example.com'], unsigned: false }
    expect((await ada.run(['skill', 'add', 'weather.loqa', '--yes'])).out).toContain(
      'loqa skill grant weather',
    )
    expect((await ada.run(['skill', 'add', 'weather.loqa', '--yes', '--grant'])).out).toContain('is in use')
    expect((await ada.run(['skill', 'add', 'weather.loqa'], typed('weather\n'))).out).toContain('is in use')
  })
})

describe('other commands', () => {
  it.each([
    [['rm', 'weather', '--yes'], 'Removed weather 1.2.0', { rm: { skill: 'weather' } }],
    [['pin', 'weather'], 'stays at 1.2.0', { pin: { skill: 'weather', on: true } }],
    [['pin', 'weather', '--off'], 'may change again', { pin: { skill: 'weather', on: false } }],
    [['enable', 'weather'], 'weather 1.2.0', { enable: { skill: 'weather' } }],
    [['grant', 'weather', '--yes'], 'is in use', { grant: { skill: 'weather', dry_run: false } }],
    [
      ['revoke', 'acme', '--publisher', '--yes', '--why', 'bad'],
      'publisher:acme',
      { revoke: { kind: 'publisher', what: 'acme', why: 'bad', undo: false } },
    ],
    [
      ['trust', 'acme', 'cd'.repeat(32), '--yes'],
      'acme',
      { trust: { publisher: 'acme', key: 'cd'.repeat(32), days: 365, undo: false } },
    ],
  ])('loqa skill %j', async (args, said, wanted) => {
    const { out, code } = await ada.run(['skill', ...args])
    expect([code, out]).toEqual([0, expect.stringContaining(said)])
    expect(skills.wanted.at(-1)).toEqual(wanted)
  })

  it.each([
    ['rm', ['rm', 'weather']],
    ['revoke', ['revoke', 'weather']],
    ['trust', ['trust', 'acme', 'cd'.repeat(32)]],
  ])('%s asks first', async (_, args) => {
    expect((await ada.run(['skill', ...args], typed('no\n'))).code).toBe(2)
    expect(skills.wanted.filter((one) => !JSON.stringify(one).includes('dry_run'))).toEqual([])
  })

  it('shows skills as tables and as JSON, and what is wrong with one', async () => {
    expect((await ada.run(['skill', 'ls'])).out).toMatch(/weather +1\.2\.0 +vetted +2 +ready/)
    expect(JSON.parse((await ada.run(['skill', 'ls', '--json'])).out)[0].name).toBe('weather')
    expect((await ada.run(['skill', 'show', 'weather'])).out).toMatch(/vouched for +vetted, until 2027-12-31/)
    expect((await ada.run(['skill', 'show', 'nothing'])).code).toBe(1)
    expect((await ada.run(['skill', 'revoke'])).out).toMatch(/publisher:acme +2026-01-02 +it listens/)
    expect((await ada.run(['skill', 'trust', 'acme', 'short'])).code).toBe(2)
  })
})

describe('keys and packages as files', () => {
  let folder: string
  let world: World
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'loqa-skill-'))
    world = { disk: realHost().disk, directory: folder, interrupted: new AbortController().signal } as World
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('a key is made once, for its owner alone; what it signs is told from what was changed', async () => {
    const first = await ada.run(['skill', 'key', 'my.key', '--json'])
    const { key, new: isNew } = JSON.parse(first.out)
    expect([isNew, key]).toEqual([true, expect.stringMatching(/^[0-9a-f]{64}$/)])
    expect(JSON.parse((await ada.run(['skill', 'key', 'my.key', '--json'])).out)).toMatchObject({
      key,
      new: false,
    })
    expect((await ada.disk.info('/work/my.key'))?.mode).toBe(0o600)
    await ada.disk.write('/work/pet.loqa', await petPackage())
    expect((await ada.run(['skill', 'inspect', 'pet.loqa'])).out).toMatch(/signed +by nobody/)
    expect((await ada.run(['skill', 'sign', 'pet.loqa', '--key', 'my.key'])).out).toContain(key)
    const whole = await ada.run(['skill', 'inspect', 'pet.loqa'])
    expect(whole.out).toContain(`with ${key}`)
    expect(whole.out).toContain('It may answer, and nothing else.')
  })

  it('a root delegates to a publisher', async () => {
    await ada.run(['skill', 'key', 'root.key'])
    const { out, code } = await ada.run([
      'skill',
      'delegate',
      'acme',
      'cd'.repeat(32),
      '--root',
      'root.key',
      '--level',
      'vetted',
    ])
    expect([code, JSON.parse(out)]).toEqual([
      0,
      expect.objectContaining({ publisher: 'acme', level: 'vetted' }),
    ])
    expect(
      (await ada.run(['skill', 'delegate', 'acme', 'x', '--root', 'root.key', '--level', 'vetted'])).code,
    ).toBe(2)
  })

  it('comes from a folder, a file, and a registry in Git, with its checksum', async () => {
    mkdirSync(join(folder, 'pet'))
    for (const { name, bytes } of petFiles()) writeFileSync(join(folder, 'pet', name), bytes)
    const made = Buffer.from(await packageFrom(world, 'pet', {}))
    expect(made.equals(await petPackage())).toBe(true)
    const registry = join(folder, 'registry')
    mkdirSync(registry)
    const newer = await petPackage({ version: '1.10.0' })
    writeFileSync(join(registry, 'pet-1.2.3.loqa'), made)
    writeFileSync(join(registry, 'pet-1.10.0.loqa'), newer)
    const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    const index = [
      `  - { name: pet, version: 1.2.3, sha256: ${sha(made)}, file: pet-1.2.3.loqa }`,
      `  - { name: pet, version: 1.10.0, sha256: ${sha(newer)}, file: pet-1.10.0.loqa }`,
      `  - { name: cat, version: 1.0.0, sha256: ${'0'.repeat(64)}, file: pet-1.2.3.loqa }`,
    ]
    writeFileSync(join(registry, 'index.yaml'), `skills:\n${index.join('\n')}\n`)
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', registry, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args], {
        stdio: 'pipe',
      })
    git('init', '-q')
    git('add', '.')
    git('commit', '-qm', 'index')
    const from = `file://${registry}`
    expect(Buffer.from(await packageFrom(world, 'pet', { from })).equals(newer)).toBe(true)
    expect(Buffer.from(await packageFrom(world, 'pet@1.2.3', { from: registry })).equals(made)).toBe(true)
    await expect(packageFrom(world, 'cat', { from })).rejects.toThrow('not the file it should be')
    await expect(packageFrom(world, 'dog', { from })).rejects.toThrow('does not exist')
    await expect(packageFrom(world, 'pet', { from: '--upload-pack=x' })).rejects.toThrow('no registry')
    await expect(packageFrom(world, 'https://example.com/x.loqa', {})).rejects.toThrow('checksum')
    expect(
      statSync(folder).isDirectory() && readFileSync(join(registry, 'index.yaml')).length,
    ).toBeGreaterThan(0)
  })
})
