/** What a program asks becomes a prompt and a grammar, and tokens become what it expects, however they are cut. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Delta, isCall, newAnswer, takeTokens } from '../../../src/api/openai/chat-answer.ts'
import { type AnswerForm, promptOf } from '../../../src/api/openai/chat-prompt.ts'
import { chatRequest } from '../../../src/api/openai/chat-shapes.ts'
import { ParameterError } from '../../../src/api/openai/errors.ts'
import { grammarSchema } from '../../../src/api/openai/grammar-schema.ts'
import { chooseModel } from '../../../src/api/openai/models.ts'
import { formatted } from '../../../src/api/openai/transcript.ts'
import { readUpload } from '../../../src/api/openai/upload.ts'

const SEED = 20_261_126
const TOOLS: AnswerForm = { type: 'tools', reply: 'text' }

/** All deltas of these pieces, those of the same kind joined. */
function read(form: AnswerForm, pieces: readonly string[]): { deltas: readonly Delta[]; called: boolean } {
  let state = newAnswer(form)
  const deltas: Delta[] = []
  for (const piece of pieces) {
    const step = takeTokens(state, piece)
    state = step.state
    for (const delta of step.deltas) {
      const last = deltas.at(-1)
      if (last !== undefined && delta.type !== 'tool' && last.type === delta.type)
        deltas[deltas.length - 1] = { ...delta, text: (last as { text: string }).text + delta.text }
      else deltas.push(delta)
    }
  }
  return { deltas, called: isCall(state) }
}

/** The same text in pieces; `cuts` are shares of its length. */
const inPieces = (text: string, cuts: readonly number[]): string[] => {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * text.length)), text.length].sort((a, b) => a - b)
  return places.slice(1).map((place, index) => text.slice(places[index], place))
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

describe('an answer under a grammar', () => {
  it('A1, A2: a call is named once and its arguments come whole, however the tokens are cut', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.boolean(),
        cuts,
        (values, spaced, places) => {
          const written = JSON.stringify(values, null, spaced ? 2 : 0)
          const text = spaced
            ? ` {\n "tool" : "set_light" ,\n "arguments" : ${written} }\n`
            : `{"tool":"set_light","arguments":${written}}`
          const { deltas, called } = read(TOOLS, inPieces(text, places))
          expect(called).toBe(true)
          expect(deltas).toEqual([
            { type: 'tool', name: 'set_light' },
            { type: 'arguments', text: written },
          ])
        },
      ),
      { seed: SEED, numRuns: 200 },
    )
  })

  it('A1: a reply is read out of its JSON, escapes, pairs of surrogates and all', () => {
    const escaped = (text: string): string =>
      [...text]
        .map((letter) =>
          letter
            .split('')
            .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
            .join(''),
        )
        .join('')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), cuts, (reply, ascii, places) => {
        const written = ascii ? `"${escaped(reply)}"` : JSON.stringify(reply)
        const { deltas, called } = read(TOOLS, inPieces(`{"reply":${written}}`, places))
        expect(called).toBe(false)
        expect(deltas).toEqual(reply === '' ? [] : [{ type: 'content', text: reply }])
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  it('no piece ends in the midst of a character', () => {
    let state = newAnswer(TOOLS)
    for (const piece of '{"reply":"\\ud83d\\ude00 and \\ud83d\\ude01"}') {
      const step = takeTokens(state, piece)
      state = step.state
      for (const delta of step.deltas) expect((delta as { text: string }).text.isWellFormed()).toBe(true)
    }
  })

  it('A3: plain text from an engine that keeps to no grammar is content', () => {
    expect(read(TOOLS, [' ', 'It is ', 'noon']).deltas).toEqual([{ type: 'content', text: ' It is noon' }])
  })

  it('that is JSON loses the white space after it, and nothing else', () => {
    expect(read({ type: 'json' }, ['{"a": ', ' 1', '}\n', '\n\n']).deltas).toEqual([
      { type: 'content', text: '{"a":  1}' },
    ])
  })
})

