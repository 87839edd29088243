/**
 * Whatever servers send, whenever the program is killed and the line cut: a download ends, with the right bytes in their place or
 * with a refusal that names the file; wrong bytes never get the name (D1–D5 in `download.ts`). Sources that only break off always
 * end right. Without a published checksum what is placed is one version of the file, never a mixture of two.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Effect,
  type Input,
  MAX_ANEW,
  SPARE_BYTES,
  type Step,
} from '../../src/inference/catalogue/course.ts'
import { begin, step } from '../../src/inference/catalogue/download.ts'
import { HEAD_BYTES } from '../../src/inference/catalogue/formats.ts'
import { readJournal, type Wanted, writeJournal } from '../../src/inference/catalogue/wanted.ts'

/** The same runs every time: what they have to meet, they always meet. `LOQA_SEED` draws others. */
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)
const RUNS = 1_500
/** Every way of going on is bounded; far above what any run needed (it prints the most it met). */
const MAX_STEPS = 30_000

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const contentOf = (seed: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size)
  bytes.write('GGUF')
  bytes.writeUInt32LE(3, 4)
  for (let i = 24; i < size; i += 1) bytes[i] = (Math.imul(i + 1, seed * 2_654_435 + 97) >>> 13) & 0xff
  return bytes
}

/** How one connection goes. */
type Manner =
  | 'whole'
  | 'cut'
  | 'ignores-range'
  | 'damages'
  | 'lies-about-length'
  | 'sends-another-part'
  | 'sends-more'
  | 'web-page'
  | 'absent'
  | 'busy'
  | 'forbidden'
  | 'unreachable'
  | 'redirects-for-ever'
  | 'no-length'
  | 'no-etag'
const HONEST: readonly Manner[] = ['whole', 'cut']
const MANNERS: readonly Manner[] = [
  ...HONEST,
  ...([
    'cut',
    'cut',
    'whole',
    'ignores-range',
    'damages',
    'lies-about-length',
    'sends-another-part',
  ] as const),
  ...(['sends-more', 'web-page', 'absent', 'busy', 'forbidden', 'unreachable'] as const),
  ...(['redirects-for-ever', 'no-length', 'no-etag'] as const),
]

interface Draw {
  below(bound: number): number
}

class World {
  part: Buffer | undefined
  journal: Uint8Array | undefined
  placed: Buffer | undefined
  /** What the server has now; changes in the runs without a checksum. */
  version = 1
  readonly met = new Set<string>()
  readonly #size: number
  readonly #draw: Draw
  readonly #manners: readonly Manner[]
  readonly #changes: boolean
  #stream: { bytes: Buffer; at: number; end: number; orderly: boolean } | undefined
  #chunk: Buffer = Buffer.alloc(0)

  constructor(size: number, draw: Draw, manners: readonly Manner[], changes: boolean) {
    this.#size = size
    this.#draw = draw
    this.#manners = manners
    this.#changes = changes
  }

