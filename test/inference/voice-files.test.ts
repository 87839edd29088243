/** Files of a neural voice are looked at before a library sees them that ends its process on what it does not like. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { onnxMetadata, withMetadata } from '../../src/inference/child/onnx-metadata.ts'
import { inParts, toInt16, withoutSilence } from '../../src/inference/child/samples.ts'
import { aheadAfter, cutForQuickStart } from '../../src/inference/child/sentences.ts'
import { offlineConfig } from '../../src/inference/child/sherpa-offline.ts'
import { checkedVoice } from '../../src/inference/child/sherpa-voice.ts'
import { STANDINS, temporaryDirectory } from './engines.ts'

const file = (name: string): Buffer => readFileSync(join(STANDINS, name))

const directory = temporaryDirectory()
afterAll(() => directory.remove())

const KOKORO = {
  model: 'kokoro-sherpa.onnx',
  tokens: 'kokoro-sherpa.tokens.txt',
  voices: 'kokoro-sherpa.voices.bin',
}
const MATCHA = { model: 'matcha.onnx', tokens: 'kokoro-sherpa.tokens.txt', vocoder: 'vocoder.onnx' }
const PIPER = { model: 'piper.onnx', config: 'piper.onnx.json' }
const FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vits: { model: 'voice.onnx', tokens: 'voice.tokens.txt' },
  ...{ kokoro: KOKORO, matcha: MATCHA, piper: PIPER },
}

let cases = 0
/** The voice of that layout, with one of its files replaced. */
function voiceWith(layout: string, spoilt: Readonly<Record<string, Buffer>> = {}, parameters = {}) {
  cases += 1
  const folder = join(directory.path, String(cases))
  mkdirSync(folder)
  const paths = Object.fromEntries(
    Object.entries(FILES[layout]!).map(([role, name]) => {
      if (spoilt[role] === undefined) return [role, join(STANDINS, name)]
      writeFileSync(join(folder, name), spoilt[role])
      return [role, join(folder, name)]
    }),
  )
  return checkedVoice({
    ...{ id: 'voice', kind: 'tts', engine: 'sherpa-tts', paths, work_dir: join(directory.path, 'work') },
    parameters: { layout, ...parameters },
  })
}

describe('the files of a voice', () => {
  test('of each layout become what the library is told, with the names of its speakers', () => {
    expect(voiceWith('vits', {}, { speakers: { ann: 1 } }).speakers).toEqual(new Map([['ann', 1]]))
    expect(voiceWith('kokoro').speakers.get('high')).toBe(1)
    expect(voiceWith('matcha').speakers.size).toBe(0)
    expect(voiceWith('piper').speakers.get('high')).toBe(1)
  })

  test('of Piper are prepared once, and again when the voice is another', () => {
    const { vits } = voiceWith('piper').model as { vits: { model: string; tokens: string } }
    expect(onnxMetadata(vits.model)?.get('n_speakers')).toBe('2')
    expect(readFileSync(vits.tokens, 'utf8')).toContain('ʃ ')
    const other = Buffer.concat([file('piper.onnx'), withMetadata({ author: 'somebody else' })])
    voiceWith('piper', { model: other })
    expect(onnxMetadata(vits.model)?.get('author')).toBe('somebody else')
  })

  test.each<[string, string, Record<string, Buffer>, RegExp]>([
    ['a model that is cut off', 'vits', { model: file('voice.onnx').subarray(0, 500) }, /damaged/],
    ['a model of another kind', 'kokoro', { model: file('voice.onnx') }, /lacks the metadata/],
    ['voices of another model', 'kokoro', { voices: Buffer.alloc(64) }, /voices file/],
    ['tokens that are none', 'kokoro', { tokens: Buffer.from('<html>\n') }, /tokens/],
    ['a vocoder that is none', 'matcha', { vocoder: file('voice.onnx').subarray(0, 300) }, /vocoder/],
    ['a config that is none', 'piper', { config: Buffer.from('{"audio":{}}') }, /config.*audio/],
    ['a config that is no JSON', 'piper', { config: Buffer.from('<html>') }, /config/],
    ['a config of a megabyte', 'piper', { config: Buffer.alloc(1_200_000, ' ') }, /config/],
    [
      'a config without the marks of a sentence',
      'piper',
      { config: Buffer.from(file('piper.onnx.json').toString('utf8').replace('"^"', '"`"')) },
      /phonemes \^/,
    ],
  ])('%s are refused, with what is wrong', (_, layout, spoilt, why) => {
    expect(() => voiceWith(layout, spoilt)).toThrow(
      expect.objectContaining({ code: 'model-invalid', message: expect.stringMatching(why) }),
    )
  })

  test('of a layout nobody knows are refused', () => {
    expect(() => voiceWith('vits', {}, { layout: 'opera' })).toThrow(/layout/)
    expect(() => voiceWith('vits', {}, { speakers: { ann: 'one' } })).toThrow(/speakers/)
  })
})

