/**
 * Two nodes of a household, with real files and what each says at once before the other (`test/lan/skills.test.ts` has real nodes). Promised: G1 to G4 of `skill-registry.ts`: only what a node judged itself runs
 * there, whatever lies on its disk and whatever other nodes wrote; what must end ends.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { type NodeId, nodeId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { skillDesk } from '../../src/node/skill-desk.ts'
import { SkillRegistry } from '../../src/node/skill-registry.ts'
import { SkillShelf } from '../../src/node/skill-shelf.ts'
import { registry as records, type Skill, type Skills } from '../../src/skills/index.ts'
import { silentLog } from '../skills/house-skills.ts'
import {
  OFFICIAL,
  type PetOptions,
  POLICY,
  PUBLISHER,
  petPackage,
  STRANGER,
  signedPet,
  signerNamed,
  vettedPublisher,
} from '../skills/package/pets.ts'
import { SharedStore } from './shared-store.ts'

const { disk, clock } = realHost()
const keys = [signerNamed('node 1'), signerNamed('node 2')]

/** What runs on a node, by name and version, and what was said of it. */
class Node {
  readonly running = new Map<string, string>()
  readonly noted: string[] = []
  readonly file: string
  readonly registry: SkillRegistry
  readonly desk: ReturnType<typeof skillDesk>
  members = new Set(keys.map(({ key }) => key))
  readonly #skills: Pick<Skills, 'swap' | 'stopNow'>

  constructor(home: Home, number: number, skills: Node['running'] | undefined = undefined) {
    if (skills !== undefined) for (const [name, version] of skills) this.running.set(name, version)
    const directory = join(home.directory, 'skills')
    const shelf = new SkillShelf({ disk, store: home.store, directory })
    this.file = shelf.fileOf('pet')
    const audit = (what: string, object: string, outcome: string) =>
      this.noted.push(`${what} ${object.split(' ')[0]} ${outcome}`)
    const shared = { store: home.store, shelf, policy: POLICY, shipped: new Set(['timer']), audit }
    this.registry = new SkillRegistry({
      ...shared,
      disk,
      clock,
      directory,
      log: silentLog,
      members: () => this.members,
    })
    this.#skills = {
      swap: async ({ manifest: { name, version } }) => void this.running.set(name, version),
      stopNow: (name) => void this.running.delete(name),
    }
    const catalogue = { skills: [], unusable: [] }
    this.desk = skillDesk({
      ...shared,
      clock,
      self: home.id,
      signer: keys[number]!,
      registry: this.registry,
      skills: { ...this.#skills, list: () => [], catalogue } as unknown as Skills,
    })
  }

  async open(): Promise<this> {
    const skills: readonly Skill[] = await this.registry.open()
    for (const { manifest } of skills) this.running.set(manifest.name, manifest.version)
    this.registry.start(this.#skills as Skills)
    return this
  }

  add = async (bytes: Uint8Array, change: object = {}) =>
    this.desk.add({ package: bytes, grant: true, unsigned: false, dry_run: false, ...change })

  async until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 10_000
    while (!holds()) {
      if (Date.now() > deadline)
        throw new Error(JSON.stringify([...this.running, ...this.noted, ...this.registry.standings]))
      await new Promise((done) => setTimeout(done, 10))
    }
  }
}

/** A node's place on disk and the store it shares with others. */
interface Home {
  readonly id: NodeId
  readonly directory: string
  readonly store: SharedStore
}

