/** Claims of this node are in the store a moment after they were made, and those found there are claims like any other. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { EntryChange } from '../../src/actors/index.ts'
import {
  claim,
  merge,
  NO_PLACEMENTS,
  type Placement,
  type Placements,
  release,
} from '../../src/cluster/placement/placements.ts'
import { LoqaError, type NodeId, nodeId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { FOLLOW_AGAIN_MS } from '../../src/node/following.ts'
import { PlacementRecords } from '../../src/node/placement-records.ts'
import type { Store } from '../../src/store/index.ts'

const SECOND = 1_000
const DINNER = 'loqa:/session/dinner'
const [a, b] = ['a', 'b'].map(nodeId) as [NodeId, NodeId]

/** One node, `a`, with a store in memory that may fail, and with its map of claims. */
class Stage {
  readonly clock = new SimulatedClock()
  readonly entries = new Map<string, unknown>()
  /** Transactions, in changes each. */
  readonly writes: number[] = []
  readonly logged: string[] = []
  map: Placements = NO_PLACEMENTS
  broken = false
  secret: string | undefined
  #follower: Parameters<Store['follow']>[1] | undefined
  readonly records = new PlacementRecords({
    self: a,
    clock: this.clock,
    store: {
      apply: async (_collection, changes) => {
        if (this.broken) throw new LoqaError('store-io', 'the disk is full')
        this.writes.push(changes.length)
        this.wrote(changes)
      },
      follow: (_collection, follower) => {
        this.#follower = follower
        const changes = [...this.entries].map(([key, value]) => ({ change: 'put', key, value }) as const)
        follower.hear({ whole: true, changes })
        return () => {
          this.#follower = undefined
        }
      },
    },
    map: {
      placements: () => this.map,
      recorded: (entries: readonly Placement[]) => {
        this.map = merge(this.map, entries, this.clock.monotonic()).placements
      },
    },
    isKept: (address) => address !== this.secret,
    log: (message) => void this.logged.push(message),
  })

  wrote(changes: readonly EntryChange[]): void {
    for (const change of changes) {
      if (change.change === 'put') this.entries.set(change.key, change.value)
      else this.entries.delete(change.key)
    }
    this.#follower?.hear({ whole: false, changes })
  }

  lost(): void {
    const follower = this.#follower
    this.#follower = undefined
    follower?.failed(new LoqaError('store-closed', 'closed'))
  }

  claimed(address: string, node = a): void {
    this.map = claim(this.map, address, node, this.clock.monotonic())!.placements
    this.records.changed([address])
  }

  released(address: string): void {
    this.map = release(this.map, address, a, this.clock.monotonic())!.placements
    this.records.changed([address])
  }

  /** What is written is written by then, and promises have settled. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50)
      await new Promise<void>((go) => setImmediate(go))
    }
  }
}

describe('the records of claims', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
    stage.records.start()
  })

  it('has a claim of this node written within a second, under its own name', async () => {
    stage.claimed(DINNER)
    await stage.pass(SECOND)
    expect([...stage.entries]).toEqual([['session/dinner@a', { epoch: 1 }]])
  })

  it('writes nothing of what begins and ends at once, and deletes what ended', async () => {
    stage.claimed(DINNER)
    stage.released(DINNER)
    await stage.pass(SECOND)
    expect(stage.writes).toEqual([])
    stage.claimed(DINNER)
    await stage.pass(SECOND)
    stage.released(DINNER)
    await stage.pass(SECOND)
    expect(stage.entries.size).toBe(0)
  })

  it('writes what comes at once in few transactions', async () => {
    for (let i = 0; i < 300; i += 1) stage.claimed(`loqa:/session/s${i}`)
    await stage.pass(3 * SECOND)
    expect(stage.entries.size).toBe(300)
    expect(stage.writes.length).toBeLessThan(5)
  })

  it('of what may be on no disk writes nothing', async () => {
    stage.secret = DINNER
    stage.claimed(DINNER)
    await stage.pass(SECOND)
    expect(stage.entries.size).toBe(0)
  })

  it('tries again when the store cannot be written, and says so', async () => {
    stage.broken = true
    stage.claimed(DINNER)
    await stage.pass(SECOND)
    expect(stage.logged).toHaveLength(1)
    stage.broken = false
    await stage.pass(3 * SECOND)
    expect(stage.entries.get('session/dinner@a')).toEqual({ epoch: 1 })
  })

  it('takes what the store has for claims, so that no epoch is given twice', async () => {
    stage = new Stage()
    stage.wrote([{ change: 'put', key: 'session/dinner@b', value: { epoch: 7 } }])
    stage.records.start()
    expect(stage.map.entries.get(DINNER)).toMatchObject({ node: b, epoch: 7 })
    stage.claimed(DINNER)
    await stage.pass(SECOND)
    // And the one it outranks is gone.
    expect([...stage.entries]).toEqual([['session/dinner@a', { epoch: 8 }]])
  })

  it('leaves alone what another node owns', async () => {
    stage.claimed(DINNER, b)
    await stage.pass(SECOND)
    expect(stage.writes).toEqual([])
  })

  it('hears again what was written while the store was opened again', async () => {
    stage.lost()
    stage.entries.set('session/dinner@b', { epoch: 2 })
    await stage.pass(2 * FOLLOW_AGAIN_MS)
    expect(stage.map.entries.get(DINNER)).toMatchObject({ node: b, epoch: 2 })
  })

  it('writes nothing more once it is stopped', async () => {
    stage.claimed(DINNER)
    stage.records.stop()
    await stage.pass(3 * SECOND)
    expect(stage.writes).toEqual([])
  })
})
