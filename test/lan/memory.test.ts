import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreView, TurnView } from '../../src/api/index.ts'
import { agreed, Lan, type LanNode, together, whyNoLan } from './rig.ts'

/** Bounds are generous because the machine may be busy with other tests; `bench/store/lan.ts` measures. */
describe.skipIf(whyNoLan !== undefined)('what the household remembers', () => {
  let lan: Lan
  let nodes: LanNode[] = []
  beforeAll(async () => {
    lan = new Lan()
    nodes = await lan.start(['a', 'b', 'c'])
    await together(nodes, 20_000)
  }, 60_000)
  afterAll(() => lan.close())

  const ask = async (node: LanNode, text: string): Promise<string> =>
    (await node.json<TurnView>('ask', text)).reply

  it('what is said on one node is known on every other', async () => {
    const [a, b, c] = nodes as [LanNode, LanNode, LanNode]
    expect(await ask(a, 'add milk and eggs to the shopping list')).toMatch(/added/i)
    expect(await ask(a, 'set a pasta timer for ten minutes')).toMatch(/pasta timer set/i)
    await agreed(nodes, 10_000)
    expect(await ask(b, 'what is on the shopping list')).toMatch(/milk.*eggs|eggs.*milk/)
    expect(await ask(c, 'how long is left on the pasta timer')).toMatch(/nine minutes|ten minutes/)
    expect(await ask(b, 'cancel the pasta timer')).toMatch(/cancelled/)
    await agreed(nodes, 10_000)
    expect(await ask(a, 'how long is left on the pasta timer')).toMatch(/no .*timer/)
  }, 60_000)

  it('both sides of a cut go on, and agree after it: nothing acknowledged is lost, nothing deleted is back', async () => {
    const [a, b, c] = nodes as [LanNode, LanNode, LanNode]
    await agreed(nodes, 10_000)
    const cut = Date.now()
    c.host.cut()
    await a.until(() => a.verdict(c, 'suspect', cut), 6_000, 'that the cut is noticed')
    expect(await ask(a, 'add bread to the shopping list')).toMatch(/added/i)
    expect(await ask(b, 'remove milk from the shopping list')).toMatch(/took/i)
    expect(await ask(c, 'add cheese to the shopping list')).toMatch(/added/i)
    expect(await ask(c, 'set a tea timer for ten minutes')).toMatch(/tea timer set/i)
    c.host.plug()
    await agreed(nodes, 20_000)
    for (const node of nodes) {
      const list = await ask(node, 'what is on the shopping list')
      for (const item of ['bread', 'cheese', 'eggs']) expect(list).toContain(item)
      expect(list).not.toContain('milk')
      expect(await ask(node, 'how long is left on the tea timer')).toMatch(/minutes/)
    }
  }, 90_000)

  it('a node that comes late knows it all, and a node that went away hears what it missed', async () => {
    const [a, b] = nodes as [LanNode, LanNode]
    await b.end('SIGKILL')
    expect(await ask(a, 'add salt to the shopping list')).toMatch(/added/i)
    b.start()
    const late = lan.host().spawn('late')
    nodes.push(late)
    await Promise.all([b.ready(), late.ready()])
    await together(nodes, 30_000)
    await agreed(nodes, 20_000)
    const { entries, writers, peers } = await late.json<StoreView>('store')
    expect(entries).toBeGreaterThan(3)
    expect(writers.length).toBeGreaterThanOrEqual(3)
    expect(peers.every(({ ahead }) => ahead === 0)).toBe(true)
    expect(await ask(late, 'what is on the shopping list')).toContain('salt')
  }, 120_000)
})
