/** The pure parts of the adapters: how text is cut, sound repaired, and model files looked at before a library sees them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { nearestPlace } from '../../src/inference/child/nearest-place.ts'
import { onnxMetadata } from '../../src/inference/child/onnx-metadata.ts'
import { soundSamples } from '../../src/inference/child/samples.ts'
import { cutSentences } from '../../src/inference/child/sentences.ts'
import { checkedSherpaFiles } from '../../src/inference/child/sherpa-model.ts'
import { Turns } from '../../src/inference/child/turns.ts'
import { STANDINS, temporaryDirectory } from './engines.ts'

describe('where a language model reads on', () => {
  const place = (tokens: readonly number[], used: number) => ({ tokens, used })
  const told = (room: number, turns: number) => Array.from({ length: 10 * turns }, (_, i) => 1_000 * room + i)

  test('is where it has read most of the prompt', () => {
    const places = [place(told(1, 2), 5), place(told(2, 2), 6), place([], 0)]
    expect(nearestPlace(told(2, 3), places)).toBe(1)
    expect(nearestPlace(told(1, 3), places)).toBe(0)
  })

  test('is the place unused the longest for a conversation nobody knows', () => {
    expect(nearestPlace(told(3, 1), [place(told(1, 2), 5), place(told(2, 2), 4)])).toBe(1)
    expect(nearestPlace(told(3, 1), [place(told(1, 2), 5), place([], 0)])).toBe(1)
  })

  test('is not a long conversation for the sake of the greeting all have in common', () => {
    const greeting = told(0, 1)
    const long = [...greeting, ...told(1, 5)]
    expect(nearestPlace([...greeting, ...told(2, 1)], [place(long, 5), place(told(3, 1), 4)])).toBe(1)
  })

  test('is the first of one', () => {
    expect(nearestPlace([], [place([], 0)])).toBe(0)
  })
})

describe('cutting text into sentences', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['  \n ', []],
    ['The timer is set', ['The timer is set']],
    ['The timer is set. Anything else?', ['The timer is set.', 'Anything else?']],
    ['It is 3.5 degrees in the "attic". Good night!', ['It is 3.5 degrees in the "attic".', 'Good night!']],
    ['Call Dr. Smith at 3 p.m. please', ['Call Dr. Smith at 3 p.m. please']],
    ['milk\nbutter', ['milk', 'butter']],
    ['Wait... what?!', ['Wait...', 'what?!']],
  ])('%j', (text, sentences) => {
    expect(cutSentences(text, true)).toEqual({ sentences, rest: '' })
  })

  test('an unfinished text keeps its last sentence until it is sure to have ended', () => {
    expect(cutSentences('One. Two.', false)).toEqual({ sentences: ['One.'], rest: ' Two.' })
  })

  test('nothing is lost and no piece is too long, whatever the text', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'bc', ' ', ', ', '. ', '? ', '\n', '"', '…'),
      maxLength: 900,
    })
    const letters = (value: string) => value.replace(/\s/g, '')
    fc.assert(
      fc.property(text, (given) => {
        const { sentences } = cutSentences(given, true)
        expect(letters(sentences.join(''))).toBe(letters(given))
        for (const sentence of sentences) expect(sentence.length).toBeLessThanOrEqual(250)
      }),
      { numRuns: 500 },
    )
  })

  test('a text that comes in pieces is cut as one that comes whole, apart from where pieces end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('One two. ', 'Three? ', 'four, ', 'Five'), { maxLength: 20 }),
        (parts) => {
          const spoken: string[] = []
          let rest = ''
          for (const part of parts) {
            const cut = cutSentences(rest + part, false)
            spoken.push(...cut.sentences)
            rest = cut.rest
          }
          spoken.push(...cutSentences(rest, true).sentences)
          expect(spoken.join(' ')).toBe(cutSentences(parts.join(''), true).sentences.join(' '))
        },
      ),
    )
  })
})

describe('sound on its way into an engine', () => {
  test('good samples are passed on as they are, without a copy', () => {
    const samples = Float32Array.from([0, 1, -1, 0.25])
    expect(soundSamples(samples)).toBe(samples)
  })
  test('what is no number is silence, what is too loud is full scale', () => {
    const samples = Float32Array.from([Number.NaN, Number.POSITIVE_INFINITY, 2, -1e30, 0.5])
    expect([...soundSamples(samples)]).toEqual([0, 0, 1, -1, 0.5])
  })
})

describe('a model file before a library sees it', () => {
  const directory = temporaryDirectory()
  afterAll(() => directory.remove())
  const whole = readFileSync(join(STANDINS, 'recogniser.onnx'))
  const written = (bytes: Uint8Array): string => {
    const path = join(directory.path, 'model.onnx')
    writeFileSync(path, bytes)
    return path
  }
  const files = (model: string, tokens = join(STANDINS, 'tokens.txt')) =>
    checkedSherpaFiles({
      id: 'x',
      kind: 'stt',
      engine: 'sherpa',
      paths: { model, tokens },
      parameters: { layout: 'nemo-ctc' },
    })

  test('its metadata is read', () => {
    const found = onnxMetadata(written(whole))
    expect(found?.get('subsampling_factor')).toBe('8')
    expect(found?.size).toBe(10)
  })

  test('a file cut anywhere is refused', () => {
    for (let length = 0; length < whole.length; length += 7) {
      expect(() => files(written(whole.subarray(0, length)))).toThrow(
        expect.objectContaining({ code: 'model-invalid' }),
      )
    }
  })

  test('no damage makes the reader throw anything else', () => {
    const random = new SimulatedRandom(7)
    let refused = 0
    for (let i = 0; i < 400; i += 1) {
      const damaged = Uint8Array.from(whole)
      for (let flips = 0; flips < 8; flips += 1)
        damaged[random.uint32() % damaged.length] = random.uint32() & 0xff
      if (onnxMetadata(written(damaged)) === undefined) refused += 1
    }
    expect(refused).toBeGreaterThan(4)
  })

  test.each([
    ['no tokens', ''],
    ['no blank', 'a 0\nb 1\n'],
    ['no numbers', 'a\n<blk> 1\n'],
  ])('%s: refused', (_, tokens) => {
    const path = join(directory.path, 'tokens.txt')
    writeFileSync(path, tokens)
    expect(() => files(written(whole), path)).toThrow(expect.objectContaining({ code: 'model-invalid' }))
  })
})

describe('one run at a time', () => {
  /** Work that ends when told to, and writes down that it began. */
  const jobs = () => {
    const begun: string[] = []
    const ends = new Map<string, () => void>()
    const job = (name: string) => () => {
      begun.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    }
    return { begun, job, end: (name: string) => ends.get(name)!() }
  }
  const settled = () => new Promise(setImmediate)

  test('the next begins when the one before has ended', async () => {
    const { begun, job, end } = jobs()
    const turns = new Turns()
    turns.take(job('a'))
    turns.take(job('b'))
    await settled()
    expect(begun).toEqual(['a'])
    end('a')
    await settled()
    expect(begun).toEqual(['a', 'b'])
  })

  test('a turn given up while it waits is free at once and never begins', async () => {
    const { begun, job, end } = jobs()
    const turns = new Turns()
    turns.take(job('a'))
    const waiting = turns.take(job('b'))
    turns.take(job('c'))
    await settled()
    await waiting.drop()
    end('a')
    await settled()
    expect(begun).toEqual(['a', 'c'])
  })

  test('a turn given up while it runs is free when its work has ended', async () => {
    const { job, end } = jobs()
    const turn = new Turns().take(job('a'))
    await settled()
    let free = false
    const dropped = turn.drop().then(() => {
      free = true
    })
    await settled()
    expect(free).toBe(false)
    end('a')
    await dropped
    expect(free).toBe(true)
  })
})
