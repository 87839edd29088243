import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NodeRow } from '../../src/api/index.ts'
import { Lan, type LanNode, together, whyNoLan } from './rig.ts'

/** Bounds of what is promised, generous because the machine may be busy with other tests; `bench/cluster/lan.ts` measures. */
describe.skipIf(whyNoLan !== undefined)('a house in which things fail', () => {
  let lan: Lan
  let nodes: LanNode[] = []
  beforeAll(async () => {
    lan = new Lan()
    nodes = await lan.start(['a', 'b', 'c'])
    await together(nodes, 20_000)
  }, 60_000)
  afterAll(() => lan.close())

  const others = (node: LanNode): LanNode[] => nodes.filter((other) => other !== node)

  it('a killed process is out of use at once, and comes back under the same id', async () => {
    const [, , victim] = nodes as [LanNode, LanNode, LanNode]
    const killed = Date.now()
    await victim.end('SIGKILL')
    for (const node of others(victim)) {
      await node.until(() => node.link(victim)?.message.includes('no longer'), 2_000, 'the end of the link')
      expect(node.link(victim)!.at - killed).toBeLessThan(1_000)
      expect(node.verdict(victim, 'suspect', killed)).toBeDefined()
    }
    victim.start()
    await victim.ready()
    await together(nodes, 20_000)
  }, 60_000)

  it('a cut cable is suspected, then dead; after the heal all are connected again', async () => {
    const [, , victim] = nodes as [LanNode, LanNode, LanNode]
    const cut = Date.now()
    victim.host.cut()
    for (const node of others(victim)) {
      const suspected = await node.until(() => node.verdict(victim, 'suspect', cut), 4_000, 'suspicion')
      const dead = await node.until(() => node.verdict(victim, 'dead', cut), 10_000, 'the verdict')
      expect(suspected.at - cut).toBeLessThan(2_500)
      expect(dead.at - cut).toBeLessThan(8_000)
    }
    const rows = await nodes[0]!.json<NodeRow[]>('nodes')
    const row = rows.find(({ id }) => id === victim.id)
    expect(row?.state).toBe('dead')
    expect(row?.why_not_connected).toMatchObject({ reason: expect.stringMatching(/unreachable|connecting/) })
    const healed = Date.now()
    victim.host.plug()
    expect((await together(nodes, 15_000)) - healed).toBeLessThan(8_000)
  }, 90_000)

  it('a process that stands still for three seconds is not given up', async () => {
    const [, , victim] = nodes as [LanNode, LanNode, LanNode]
    const since = Date.now()
    victim.signal('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    victim.signal('SIGCONT')
    for (const node of others(victim)) {
      await node.until(() => node.verdict(victim, 'suspect', since), 4_000, 'that it was noticed')
      await node.until(() => node.verdict(victim, 'alive', since), 5_000, 'that it is well again')
      expect(node.verdict(victim, 'dead', since)).toBeUndefined()
    }
    for (const other of others(victim)) expect(victim.verdict(other, 'dead', since)).toBeUndefined()
  }, 60_000)

  it('a process that is busy with itself for three seconds is not given up', async () => {
    const [, , victim] = nodes as [LanNode, LanNode, LanNode]
    const since = Date.now()
    await victim.busy(3_000)
    expect(Date.now() - since).toBeGreaterThan(3_000)
    for (const node of others(victim)) {
      await node.until(() => node.verdict(victim, 'suspect', since), 4_000, 'that it was noticed')
      await node.until(() => node.verdict(victim, 'alive', since), 5_000, 'that it is well again')
      expect(node.verdict(victim, 'dead', since)).toBeUndefined()
    }
    for (const other of others(victim)) expect(victim.verdict(other, 'dead', since)).toBeUndefined()
  }, 60_000)

  it('a node that is asked to end says goodbye: nobody suspects it', async () => {
    const [, victim] = nodes as [LanNode, LanNode, LanNode]
    const since = Date.now()
    expect(await victim.end('SIGTERM')).toBe(0)
    expect(Date.now() - since).toBeLessThan(5_000)
    for (const node of others(victim)) {
      await node.until(() => node.verdict(victim, 'left', since), 2_000, 'the goodbye')
      expect(node.verdict(victim, 'suspect', since)).toBeUndefined()
    }
    nodes = others(victim)
  }, 30_000)

  it('a copied data directory is named on both sides, and the older one writes nothing more', async () => {
    const [, victim] = nodes as [LanNode, LanNode]
    const { cpSync, mkdtempSync, rmSync } = await import('node:fs')
    const data = mkdtempSync('/tmp/loqa-lan-copy-')
    cpSync(victim.data, data, { recursive: true, filter: (from) => !/owner|runtime/.test(from) })
    try {
      const copy = lan.host().spawn('copy', { data })
      await copy.ready()
      const named = (node: LanNode) => node.lines.find(({ message }) => message === 'Two nodes share one id')
      await victim.until(() => named(victim), 20_000, 'that it has a copy')
      await nodes[0]!.until(() => named(nodes[0]!), 5_000, 'that two share one id')
      const said = await victim.loqa('ask', 'add milk to the shopping list')
      expect(said.code === 0 && /added/i.test(said.stdout)).toBe(false)
      await copy.end('SIGKILL')
    } finally {
      rmSync(data, { recursive: true, force: true })
    }
  }, 90_000)
})
