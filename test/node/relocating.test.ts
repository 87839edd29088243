/** Conversations that move by themselves, as a node carries it out: whom it counts, what it says of it, and when it is silent. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { FromAfar, Message, Target } from '../../src/actors/index.ts'
import type { Placements } from '../../src/cluster/index.ts'
import { LoqaError, type NodeId, nodeId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { Relocating } from '../../src/node/relocating.ts'

const [a, b] = ['a', 'b'].map(nodeId) as [NodeId, NodeId]
const DINNER = 'loqa:/session/dinner'

/** Node `a`, which has one conversation, and is linked with `b`. */
class Stage {
  readonly clock = new SimulatedClock()
  readonly moved: string[] = []
  readonly said: (readonly [why: string, outcome: string, why_not: string | undefined])[] = []
  readonly owners = new Map<string, NodeId>([[DINNER, a]])
  held = false
  refuses = false
  /** Whose message is being handed over. */
  hearing: NodeId | undefined
  readonly relocating = new Relocating({
    self: a,
    clock: this.clock,
    cluster: () => ({
      members: () => [{ id: b, standing: { status: 'alive' }, repute: { steady: true } }] as never,
      linkTo: () => ({}) as never,
      sheets: () => new Map(),
    }),
    map: {
      placements: () =>
        ({
          digest: 0,
          entries: new Map([...this.owners].map(([address, node]) => [address, { address, node, epoch: 1 }])),
        }) as unknown as Placements,
    },
    moving: {
      move: async (address, to) => {
        this.moved.push(`${address} ${to}`)
        if (this.refuses) throw new LoqaError('not-moved', 'a turn is under way')
        this.owners.set(address, to)
        return { from: a, to, away_ms: 3 }
      },
    },
    moves: (address) => address.startsWith('loqa:/session/'),
    isHeld: () => this.held,
    done: ({ why }, outcome, why_not) => void this.said.push([why, outcome, why_not]),
  })
  readonly door = this.relocating.connect(
    { ask: () => () => undefined } as unknown as FromAfar,
    () => this.hearing,
  )

  constructor() {
    this.relocating.listener.linked?.({} as never)
  }

  /** Texts from `b`. */
  async texts(count: number, to = DINNER, type = 'turn.ask'): Promise<void> {
    this.hearing = b
    for (let i = 0; i < count; i += 1) {
      this.door.ask(to as Target, { type } as Message, { sender: undefined, deadline_ms: 1_000 }, {} as never)
    }
    this.hearing = undefined
    await new Promise<void>((go) => setImmediate(go))
  }
}

describe('a conversation that is asked for from another node', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })

  it('moves there, once, and it is said why', async () => {
    await stage.texts(5)
    expect(stage.moved).toEqual([`${DINNER} b`])
    expect(stage.said).toEqual([['asked-there', 'moved', undefined]])
  })

  it('stays while somebody here asks it too, or has a microphone in it', async () => {
    await stage.texts(2)
    stage.relocating.asked(DINNER as never, a)
    await stage.texts(2)
    expect(stage.moved).toEqual([])
    stage.held = true
    await stage.texts(5)
    expect(stage.moved).toEqual([])
  })

  it('says why not, and is tried again a minute later', async () => {
    stage.refuses = true
    await stage.texts(3)
    expect(stage.said).toEqual([['asked-there', 'refused', 'not-moved']])
    stage.refuses = false
    await stage.texts(3)
    expect(stage.moved).toHaveLength(1)
    stage.clock.advance(61_000)
    await stage.texts(0)
    expect(stage.said.at(-1)).toEqual(['asked-there', 'moved', undefined])
  })

  it('nothing else that is asked counts, nor what lives elsewhere or is of another kind', async () => {
    await stage.texts(5, DINNER, 'session.leave')
    await stage.texts(5, 'loqa:/skill/timer')
    stage.owners.set(DINNER, b)
    await stage.texts(5)
    expect(stage.moved).toEqual([])
  })

  it('nothing moves by itself from a node that is about to go', async () => {
    stage.relocating.stop()
    await stage.texts(5)
    stage.clock.advance(600_000)
    expect(stage.moved).toEqual([])
  })
})
