import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_LINKS_PER_PEER } from '../../../src/cluster/running/messages.ts'
import { noPeers, type PeersEffect, type PeersInput, peers } from '../../../src/cluster/running/peers.ts'
import { nodeId } from '../../../src/host/index.ts'

const A = nodeId('12a')
const B = nodeId('12b')

/** One node's table, with what it did. */
class Side {
  state
  readonly done: PeersEffect[] = []
  constructor(self: typeof A) {
    this.state = noPeers(self)
  }
  input(input: PeersInput): readonly PeersEffect[] {
    const { state, effects } = peers(this.state, input)
    this.state = state
    this.done.push(...effects)
    return effects
  }
}

const opened = (key: number, dialled: boolean, id?: number): PeersInput => ({
  type: 'opened',
  key,
  peer: B,
  dialled,
  ...(id === undefined ? {} : { id }),
})
const admitted = (
  key: number,
  link: number,
  at = 1,
  holding: number[] = [link],
  boot = 'one',
): PeersInput => ({
  type: 'admitted',
  key,
  link,
  at,
  holding,
  boot,
})

describe('a link', () => {
  it('is used once each has judged what the other showed, and greets first when this side dialled', () => {
    const side = new Side(A)
    expect(side.input(opened(1, true, 7))).toMatchObject([{ type: 'greet', key: 1, link: 7, holding: [7] }])
    expect(side.input(admitted(1, 7)).map(({ type }) => type)).toEqual(['accept'])
    expect(side.input({ type: 'accepted', key: 1, at: 2 }).map(({ type }) => type)).toEqual(['up'])
    expect(side.input({ type: 'closed', key: 1 })).toEqual([{ type: 'down', peer: B }])
  })

  it('answers a greeting when the other side dialled', () => {
    const side = new Side(A)
    expect(side.input(opened(1, false))).toEqual([])
    expect(side.input(admitted(1, 7)).map(({ type }) => type)).toEqual(['greet', 'accept'])
    expect(side.input({ type: 'accepted', key: 1, at: 2 }).map(({ type }) => type)).toEqual(['up'])
  })

  it('ends when it is greeted twice or under another number', () => {
    const side = new Side(A)
    side.input(opened(1, true, 7))
    expect(side.input(admitted(1, 8))).toMatchObject([{ type: 'close', gently: false }])
    side.input(opened(2, true, 9))
    side.input(admitted(2, 9))
    side.input({ type: 'accepted', key: 2, at: 3 })
    expect(side.input(admitted(2, 9))).toMatchObject([{ type: 'close' }, { type: 'down' }])
  })

  it('that the other side forgot, by its newer word, is dead; by an older word it is not', () => {
    const side = new Side(A)
    side.input(opened(1, true, 1))
    side.input(admitted(1, 1))
    side.input({ type: 'accepted', key: 1, at: 10 })
    side.input(opened(2, false))
    // The other side wrote this greeting before it accepted the first link.
    const older = side.input(admitted(2, 2, 9, [2])).filter(({ type }) => type === 'close')
    expect(older).toMatchObject([{ key: 2, why: 'there is a better link' }])
    side.input(opened(3, false))
    const ended = side.input(admitted(3, 3, 11, [3])).filter(({ type }) => type === 'close')
    expect(ended).toMatchObject([{ key: 1, gently: false }])
    expect([...side.state.links.keys()]).toEqual([3])
  })

  it('of an earlier life ends when the node comes anew, and the peer was down in between', () => {
    const side = new Side(A)
    side.input(opened(1, true, 1))
    side.input(admitted(1, 1))
    side.input({ type: 'accepted', key: 1, at: 2 })
    side.input(opened(2, false))
    const effects = side.input(admitted(2, 2, 1, [2], 'two'))
    expect(effects.map(({ type }) => type)).toEqual(['greet', 'accept', 'close', 'down', 'up'])
  })

  it('is one of at most four to a peer, and none leads to oneself', () => {
    const side = new Side(A)
    for (let key = 0; key < MAX_LINKS_PER_PEER; key += 1) expect(side.input(opened(key, false))).toEqual([])
    expect(side.input(opened(99, false))).toMatchObject([{ type: 'close', key: 99 }])
    const own = side.input({ type: 'opened', key: 100, peer: A, dialled: true, id: 5 })
    expect(own).toMatchObject([{ type: 'close', key: 100 }])
  })
})

/** Two sides and the wires between them: what one says on a link comes in order, links among each other do not keep step. */
class Pair {
  readonly sides = [new Side(A), new Side(B)] as const
  readonly wires = new Map<number, { words: [PeersInput[], PeersInput[]]; open: [boolean, boolean] }>()
  #keys = 0

  dial(from: 0 | 1): void {
    this.#keys += 1
    const key = this.#keys
    this.wires.set(key, { words: [[], []], open: [true, true] })
    const to = (1 - from) as 0 | 1
    const names = [A, B]
    // The side that was dialled hears of it first: as with TCP, nothing may be said before.
    this.do(to, { type: 'opened', key, peer: names[from]!, dialled: false })
    this.do(from, { type: 'opened', key, peer: names[to]!, dialled: true, id: 1_000 - key })
  }

  do(at: 0 | 1, input: PeersInput): void {
    const to = (1 - at) as 0 | 1
    for (const effect of this.sides[at].input(input)) {
      const wire = 'key' in effect ? this.wires.get(effect.key) : undefined
      if (effect.type === 'greet') {
        const { key, link, at: count, holding } = effect
        wire!.words[to].push({ type: 'admitted', key, link, at: count, holding, boot: 'one' })
      } else if (effect.type === 'accept')
        wire!.words[to].push({ type: 'accepted', key: effect.key, at: effect.at })
      else if (effect.type === 'close') {
        wire!.open[at] = false
        if (!effect.gently) wire!.words[to].length = 0
        wire!.words[to].push({ type: 'closed', key: effect.key })
      }
    }
  }

  /** Lets one word of one wire arrive. False when there is none. */
  step(pick: number): boolean {
    const ready = [...this.wires.values()].flatMap((wire) =>
      ([0, 1] as const).filter((side) => wire.words[side].length > 0).map((side) => ({ wire, side })),
    )
    if (ready.length === 0) return false
    const { wire, side } = ready[pick % ready.length]!
    const word = wire.words[side].shift()!
    if (wire.open[side]) this.do(side, word)
    return true
  }

  settle(): void {
    while (this.step(0));
  }
}

describe('two nodes that dial each other', () => {
  it('end with the same single link, whatever arrives when, and are never without one again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(50), { maxLength: 60 }),
        (dials, picks) => {
          const pair = new Pair()
          const rest = [...dials]
          for (const pick of picks) {
            const next = rest.length > 0 && pick % 3 === 0 ? rest.shift() : undefined
            if (next !== undefined) pair.dial(next)
            else pair.step(pick)
          }
          for (const from of rest) pair.dial(from)
          pair.settle()
          const [a, b] = pair.sides.map(({ state }) => [...state.links.keys()])
          expect(a).toHaveLength(1)
          expect(b).toEqual(a)
          for (const { state, done } of pair.sides) {
            expect(state.using.size).toBe(1)
            expect(done.filter(({ type }) => type === 'down')).toEqual([])
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