function homeOf(name: string, store: SharedStore): Home {
  const directory = mkdtempSync(join(tmpdir(), 'loqa-skills-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return { id: nodeId(name), directory, store }
}

async function household() {
  const store = new SharedStore()
  const [home, other] = [homeOf('a', store), homeOf('b', store)]
  const [a, b] = [await new Node(home, 0).open(), await new Node(other, 1).open()]
  onTestFinished(() => {
    for (const { registry } of [a, b]) registry.stop()
  })
  return { home, a, b }
}

const faultOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (thrown: { code: string }) => thrown.code,
  )
const vetted = (options: PetOptions = {}) => signedPet(PUBLISHER, options, vettedPublisher())

it('what one node adds runs on the other; newer versions, what waits, what is removed', async () => {
  const { home, a, b } = await household()
  await a.add(await vetted())
  await b.until(() => b.running.get('pet') === '1.2.3')
  await b.add(await vetted({ version: '1.3.0', uses: ['storage'] }), { grant: false })
  await a.until(() => a.registry.standings.get('pet')?.record.waiting?.version === '1.3.0')
  expect([a.running.get('pet'), b.running.get('pet')]).toEqual(['1.2.3', '1.2.3'])
  await a.desk.grant({ skill: 'pet', dry_run: false })
  await b.until(() => b.running.get('pet') === '1.3.0')
  expect(await faultOf(b.add(await vetted()))).toBe('skill-downgrade')
  await b.desk.rm({ skill: 'pet' })
  await a.until(() => !a.running.has('pet') && !existsSync(a.file))
  await b.until(() => b.running.size === 0)
  // Nothing of it is left in the household's store.
  expect(await home.store.list(records.PACKAGES)).toEqual([])
}, 30_000)

it('what nobody vouches for is not added; own work is signed by the node, and runs on the other', async () => {
  const { a, b } = await household()
  for (const bytes of [await petPackage(), await signedPet(STRANGER)])
    expect(await faultOf(a.add(bytes))).toMatch(/unsigned|untrusted/)
  expect(await faultOf(a.add(await signedPet(OFFICIAL, { name: 'timer' })))).toBe('skill-forbidden')
  await a.add(await petPackage(), { unsigned: true })
  await b.until(() => b.running.has('pet'))
  // A node that is removed from the household vouches for nothing any more.
  b.members = new Set([keys[1]!.key])
  b.registry.changed()
  await b.until(() => !b.running.has('pet'))
  expect(b.noted).toContain('skill.refused pet skill-untrusted')
  expect(a.running.has('pet')).toBe(true)
}, 30_000)

it('a copy that was changed on disk is not run, and is replaced (G1)', async () => {
  const { home, a, b } = await household()
  await a.add(await vetted())
  await b.until(() => b.running.has('pet'))
  const genuine = readFileSync(a.file)
  const other = await vetted({ says: 'Bitten.' })
  for (const bytes of [
    Buffer.from(genuine).fill(0, 100),
    other,
    Buffer.from('nothing'),
    await signedPet(STRANGER),
  ]) {
    a.registry.stop()
    writeFileSync(a.file, bytes)
    const again = await new Node(home, 0).open()
    expect(again.running.get('pet')).toBe('1.2.3')
    expect(readFileSync(a.file).equals(genuine)).toBe(true)
    again.registry.stop()
  }
}, 30_000)

it('what a member wrote is not believed (G1, G3)', async () => {
  const { home, a, b } = await household()
  await a.add(await vetted())
  await b.until(() => b.running.has('pet'))
  const record = a.registry.standings.get('pet')!.record
  const put = (name: string, value: object) =>
    home.store.apply(records.INSTALLED, [{ change: 'put', key: name, value }])
  const publish = async (bytes: Uint8Array, digest: string) => {
    for (const changes of records.piecesOf(digest, bytes)) await home.store.apply(records.PACKAGES, changes)
  }
  const stranger = await signedPet(STRANGER, { name: 'cat' })
  const greedy = await signedPet(PUBLISHER, { name: 'dog', uses: ['storage'] }, vettedPublisher())
  const digestOf = async (bytes: Uint8Array) =>
    (await import('../../src/skills/index.ts')).readPackage(bytes).then(({ digest }) => digest)
  const wrong: readonly [string, Uint8Array, string, string][] = [
    ['cat', stranger, await digestOf(stranger), 'skill-untrusted'],
    ['dog', greedy, await digestOf(greedy), 'skill-ungranted'],
    ['cow', await vetted({ name: 'hen' }), await digestOf(await vetted({ name: 'hen' })), 'skill-tampered'],
    ['hen', await vetted({ name: 'hen' }), 'e'.repeat(64), 'skill-tampered'],
    [
      'timer',
      await vetted({ name: 'timer' }),
      await digestOf(await vetted({ name: 'timer' })),
      'skill-forbidden',
    ],
  ]
  for (const [name, bytes, digest, fault] of wrong) {
    await publish(bytes, digest)
    await put(name, { ...record, digest, bytes: bytes.length, granted: [] })
    await b.until(() => b.noted.includes(`skill.refused ${name} ${fault}`))
  }
  expect([...b.running.keys()]).toEqual(['pet'])
}, 30_000)

it('what was revoked ends on both, stays away, and comes back only when that is undone (G2)', async () => {
  const { a, b } = await household()
  await a.add(await vetted())
  await b.until(() => b.running.has('pet'))
  const publisher = { kind: 'publisher', what: 'somebody', why: 'stolen key', undo: false } as const
  await b.desk.revoke(publisher)
  expect(b.running.has('pet')).toBe(false)
  await a.until(() => !a.running.has('pet'))
  expect(await faultOf(a.add(await vetted({ version: '2.0.0' })))).toBe('skill-revoked')
  await a.desk.revoke({ ...publisher, undo: true })
  await b.until(() => b.running.get('pet') === '1.2.3')
}, 30_000)

it('after a wipe what was added is put back from the files, and so is what was revoked (G4)', async () => {
  const { home, a } = await household()
  await a.add(await vetted())
  await a.desk.revoke({ kind: 'key', what: STRANGER.key, why: '', undo: false })
  await a.until(() =>
    readFileSync(join(home.directory, 'skills/records.json'), 'utf8').includes(STRANGER.key),
  )
  a.registry.stop()
  const fresh = homeOf('a', new SharedStore())
  const files = join(fresh.directory, 'skills')
  await disk.makeDirectory(files)
  for (const name of ['pet.loqa', 'records.json'])
    await disk.write(join(files, name), await disk.read(join(home.directory, 'skills', name)))
  const again = await new Node(fresh, 0).open()
  expect(again.running.get('pet')).toBe('1.2.3')
  expect((await again.desk.revoked()).map(({ what }) => what)).toEqual([`key:${STRANGER.key}`])
  expect((await fresh.store.list(records.PACKAGES)).length).toBe(1)
  again.registry.stop()
}, 30_000)
