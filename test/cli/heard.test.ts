/** What a satellite has of a conversation: no sample twice, no sample left out, and the sound of a question until its answer begins. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeardSoFar } from '../../src/cli/heard.ts'

const piece = (from: number, length: number): Int16Array =>
  Int16Array.from({ length }, (_, i) => (from + i) % 30_000)

it('asks for the rest of a reply, and for nothing of one it has', () => {
  const heard = new HeardSoFar()
  expect(heard.request).toEqual({ turn: 0, samples: null })
  heard.event({ type: 'reply', turn: 3, from: 0 })
  heard.audio(piece(0, 640))
  expect(heard.request).toEqual({ turn: 3, samples: 640 })
  heard.event({ type: 'turn', turn: {} as never })
  expect(heard.request).toEqual({ turn: 3, samples: null })
  heard.anew()
  expect(heard.request).toEqual({ turn: 0, samples: null })
})

it('wherever nodes are lost and however much is sent again, a reply is heard once', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          back: fc.nat(500),
          lengths: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 6 }),
        }),
        {
          minLength: 1,
          maxLength: 8,
        },
      ),
      (lives) => {
        const heard = new HeardSoFar()
        const all: number[] = []
        for (const { back, lengths } of lives) {
          let at = Math.max(0, all.length - back)
          heard.event({ type: 'reply', turn: 7, from: at })
          for (const length of lengths) {
            for (const sample of heard.audio(piece(at, length))) all.push(sample)
            at += length
          }
        }
        expect(all.every((sample, i) => sample === i % 30_000)).toBe(true)
        expect(heard.request.samples).toBe(all.length)
      },
    ),
    { numRuns: 300, seed: 6 },
  )
})

it('keeps what was said from just before it began until the answer begins', () => {
  const heard = new HeardSoFar()
  for (let i = 0; i < 1_000; i += 1) heard.sent(piece(i, 1))
  // Nobody has spoken: a little, in case that somebody has just begun.
  expect(heard.again().length).toBeLessThan(50)
  heard.event({ type: 'speech-started' })
  for (let i = 0; i < 200; i += 1) heard.sent(piece(i, 1))
  heard.event({ type: 'final', text: 'what time is it' })
  expect(heard.again().length).toBeGreaterThanOrEqual(200)
  for (let i = 0; i < 5_000; i += 1) heard.sent(piece(i, 1))
  expect(heard.again()).toHaveLength(500)
  heard.event({ type: 'reply', turn: 1, from: 0 })
  expect(heard.again()).toEqual([])
})
