import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PersonRow, TimelineRow, TurnView } from '../../src/api/index.ts'
import { agreed, Lan, type LanNode, together, whyNoLan } from './rig.ts'

const asAnna = ['--scope', 'persistent', '--person', 'Anna']

describe.skipIf(whyNoLan !== undefined)('a person of the household', () => {
  let lan: Lan
  let nodes: LanNode[] = []
  beforeAll(async () => {
    lan = new Lan()
    nodes = await lan.start(['a', 'b', 'c'])
    await together(nodes, 20_000)
  }, 60_000)
  afterAll(() => lan.close())

  const hers = async (node: LanNode): Promise<number> =>
    (await node.json<TimelineRow[]>('sessions', 'show')).filter(({ scope }) => scope === 'persistent').length
  const names = async (node: LanNode): Promise<string[]> =>
    (await node.json<PersonRow[]>('persons', 'ls')).map(({ name }) => name)
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 20_000
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error('it did not come to that in time')
      await new Promise((done) => setTimeout(done, 100))
    }
  }
  const sayEverywhere = async (): Promise<void> => {
    for (const node of nodes) await node.json<TurnView>('ask', 'what time is it', ...asAnna)
  }

  it('is known, and has consented, on every node', async () => {
    const [a, b, c] = nodes as [LanNode, LanNode, LanNode]
    await a.json('persons', 'add', 'Anna')
    await agreed(nodes, 10_000)
    await b.json('persons', 'consent', 'Anna', '--give')
    await agreed(nodes, 10_000)
    await until(async () => (await c.json<PersonRow[]>('persons', 'ls'))[0]?.consent?.given === true)
    await sayEverywhere()
    for (const node of nodes) expect(await hers(node)).toBe(1)
  }, 60_000)

  it('who withdraws the consent on one node has nothing kept on any, and may give it again', async () => {
    const [a, , c] = nodes as [LanNode, LanNode, LanNode]
    await c.json('persons', 'consent', 'Anna', '--withdraw')
    for (const node of nodes) await until(async () => (await hers(node)) === 0)
    await a.json('persons', 'consent', 'Anna', '--give')
    await agreed(nodes, 10_000)
    await sayEverywhere()
    for (const node of nodes) expect(await hers(node)).toBe(1)
  }, 90_000)

  it('who is erased is gone from every node, from one that was away when it returns', async () => {
    const [a, b, c] = nodes as [LanNode, LanNode, LanNode]
    await agreed(nodes, 10_000)
    const cut = Date.now()
    c.host.cut()
    await a.until(() => a.verdict(c, 'suspect', cut), 6_000, 'that the cut is noticed')
    await a.json('persons', 'erase', 'Anna', '--yes')
    expect([await hers(a), await names(a)]).toEqual([0, []])
    await until(async () => (await hers(b)) === 0)
    expect([await hers(c), await names(c)]).toEqual([1, ['Anna']])
    c.host.plug()
    await agreed(nodes, 20_000)
    await until(async () => (await hers(c)) === 0)
    for (const node of nodes) expect(await names(node)).toEqual([])
  }, 90_000)
})
