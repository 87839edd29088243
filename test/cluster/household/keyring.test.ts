/** Keys at rest and in memory: kept whole or refused, and never to be read in a log. */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  deriveKeys,
  hex,
  newSecret,
  sealingPublicKey,
  sealTo,
  unsealOwn,
} from '../../../src/cluster/household/crypto.ts'
import {
  decodeKeyring,
  encodeKeyring,
  readKeyring,
  writeKeyring,
} from '../../../src/cluster/household/keyring.ts'
import { recordsOf } from '../../../src/cluster/household/roster.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import { LoqaError } from '../../../src/host/index.ts'
import { SimulatedRandom, simulatedHost } from '../../../src/host/simulated/index.ts'
import { id, type Resident, Town } from './town.ts'

const PATH = '/data/household.json'

async function kept(): Promise<{ disk: ReturnType<typeof simulatedHost>['disk']; a: Resident }> {
  const { disk } = simulatedHost(1)
  await disk.makeDirectory('/data')
  const town = new Town(1)
  const [a, b] = [town.settle('a'), town.settle('b')]
  town.input(b, { type: 'join', node: id(a) })
  town.deliverAll()
  const { self, roster, keychain, locked } = a.state
  await writeKeyring(disk, PATH, { self, roster, keychain, locked, incarnation: 3 })
  return { disk, a }
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'read',
    (error: unknown) => (error instanceof LoqaError ? error.code : String(error)),
  )

describe('the keyring', () => {
  it('gives back what was kept: the node, its household, its keys', async () => {
    const { disk, a } = await kept()
    const found = (await readKeyring(disk, PATH))!
    expect(found.incarnation).toBe(3)
    expect(found.self.card).toEqual(a.state.self.card)
    expect(hex(found.self.identity.expose())).toBe(hex(a.state.self.identity.expose()))
    expect(recordsOf(found.roster)).toEqual(recordsOf(a.state.roster))
    expect(found.keychain.map(({ key }) => hex(key.expose()))).toEqual(
      a.state.keychain.map(({ key }) => hex(key.expose())),
    )
  })

  it('is none before the first start', async () => {
    expect(await readKeyring(simulatedHost(2).disk, PATH)).toBeUndefined()
  })

  it('that others may read is refused, with the command that mends it', async () => {
    const { disk } = await kept()
    const bytes = await disk.read(PATH)
    for (const mode of [0o644, 0o640, 0o604, 0o660, 0o666, 0o700]) {
      await disk.write(PATH, bytes, { mode })
      const error = await readKeyring(disk, PATH).catch((thrown: unknown) => thrown as LoqaError)
      expect((error as LoqaError).code).toBe('keyring-exposed')
      expect((error as LoqaError).hint).toContain(`chmod 600 ${PATH}`)
    }
    await disk.write(PATH, bytes, { mode: 0o400 })
    expect(await codeOf(readKeyring(disk, PATH))).toBe('read')
  })

  it('with any bit changed, or cut anywhere, is damaged: never another identity, never a new one', async () => {
    const { disk } = await kept()
    const bytes = await disk.read(PATH)
    const random = new SimulatedRandom(5)
    for (let i = 0; i < 1_000; i += 1) {
      const changed = i % 2 === 0 ? bytes.slice() : bytes.slice(0, random.below(bytes.length))
      if (i % 2 === 0) changed[random.below(changed.length)]! ^= 1 << random.below(8)
      let thrown: unknown
      try {
        decodeKeyring(PATH, changed)
      } catch (error) {
        thrown = error
      }
      expect((thrown as LoqaError).code).toBe('keyring-damaged')
    }
  })

  it('of a newer version is left alone', async () => {
    const { disk } = await kept()
    const [, body] = Buffer.from(await disk.read(PATH))
      .toString()
      .split('\n')
    const newer = JSON.stringify({ ...JSON.parse(body!), version: 2 })
    const { hash } = await import('../../../src/cluster/household/crypto.ts')
    await disk.write(PATH, Buffer.from(`${hex(hash(Buffer.from(newer)))}\n${newer}\n`))
    expect(await codeOf(readKeyring(disk, PATH))).toBe('keyring-too-new')
  })

  it('holds keys that belong to the card in it', async () => {
    const { a } = await kept()
    const { self, roster, keychain, locked } = a.state
    const foreign = { ...self, identity: newSecret(new SimulatedRandom(9)) }
    const bytes = encodeKeyring({ self: foreign, roster, keychain, locked, incarnation: 1 })
    expect(() => decodeKeyring(PATH, bytes)).toThrow('is damaged')
  })
})

describe('a secret', () => {
  const secret = new Secret(Buffer.from('correct horse battery staple'))
  const ways: [string, () => string][] = [
    ['in a template', () => `${secret}`],
    ['joined to a text', () => `key ${String(secret)}`],
    ['in JSON', () => JSON.stringify({ secret })],
    ['inspected', () => inspect(secret, { showHidden: true, depth: null })],
    ['inspected inside others', () => inspect({ deep: [{ secret }] }, { depth: null })],
    ['cloned', () => inspect(structuredClone({ secret }), { showHidden: true })],
    ['spread', () => JSON.stringify({ ...secret })],
    ['as entries', () => JSON.stringify(Object.entries(secret))],
    ['in an error', () => String(new LoqaError('x', `cannot use ${secret}`).message)],
  ]
  it.each(ways)('%s says nothing', (_way, show) => {
    const shown = show()
    for (const trace of ['correct', 'horse', '636f7272', 'Y29ycmVj', '99, 111', '99,111']) {
      expect(shown).not.toContain(trace)
    }
  })

  it('of a whole node does not show in its state, effects or audit lines', async () => {
    const { a } = await kept()
    const shown =
      inspect(a, { depth: null, showHidden: true }) + JSON.stringify([...a.state.keychain, a.state.self])
    for (const held of [a.state.self.identity, a.state.self.sealing, a.state.keychain[0]!.key]) {
      expect(shown).not.toContain(hex(held.expose()))
      expect(shown).not.toContain(Buffer.from(held.expose()).toString('base64'))
    }
  })
})

describe('a box sealed to one key', () => {
  const random = new SimulatedRandom(4)
  const own = newSecret(random)
  const bound = Buffer.from('household and node')
  const sealed = sealTo(sealingPublicKey(own), newSecret(random), bound, Buffer.from('the key'))!

  it('opens for that key and what it is bound to, and for nothing else', () => {
    expect(Buffer.from(unsealOwn(own, bound, sealed)!).toString()).toBe('the key')
    expect(unsealOwn(newSecret(random), bound, sealed)).toBeUndefined()
    expect(unsealOwn(own, Buffer.from('another node'), sealed)).toBeUndefined()
    for (let at = 0; at < sealed.length; at += 7) {
      const changed = sealed.slice(0, at) + (sealed[at] === '0' ? '1' : '0') + sealed.slice(at + 1)
      expect(unsealOwn(own, bound, changed)).toBeUndefined()
    }
  })

  it('is not made for a point of low order', () => {
    expect(sealTo('0'.repeat(64), newSecret(random), bound, bound)).toBeUndefined()
  })

  it('uses keys that differ by what they are for', () => {
    const [a, b] = deriveKeys(own, bound, 'one', 2)
    const [c] = deriveKeys(own, bound, 'two', 1)
    expect(new Set([a, b, c].map((key) => hex(key!.expose()))).size).toBe(3)
  })
})
