import { describe, expect, it } from 'vitest'
import { isMovable, isOpen } from '../../src/cluster/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { householdOf, openIdentity, retireFormerId } from '../../src/node/identity.ts'
import { openAudit } from '../../src/observe/index.ts'

const DATA = '/data'

async function directory(seed: number) {
  const host = simulatedHost(seed)
  await host.disk.makeDirectory(DATA)
  const open = (options = { name: 'kitchen', locked: false }) => openIdentity(host, DATA, options)
  return { host, open }
}

describe('the identity of a node', () => {
  it('is founded at the first start, is the same at the next, and counts the starts', async () => {
    const { host, open } = await directory(1)
    const first = await open()
    expect(first.id).toMatch(/^12D3KooW/)
    expect(first.founded).toBe(true)
    expect((await host.disk.info(`${DATA}/keyring`))?.mode).toBe(0o600)
    const second = await open({ name: 'other', locked: true })
    expect(second.id).toBe(first.id)
    expect(second.founded).toBe(false)
    expect([first.keyring.incarnation, second.keyring.incarnation]).toEqual([1, 2])
  })

  it('opens its household for others at the first start only, and never when founded locked', async () => {
    const { host, open } = await directory(2)
    const context = { now: host.clock.monotonic() }
    expect(isOpen(householdOf(await open(), host), context)).toBe(true)
    expect(isOpen(householdOf(await open(), host), context)).toBe(false)

    const locked = await directory(3)
    const household = householdOf(await locked.open({ name: 'attic', locked: true }), locked.host)
    expect([isOpen(household, context), isMovable(household)]).toEqual([false, false])
  })

  it('that is damaged stops the node instead of making it another', async () => {
    const { host, open } = await directory(4)
    await open()
    const bytes = await host.disk.read(`${DATA}/keyring`)
    bytes[bytes.length >> 1]! ^= 1
    await host.disk.write(`${DATA}/keyring`, bytes, { mode: 0o600 })
    await expect(open()).rejects.toMatchObject({ code: 'keyring-damaged' })
    await host.disk.write(`${DATA}/keyring`, bytes, { mode: 0o644 })
    await expect(open()).rejects.toMatchObject({ code: 'keyring-exposed' })
  })
})

describe('a directory of the version before', () => {
  const OLD = '{"id":"0123456789abcdef","household":"fedcba9876543210"}\n'

  it('gets a key, and the audit log says which id became which; the chain stays whole', async () => {
    const { host, open } = await directory(5)
    await host.disk.write(`${DATA}/node.json`, Buffer.from(OLD))
    const before = await openAudit(host.disk, host.clock, `${DATA}/audit.log`, '0123456789abcdef')
    const said = { actor: 'a', who: '-', what: 'skill.call', object: 'timer', outcome: 'ok' }
    await before.append(said)

    const identity = await open()
    expect(identity.formerly).toBe('0123456789abcdef')
    const audit = await openAudit(host.disk, host.clock, `${DATA}/audit.log`, identity.id)
    await retireFormerId(host, DATA, identity, audit)
    expect(await audit.verify()).toMatchObject({ ok: true, records: 2 })
    const log = Buffer.from(await host.disk.read(`${DATA}/audit.log`)).toString()
    expect(log).toContain(`"object":"0123456789abcdef","outcome":"${identity.id}"`)
    expect(await host.disk.info(`${DATA}/node.json`)).toBeUndefined()
    expect((await open()).formerly).toBeUndefined()
  })

  it('keeps its new id when the process dies before the old file went', async () => {
    const { host, open } = await directory(6)
    await host.disk.write(`${DATA}/node.json`, Buffer.from(OLD))
    const first = await open()
    const second = await open()
    expect(second.id).toBe(first.id)
    expect(second.formerly).toBe('0123456789abcdef')
  })
})
