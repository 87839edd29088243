/** A cursor in a reply: whoever goes on begins in the right sentence, at the right sample. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { restOf } from '../../src/voice/said.ts'

it('names the sentence in which a sample is, and how far in it', () => {
  expect(restOf({ ends: [], samples: 0 })).toEqual({ sentence: 0, skip: 0, from: 0 })
  expect(restOf({ ends: [100, 250], samples: 0 })).toEqual({ sentence: 0, skip: 0, from: 0 })
  expect(restOf({ ends: [100, 250], samples: 100 })).toEqual({ sentence: 1, skip: 0, from: 100 })
  expect(restOf({ ends: [100, 250], samples: 240 })).toEqual({ sentence: 1, skip: 140, from: 100 })
  // More was heard than this knows the ends of.
  expect(restOf({ ends: [100], samples: 400 })).toEqual({ sentence: 1, skip: 300, from: 100 })
})

it('leaves nothing out and says nothing twice, however many ends are known', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 12 }),
      fc.nat(),
      fc.nat(),
      (lengths, a, b) => {
        const all = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((sum, length) => sum + length, 0))
        const samples = a % (all.at(-1)! + 1)
        const ends = all.slice(0, b % (all.length + 1))
        const { sentence, skip, from } = restOf({ ends, samples })
        expect(from + skip).toBe(samples)
        expect(from).toBe(sentence === 0 ? 0 : all[sentence - 1])
        if (ends.length === all.length && samples < all.at(-1)!) expect(skip).toBeLessThan(lengths[sentence]!)
      },
    ),
    { numRuns: 500, seed: 6 },
  )
})
