/** What a download does about each answer: tables of (state, input) → (what is asked next, what is said). */
import { describe, expect, test } from 'vitest'
import {
  type Answer,
  type Input,
  MAX_FRUITLESS,
  MAX_PAUSE_MS,
  MIB,
  SLOW_MIB_MS,
  SPARE_BYTES,
  type Step,
} from '../../../src/inference/catalogue/course.ts'
import { begin, step } from '../../../src/inference/catalogue/download.ts'
import type { Journal, Wanted } from '../../../src/inference/catalogue/wanted.ts'

const SHA = 'a'.repeat(64)
const HEAD = Buffer.concat([Buffer.from('lmgg'), Buffer.alloc(60)])
const WANTED: Wanted = {
  name: 'm (m.bin)',
  format: 'ggml',
  bytes: 1_000,
  sha256: SHA,
  sources: ['https://a/m.bin', 'https://b/m.bin'],
}
const JOURNAL: Journal = { version: 1, url: 'https://a/m.bin', etag: '"1"', total: 1_000, sha256: SHA }
const answer = (more: Partial<Answer>): Answer => ({
  ...{ type: 'answered', status: 200, length: 1_000, space: 10 * SPARE_BYTES },
  ...more,
})
const chunk = (bytes: number): Input => ({ type: 'chunk', bytes, head: HEAD.subarray(0, bytes) })

function given(inputs: readonly Input[], wanted: Wanted = WANTED, now = 0): Step {
  return inputs.reduce((last, input) => step(last.state, input, wanted, now), begin())
}
const fresh: Input = { type: 'found', size: 0 }
const kinds = ({ effects }: Step): string[] => effects.map(({ type }) => type)

describe('what an earlier run left', () => {
  test.each<[string, Input, object, readonly string[]]>([
    ['nothing', fresh, { type: 'open', url: 'https://a/m.bin', from: 0 }, ['tell']],
    [
      'a part of this file',
      { type: 'found', size: 400, journal: JOURNAL },
      { from: 400, if_range: '"1"' },
      ['tell'],
    ],
    ['all of it', { type: 'found', size: 1_000, journal: JOURNAL }, { type: 'hash' }, ['close', 'tell']],
    ['a part nobody can name', { type: 'found', size: 400 }, { from: 0 }, ['discard', 'tell', 'tell']],
    [
      'a part of another file',
      { type: 'found', size: 400, journal: { ...JOURNAL, sha256: 'b'.repeat(64) } },
      { from: 0 },
      ['discard', 'tell', 'tell'],
    ],
    [
      'more than there can be',
      { type: 'found', size: 1_001, journal: JOURNAL },
      { from: 0 },
      ['discard', 'tell', 'tell'],
    ],
  ])('%s', (_, input, asked, effects) => {
    const next = given([input])
    expect(next.ask).toMatchObject(asked)
    expect(kinds(next)).toEqual(effects)
  })

  test('a part from another source is continued without its ETag: the checksum tells', () => {
    const journal = { ...JOURNAL, url: 'https://gone/m.bin' }
    expect(given([{ type: 'found', size: 400, journal }]).ask).toEqual({
      type: 'open',
      url: 'https://a/m.bin',
      from: 400,
    })
  })
})

describe('what a server answers', () => {
  test.each<[string, Partial<Answer>, object]>([
    ['whole', {}, { type: 'read' }],
    ['another size', { length: 999 }, { type: 'open', url: 'https://b/m.bin' }],
    ['not there', { status: 404 }, { type: 'open', url: 'https://b/m.bin' }],
    ['forbidden', { status: 403 }, { type: 'open', url: 'https://b/m.bin' }],
    ['an odd status', { status: 418 }, { type: 'open', url: 'https://b/m.bin' }],
    ['busy', { status: 503 }, { type: 'pause', ms: 500 }],
    ['busy for 7 s', { status: 429, retry_after_ms: 7_000 }, { type: 'pause', ms: 7_000 }],
    ['busy for a year', { status: 503, retry_after_ms: 1e12 }, { type: 'pause', ms: MAX_PAUSE_MS }],
    ['no room for it', { space: SPARE_BYTES }, { type: 'end' }],
  ])('%s', (_, more, asked) => {
    expect(given([fresh, answer(more)]).ask).toMatchObject(asked)
  })

  const part: Input = { type: 'found', size: 400, journal: JOURNAL }
  test.each<[string, Partial<Answer>, object, boolean]>([
    ['the rest', { status: 206, range: { from: 400, total: 1_000 }, etag: '"1"' }, { type: 'read' }, false],
    ['all of it', { status: 200 }, { type: 'read' }, true],
    ['another part', { status: 206, range: { from: 300, total: 1_000 } }, { type: 'open', from: 0 }, true],
    ['no range', { status: 206 }, { type: 'open', from: 0 }, true],
    [
      'a changed file',
      { status: 206, range: { from: 400, total: 1_000 }, etag: '"2"' },
      { type: 'open', from: 0 },
      true,
    ],
    ['less than is here', { status: 416 }, { type: 'open', from: 0 }, true],
  ])('asked for the rest, it sends %s', (_, more, asked, thrownAway) => {
    const next = given([part, answer(more)])
    expect(next.ask).toMatchObject(asked)
    expect(kinds(next).includes('discard')).toBe(thrownAway)
  })
})

