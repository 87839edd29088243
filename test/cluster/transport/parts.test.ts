import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/cluster/household/secret.ts'
import { FULL_BYTES, MAX_FRAME } from '../../../src/cluster/transport/bounds.ts'
import { Bucket } from '../../../src/cluster/transport/bucket.ts'
import { FrameCutter } from '../../../src/cluster/transport/frames.ts'
import { Outbox } from '../../../src/cluster/transport/outbox.ts'
import { addressOf, placeOf } from '../../../src/cluster/transport/places.ts'
import { claim, judge, NONCE_BYTES } from '../../../src/cluster/transport/proof.ts'
import { monotonic } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 })

function cut(stream: Uint8Array, sizes: readonly number[], limit = 1_000): Uint8Array[] {
  const cutter = new FrameCutter(limit)
  const found: Uint8Array[] = []
  let at = 0
  for (let i = 0; at < stream.length; i += 1) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1)
    cutter.push(stream.subarray(at, at + size))
    at += size
    for (let frame = cutter.next(); frame !== undefined; frame = cutter.next()) found.push(frame)
  }
  return found
}

describe('frames', () => {
  it('come out as they were packed, however outbox and network cut the stream (F1)', () => {
    fc.assert(
      fc.property(
        frames,
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 500 }),
        (sent, sizes, slice) => {
          const outbox = new Outbox('control')
          for (const frame of sent) expect(outbox.offer(frame)).toBe(true)
          const slices: Uint8Array[] = []
          const take = (): Uint8Array | undefined => outbox.take(new Uint8Array(slice))
          for (let bytes = take(); bytes !== undefined; bytes = take()) {
            expect(bytes.length).toBeLessThanOrEqual(slice)
            slices.push(bytes)
          }
          expect(outbox.bytes).toBe(0)
          expect(cut(Buffer.concat(slices), sizes).map((frame) => [...frame])).toEqual(
            sent.map((frame) => [...frame]),
          )
        },
      ),
    )
  })

  it('are refused by their length before a byte of them is kept (F2)', () => {
    for (const header of [
      [0, 0, 3, 0xe9],
      [0xff, 0xff, 0xff, 0xff],
      [0x80, 0, 0, 0],
    ]) {
      expect(() => cut(Uint8Array.from(header), [4])).toThrow(
        expect.objectContaining({ code: 'frame-too-long' }),
      )
      expect(() => cut(Uint8Array.from(header), [1])).toThrow(
        expect.objectContaining({ code: 'frame-too-long' }),
      )
    }
    expect(cut(Uint8Array.from([0, 0, 3, 0xe8]), [1])).toEqual([])
  })

  it('never hold more than one frame and what was pushed last, whatever bytes come (F2)', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 50 }), (chunks) => {
        const cutter = new FrameCutter(256)
        for (const chunk of chunks) {
          cutter.push(chunk)
          expect(cutter.waiting).toBeLessThanOrEqual(256 + 4 + chunk.length)
          try {
            while (cutter.next() !== undefined);
          } catch (error) {
            expect(error).toMatchObject({ code: 'frame-too-long' })
            return
          }
        }
      }),
    )
  })
})

describe('an outbox', () => {
  it('takes nothing of a frame beyond its bound, and tells once when half is free', () => {
    const outbox = new Outbox('control')
    const frame = new Uint8Array(MAX_FRAME.control / 2)
    let taken = 0
    while (outbox.offer(frame)) taken += 1
    expect(taken).toBe(3)
    expect(outbox.bytes).toBeLessThanOrEqual(FULL_BYTES.control)
    expect(outbox.drained()).toBe(false)
    outbox.take(new Uint8Array(outbox.bytes - FULL_BYTES.control / 2))
    expect([outbox.drained(), outbox.drained()]).toEqual([true, false])
    expect(() => outbox.offer(new Uint8Array(MAX_FRAME.control + 1))).toThrow(
      expect.objectContaining({ code: 'invariant' }),
    )
  })

  it('keeps no more than waits in it, also when it is never empty', () => {
    const outbox = new Outbox('data')
    const frame = new Uint8Array(96)
    for (let i = 0; i < 1_000; i += 1) outbox.offer(frame)
    const room = new Uint8Array(100)
    const started = process.memoryUsage().heapUsed
    for (let i = 0; i < 300_000; i += 1) {
      expect(outbox.offer(frame)).toBe(true)
      outbox.take(room)
    }
    expect(outbox.bytes).toBe(100_000)
    expect(process.memoryUsage().heapUsed - started).toBeLessThan(60 * 2 ** 20)
  })
})