  apply(effect: Effect): void {
    switch (effect.type) {
      case 'append':
        this.part = Buffer.concat([this.part ?? Buffer.alloc(0), this.#chunk])
        break
      case 'discard':
        this.part = undefined
        this.journal = undefined
        break
      case 'journal':
        this.journal = writeJournal(effect.journal)
        break
      case 'close':
        this.#stream = undefined
        break
      case 'tell':
        this.met.add(effect.event.event)
        break
    }
  }

  answer({ ask }: Step): Input {
    switch (ask.type) {
      case 'look': {
        const journal = this.journal === undefined ? undefined : readJournal(this.journal)
        return { type: 'found', size: this.part?.length ?? 0, ...(journal === undefined ? {} : { journal }) }
      }
      case 'open':
        return this.#open(ask.from, ask.if_range)
      case 'read':
        return this.#read()
      case 'pause':
        return { type: 'paused' }
      case 'hash': {
        const bytes = this.part ?? Buffer.alloc(0)
        return {
          type: 'hashed',
          sha256: sha256(bytes),
          size: bytes.length,
          head: bytes.subarray(0, HEAD_BYTES),
        }
      }
      case 'place':
        this.placed = this.part
        this.part = undefined
        this.journal = undefined
        return { type: 'placed' }
      case 'end':
        throw new Error('nothing is asked at the end')
    }
  }

  #open(from: number, if_range: string | undefined): Input {
    if (this.#changes && this.#draw.below(3) === 0) this.version += 1
    const manner = this.#manners[this.#draw.below(this.#manners.length)]!
    this.met.add(manner)
    const content = contentOf(this.version, this.#size)
    const etag = `"v${this.version}"`
    const space = 10 * SPARE_BYTES
    if (manner === 'unreachable') return { type: 'unreachable', why: 'nobody answers', lasting: false }
    if (manner === 'redirects-for-ever') return { type: 'unreachable', why: 'redirects', lasting: true }
    const refusal = { absent: 404, busy: 503, forbidden: 403 }[manner as string]
    if (refusal !== undefined) return { type: 'answered', status: refusal, space }
    if (manner === 'web-page') {
      const page = Buffer.from(`<!doctype html>${'x'.repeat(64)}`)
      this.#stream = { bytes: page, at: 0, end: page.length, orderly: true }
      return { type: 'answered', status: 200, space }
    }
    if (from >= content.length && from > 0 && manner !== 'ignores-range')
      return { type: 'answered', status: 416, space }
    const partial = from > 0 && manner !== 'ignores-range' && (if_range === undefined || if_range === etag)
    const start = partial ? from : 0
    const bytes = Buffer.from(content)
    if (manner === 'damages')
      bytes[start + this.#draw.below(bytes.length - start)]! ^= 1 << this.#draw.below(8)
    const skipped = manner === 'sends-another-part' && partial ? Math.min(1, start) : 0
    const sent = manner === 'sends-more' ? Buffer.concat([bytes, Buffer.alloc(40)]) : bytes
    const cut = manner === 'cut' || manner === 'ignores-range'
    const end = cut ? start + this.#draw.below(sent.length - start + 1) : sent.length
    this.#stream = { bytes: sent, at: start - skipped, end, orderly: !cut || this.#draw.below(2) === 0 }
    const lie = manner === 'lies-about-length' ? 1 + this.#draw.below(50) : 0
    const length = content.length - start + lie
    const silent = manner === 'no-length' || manner === 'sends-more'
    return {
      ...{ type: 'answered', status: partial ? 206 : 200, space },
      ...(silent ? {} : { length }),
      ...(manner === 'no-etag' ? {} : { etag }),
      ...(partial
        ? { range: { from: start - skipped, ...(silent ? {} : { total: content.length + lie }) } }
        : {}),
    }
  }

  #read(): Input {
    const stream = this.#stream
    if (stream === undefined) return { type: 'broke', why: 'closed' }
    if (stream.at >= stream.end) return stream.orderly ? { type: 'ended' } : { type: 'broke', why: 'cut' }
    const bytes = Math.min(stream.end - stream.at, 1 + this.#draw.below(97))
    this.#chunk = stream.bytes.subarray(stream.at, stream.at + bytes)
    stream.at += bytes
    return { type: 'chunk', bytes, head: this.#chunk.subarray(0, HEAD_BYTES) }
  }
}

interface Ended {
  readonly result: 'done' | 'refused'
  readonly code?: string
  readonly message?: string
  readonly steps: number
}

/** Runs to the end; `kills` times the program dies in the middle of what it was about to do, and is started again. */
function run(world: World, wanted: Wanted, draw: Draw, kills: number): Ended {
  let next = begin()
  let left = kills
  for (let steps = 1; steps < MAX_STEPS; steps += 1) {
    const dies = left > 0 && draw.below(40) === 0
    const carriedOut = dies ? draw.below(next.effects.length + 1) : next.effects.length
    for (const effect of next.effects.slice(0, carriedOut)) world.apply(effect)
    if (dies) {
      world.met.add('killed')
      left -= 1
      world.apply({ type: 'close' })
      next = begin()
      continue
    }
    if (next.ask.type === 'end') {
      const { state } = next
      if (state.phase === 'refused') return { result: 'refused', ...state.why, steps }
      expect(state.phase).toBe('done')
      return { result: 'done', steps }
    }
    next = step(next.state, world.answer(next), wanted, steps)
  }
  return expect.unreachable('it does not end')
}

function drawFrom(seed: number): Draw {
  let state = seed >>> 0 || 1
  return {
    below(bound) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * bound)
    },
  }
}

const wantedOf = (content: Buffer, more: Partial<Wanted> = {}): Wanted => ({
  ...{ name: 'model x (x.gguf)', format: 'gguf', sources: ['https://a/x', 'https://b/x'] },
  ...{ bytes: content.length, sha256: sha256(content) },
  ...more,
})

const runs = fc.record({
  seed: fc.nat(),
  size: fc.integer({ min: 100, max: 3_000 }),
  kills: fc.integer({ min: 0, max: 5 }),
})

describe('a download', () => {
  test('with servers that lie, lines that are cut and kills anywhere: the right bytes, or a refusal by name', () => {
    const met = new Map<string, number>()
    let most = 0
    fc.assert(
      fc.property(runs, fc.boolean(), ({ seed, size, kills }, sized) => {
        const draw = drawFrom(seed)
        const world = new World(size, draw, MANNERS, false)
        const content = contentOf(1, size)
        const { bytes: _, ...unsized } = wantedOf(content)
        const ended = run(world, sized ? wantedOf(content) : unsized, draw, kills)
        most = Math.max(most, ended.steps)
        for (const what of [...world.met, ended.result, ...(ended.code === undefined ? [] : [ended.code])])
          met.set(what, (met.get(what) ?? 0) + 1)
        // Killed right after it was placed, the next life may be refused; what lies there is right all the same.
        if (ended.result === 'done' || world.placed !== undefined)
          expect(world.placed?.equals(content)).toBe(true)
        if (ended.result === 'refused') expect(ended.message).toMatch(/model x \(x\.gguf\)/)
      }),
      { seed: SEED, numRuns: RUNS },
    )
    for (const what of [
      ...MANNERS,
      'done',
      'refused',
      'killed',
      'anew',
      'broken',
      'struck',
      'download-damaged',
    ])
      expect(met.get(what) ?? 0, what).toBeGreaterThan(5)
    expect(most).toBeLessThan(MAX_STEPS / 10)
  })

  test('a source that only breaks off gives the right file in the end, whenever it is killed', () => {
    fc.assert(
      fc.property(runs, ({ seed, size, kills }) => {
        const draw = drawFrom(seed)
        const world = new World(size, draw, HONEST, false)
        const content = contentOf(1, size)
        const ended = run(world, wantedOf(content, { sources: ['https://a/x'] }), draw, kills)
        expect(ended).toMatchObject({ result: 'done' })
        expect(world.placed?.equals(content)).toBe(true)
      }),
      { seed: SEED, numRuns: RUNS },
    )
  })

  test('without a published checksum: one version of the file, however often the server changes it', () => {
    let resumed = 0
    fc.assert(
      fc.property(runs, ({ seed, size, kills }) => {
        const draw = drawFrom(seed)
        const world = new World(size, draw, [...HONEST, 'cut', 'no-etag', 'ignores-range', 'no-length'], true)
        const wanted: Wanted = { name: 'x', format: 'gguf', sources: ['https://a/x'] }
        const ended = run(world, wanted, draw, kills)
        if (ended.result !== 'done') return
        if (world.met.has('broken')) resumed += 1
        const versions = Array.from({ length: world.version }, (_, i) => contentOf(i + 1, size))
        expect(
          versions.some((version) => version.equals(world.placed!) || isShortened(version, world.placed!)),
        ).toBe(true)
      }),
      { seed: SEED, numRuns: RUNS },
    )
    expect(resumed).toBeGreaterThan(20)
    expect(MAX_ANEW).toBeGreaterThan(0)
  })
})

/** A server that says neither length nor checksum and ends in order cannot be told from one with a shorter file. */
const isShortened = (version: Buffer, placed: Buffer): boolean =>
  version.subarray(0, placed.length).equals(placed)
