/** What waits for one peer: O1 to O4. */
import { describe, expect, it } from 'vitest'
import {
  MAX_FRAME,
  MAX_OWED_BYTES,
  MAX_WAITING_BYTES,
  PACKED_BYTES,
} from '../../../src/cluster/remote/bounds.ts'
import { Outbox } from '../../../src/cluster/remote/outbox.ts'
import { LAYOUT } from '../../../src/cluster/remote/wire.ts'
import { ValueSequence } from '../../../src/host/index.ts'

/** A link that takes as many frames as it is allowed. */
function link(room = Number.POSITIVE_INFINITY) {
  const frames: Uint8Array[] = []
  const displaced: unknown[] = []
  const state = { room }
  const outbox = new Outbox(
    (frame) => {
      if (frames.length >= state.room) return false
      frames.push(frame)
      return true
    },
    (told) => displaced.push(told),
  )
  const rows = (): number[] =>
    frames.flatMap((frame) => {
      expect(frame[0]).toBe(LAYOUT)
      expect(frame.length).toBeLessThanOrEqual(MAX_FRAME)
      const read: number[] = []
      const values = new ValueSequence(frame, 1, 1e6)
      while (!values.atEnd) read.push(((values.next() as { value: unknown[] }).value as number[])[0]!)
      return read
    })
  return { outbox, frames, displaced, state, rows }
}
const upTo = (count: number): number[] => [...Array(count).keys()]
const padding = 'x'.repeat(1_000)

describe('an outbox', () => {
  it('O1 packs the rows of a tick into few frames, in order', () => {
    const { outbox, frames, rows } = link()
    for (const n of upTo(500)) expect(outbox.put([n, padding], 'data')).toBeUndefined()
    outbox.flush()
    expect(rows()).toEqual(upTo(500))
    expect(frames).toHaveLength(Math.ceil((500 * 1_006) / PACKED_BYTES))
    expect(outbox.isEmpty).toBe(true)
  })

  it('O1 sends a row larger than what is packed alone, in its place', () => {
    const { outbox, frames, rows } = link()
    outbox.put([0], 'data')
    expect(outbox.put([1, 'x'.repeat(PACKED_BYTES)], 'data')).toBeUndefined()
    outbox.put([2], 'data')
    outbox.flush()
    expect(rows()).toEqual([0, 1, 2])
    expect(frames).toHaveLength(3)
  })

  it('refuses what is larger than a frame or no plain data, and nothing of it is sent', () => {
    const { outbox, rows } = link()
    outbox.put([0], 'data')
    expect(outbox.put([1, 'x'.repeat(MAX_FRAME)], 'data')).toBe('unsendable')
    expect(outbox.put([2, new Date(0)], 'data')).toBe('unsendable')
    outbox.put([3], 'data')
    outbox.flush()
    expect(rows()).toEqual([0, 3])
  })

  it('O1 O4 loses and reorders nothing while the link is full, however it drains', () => {
    const { outbox, state, rows } = link(0)
    for (const n of upTo(2_000)) {
      expect(outbox.put([n, padding], 'data')).toBeUndefined()
      if (n % 300 === 299) outbox.flush()
    }
    expect(rows()).toEqual([])
    for (let round = 0; round < 200 && !outbox.isEmpty; round += 1) {
      state.room += 1
      outbox.drained()
      if (round < 20) outbox.put([2_000 + round, padding], 'data')
    }
    outbox.flush()
    expect(rows()).toEqual(upTo(2_020))
  })

  it('O2 refuses at the bound, except what is owed, which has as much again', () => {
    const { outbox } = link(0)
    let taken = 0
    while (outbox.put([taken, padding], 'data') === undefined) taken += 1
    expect(taken * 1_000).toBeGreaterThan(MAX_WAITING_BYTES * 0.9)
    expect(outbox.bytes).toBeLessThan(MAX_WAITING_BYTES + 2 * PACKED_BYTES)
    let owed = 0
    while (outbox.put([owed, padding], 'owed') === undefined) owed += 1
    expect(owed * 1_000).toBeGreaterThan((MAX_OWED_BYTES - MAX_WAITING_BYTES) * 0.9)
    expect(outbox.bytes).toBeLessThan(MAX_OWED_BYTES + 2 * PACKED_BYTES)
  })

  it('O3 gives up the oldest waiting audio for fresh audio, and nothing else', () => {
    const { outbox, displaced, state, rows } = link(0)
    let n = 0
    const words: number[] = []
    // A word among every ten samples.
    while (displaced.length < 100) {
      const isWord = n % 10 === 9
      const refusal = outbox.put([n, padding], isWord ? 'data' : 'audio', n)
      if (isWord && refusal === undefined) words.push(n)
      if (!isWord) expect(refusal).toBeUndefined()
      n += 1
    }
    state.room = Number.POSITIVE_INFINITY
    outbox.drained()
    outbox.flush()
    const left = rows()
    expect(left).toEqual([...left].sort((a, b) => a - b))
    expect(words.every((word) => left.includes(word))).toBe(true)
    expect(left.at(-1)).toBe(n - 1)
    expect(left.filter((each) => displaced.includes(each))).toEqual([])
    // The oldest of those that waited: what was packed before the link was full goes as it is.
    const firstWaiting = Math.min(...(displaced as number[]))
    const oldest = left.filter((each) => each >= firstWaiting && each % 10 !== 9)
    expect(Math.min(...oldest)).toBeGreaterThan(Math.max(...(displaced as number[])))
  })
})
