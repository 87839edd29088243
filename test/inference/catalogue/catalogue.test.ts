/** The catalogue is consistent; what suits a machine fits into it; what is given by a person is checked; progress adds up. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/host/index.ts'
import { adviceFor } from '../../../src/inference/catalogue/advice.ts'
import { CATALOGUE } from '../../../src/inference/catalogue/entries.ts'
import { isPinned, sizeOf } from '../../../src/inference/catalogue/entry.ts'
import { NO_PACE, paced, rateOf, secondsLeft, sizeText } from '../../../src/inference/catalogue/progress.ts'
import { ENGINES, entryOf } from '../../../src/inference/catalogue/pull.ts'

describe('the catalogue', () => {
  test('names every model once, and every file with what is known of it', () => {
    expect(new Set(CATALOGUE.map(({ id }) => id)).size).toBe(CATALOGUE.length)
    for (const { id, files, licence, memory_mb } of CATALOGUE) {
      expect(id).toMatch(/^[a-z0-9][a-z0-9_.-]*$/)
      expect(licence).not.toBe('')
      expect(memory_mb).toBeGreaterThan(0)
      expect(new Set(files.map(({ role }) => role)).size).toBe(files.length)
      for (const { bytes, sha256, sources, name } of files) {
        expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
        expect(sources.every((url) => new URL(url).protocol === 'https:')).toBe(true)
        if (sha256 !== undefined) expect(sha256).toMatch(/^[0-9a-f]{64}$/)
        if (bytes !== undefined) expect(bytes).toBeLessThanOrEqual(limits.MAX_MODEL_BYTES)
      }
    }
  })

  test('no two files have one checksum: a copied line would be a guess', () => {
    const sums = CATALOGUE.flatMap(({ files }) =>
      files.flatMap(({ sha256 }) => (sha256 === undefined ? [] : [sha256])),
    )
    expect(new Set(sums).size).toBe(sums.length)
  })

  test('what nobody published is called unpinned', () => {
    expect(CATALOGUE.filter((entry) => !isPinned(entry)).map(({ id }) => id)).toEqual(['piper-en-gb-alba'])
  })
})

describe('what suits a machine', () => {
  const GB = 1e9
  test.each<[string, number, number, number, readonly string[]]>([
    ['a small computer', 1, 4, 30, ['zipformer-en-20m']],
    ['a laptop', 8, 4, 100, ['zipformer-en-20m', 'llama-3.2-1b-q4_k_m']],
    ['a desktop', 32, 16, 500, ['zipformer-en-20m', 'qwen2.5-7b-q4_k_m']],
    ['many cores, little memory', 4, 16, 500, ['zipformer-en-20m', 'llama-3.2-1b-q4_k_m']],
    ['a full disk', 32, 16, 2, []],
    ['next to nothing', 0.2, 1, 30, []],
  ])('%s', (_, memory, cores, free, ids) => {
    const machine = { memory_bytes: memory * GB, cores, free_bytes: free * GB }
    const advice = adviceFor(CATALOGUE, machine, ENGINES)
    expect(advice.map(({ entry }) => entry.id)).toEqual(ids)
    for (const { entry, why } of advice) expect(why).toContain(entry.about)
    const takes = advice.reduce((sum, { entry }) => sum + entry.memory_mb, 0)
    expect(takes * 1e6).toBeLessThanOrEqual(machine.memory_bytes / 2)
    expect(advice.reduce((sum, { entry }) => sum + (sizeOf(entry) ?? 0), 0)).toBeLessThan(machine.free_bytes)
  })
})

describe('an address of a person', () => {
  const sha256 = 'A'.repeat(64)
  test.each<[string, object, object]>([
    ['https://h/x.gguf', {}, { id: 'x', kind: 'llm', engine: 'llama' }],
    ['http://h/ggml-tiny.bin?a=1', {}, { id: 'ggml-tiny', kind: 'stt', engine: 'whisper' }],
    ['file:///srv/m.onnx', { kind: 'vad', id: 'mine' }, { id: 'mine', kind: 'vad', engine: 'sherpa' }],
  ])('%s', (url, given, entry) => {
    const made = entryOf(url, { sha256, ...given })
    expect(made).toMatchObject(entry)
    expect(made.files[0]).toMatchObject({ sha256: 'a'.repeat(64), sources: [new URL(url).href] })
  })

  test.each<[string, string, object, RegExp]>([
    ['no address', 'nonsense', {}, /neither a model of the catalogue nor an address/],
    ['another protocol', 'ftp://h/x.gguf', {}, /neither/],
    ['no checksum', 'https://h/x.gguf', { sha256: 'abc' }, /64 letters/],
    ['no purpose', 'https://h/x.onnx', {}, /What is x\.onnx for/],
    ['no name', 'https://h/', { kind: 'stt' }, /needs a name/],
    ['a name that leads away', 'https://h/x.gguf', { id: '../x' }, /needs a name/],
  ])('refused: %s', (_, url, given, why) => {
    expect(() => entryOf(url, { sha256, ...given })).toThrow(why)
  })

  test('the name of a file never leads out of its folder', () => {
    const { files } = entryOf('https://h/a/..%2F..%2Fetc%2Fpasswd.gguf', { sha256, id: 'x' })
    expect(files[0]!.name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
  })
})

describe('progress', () => {
  test('the rate is that of the last seconds, and begins anew when the download does', () => {
    let pace = NO_PACE
    for (let s = 0; s <= 10; s += 1)
      pace = paced(pace, s < 6 ? s * 1_000 : 5_000 + (s - 5) * 4_000, s * 1_000)
    expect(rateOf(pace)).toBe(4_000)
    expect(secondsLeft(pace, 25_000, 65_000)).toBe(10)
    expect(secondsLeft(pace, 25_000, null)).toBeUndefined()
    expect(rateOf(paced(pace, 0, 11_000))).toBeUndefined()
  })

  test.each([
    [999, '999 bytes'],
    [4_885, '5 kB'],
    [3_080_000, '3.1 MB'],
    [32_152_673, '32 MB'],
    [4_683_074_240, '4.7 GB'],
  ])('%i is %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text)
  })
})
