/** Some nodes with real runtimes on one virtual clock, linked through a network in memory. */
import {
  type Address,
  type FromAfar,
  fixedAddress,
  type Message,
  placedAddress,
  type Ref,
  type Runtime,
} from '../../../src/actors/index.ts'
import { createSimulation, type Simulation, type SimulationOptions } from '../../../src/actors/simulate.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import type { LinkEvents, Remote, RemoteOptions } from '../../../src/cluster/remote/face.ts'
import { createRemote } from '../../../src/cluster/remote/remote.ts'
import type { Link, Mesh } from '../../../src/cluster/transport/mesh.ts'
import { type NodeId, nodeId } from '../../../src/host/index.ts'
import { type SimulatedHost, simulatedHost } from '../../../src/host/simulated/index.ts'
import { probe } from '../../actors/probe.ts'
import { MemoryNetwork } from '../transport/memory-mesh.ts'

export interface StageNode extends Simulation {
  readonly id: NodeId
  readonly remote: Remote
  readonly mesh: Mesh
  /** By peer: the link in use and how its events come in. */
  readonly links: Map<NodeId, { readonly link: Link; readonly events: LinkEvents }>
  /** Faults peers were found in. */
  readonly faults: string[]
}

export type NodeOptions = Partial<Omit<RemoteOptions, 'node' | 'clock' | 'random' | 'outside'>> &
  Pick<Partial<SimulationOptions>, 'behaviors' | 'outside' | 'observe'> & {
    /** Its ports for work of others. */
    readonly serving?: RemoteOptions['outside']
    /** Between the runtime and what comes from others; default: nothing. */
    readonly connect?: (runtime: Runtime, remote: Remote) => FromAfar
  }

const KEY = new Secret(new Uint8Array(32).fill(7))

export class Stage {
  readonly host: SimulatedHost
  readonly network: MemoryNetwork
  readonly nodes = new Map<string, StageNode>()
  /** Where placed actors live; the same for all. */
  readonly places = new Map<string, NodeId>()
  #boots = 0x1000_0000

  constructor(options: { seed?: number; latency_ms?: number } = {}) {
    this.host = simulatedHost(options.seed ?? 1)
    this.network = new MemoryNetwork(this.host.clock, { latency_ms: options.latency_ms ?? 1 })
  }

  /** A node, or a new life of it. */
  add(name: string, options: NodeOptions = {}): StageNode {
    const id = nodeId(name)
    const { behaviors, outside, observe, serving, connect, ...rest } = options
    this.#boots += 0x0101_0101
    const boot = options.boot ?? this.#boots
    const faults: string[] = []
    const { clock } = this.host
    const remote = createRemote({
      node: id,
      clock,
      whereIs: (address) => this.places.get(address),
      fault: (_peer, what) => faults.push(what),
      ...(serving === undefined ? {} : { outside: serving }),
      ...rest,
      boot,
    })
    const simulation = createSimulation({
      seed: 1,
      in_order: true,
      host: this.host,
      behaviors: behaviors ?? { probe: { behavior: probe, from_afar: { args: () => true } } },
      node: name,
      remote: remote.port,
      boot,
      ...(outside === undefined ? {} : { outside }),
      ...(observe === undefined ? {} : { observe }),
    })
    remote.connect(connect?.(simulation.runtime, remote) ?? simulation.runtime.fromAfar)
    const mesh = this.network.open(id, [KEY])
    const node: StageNode = { ...simulation, id, remote, mesh, links: new Map(), faults }
    mesh.onLink((link) => use(node, link))
    this.nodes.set(name, node)
    return node
  }

  async link(a: StageNode, b: StageNode): Promise<Link> {
    const dialled = a.mesh.dial(b.mesh.places[0]!, b.id)
    this.advance(5)
    const link = await dialled
    use(a, link)
    this.advance(5)
    return link
  }

  /** Makes a link the one in use between two nodes, on this side. */
  use(node: StageNode, link: Link): void {
    use(node, link)
  }

  advance(ms: number): void {
    this.host.clock.advance(ms)
  }

  /** What an actor heard, asked on its own node. */
  async heard(node: StageNode, actor: Ref | Address): Promise<readonly Message[]> {
    const answer = node.runtime.ask(actor, { type: 'report' }, { deadline_ms: 1_000 })
    this.advance(20)
    const { heard } = (await answer) as Message & { readonly heard: readonly Message[] }
    return heard.filter(({ type }) => type !== 'report')
  }
}

function use(node: StageNode, link: Link): void {
  const events = node.remote.linked(link)
  node.links.set(link.peer, { link, events })
  link.onFrame((streamClass, bytes) => streamClass === 'data' && events.frame(bytes))
  link.onDrain((streamClass) => streamClass === 'data' && events.drained())
  link.onClose(() => events.lost())
}

/** A ref as it arrives on another node: the object itself would lead straight to the actor, which lives in this process too. */
export const afar = ({ address, incarnation }: Ref): Ref => ({ address, incarnation })
export const onNode = (node: StageNode, path: string): Address => fixedAddress(node.id, path)
export const placed = (key: string): Address => placedAddress('probe', key)

export async function twoNodes(
  options: NodeOptions = {},
): Promise<{ stage: Stage; a: StageNode; b: StageNode }> {
  const stage = new Stage()
  const a = stage.add('a', options)
  const b = stage.add('b', options)
  await stage.link(a, b)
  return { stage, a, b }
}
