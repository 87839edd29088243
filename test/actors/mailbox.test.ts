/** The data structures below the runtime: the lane, the mailbox, the children, the deadline wheel. */
import { describe, expect, it } from 'vitest'
import { Children, type Sibling } from '../../src/actors/children.ts'
import type { ExitReason } from '../../src/actors/index.ts'
import { Lane } from '../../src/actors/lane.ts'
import { Mailbox, type Order } from '../../src/actors/mailbox.ts'

const stopped: ExitReason = { kind: 'stopped' }
const order = (kind: Order['kind']): Order => ({ kind, reason: stopped, on_purpose: true })

describe('a lane', () => {
  it('keeps pairs together and in order while many come and go', () => {
    const lane = new Lane<number, string>()
    let next = 0
    for (let round = 0; round < 50; round += 1) {
      for (let i = 0; i < 7; i += 1) lane.push(round * 7 + i, `${round * 7 + i}`)
      for (let i = 0; i < 5; i += 1) {
        expect(lane.second).toBe(`${next}`)
        expect(lane.shift()).toBe(next)
        next += 1
      }
    }
    expect(lane.length).toBe(50 * 2)
  })

  it('takes pairs in front', () => {
    const lane = new Lane<number, undefined>()
    for (let n = 0; n < 40; n += 1) lane.unshift(n, undefined)
    expect(Array.from({ length: 40 }, () => lane.shift())).toEqual(
      Array.from({ length: 40 }, (_, n) => 39 - n),
    )
    expect(lane.shift()).toBeUndefined()
  })
})

describe('a mailbox', () => {
  it('rounds its capacity up to a power of two, and holds at least one', () => {
    expect(new Mailbox({ capacity: 5, overflow: 'reject' }).capacity).toBe(8)
    expect(() => new Mailbox({ capacity: 0, overflow: 'reject' })).toThrow('at least one')
  })

  it('keeps the strongest order', () => {
    const mailbox = new Mailbox({ capacity: 1, overflow: 'reject' })
    for (const kind of ['stop', 'suspend'] as const) mailbox.pushOrder(order(kind))
    expect(mailbox.order?.kind).toBe('stop')
    mailbox.pushOrder(order('kill'))
    mailbox.pushOrder(order('stop'))
    expect(mailbox.order?.kind).toBe('kill')
  })

  it('counts what is put aside against its capacity', () => {
    const mailbox = new Mailbox<string, never>({ capacity: 2, overflow: 'reject' })
    mailbox.stash({ type: 'a' }, 'x')
    mailbox.stash({ type: 'b' }, 'x')
    expect(mailbox.accept({ type: 'c' }, 'x')).toBe(false)
    mailbox.unstash()
    expect(mailbox.data.shift()).toEqual({ type: 'a' })
  })

  it('gives the oldest away for a newer only when asked to', () => {
    const mailbox = new Mailbox<string, never>({ capacity: 2, overflow: 'drop-oldest' })
    for (const type of ['a', 'b']) mailbox.accept({ type }, type)
    expect(mailbox.accept({ type: 'c' }, 'c')).toBe(false)
    expect(mailbox.squeeze({ type: 'd' }, 'd')).toBe(true)
    expect(mailbox.evicted).toEqual({ type: 'a' })
    expect(mailbox.evictedOrigin).toBe('a')
  })

  it('does not grow under a flood: a million messages to a full mailbox', () => {
    const mailbox = new Mailbox<undefined, never>({ capacity: 64, overflow: 'drop-oldest' })
    for (let n = 0; n < 1_000_000; n += 1) {
      if (!mailbox.accept({ type: 'flood' }, undefined)) mailbox.squeeze({ type: 'flood' }, undefined)
    }
    expect(mailbox.depth).toBe(64)
  })
})

describe('children', () => {
  it('stay in start order whoever leaves', () => {
    const children = new Children<Sibling<never> & { n: number }>()
    const made = Array.from({ length: 6 }, (_, n) => ({
      n,
      elder: undefined,
      younger: undefined,
      family: undefined,
    }))
    for (const child of made) children.add(child as never)
    for (const n of [0, 3, 5, 3]) children.delete(made[n] as never)
    expect(children.all().map(({ n }) => n)).toEqual([1, 2, 4])
    expect(children.size).toBe(3)
    expect(children.has(made[3] as never)).toBe(false)
    children.add(made[3] as never)
    expect(children.all().map(({ n }) => n)).toEqual([1, 2, 4, 3])
  })
})
