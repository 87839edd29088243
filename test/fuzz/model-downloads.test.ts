/** Whatever a server writes into its answer, or a disk into a journal, it is read within its bounds or not at all; nothing throws. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/host/index.ts'
import { MAX_REDIRECTS, readAnswer, redirectOf } from '../../src/inference/catalogue/answers.ts'
import { FORMATS, formatOf, otherThan } from '../../src/inference/catalogue/formats.ts'
import { MAX_JOURNAL_BYTES, readJournal, writeJournal } from '../../src/inference/catalogue/wanted.ts'

const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)
const RUNS = 5_000
const options = { seed: SEED, numRuns: RUNS }

const number = fc.oneof(fc.nat().map(String), fc.bigInt().map(String), fc.string({ maxLength: 20 }))
const range = fc.oneof(
  fc.string(),
  fc
    .tuple(fc.nat(1e6), fc.nat(1e6), fc.nat(1e3))
    .map(([from, more, rest]) => `bytes ${from}-${from + more}/${from + more + rest}`),
  fc
    .tuple(number, number, fc.oneof(number, fc.constant('*')))
    .map(([from, to, size]) => `bytes ${from}-${to}/${size}`),
)

describe('the head of an answer', () => {
  test('gives counts that are counts, ranges that fit, tags that are strong', () => {
    const met = { range: 0, length: 0, etag: 0 }
    const head = fc.record({
      'content-length': fc.option(number, { nil: undefined }),
      'content-range': fc.option(range, { nil: undefined }),
      'retry-after': fc.option(fc.oneof(number, fc.date({ noInvalidDate: true }).map(String)), {
        nil: undefined,
      }),
      etag: fc.option(
        fc.oneof(
          fc.string(),
          fc.string().map((tag) => `"${tag}"`),
          fc.constant('W/"1"'),
        ),
        { nil: undefined },
      ),
      'content-encoding': fc.option(fc.constant('gzip'), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.constantFrom(200, 206, 206, 416), head, (status, fields) => {
        const answer = readAnswer(status, fields, 0)
        for (const count of [answer.length, answer.range?.from, answer.range?.total, answer.retry_after_ms]) {
          if (count === undefined) continue
          expect(Number.isSafeInteger(Math.round(count)) && count >= 0).toBe(true)
        }
        if (answer.range !== undefined) {
          met.range += 1
          expect(answer.range.from).toBeLessThanOrEqual(limits.MAX_MODEL_BYTES)
          if (answer.range.total !== undefined) expect(answer.range.from).toBeLessThan(answer.range.total)
        }
        if (answer.length !== undefined) met.length += 1
        if (answer.etag !== undefined) {
          met.etag += 1
          expect(answer.etag).toMatch(/^"[^"\s]*"$/)
        }
      }),
      options,
    )
    for (const count of Object.values(met)) expect(count).toBeGreaterThan(50)
  })

  test('redirects lead to web addresses only, from protected ones to protected ones, and not for ever', () => {
    let followed = 0
    const location = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.constantFrom('file:///etc/passwd', '/x', '//h/x', 'http://h/'),
    )
    fc.assert(
      fc.property(
        location,
        fc.nat(MAX_REDIRECTS * 2),
        fc.constantFrom('https://a/b', 'http://a/b'),
        (to, count, from) => {
          const next = redirectOf(new URL(from), to, count)
          if ('refused' in next) return
          followed += 1
          expect(count).toBeLessThan(MAX_REDIRECTS)
          expect(['http:', 'https:']).toContain(next.to.protocol)
          if (from.startsWith('https:')) expect(next.to.protocol).toBe('https:')
        },
      ),
      options,
    )
    expect(followed).toBeGreaterThan(100)
  })
})

describe('what lies on the disk', () => {
  test('a journal is read as it was written; anything else is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(400), (bytes, at) => {
        expect(readJournal(bytes)).toBeUndefined()
        const journal = {
          version: 1,
          url: 'https://a/b',
          etag: '"1"',
          total: 5,
          sha256: 'a'.repeat(64),
        } as const
        const written = Buffer.from(writeJournal(journal))
        expect(readJournal(written)).toEqual(journal)
        const cut = written.subarray(0, at % written.length)
        expect(cut.length === written.length - 1 || readJournal(cut) === undefined).toBe(true)
      }),
      options,
    )
    expect(readJournal(new Uint8Array(MAX_JOURNAL_BYTES + 1))).toBeUndefined()
  })

  test('the first bytes of any file have at most one format', () => {
    const mark = fc.constantFrom(
      'GGUF',
      'lmgg',
      '<html>',
      '{"a":1}',
      'version https://git-lfs',
      '\u0008\u0007',
      '',
    )
    fc.assert(
      fc.property(mark, fc.uint8Array({ maxLength: 64 }), (begins, rest) => {
        const head = Buffer.concat([Buffer.from(begins, 'latin1'), rest])
        const format = formatOf(head)
        for (const wanted of FORMATS.filter((one) => one !== 'any' && one !== format))
          expect(otherThan(wanted, head)).toBeTypeOf('string')
        expect(otherThan('any', head)).toBeUndefined()
      }),
      options,
    )
  })
})