describe('while bytes come', () => {
  const begun = [fresh, answer({})]

  test('a web page under the name of a model ends it at its first bytes', () => {
    const head = Buffer.from('<!DOCTYPE html><html><head><title>Sign in</title>')
    const next = given([...begun, { type: 'chunk', bytes: head.length, head }], {
      ...WANTED,
      sources: ['https://a/m.bin'],
    })
    expect(next.state).toMatchObject({ phase: 'refused', why: { code: 'download-wrong-kind' } })
    expect(next.state.phase === 'refused' && next.state.why.message).toBe(
      'm (m.bin) from https://a/m.bin is a web page, expected a ggml model (whisper.cpp)',
    )
  })

  test('more than was promised is another file', () => {
    const next = given([...begun, chunk(600), chunk(600)])
    expect(next.ask).toMatchObject({ type: 'open', url: 'https://b/m.bin', from: 0 })
    expect(kinds(next)).toContain('discard')
  })

  test('broken off, it goes on from there at once; the line was good until then', () => {
    const next = given([...begun, chunk(600), { type: 'broke', why: 'cut' }])
    expect(next.ask).toMatchObject({ type: 'open', from: 600 })
    expect(kinds(next)).not.toContain('discard')
  })

  test('a server that never says goodbye has sent all the same', () => {
    expect(given([...begun, chunk(1_000), { type: 'broke', why: 'cut' }]).ask).toEqual({ type: 'hash' })
  })

  test('a source that brings nothing is left after a few tries; what came before is kept', () => {
    let next = given([...begun, chunk(600), { type: 'broke', why: 'cut' }])
    const asked: unknown[] = []
    for (let i = 0; next.ask.type !== 'end' && i < 100; i += 1) {
      asked.push(next.ask)
      const input: Input =
        next.ask.type === 'pause'
          ? { type: 'paused' }
          : { type: 'unreachable', why: 'nobody answers there', lasting: false }
      next = step(next.state, input, WANTED, i)
    }
    expect(asked.filter((ask) => (ask as { type: string }).type === 'open')).toHaveLength(
      2 * (MAX_FRUITLESS + 1),
    )
    expect(next.state).toMatchObject({ phase: 'refused', why: { code: 'download-failed', retryable: true } })
    expect(kinds(next)).not.toContain('discard')
  })

  test('a slow source is left for another one, once; the last one is waited for', () => {
    const wanted = { ...WANTED, bytes: 5 * MIB }
    let next = given([fresh, answer({ length: 5 * MIB })], wanted)
    next = step(next.state, chunk(100), wanted, SLOW_MIB_MS + 1)
    expect(next.ask).toMatchObject({ type: 'open', url: 'https://b/m.bin', from: 100 })
    const range = { from: 100, total: 5 * MIB }
    next = step(next.state, answer({ status: 206, range, length: 5 * MIB - 100 }), wanted, SLOW_MIB_MS + 2)
    next = step(next.state, chunk(100), wanted, 3 * SLOW_MIB_MS)
    expect(next.ask).toMatchObject({ type: 'read' })
  })

  test('the disk runs full: what came is kept, and said', () => {
    const next = given([...begun, chunk(600), { type: 'disk-full' }])
    expect(next.state).toMatchObject({
      phase: 'refused',
      why: { code: 'download-disk-full', retryable: true },
    })
    expect(kinds(next)).toEqual(['close'])
  })
})

describe('when all of it is here', () => {
  const all = [fresh, answer({}), chunk(1_000), { type: 'ended' } as const]
  const hashed = (sha256: string, more = {}): Input => ({
    type: 'hashed',
    sha256,
    size: 1_000,
    head: HEAD,
    ...more,
  })

  test('right: it gets its name', () => {
    const next = given([...all, hashed(SHA)])
    expect(next.ask).toEqual({ type: 'place' })
    expect(step(next.state, { type: 'placed' }, WANTED, 0).state).toMatchObject({
      phase: 'done',
      sha256: SHA,
    })
  })

  test('damaged in one piece: that source is asked no more, and the file is named', () => {
    const next = given([...all, hashed('c'.repeat(64))])
    expect(next.ask).toMatchObject({ type: 'open', url: 'https://b/m.bin', from: 0 })
    expect(next.effects).toContainEqual({
      type: 'tell',
      event: expect.objectContaining({
        event: 'struck',
        code: 'download-damaged',
        why: expect.stringContaining('m (m.bin)'),
      }),
    })
  })

  test('damaged and of several pieces: once more from the same source', () => {
    const pieces: Input[] = [
      ...[fresh, answer({}), chunk(600), { type: 'broke', why: 'cut' } as const],
      ...[
        answer({ status: 206, range: { from: 600, total: 1_000 } }),
        chunk(400),
        { type: 'ended' } as const,
      ],
    ]
    const next = given([...pieces, hashed('c'.repeat(64))])
    expect(next.ask).toMatchObject({ type: 'open', url: 'https://a/m.bin', from: 0 })
    expect(kinds(next)).toContain('discard')
  })

  test('of all reasons the one about the file is told in the end', () => {
    const next = given([...all, hashed('c'.repeat(64)), answer({ status: 404 })])
    expect(next.state).toMatchObject({ phase: 'refused', why: { code: 'download-damaged' } })
  })
})