const prompt = (more: object) =>
  promptOf(chatRequest.parse({ model: 'default', messages: [{ role: 'user', content: 'hello' }], ...more }))
const tool = (name: string, parameters?: object) => ({ type: 'function', function: { name, parameters } })

describe('a prompt', () => {
  it('Q1: has three roles; calls and results of tools are what was said', () => {
    const called = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"town":"Rome"}' } }
    const messages = [
      { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'user', content: 'Rain?' },
      { role: 'assistant', content: null, tool_calls: [called] },
      { role: 'tool', tool_call_id: 'c1', content: 'dry' },
    ]
    expect(prompt({ messages }).asked.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Rain?' },
      { role: 'assistant', content: '{"tool":"weather","arguments":{"town":"Rome"}}' },
      { role: 'user', content: 'Result of weather: dry' },
    ])
    const orphan = [{ role: 'tool', tool_call_id: 'c2', content: 'dry' }]
    expect(() => prompt({ messages: orphan })).toThrow(ParameterError)
  })

  it('Q2: allows what tool_choice allows', () => {
    const tools = [tool('a', { type: 'object', properties: { x: { type: 'integer' } } }), tool('b')]
    const names = (more: object): unknown[] =>
      (
        (prompt({ tools, ...more }).asked.schema?.oneOf ?? []) as { properties: Record<string, unknown> }[]
      ).map(({ properties }) =>
        'reply' in properties ? 'reply' : (properties.tool as { const: string }).const,
      )
    expect(names({})).toEqual(['a', 'b', 'reply'])
    expect(names({ tool_choice: 'required' })).toEqual(['a', 'b'])
    expect(names({ tool_choice: { type: 'function', function: { name: 'b' } } })).toEqual(['b'])
    expect(names({ tool_choice: 'none' })).toEqual([])
    expect(() => prompt({ tools, tool_choice: { type: 'function', function: { name: 'c' } } })).toThrow(
      /called c/,
    )
    expect(() => prompt({ tool_choice: 'required' })).toThrow(/no tools/)
  })
})

describe('a schema as a grammar', () => {
  const keep = (schema: unknown, strict = false) => grammarSchema(schema, 'here', strict)

  it('keeps what a grammar can hold', () => {
    expect(
      keep({
        $schema: 'x',
        type: 'object',
        properties: {
          who: { anyOf: [{ type: 'string', maxLength: 8 }, { type: 'null' }] },
          when: { type: ['string', 'null'], format: 'date' },
          next: { $ref: '#/definitions/node' },
        },
        required: ['who'],
        definitions: { node: { type: 'array', items: { $ref: '#/$defs/node' } } },
      }),
    ).toEqual({
      type: 'object',
      properties: {
        who: { oneOf: [{ type: 'string', maxLength: 8 }, { type: 'null' }] },
        when: { oneOf: [{ type: 'string', format: 'date' }, { type: 'null' }] },
        next: { $ref: '#/$defs/node' },
      },
      additionalProperties: false,
      $defs: { node: { type: 'array', items: { $ref: '#/$defs/node' } } },
    })
  })

  it('leaves out what it cannot, unless it was to be strict', () => {
    const schema = { type: 'object', properties: { age: { type: 'integer', minimum: 0 } } }
    expect(keep(schema)).toMatchObject({ properties: { age: { type: 'integer' } } })
    expect(() => keep(schema, true)).toThrow(/minimum cannot be kept/)
    expect(() => keep({ type: 'string', pattern: 'a+' }, true)).toThrow(/pattern/)
  })

  it('refuses what is no schema, too deep or too large, and never anything worse', () => {
    let deep: object = { type: 'string' }
    for (let level = 0; level < 100; level += 1) deep = { type: 'array', items: deep }
    expect(() => keep(deep)).toThrow(ParameterError)
    const wide = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`p${i}`, {}])),
    }
    expect(() => keep(wide)).toThrow(ParameterError)
    const words = fc.constantFrom(
      'type',
      'items',
      'properties',
      'oneOf',
      '$ref',
      'enum',
      'const',
      '$defs',
      'object',
      'array',
      '__proto__',
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        words,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(words, tie('tree'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(tree, fc.boolean(), (schema, strict) => {
        try {
          expect(typeof keep(schema, strict)).toBe('object')
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ParameterError)
        }
      }),
      { seed: SEED, numRuns: 500 },
    )
  })
})