describe('the files of a recogniser of whole sentences', () => {
  const recogniser = (layout: string, paths: Readonly<Record<string, string>>) =>
    offlineConfig({ id: 'ears', kind: 'stt', engine: 'sherpa-offline', paths, parameters: { layout } })
  const [model, tokens] = [join(STANDINS, 'offline.onnx'), join(STANDINS, 'tokens.txt')]

  test('become what the library is told', () => {
    expect(recogniser('nemo-ctc', { model, tokens })).toEqual({ nemoCtc: { model }, tokens })
  })

  test.each([
    ['opera', { model, tokens }, /layout/],
    ['constructor', { model, tokens }, /layout/],
    ['whisper', { encoder: model, decoder: model, tokens }, /n_text_layer/],
    ['sense-voice', { model, tokens }, /lfr_window_size/],
    ['moonshine', { preprocessor: model, encoder: model, tokens }, /uncached_decoder/],
    ['nemo-ctc', { model: tokens, tokens }, /damaged or not an ONNX/],
    ['nemo-ctc', { model, tokens: model }, /tokens/],
    ['nemo-ctc', { model }, /tokens/],
  ] as const)('of the layout %s and not what they should be are refused', (layout, paths, why) => {
    expect(() => recogniser(layout, paths)).toThrow(why)
  })
})

describe('cutting a text so that sound begins soon', () => {
  const cut = (text: string) => cutForQuickStart(text, true, 0).sentences
  test.each<[string, string[]]>([
    ['Good night.', ['Good night.']],
    ['It rains, and the sun comes later.', ['It rains, and the sun comes later.']],
    ['It rains all day, and then the sun comes out.', ['It rains all day,', 'and then the sun comes out.']],
    [
      'I have added milk to the shopping list. Anything else?',
      ['I have added milk', 'to the shopping list.', 'Anything else?'],
    ],
    [
      'It rains all day, and then the sun comes out over the hills in the west.',
      ['It rains all day,', 'and then the sun comes out', 'over the hills in the west.'],
    ],
    ['It costs 1,000,000 for now.', ['It costs 1,000,000 for now.']],
    ['', []],
  ])('%j', (text, pieces) => {
    expect(cut(text)).toEqual(pieces)
  })

  test('does not wait for a sentence to be written to its end', () => {
    const text = 'It rains until the evening, and then the '
    expect(cutForQuickStart(text, false, 0)).toEqual({
      sentences: ['It rains until the evening,'],
      rest: ' and then the ',
    })
    expect(cutForQuickStart(text, false, 100)).toEqual({ sentences: [], rest: text })
  })

  test('goes on in pieces that are synthesized while the ones before are heard', () => {
    const text = 'It rains all day, and then the sun comes out over the hills in the west, for an hour or so.'
    const whole = cut(text)
    const first = cutForQuickStart(text, false, 0)
    const then = cutForQuickStart(first.rest, true, aheadAfter(0, first.sentences[0]!.length))
    expect([...first.sentences, ...then.sentences]).toEqual(whole)
    for (const [i, piece] of whole.entries()) {
      const ahead = whole.slice(0, i).reduce((sum, { length }) => aheadAfter(sum, length), 0)
      if (i > 0) expect(piece.length * 0.6).toBeLessThanOrEqual(ahead)
    }
  })

  test('loses nothing, whatever the text and however it comes', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'bc', ' ', ', ', '. ', ' and ', '\n', '"'),
      maxLength: 40,
    })
    const letters = (value: string) => value.replace(/\s/g, '')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const spoken: string[] = []
        let [rest, ahead] = ['', 0]
        for (const [i, text] of [...parts, ''].entries()) {
          const { sentences, rest: left } = cutForQuickStart(rest + text, i === parts.length, ahead)
          ahead = sentences.reduce((sum, { length }) => aheadAfter(sum, length), ahead)
          spoken.push(...sentences)
          rest = left
        }
        expect(letters(spoken.join(''))).toBe(letters(parts.join('')))
        for (const piece of spoken) expect(piece.length).toBeLessThanOrEqual(480)
      }),
      { numRuns: 500, seed: 11 },
    )
  })
})

describe('the sound of a voice', () => {
  test('loses the silence around it, but for 40 ms', () => {
    const samples = new Float32Array(16_000)
    samples.fill(0.5, 4_000, 8_000)
    expect(withoutSilence(samples, 16_000)).toHaveLength(4_000 + 2 * 640)
    expect(withoutSilence(new Float32Array(16_000), 16_000)).toHaveLength(640)
    expect(withoutSilence(new Float32Array(10).fill(1), 16_000)).toHaveLength(10)
  })

  test('is handed out in parts, whole and in order, and what is no number is silence', () => {
    const samples = toInt16(Float32Array.from([Number.NaN, 2, -2, ...Array(9_000).fill(0.5)]))
    expect([...samples.slice(0, 3)]).toEqual([0, 32_767, -32_767])
    const parts = [...inParts(samples, 16_000)]
    expect(parts.map(({ length }) => length)).toEqual([3_200, 3_200, 2_603])
    expect(parts.flatMap((part) => [...part])).toEqual([...samples])
  })
})
