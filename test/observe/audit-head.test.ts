/** The oldest records of a log may go when they are old enough; what is left is as sure as before. */
import { sign as ed25519Sign, verify as ed25519Verify, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { cutBefore, headLine, readHead } from '../../src/observe/audit-head.ts'
import { AuditKeeper, openAudit } from '../../src/observe/index.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const KEEP_MS = 100 * DAY_MS
const PATH = '/d/audit.log'

const keys = { attic: generateKeyPairSync('ed25519'), cellar: generateKeyPairSync('ed25519') }
type Name = keyof typeof keys
const signAs = (name: Name) => (bytes: Uint8Array) =>
  ed25519Sign(null, bytes, keys[name].privateKey).toString('hex')
const isSigned = (node: string, bytes: Uint8Array, signature: string): boolean =>
  node in keys && ed25519Verify(null, bytes, keys[node as Name].publicKey, Buffer.from(signature, 'hex'))

/** A node that wrote a record a day, for `days`. */
async function house(days: number) {
  const { disk, clock } = simulatedHost(1)
  await disk.makeDirectory('/d')
  const shelf = new Map<string, unknown>()
  const open = async () => {
    const audit = await openAudit(disk, clock, PATH, 'attic')
    const keeper = await AuditKeeper.open({
      ...{ audit, disk, clock, path: '/d/audit.checkpoint', node: 'attic', isSigned, sign: signAs('attic') },
      shelf: {
        list: async () => [...shelf].map(([key, value]) => ({ key, value })),
        put: async (key, value) => void shelf.set(key, value),
      },
      checked: () => undefined,
      failed: (what, error) => {
        throw new Error(what, { cause: error })
      },
    })
    return { audit, keeper }
  }
  const { audit, keeper } = await open()
  const write = (object: string) =>
    audit.append({ actor: 'a', who: '-', what: 'skill.call', object, outcome: 'ok' })
  for (let day = 0; day < days; day += 1) {
    clock.jumpWall(DAY_MS)
    await write(`day ${day}`)
  }
  await keeper.checkpoint()
  const lines = async () =>
    new TextDecoder()
      .decode(await disk.read(PATH))
      .split('\n')
      .slice(0, -1)
  const faults = async (text: readonly string[]) => {
    await disk.write(PATH, new TextEncoder().encode(text.map((line) => `${line}\n`).join('')))
    const { verdict } = await (await open()).keeper.verify()
    return verdict.ok ? [] : verdict.faults.map(({ kind, line }) => [kind, line])
  }
  return { disk, shelf, audit, keeper, open, lines, faults }
}

describe('a log that is older than it is to be', () => {
  it('stays while there is less than a month too much of it', async () => {
    const { keeper, lines } = await house(131)
    await keeper.retain(KEEP_MS)
    expect(await lines()).toHaveLength(131)
  })

  it('loses a month, says so, and is whole before and after a restart', async () => {
    const { keeper, audit, open, lines } = await house(140)
    await keeper.retain(KEEP_MS)
    expect(keeper.report?.verdict).toMatchObject({ ok: true, records: 110, begins_after: 31 })
    const [head, first] = await lines()
    expect(head).toMatch(/^\{"head":\{"node":"attic","seq":31,/)
    expect(JSON.parse(first!)).toMatchObject({ seq: 32 })
    const told = { what: 'audit.cut', object: 'up to record 31', outcome: 'older than 100 days' }
    expect(await audit.list({ limit: 1 })).toMatchObject([told])
    const again = await open()
    await again.audit.append({ actor: 'a', who: '-', what: 'skill.call', object: 'o', outcome: 'ok' })
    await again.keeper.retain(KEEP_MS)
    expect((await again.keeper.verify()).verdict).toMatchObject({ ok: true, records: 111, begins_after: 31 })
  })

  it('is not touched when it has a fault', async () => {
    const { lines, faults, open } = await house(200)
    const good = await lines()
    expect(await faults(good.with(150, good[150]!.replace('"ok"', '"no"')))).toEqual([['changed', 151]])
    await (await open()).keeper.retain(KEEP_MS)
    expect(await lines()).toHaveLength(200)
  })

  it('is not touched where no checkpoint reaches', async () => {
    const { lines, open, disk, shelf } = await house(200)
    await disk.remove('/d/audit.checkpoint')
    shelf.clear()
    await (await open()).keeper.retain(KEEP_MS)
    expect(await lines()).toHaveLength(200)
  })

  it('stays whole, and leaves nothing behind, when the disk is full meanwhile', async () => {
    const { audit, disk, lines } = await house(200)
    disk.faults = { ...disk.faults, capacity: 0 }
    const last = await audit.lastBefore(Number.POSITIVE_INFINITY)
    expect(last).toMatchObject(audit.position())
    await expect(audit.cut(50, '{"head":1}')).rejects.toMatchObject({ code: 'disk-full' })
    disk.faults = { ...disk.faults, capacity: Number.POSITIVE_INFINITY }
    await expect(audit.cut(1_000, '{"head":1}')).rejects.toMatchObject({ code: 'audit-changed' })
    expect(await lines()).toHaveLength(200)
    expect(await disk.list('/d')).toEqual(['audit.checkpoint', 'audit.log'])
  })

  it('is still found out whatever is done to it', async () => {
    const { keeper, lines, faults } = await house(200)
    await keeper.retain(KEEP_MS)
    const good = await lines()
    const [head, ...records] = good as [string, ...string[]]
    expect(await faults(good)).toEqual([])
    expect(await faults(records)).toEqual([['out-of-order', 1]])
    expect(await faults([head, ...records.slice(1)])).toEqual([['out-of-order', 2]])
    expect(await faults([head.replace('"seq":31', '"seq":32'), ...records.slice(1)])).toMatchObject([
      ['unreadable', 1],
      ['out-of-order', 2],
    ])
    expect(await faults([head, head, ...records])).toEqual([['unreadable', 2], expect.anything()])
    expect(await faults([head.replace(':', ': '), ...records])).toMatchObject([
      ['unreadable', 1],
      ['out-of-order', 2],
    ])
    expect((await faults([head, ...records.slice(0, -60)]))[0]).toMatchObject(['tail-missing', 112])
    // Signed, by somebody else.
    const { seq, prev_hash } = JSON.parse(records[5]!) as { seq: number; prev_hash: string }
    const claim = { seq: seq - 1, hash: prev_hash }
    for (const node of ['cellar', 'attic']) {
      const forged = headLine(node, claim, '2026-01-02T03:04:05.000Z', signAs('cellar'))
      expect((await faults([forged, ...records.slice(5)])).length, node).toBeGreaterThan(0)
    }
  })
})

describe('when it is cut', () => {
  it('is told by a month of records that are too old', () => {
    const now = 1_000 * DAY_MS
    expect(cutBefore(now, now - 130 * DAY_MS, KEEP_MS)).toBeUndefined()
    expect(cutBefore(now, now - 131 * DAY_MS, KEEP_MS)).toBe(now - 100 * DAY_MS)
    // A clock a century ahead costs a month, not the log.
    expect(cutBefore(now + 36_500 * DAY_MS, now, KEEP_MS)).toBe(now + 31 * DAY_MS)
    expect(cutBefore(now - 500 * DAY_MS, now, KEEP_MS)).toBeUndefined()
  })

  it('is said by a line that only the node can write', () => {
    const position = { seq: 7, hash: '1'.repeat(64) }
    const line = headLine('attic', position, '2026-01-02T03:04:05.000Z', signAs('attic'))
    expect(readHead(line, isSigned)).toMatchObject(position)
    expect(readHead(line, () => false)).toBeUndefined()
    for (const other of ['', '{}', '{"head":{}}', '{"head":{', line.replace('7', '8'), `${line} `])
      expect(readHead(other, isSigned), other).toBeUndefined()
  })
})
