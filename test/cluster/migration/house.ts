/** Nodes with real runtimes on one virtual clock, among which actors really move. */
import type { Address, Message } from '../../../src/actors/index.ts'
import { type Moved, Moving, type MovingOptions } from '../../../src/cluster/migration/index.ts'
import { type NodeId, nodeId } from '../../../src/host/index.ts'
import { probe } from '../../actors/probe.ts'
import { Stage, type StageNode } from '../remote/stage.ts'

export interface HouseNode extends StageNode {
  readonly moving: Moving
}

export class House {
  readonly stage: Stage
  readonly nodes: HouseNode[] = []

  constructor(options: { seed?: number; latency_ms?: number } = {}) {
    this.stage = new Stage(options)
  }

  async open(names: readonly string[], options: Partial<MovingOptions> = {}): Promise<readonly HouseNode[]> {
    for (const name of names) this.add(name, options)
    for (const [i, a] of this.nodes.entries()) {
      for (const b of this.nodes.slice(i + 1)) await this.#link(a, b)
    }
    return this.nodes
  }

  async #link(a: HouseNode, b: HouseNode): Promise<void> {
    const dialled = a.mesh.dial(b.mesh.places[0]!, b.id)
    // A few ways to and fro, however long one is.
    this.advance(500)
    this.stage.use(a, await dialled)
    this.advance(500)
  }

  add(name: string, options: Partial<MovingOptions> = {}): HouseNode {
    const { clock, random } = this.stage.host
    const moving = new Moving({
      node: nodeId(name),
      clock,
      random,
      kinds: new Map([['probe', { version: 1 }]]),
      log: () => undefined,
      ...options,
    })
    const node = this.stage.add(name, {
      behaviors: { probe: { behavior: { ...probe, mailbox: { capacity: 8_192, overflow: 'reject' } } } },
      moving: moving.remote,
      placed: {
        heard: (addresses) => moving.claimed(addresses),
        lost: () => undefined,
        orphaned: () => undefined,
      },
      connect: (runtime, remote) => moving.connect(runtime, remote, runtime.fromAfar),
    })
    const whole = { ...node, moving }
    this.nodes.push(whole)
    return whole
  }

  /** Starts one there, known to all. */
  live(node: HouseNode, key: string, args?: unknown): Address {
    const { address } = node.runtime.spawn({ kind: 'probe', key, args })
    node.remote.claim(address)
    this.advance(10)
    return address
  }

  /** Moves it and waits, in virtual time, for how it went. */
  async move(by: HouseNode, address: Address, to: HouseNode, most_ms = 2_000): Promise<Moved | Error> {
    return this.outcome(by.moving.move(address, to.id), most_ms)
  }

  async outcome<T>(promise: Promise<T>, most_ms = 2_000): Promise<T | Error> {
    let known: { readonly of: T | Error } | undefined
    promise.then(
      (value) => {
        known = { of: value }
      },
      (error: Error) => {
        known = { of: error }
      },
    )
    for (let at = 0; at < most_ms && known === undefined; at += 1) {
      this.advance(1)
      await flush()
    }
    return known?.of ?? new Error(`nothing after ${most_ms} ms`)
  }

  advance(ms: number): void {
    this.stage.advance(ms)
  }

  /** Where it lives, in this process. */
  livesOn(address: Address): readonly NodeId[] {
    return this.nodes.filter(({ runtime }) => runtime.find(address) !== undefined).map(({ id }) => id)
  }

  async heard(node: HouseNode, address: Address): Promise<readonly Message[]> {
    return this.stage.heard(node, address)
  }
}

/** Lets promises that are settled go on. */
export const flush = async (): Promise<void> => {
  for (let i = 0; i < 8; i += 1) await Promise.resolve()
}