describe('a model', () => {
  const rows = [
    { tag: 'llm.llama:small', kind: 'llm', model: 'small' },
    { tag: 'llm.llama:large', kind: 'llm', model: 'large' },
  ] as const
  it('is one there is, whatever the household chooses, or refused with the names', () => {
    expect(chooseModel(rows, 'llm', 'large')).toEqual({ name: 'large', engine: 'llm.llama:large' })
    expect(chooseModel(rows, 'llm', 'default')).toEqual({ name: 'small', engine: undefined })
    expect(() => chooseModel(rows, 'llm', 'gpt-4o')).toThrow(
      expect.objectContaining({ code: 'model-unknown', hint: expect.stringContaining('small, large') }),
    )
    expect(() => chooseModel(rows, 'stt', 'whisper-1')).toThrow(
      expect.objectContaining({ code: 'engine-unavailable' }),
    )
  })
})

describe('a transcript', () => {
  it('has its times in hours, minutes, seconds and thousandths', () => {
    const segments = [{ start: 3_725.0426, end: 3_726, text: 'late' }]
    expect(formatted({ segments, seconds: 4_000 }, 'srt').body).toBe(
      '1\n01:02:05,043 --> 01:02:06,000\nlate\n\n',
    )
    expect(formatted({ segments, seconds: 4_000 }, 'vtt').body).toBe(
      'WEBVTT\n\n01:02:05.043 --> 01:02:06.000\nlate\n\n',
    )
  })
})

describe('an upload', () => {
  const type = 'multipart/form-data; boundary=xx'
  const part = (name: string, value: string, more = ''): string =>
    `--xx\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
  const file = part('file', 'RIFF', '; filename="a.wav"')
  const form = (...parts: string[]): Buffer => Buffer.from(`${parts.join('')}--xx--\r\n`)

  it('is its file and what is wanted', async () => {
    const upload = await readUpload(
      type,
      form(file, part('model', 'whisper-1'), part('response_format', 'srt')),
    )
    expect({ ...upload, file: Buffer.from(upload.file).toString() }).toEqual({
      file: 'RIFF',
      model: 'whisper-1',
      response_format: 'srt',
      stream: false,
    })
  })

  it.each([
    ['a file that is missing', form(part('model', 'm')), /file/],
    [
      'words of each word',
      form(file, part('model', 'm'), part('timestamp_granularities[]', 'word')),
      /granularities/,
    ],
    [
      'subtitles as a stream',
      form(file, part('model', 'm'), part('response_format', 'srt'), part('stream', 'true')),
      /stream/,
    ],
    ['a thousand parts', form(...Array.from({ length: 1_000 }, () => part('a', ''))), /more than 32 parts/],
    ['no form', Buffer.from('hello'), /cannot be read/],
  ])('refuses %s', async (_, body, why) => {
    await expect(readUpload(type, body)).rejects.toThrow(why)
  })

  it('that is damaged anywhere is refused or read, never anything worse', async () => {
    const whole = form(file, part('model', 'm'), part('response_format', 'json'))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.nat(255),
        fc.nat(whole.length),
        fc.boolean(),
        async (at, byte, end, cut) => {
          const body = Buffer.from(cut ? whole.subarray(0, end) : whole)
          if (at < body.length) body[at] = byte
          await readUpload(type, body).catch((thrown: unknown) =>
            expect(thrown).toBeInstanceOf(ParameterError),
          )
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })
})
