/** Nodes that place actors: the real runtime, remote layer and placing over links in memory; only who is alive is scripted. */
import type { Runtime } from '../../../src/actors/index.ts'
import type { Cluster } from '../../../src/cluster/index.ts'
import type { Member } from '../../../src/cluster/membership/state.ts'
import type { PlacedKinds } from '../../../src/cluster/placement/placer-state.ts'
import { Placing, type PlacingOptions } from '../../../src/cluster/placement/placing.ts'
import type { Sheet } from '../../../src/cluster/running/sheets.ts'
import type { NodeId } from '../../../src/host/index.ts'
import { type NodeOptions, Stage, type StageNode } from '../remote/stage.ts'

export const idle: Sheet = { version: 1, room: 'hall', program: 'test', load: 0, capabilities: [] }

/** A capability as a sheet tells it. */
export const offer = (tag: string, more: Partial<Sheet['capabilities'][number]> = {}) => ({
  ...{ tag, ready: true, p95_ms: 10, real_time_factor: null, tokens_per_s: null, room: 4, running: 0 },
  ...more,
})

type View = Pick<Cluster, 'members' | 'sheets' | 'rttOf' | 'sheet' | 'linkTo'>

export class PlacingHouse {
  readonly stage = new Stage()
  readonly placing = new Map<StageNode, Placing>()
  readonly sheets = new Map<NodeId, Sheet>()
  readonly logs: string[] = []
  /** Who holds whom for dead. */
  readonly #dead = new Set<string>()

  add(
    name: string,
    kinds: PlacedKinds,
    options: NodeOptions & Pick<PlacingOptions, 'yields'> = {},
    sheet: Sheet = idle,
  ): StageNode {
    let placing: Placing | undefined
    const view = (): View => this.viewOf(name)
    const { yields, connect, ...rest } = options
    const made = new Placing({
      node: name as NodeId,
      clock: this.stage.host.clock,
      kinds,
      cluster: view,
      log: (message) => this.logs.push(message),
      ...(yields === undefined ? {} : { yields }),
    })
    placing = made
    this.sheets.set(name as NodeId, sheet)
    const node = this.stage.add(name, {
      ...rest,
      placed: made.placed,
      connect(runtime, remote) {
        const here = placing.connect(runtime, remote)
        return connect === undefined ? here : connect({ ...runtime, fromAfar: here } as Runtime, remote)
      },
    })
    this.placing.set(node, made)
    this.#look()
    return node
  }

  async link(a: StageNode, b: StageNode): Promise<void> {
    await this.stage.link(a, b)
    this.#dead.delete(`${a.id} ${b.id}`)
    this.#dead.delete(`${b.id} ${a.id}`)
    this.#look()
    this.stage.advance(10)
  }

  /** `by` comes to the verdict that `node` is dead. */
  verdict(by: StageNode, node: StageNode): void {
    this.#dead.add(`${by.id} ${node.id}`)
    by.remote.dead(node.id)
    this.placing.get(by)!.listener.member?.({} as never)
  }

  /** No way between the two, and soon they hold each other for dead. */
  cut(a: StageNode, b: StageNode): void {
    a.links.get(b.id)?.link.abort('cut')
    a.links.delete(b.id)
    b.links.delete(a.id)
    this.stage.advance(10)
    this.verdict(a, b)
    this.verdict(b, a)
  }

  /** The process is gone; the others find out. */
  kill(node: StageNode): void {
    this.stage.network.kill(node.id)
    this.placing.get(node)!.close()
    this.placing.delete(node)
    this.sheets.delete(node.id)
    node.remote.close()
    this.stage.nodes.delete(node.id)
    this.stage.advance(10)
    for (const other of this.placing.keys()) this.verdict(other, node)
  }

  of(node: StageNode): Placing {
    return this.placing.get(node)!
  }

  viewOf(name: string): View {
    const others = [...this.stage.nodes.values()].filter(({ id }) => id !== name)
    return {
      members: () =>
        others.map(({ id }) => ({
          id,
          standing: { status: this.#dead.has(`${name} ${id}`) ? 'dead' : 'alive' },
          repute: { steady: true },
        })) as unknown as readonly Member[],
      sheets: () => new Map([...this.sheets].map(([id, sheet]) => [id, { boot: 'x', sheet }])),
      rttOf: () => 1,
      sheet: this.sheets.get(name as NodeId),
      linkTo: (id) => {
        const held = this.stage.nodes.get(name)?.links.get(id)?.link
        return held !== undefined && this.stage.nodes.has(id) ? held : undefined
      },
    }
  }

  #look(): void {
    for (const placing of this.placing.values()) placing.listener.member?.({} as never)
  }
}