describe('a bucket', () => {
  const rate = { frames_per_s: 100, bytes_per_s: 10_000, burst_frames: 50, burst_bytes: 5_000 }

  it('lets through a burst and then the rate, of frames and of bytes', () => {
    for (const [frames_each, bytes_each, per_s] of [
      [1, 1, 100],
      [0.001, 100, 100],
    ] as const) {
      const bucket = new Bucket(rate, monotonic(0))
      let now = 0
      let taken = 0
      while (now < 10_000) {
        const wait_ms = bucket.wait_ms(monotonic(now))
        if (wait_ms === 0) {
          bucket.spend(frames_each, bytes_each)
          taken += 1
        } else now += wait_ms
      }
      expect(taken).toBeGreaterThanOrEqual(10 * per_s)
      expect(taken).toBeLessThanOrEqual(10 * per_s + 51)
    }
  })

  it('names a debt as a wait, and a clock that stands still refills nothing', () => {
    const bucket = new Bucket(rate, monotonic(5))
    bucket.spend(150, 0)
    expect(bucket.wait_ms(monotonic(5))).toBeCloseTo(1_010, 5)
    expect(bucket.wait_ms(monotonic(5))).toBeCloseTo(1_010, 5)
    expect(bucket.wait_ms(monotonic(1_016))).toBe(0)
  })
})

describe('the proof of a household key', () => {
  const random = new SimulatedRandom(3)
  const key = (): Secret => new Secret(random.bytes(32))
  const meet = (mine: readonly Secret[], theirs: readonly Secret[]) => {
    const asked = random.bytes(NONCE_BYTES)
    const claimed = claim(mine, asked, random)
    const judged = judge(theirs, asked, claimed.bytes, random)
    return { dialler: claimed.conclude(judged.tag), answerer: judged.prologue, claimed, judged, asked }
  }

  it('gives both sides the same prologue when they share a key, the dialler’s first choice', () => {
    const [a, b, c] = [key(), key(), key()]
    for (const [mine, theirs] of [
      [[a], [a]],
      [[b, a], [a]],
      [[a], [b, c, a]],
      [
        [a, b],
        [b, a],
      ],
    ]) {
      const { dialler, answerer } = meet(mine!, theirs!)
      expect(dialler).toBeDefined()
      expect(dialler).toEqual(answerer)
    }
  })

  it('gives neither side one when they share none (H1)', () => {
    for (const [mine, theirs] of [
      [[key()], [key()]],
      [[], [key()]],
      [[key()], []],
      [[], []],
    ]) {
      const { dialler, answerer, claimed, judged } = meet(mine!, theirs!)
      expect([dialler, answerer]).toEqual([undefined, undefined])
      expect([claimed.bytes.length, judged.tag.length]).toEqual([128, 32])
    }
  })

  it('is good for one connection: a recorded claim opens nothing later, nor does a tag thrown back (H2)', () => {
    const shared = key()
    const { claimed, judged } = meet([shared], [shared])
    expect(judge([shared], random.bytes(NONCE_BYTES), claimed.bytes, random).prologue).toBeUndefined()
    const asked = random.bytes(NONCE_BYTES)
    const fresh = claim([shared], asked, random)
    expect(fresh.conclude(judged.tag)).toBeUndefined()
    expect(fresh.conclude(fresh.bytes.subarray(NONCE_BYTES, NONCE_BYTES + 32))).toBeUndefined()
  })
})

describe('places', () => {
  it('are addresses of libp2p and back', () => {
    for (const place of [
      { host: '192.168.1.20', port: 7421 },
      { host: 'fe80::1', port: 1 },
      { host: 'attic.lan', port: 7421 },
    ]) {
      expect(placeOf(addressOf(place))).toEqual(place)
    }
    expect(addressOf({ host: 'fe80::1%eth0', port: 7421 }).toString()).toContain('fe80')
  })
})
