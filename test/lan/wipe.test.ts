import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreView, TurnView } from '../../src/api/index.ts'
import { decodeKeyring } from '../../src/cluster/household/keyring.ts'
import { realHost } from '../../src/host/real.ts'
import { openReplica } from '../../src/store/crdt/index.ts'
import { openKeys } from '../../src/store/index.ts'
import { agreed, Lan, type LanNode, together, whyNoLan } from './rig.ts'

const CANARY = 'heliotrope umbrella'

/** All that a node that does not run holds of the household's memory, opened with its own key. */
async function memoryOf(node: LanNode): Promise<string> {
  const { disk, random } = realHost()
  const keys = await openKeys({ disk, random, directory: node.data })
  const { self } = decodeKeyring('keyring', readFileSync(join(node.data, 'keyring')))
  const replica = await openReplica({
    path: join(node.data, 'replica'),
    key: keys.for('replica'),
    writer: { node: self.card.node, seed: self.identity.expose() },
  })
  const tables = ['SELECT * FROM entries', 'SELECT origin, hex(batch) FROM log']
  const rows = await Promise.all(tables.map((sql) => replica.read({ sql })))
  await replica.close()
  return JSON.stringify(rows)
}

/** How often it has said that it is ready since it was spawned. */
const starts = (node: LanNode): number => node.output.split(' is ready, room').length - 1

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(directory, entry.name)) : [join(directory, entry.name)],
  )

describe.skipIf(whyNoLan !== undefined)('what must not be remembered', () => {
  let lan: Lan
  let nodes: LanNode[] = []
  beforeAll(async () => {
    lan = new Lan()
    nodes = await lan.start(['a', 'b', 'c'])
    await together(nodes, 20_000)
  }, 60_000)
  afterAll(() => lan.close())

  it('what is said for nobody to keep is in no other memory; what a reminder needs is in all', async () => {
    const [a, , c] = nodes as [LanNode, LanNode, LanNode]
    await a.json<TurnView>('ask', CANARY, '--scope', 'ephemeral')
    const { reply } = await a.json<TurnView>('ask', 'remind me to feed the cat in ten minutes')
    expect(reply).toMatch(/remind you/)
    await agreed(nodes, 10_000)
    expect(await c.end('SIGTERM')).toBe(0)
    const memory = await memoryOf(c)
    expect(memory).toContain('feed the cat')
    for (const form of ['heliotrope', Buffer.from('heliotrope').toString('hex').toUpperCase()])
      expect(memory).not.toContain(form)
    expect(memory).toContain(Buffer.from('feed the cat').toString('hex').toUpperCase())
    c.start()
    await c.ready()
  }, 60_000)

  it('the red button leaves nothing on nodes that are there, nor on one that returns later', async () => {
    const [a, b, c] = nodes as [LanNode, LanNode, LanNode]
    await together(nodes, 20_000)
    await agreed(nodes, 10_000)
    await a.json('store', 'backup')
    const keys = nodes.map(({ data }) => readFileSync(join(data, 'store.key')))
    // One is away and keeps all of it.
    await c.end('SIGKILL')
    const plan = await a.json<{ nodes: { name: string; connected: boolean }[] }>('wipe', '--dry-run')
    expect(plan.nodes.map(({ name, connected }) => [name, connected]).toSorted()).toEqual([
      ['b', true],
      ['c', false],
    ])
    expect((await a.json<StoreView>('store')).entries).toBeGreaterThan(0)
    const refused = await a.loqa('wipe', '--json')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('Nothing was changed')])
    const began = Date.now()
    expect((await a.loqa('wipe', '--yes')).code).toBe(0)
    for (const node of [a, b]) {
      await node.until(() => starts(node) === 2, 20_000, 'that it began anew')
    }
    c.start()
    await c.until(() => starts(c) === 2, 30_000, 'that it was wiped when it returned')
    await Promise.all(
      nodes.map((node) =>
        node.until(() => (node.connectedTo(nodes) ?? 0) > began, 30_000, 'that they are one household again'),
      ),
    )
    await agreed(nodes, 20_000)
    for (const [i, node] of nodes.entries()) {
      expect((await node.json<TurnView>('ask', 'which reminders do i have')).reply).toMatch(/no reminders/)
      const key = keys[i]!
      expect(readFileSync(join(node.data, 'store.key')).equals(key)).toBe(false)
      const master = JSON.parse(key.toString()) as Record<string, unknown>
      const secret = Object.values(master).find((value) => typeof value === 'string' && value.length >= 40)
      expect(secret).toBeDefined()
      for (const file of filesIn(node.data)) {
        const bytes = readFileSync(file)
        expect([file, bytes.includes(Buffer.from(secret as string))]).toEqual([file, false])
        expect([file, bytes.includes('feed the cat')]).toEqual([file, false])
      }
    }
    expect(filesIn(join(a.data, 'backups'))).toEqual([])
    expect(existsSync(join(c.data, 'wiped.json'))).toBe(true)
    expect(await a.json<TurnView>('ask', 'add milk to the shopping list')).toMatchObject({
      intent: 'list.add',
    })
    await agreed(nodes, 10_000)
    expect((await c.json<TurnView>('ask', 'what is on the shopping list')).reply).toContain('milk')
  }, 150_000)
})
