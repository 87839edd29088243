/** Placed actors in running clusters: real membership, links, runtimes and placing; virtual time. Each lives on one node, and outlives it. */
import { afterEach, describe, expect, it } from 'vitest'
import { noHosting } from '../../../src/actors/hosting.ts'
import { type Address, createRuntime, placedAddress, type Runtime } from '../../../src/actors/index.ts'
import { createRemote, Placing, type Remote, remoteListener } from '../../../src/cluster/index.ts'
import type { PlacedKinds } from '../../../src/cluster/placement/placer-state.ts'
import { probe } from '../../actors/probe.ts'
import { offer } from '../placement/house.ts'
import { type Home, House } from './house.ts'

const KINDS: PlacedKinds = new Map([
  ['probe', { requirement: { tag: 'llm', tier: 'balanced', place: undefined }, when_lost: 'start-anew' }],
])

interface Living {
  readonly home: Home
  readonly runtime: Runtime
  readonly remote: Remote
  readonly placing: Placing
}

let house: House
const all: Living[] = []
afterEach(async () => {
  const stops = all.splice(0).map(({ home, placing }) => {
    placing.close()
    return home.cluster.stop()
  })
  await house.pass(1_000)
  await Promise.all(stops)
})

async function settle(seed: number, ...names: string[]): Promise<Living[]> {
  house = new House(seed)
  for (const name of names) all.push(await move(await house.found(name)))
  const together = (): boolean =>
    all.every(
      ({ home }) =>
        home.connected().length === names.length - 1 && home.cluster.sheets().size === names.length - 1,
    )
  await house.until(together, 20_000)
  return all.slice()
}

/** What the composition root does, with a probe in place of everything else. */
async function move(home: Home): Promise<Living> {
  const { clock, random } = house
  const { cluster } = home
  const placing = new Placing({
    node: home.id,
    clock,
    kinds: KINDS,
    cluster: () => cluster,
    log: () => undefined,
  })
  const remote = createRemote({ node: home.id, boot: cluster.boot, clock, placed: placing.placed })
  const none = () => undefined
  const runtime = createRuntime({
    node: home.id,
    boot: cluster.boot,
    host: { clock, random },
    remote: remote.port,
    behaviors: { probe: { behavior: probe, from_afar: { args: () => true } } },
    outside: {},
    observe: { log: none, metric: none, audit: none },
    hosting: noHosting,
  })
  remote.connect(placing.connect(runtime, remote))
  cluster.listen(remoteListener(remote))
  cluster.listen(placing.listener)
  cluster.announce({ room: 'hall', program: 'test', load: 0, capabilities: [offer('llm.x:3b')] })
  return { home, runtime, remote, placing }
}

const keys = Array.from({ length: 20 }, (_, i) => `n${i}`)
const copies = (address: Address): string[] =>
  all.filter(({ runtime }) => runtime.find(address) !== undefined).map(({ home }) => home.id)
const named = (address: Address): Set<string | undefined> =>
  new Set(all.map(({ remote }) => remote.whereIs(address)))
/** One copy, on the node that all name. */
const isOne = (key: string): boolean => {
  const address = placedAddress('probe', key)
  const [only, ...more] = copies(address)
  return only !== undefined && more.length === 0 && named(address).size === 1 && named(address).has(only)
}

async function placeAll(by: Living): Promise<void> {
  const placed = keys.map((key) => by.placing.want('probe', key))
  await house.pass(200)
  await Promise.all(placed)
}

describe('placed actors of a household', () => {
  it('are started on the nodes that are less busy, spread over them, and found from all', async () => {
    const [a, b, c] = (await settle(21, 'a', 'b', 'c')) as [Living, Living, Living]
    a.home.cluster.announce({ room: 'hall', program: 'test', load: 1, capabilities: [offer('llm.x:3b')] })
    await house.pass(100)
    await placeAll(a)
    for (const key of keys) expect(isOne(key), key).toBe(true)
    const on = ({ runtime }: Living) => runtime.actors().filter(({ kind }) => kind === 'probe').length
    expect(on(a)).toBe(0)
    expect(Math.min(on(b), on(c))).toBeGreaterThan(0)
  })

  it('are all alive again soon after their node was killed, each once', async () => {
    const [a, b, c] = (await settle(22, 'a', 'b', 'c')) as [Living, Living, Living]
    await placeAll(a)
    house.kill(a.home)
    all.splice(all.indexOf(a), 1)
    a.placing.close()
    a.remote.close()
    const took = await house.until(() => keys.every(isOne), 20_000)
    if (process.env.SHOW) console.log({ all_alive_again_ms: took })
    expect(took).toBeLessThan(8_000)
    // Both have some, as the seats say: nobody had to wait for a second turn.
    for (const { runtime } of [b, c]) expect(runtime.actors().some(({ kind }) => kind === 'probe')).toBe(true)
    await house.pass(20_000)
    for (const key of keys) expect(isOne(key), key).toBe(true)
  })

  it('started anew behind a partition are one again after it', async () => {
    const [a, b, c] = (await settle(23, 'a', 'b', 'c')) as [Living, Living, Living]
    await placeAll(a)
    for (const other of [b, c]) house.network.cut(a.home.id, other.home.id)
    await house.until(() => keys.every((key) => copies(placedAddress('probe', key)).length === 2), 30_000)
    house.network.heal()
    await house.until(() => keys.every(isOne), 20_000)
    await house.pass(20_000)
    for (const key of keys) expect(isOne(key), key).toBe(true)
  })

  it('of a node that leaves go to the others', async () => {
    const [a] = await settle(24, 'a', 'b')
    await placeAll(a!)
    all.splice(all.indexOf(a!), 1)
    a!.placing.close()
    const stopped = a!.home.cluster.stop()
    const took = await house.until(() => keys.every(isOne), 10_000)
    expect(took).toBeLessThan(3_000)
    await stopped
  })
})
