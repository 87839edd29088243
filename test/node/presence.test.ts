/** What is told of where people are, and what is kept of it: of whom, when, and until when. */
import { describe, expect, it } from 'vitest'
import { type NodeId, nodeId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { PresenceDesk } from '../../src/node/presence.ts'
import { HABITS, type PresenceHeard, type RoomsUsual } from '../../src/voice/index.ts'
import { SharedStore } from './shared-store.ts'

const MINUTE = 60_000

/** Two nodes with one memory. */
class Node {
  readonly told: { to: string; message: { type: string } }[] = []
  readonly desk: PresenceDesk
  #hear: (message: never) => void = () => undefined

  constructor(self: string, other: string, clock: SimulatedClock, store: SharedStore) {
    this.desk = new PresenceDesk({
      ...{ self: nodeId(self), clock, store },
      runtime: {
        subscribe: (_topic, listener) => {
          this.#hear = listener as (message: never) => void
          return () => undefined
        },
        tell: (to, message) => {
          this.told.push({ to: String(to), message })
          return true
        },
      },
      cluster: () => ({
        members: () => [{ id: nodeId(other) }] as never,
        linkTo: (id: NodeId) => (id === nodeId(other) ? {} : undefined) as never,
      }),
      log: () => undefined,
    })
    this.desk.start()
  }

  heard(room: string, person?: string, kept = true): void {
    const who = person === undefined ? {} : { person }
    const message: PresenceHeard = {
      ...{ type: 'presence.heard', session: 's1', room, level_db: -30, kept },
      ...who,
    } as PresenceHeard
    this.#hear(message as never)
  }

  /** What its announcer knows of where persons usually are. */
  get usual(): RoomsUsual['usual'] {
    const last = this.told.findLast(({ message }) => message.type === 'rooms.usual')
    return (last?.message as RoomsUsual | undefined)?.usual ?? {}
  }
}

function house() {
  const clock = new SimulatedClock()
  const store = new SharedStore()
  const [a, b] = [new Node('a', 'b', clock, store), new Node('b', 'a', clock, store)]
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    for (let i = 0; i < 5; i += 1) await new Promise<void>((go) => setImmediate(go))
  }
  return { a, b, store, pass }
}

describe('where people are heard', () => {
  it('is told to the other nodes at once', () => {
    const { a } = house()
    a.heard('kitchen', 'anna')
    expect(a.told).toEqual([
      {
        to: 'loqa://b/herald',
        message: { type: 'presence.told', session: 's1', room: 'kitchen', level_db: -30, person: 'anna' },
      },
    ])
  })

  it('is learned, and known on every node, in one small entry for each that learned it', async () => {
    const { a, b, store, pass } = house()
    for (let i = 0; i < 4; i += 1) a.heard('kitchen', 'anna')
    await pass(MINUTE)
    for (let i = 0; i < 6; i += 1) b.heard('office', 'anna')
    await pass(MINUTE)
    for (const node of [a, b]) expect(node.usual).toEqual({ anna: ['office', 'kitchen'] })
    expect(a.desk.usual('anna')).toEqual(['office', 'kitchen'])
    const entries = await store.list(HABITS)
    expect(entries.map(({ key }) => key)).toEqual(['anna@a', 'anna@b'])
    expect(JSON.stringify(entries).length).toBeLessThan(250)
  })

  it('is not learned of who did not agree, nor of nobody', async () => {
    const { a, store, pass } = house()
    for (let i = 0; i < 10; i += 1) {
      a.heard('kitchen', 'anna', false)
      a.heard('kitchen')
    }
    await pass(MINUTE)
    expect(await store.list(HABITS)).toEqual([])
  })

  it('is erased on every node, with what was not written yet', async () => {
    const { a, b, store, pass } = house()
    for (const node of [a, b]) for (let i = 0; i < 5; i += 1) node.heard('kitchen', 'anna')
    await pass(MINUTE)
    a.heard('kitchen', 'ben')
    for (const node of [a, b]) node.heard('office', 'anna')
    await b.desk.forget({ person: 'anna' })
    await pass(0)
    await pass(MINUTE)
    expect((await store.list(HABITS)).map(({ key }) => key)).toEqual(['ben@a'])
    expect(a.usual).toEqual({ ben: [] })
    expect(b.desk.usual('anna')).toEqual([])
  })
})
