/**
 * A household on a LAN of network namespaces is cut in two, both sides go on writing, the cable is plugged in again: how long until all hold
 * the same, from the moment it is plugged. Each node is asked by the command line, which takes about 0.1 s of it. Needs root.
 *
 *   node bench/store/lan.ts [rounds]     5 by default
 */
import type { StoreView, TurnView } from '../../src/api/index.ts'
import { agreed, Lan, type LanNode, together } from '../../test/lan/rig.ts'
import { percentiles, print } from '../skills/measure.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const ITEMS = ['bread', 'cheese', 'milk', 'eggs', 'butter', 'apples', 'bananas', 'coffee']

const lan = new Lan()
try {
  const nodes = await lan.start(['a', 'b', 'c'])
  await together(nodes, 20_000)
  const [a, , c] = nodes as [LanNode, LanNode, LanNode]
  const ask = (node: LanNode, text: string): Promise<TurnView> => node.json<TurnView>('ask', text)
  const series: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await agreed(nodes, 20_000)
    const cut = Date.now()
    c.host.cut()
    await a.until(() => a.verdict(c, 'suspect', cut), 10_000, 'that the cut is noticed')
    const item = (n: number): string => ITEMS[(round * 2 + n) % ITEMS.length]!
    await ask(a, `add ${item(0)} to the shopping list`)
    await ask(c, `add ${item(1)} to the shopping list`)
    await ask(a, `set a timer for ${round + 20} minutes`)
    await ask(c, `set a timer for ${round + 40} minutes`)
    const plugged = Date.now()
    c.host.plug()
    series.push((await agreed(nodes, 30_000)) - plugged)
  }
  const { entries } = await a.json<StoreView>('store')
  print('LAN: plugged in again to all alike', {
    unit: 'ms',
    entries,
    ...percentiles(series),
    most: Math.max(...series),
  })
} finally {
  await lan.close()
}
