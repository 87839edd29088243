import { beforeEach, describe, expect, it } from 'vitest'
import { placedAddress } from '../../src/actors/index.ts'
import type { ClusterListener } from '../../src/cluster/index.ts'
import { nodeId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import {
  CAUGHT_UP_MS,
  type HouseNewsParts,
  MISSING_MS,
  STEADY_MS,
  type Telling,
  tellSkills,
  UNMET_MS,
} from '../../src/node/house-news.ts'
import { HOUSE_WANTED, type House } from '../../src/skills/index.ts'

/** A node, `a`, whose cluster and runtime are written down here. */
class Stage {
  readonly clock = new SimulatedClock()
  /** What the one skill was told, oldest first. */
  readonly told: House[] = []
  /** Of each other node: whether membership has it for alive, whether it is linked, its loudspeakers. */
  readonly others = new Map<string, { alive: boolean; linked: boolean; speakers?: string[] }>()
  readonly announced: (readonly string[])[] = []
  readonly telling: Telling
  full = false
  missing = 0
  #asleep: (() => void)[] | undefined
  readonly #topics = new Map<string, (message: never) => void>()
  readonly #listeners: ClusterListener[] = []

  constructor(expectsOthers: boolean) {
    const parts: HouseNewsParts = {
      self: nodeId('a'),
      clock: {
        monotonic: () => this.clock.monotonic(),
        wall: () => this.clock.wall(),
        soon: (run) => this.clock.soon(run),
        after: (delay_ms, run) => this.clock.after(delay_ms, () => this.#run(run)),
      },
      skills: () => ['timer'],
      store: {
        replication: () => ({ peers: [{ node: nodeId('b'), ahead: this.missing, behind: 0 }] }),
      },
      runtime: {
        find: (address) => ({ address: address as ReturnType<typeof placedAddress>, incarnation: 1 }),
        tell: (address, message) => {
          expect(address).toBe(placedAddress('skill', 'timer'))
          if (!this.full) this.told.push(message as unknown as House)
          return !this.full
        },
        subscribe: (topic, listener) => {
          this.#topics.set(topic, listener as (message: never) => void)
          return () => this.#topics.delete(topic)
        },
      },
      clustering: {
        expectsOthers: () => expectsOthers,
        speakersAre: (rooms) => void this.announced.push(rooms),
        listen: (listener) => void this.#listeners.push(listener),
        cluster: {
          members: () =>
            [...this.others].map(([id, { alive }]) => ({
              ...{ id: nodeId(id), standing: { status: alive ? 'alive' : 'suspect' } },
            })) as never,
          linkTo: (id) => (this.others.get(id)?.linked === true ? ({} as never) : undefined),
          sheets: () =>
            new Map(
              [...this.others].map(([id, { speakers }]) => [nodeId(id), { boot: '', sheet: { speakers } }]),
            ) as never,
        },
      },
    }
    this.telling = tellSkills(parts)
  }

  other(id: string, alive: boolean, linked: boolean, ...speakers: string[]): void {
    this.others.set(id, { alive, linked, speakers })
    for (const { member } of this.#listeners) member?.({} as never)
  }

  /** The process stands still: what it would have done it does at the end. */
  sleep(span_ms: number): void {
    this.#asleep = []
    this.clock.advance(span_ms)
    const waiting = this.#asleep
    this.#asleep = undefined
    for (const run of waiting) run()
  }

  #run(run: () => void): void {
    if (this.#asleep === undefined) run()
    else this.#asleep.push(run)
  }

  publish(topic: string, message: object): void {
    this.#topics.get(topic)?.(message as never)
  }
}

describe('what skills hear of the household', () => {
  let stage: Stage
  beforeEach(() => {
    stage = new Stage(false)
  })

  const names = ({ nodes }: House): string[] => nodes.map(({ node }) => node)

  it('is told to a skill that asks', () => {
    stage.publish(HOUSE_WANTED, { type: HOUSE_WANTED })
    expect(stage.told).toEqual([
      { type: 'house', caught_up: true, nodes: [{ node: 'a', speakers: [], steady: true }] },
    ])
  })

  it('names those that are linked and not suspected, and says so at once when that changes', () => {
    stage.other('c', true, false)
    stage.other('b', true, true)
    expect(names(stage.told.at(-1)!)).toEqual(['a', 'b'])
    stage.other('c', true, true)
    expect(names(stage.told.at(-1)!)).toEqual(['a', 'b', 'c'])
    stage.other('b', false, true)
    expect(names(stage.told.at(-1)!)).toEqual(['a', 'c'])
    stage.other('c', true, false)
    expect(names(stage.told.at(-1)!)).toEqual(['a'])
  })

  it('is not told again while nothing changed', () => {
    stage.other('b', true, true)
    const { length } = stage.told
    stage.other('b', true, true)
    expect(stage.told).toHaveLength(length)
  })

  it('says where each can be heard, and tells the others where this one can', () => {
    stage.other('b', true, true, 'hall')
    stage.publish('loudspeakers', { type: 'loudspeakers', rooms: ['kitchen'] })
    expect(stage.told.at(-1)!.nodes.map(({ speakers }) => speakers)).toEqual([['kitchen'], ['hall']])
    expect(stage.announced).toEqual([['kitchen']])
  })

  it('says who has been in use for so long that all it tells is news', () => {
    stage.other('b', true, true)
    stage.clock.advance(STEADY_MS - 1)
    expect(stage.told.at(-1)!.nodes[1]).toMatchObject({ node: 'b', steady: false })
    stage.clock.advance(1)
    expect(stage.told.at(-1)!.nodes[1]).toMatchObject({ node: 'b', steady: true })
    stage.other('b', false, true)
    stage.other('b', true, true)
    expect(stage.told.at(-1)!.nodes[1]).toMatchObject({ node: 'b', steady: false })
  })

  it('counts on nobody for a while after this node was asleep', () => {
    stage.other('b', true, true)
    stage.clock.advance(STEADY_MS)
    stage.sleep(3_000)
    expect(stage.told.at(-1)!.nodes[1]).toMatchObject({ node: 'b', steady: false })
    stage.clock.advance(STEADY_MS)
    expect(stage.told.at(-1)!.nodes[1]).toMatchObject({ node: 'b', steady: true })
  })

  it('has caught up a while after the first of the others was met', () => {
    stage = new Stage(true)
    stage.publish(HOUSE_WANTED, {})
    expect(stage.told.at(-1)).toMatchObject({ caught_up: false })
    stage.clock.advance(1_000)
    stage.other('b', true, true)
    stage.clock.advance(CAUGHT_UP_MS - 1)
    expect(stage.told.at(-1)).toMatchObject({ caught_up: false })
    stage.clock.advance(1)
    expect(stage.told.at(-1)).toMatchObject({ caught_up: true })
  })

  it('has not caught up while writes it was told of are missing, but waits for them no longer than that', () => {
    stage = new Stage(true)
    stage.missing = 3
    stage.other('b', true, true)
    stage.clock.advance(CAUGHT_UP_MS + 3_000)
    expect(stage.told.at(-1)).toMatchObject({ caught_up: false })
    stage.missing = 0
    stage.clock.advance(MISSING_MS)
    expect(stage.told.at(-1)).toMatchObject({ caught_up: true })

    stage = new Stage(true)
    stage.missing = 3
    stage.other('b', true, true)
    stage.clock.advance(UNMET_MS)
    expect(stage.told.at(-1)).toMatchObject({ caught_up: true })
  })

  it('has caught up when nobody was met in time', () => {
    stage = new Stage(true)
    stage.clock.advance(UNMET_MS - 1)
    expect(stage.told).toEqual([])
    stage.clock.advance(1)
    expect(stage.told).toMatchObject([{ caught_up: true }])
  })

  it('ends with that this node leaves: it is to ring nothing more', () => {
    stage.other('b', true, true)
    stage.telling.leave()
    stage.other('b', true, false)
    expect(stage.told.slice(-2)).toMatchObject([{ caught_up: false }, { caught_up: false }])
  })

  it('is told again to a skill that had no room for it', () => {
    stage.full = true
    stage.other('b', true, true)
    stage.full = false
    stage.clock.advance(1_000)
    expect(names(stage.told.at(-1)!)).toEqual(['a', 'b'])
  })
})
