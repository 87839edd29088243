/** A real node as programs made for OpenAI's API use it: through the official client, unchanged; and callers that behave badly. */
import { createReadStream, readFileSync } from 'node:fs'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseWav, readMono, resample, toInt16, writeWav } from '../../src/voice/index.ts'
import { fixture, RunningNode } from './running-node.ts'

let node: RunningNode
let client: OpenAI
beforeAll(async () => {
  node = await RunningNode.start()
  client = new OpenAI({ baseURL: `${node.http}/v1`, apiKey: 'none', maxRetries: 0 })
}, 120_000)
afterAll(() => node?.dispose())

const SENTENCE = 'Set a timer for five minutes, please.'
const messages = [{ role: 'user', content: SENTENCE }] as const
const model = 'intent-starter'

const light = {
  type: 'function',
  function: {
    name: 'set_light',
    description: 'Switches a light',
    parameters: {
      type: 'object',
      properties: { room: { enum: ['kitchen', 'attic'] }, on: { type: 'boolean' } },
      required: ['room', 'on'],
    },
  },
} as const

describe('models', () => {
  it('are those that answer in the household', async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['recogniser-starter', 'intent-starter', 'formant-en']))
    expect(await client.models.retrieve(model)).toMatchObject({ id: model, owned_by: 'household' })
  })
})

describe('chat', () => {
  it('is answered by the language model, whole and token by token alike', async () => {
    const whole = await client.chat.completions.create({ model, messages: [...messages] })
    const [choice] = whole.choices
    expect(JSON.parse(choice!.message.content!)).toMatchObject({ intent: 'timer.set' })
    expect(choice!.finish_reason).toBe('stop')
    expect(whole.usage!.total_tokens).toBeGreaterThan(whole.usage!.prompt_tokens)

    const stream = await client.chat.completions.create({
      ...{ model, messages: [...messages], stream: true },
      stream_options: { include_usage: true },
    })
    const pieces: string[] = []
    let usage: OpenAI.CompletionUsage | null | undefined
    let finish: string | null | undefined
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0]?.delta.content ?? '')
      finish = chunk.choices[0]?.finish_reason ?? finish
      usage = chunk.usage ?? usage
    }
    expect(pieces.join('')).toBe(choice!.message.content)
    expect(pieces.filter((piece) => piece !== '').length).toBeGreaterThan(2)
    expect({ finish, usage }).toEqual({ finish: 'stop', usage: whole.usage })
  })

  it('stops at the limit and at a stop word, and says which', async () => {
    const short = await client.chat.completions.create({ model, messages: [...messages], max_tokens: 2 })
    expect(short.choices[0]!.finish_reason).toBe('length')
    const stopped = await client.chat.completions.create({
      model,
      messages: [...messages],
      stop: [' minutes'],
    })
    expect(stopped.choices[0]!.message.content).toMatch(/ five$/)
    expect(stopped.choices[0]!.finish_reason).toBe('stop')
  })

  it('keeps to a JSON schema', async () => {
    const schema = {
      type: 'object',
      properties: {
        room: { enum: ['kitchen', 'attic'] },
        lamps: { type: 'array', items: { type: 'boolean' }, maxItems: 2 },
      },
      required: ['room', 'lamps'],
      additionalProperties: false,
    }
    const answer = await client.chat.completions.create({
      ...{ model, messages: [...messages] },
      response_format: { type: 'json_schema', json_schema: { name: 'lamps', strict: true, schema } },
    })
    const read = JSON.parse(answer.choices[0]!.message.content!) as { room: string; lamps: boolean[] }
    expect(['kitchen', 'attic']).toContain(read.room)
    expect(Array.isArray(read.lamps)).toBe(true)
  })

  it('calls a tool with arguments that fit its schema, and reads the result', async () => {
    const asked = [{ role: 'user', content: 'switch on the light in the kitchen' }] as const
    const call = await client.chat.completions.create({
      ...{ model, messages: [...asked], tools: [light], tool_choice: 'required' },
    })
    const [choice] = call.choices
    expect(choice!.finish_reason).toBe('tool_calls')
    const [tool] = choice!.message.tool_calls!
    const { name, arguments: values } = (tool as OpenAI.ChatCompletionMessageFunctionToolCall).function
    expect(name).toBe('set_light')
    expect(Object.keys(JSON.parse(values) as object)).toEqual(['room', 'on'])

    const after = await client.chat.completions.create({
      ...{ model, tools: [light], tool_choice: 'none' },
      messages: [...asked, choice!.message, { role: 'tool', tool_call_id: tool!.id, content: 'it is on' }],
    })
    expect(after.choices[0]!.message.content).toContain('intent')
  })

  it('streams a tool call as the client puts it together', async () => {
    const stream = client.chat.completions.stream({
      ...{ model, messages: [...messages], tools: [light], tool_choice: 'required' },
    })
    const { choices } = await stream.finalChatCompletion()
    const [tool] = choices[0]!.message.tool_calls!
    const { name, arguments: values } = (tool as OpenAI.ChatCompletionMessageFunctionToolCall).function
    expect(name).toBe('set_light')
    expect(typeof (JSON.parse(values) as { on: unknown }).on).toBe('boolean')
  })

  it('that is broken off leaves the engine free', async () => {
    const stream = await client.chat.completions.create({ model, messages: [...messages], stream: true })
    for await (const _ of stream) break
    stream.controller.abort()
    expect((await client.chat.completions.create({ model, messages: [...messages] })).choices).toHaveLength(1)
  })
})

describe('transcription', () => {
  const wav = 'what-time-is-it.wav'
  const recording = () => createReadStream(fixture(wav))
  const ask = { file: recording, model: 'whisper-1' }

  it('gives the words in every format', async () => {
    const words = /^what time is it\s*$/
    const create = client.audio.transcriptions
    const plain = await create.create({ ...ask, file: recording() })
    expect(plain.text).toMatch(words)
    expect(await create.create({ ...ask, file: recording(), response_format: 'text' })).toMatch(words)
    const verbose = await create.create({ ...ask, file: recording(), response_format: 'verbose_json' })
    expect(verbose).toMatchObject({ text: 'what time is it', segments: [{ id: 0, text: 'what time is it' }] })
    expect(verbose.segments![0]!.end).toBeLessThanOrEqual(Number(verbose.duration))
    const srt = await create.create({ ...ask, file: recording(), response_format: 'srt' })
    expect(srt).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\nwhat time is it\n/)
    const vtt = await create.create({ ...ask, file: recording(), response_format: 'vtt' })
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:0\d\.\d{3} --> /)
  })

  it('of several sentences streams them one by one, with their times', async () => {
    const one = parseWav(readFileSync(fixture(wav)))
    const speech = resample(readMono(one), one.sample_rate, 16_000)
    const pause = new Float32Array(16_000 * 2)
    const parts = [speech, pause, speech, pause, speech]
    const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    const file = await toFile(writeWav(toInt16(all)), 'three.wav')
    const stream = await client.audio.transcriptions.create({ file, model: 'default', stream: true })
    const deltas: string[] = []
    let text = ''
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') deltas.push(event.delta)
      if (event.type === 'transcript.text.done') text = event.text
    }
    expect(deltas.join('')).toBe(text)
    expect(text).toBe(Array.from({ length: 3 }, () => 'what time is it').join(' '))
    expect(deltas.length).toBeGreaterThan(1)
  })
})

describe('speech', () => {
  it('is understood by the recogniser, as WAV and as samples at 24 kHz', async () => {
    const input = 'Set a timer for five minutes.'
    const spoken = await client.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input,
      response_format: 'wav',
    })
    expect(spoken.headers.get('content-type')).toBe('audio/wav')
    const pcm = await client.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input,
      response_format: 'pcm',
    })
    const samples = new Int16Array(await pcm.arrayBuffer())
    const files = [
      await toFile(Buffer.from(await spoken.arrayBuffer()), 'speech.wav'),
      await toFile(writeWav(samples, 24_000), 'samples.wav'),
    ]
    for (const file of files) {
      const { text } = await client.audio.transcriptions.create({ file, model: 'whisper-1' })
      expect(text).toBe('set a timer for five minutes')
    }
  })

  it('is quicker at a higher speed', async () => {
    const create = (speed: number) =>
      client.audio.speech.create({
        ...{ model: 'default', voice: 'default', response_format: 'pcm', speed },
        input: 'The lights in the living room are on.',
      })
    const [slow, fast] = [await create(0.7), await create(1.6)]
    expect((await slow.arrayBuffer()).byteLength).toBeGreaterThan(1.5 * (await fast.arrayBuffer()).byteLength)
  })
})

describe('embeddings', () => {
  it('are vectors of unit length, in both encodings alike', async () => {
    const input = ['turn on the lights', 'what time is it']
    const asBase64 = await client.embeddings.create({ model, input })
    const asFloats = await client.embeddings.create({ model, input, encoding_format: 'float' })
    expect(asBase64.data).toHaveLength(2)
    for (const [index, { embedding }] of asBase64.data.entries()) {
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 4)
      for (const [at, value] of asFloats.data[index]!.embedding.entries())
        expect(embedding[at]).toBeCloseTo(value, 5)
    }
    expect(asBase64.usage.prompt_tokens).toBeGreaterThan(4)
  })
})

describe('what cannot be', () => {
  const refused = async (asked: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> => {
    const thrown: unknown = await asked.catch((error: unknown) => error)
    if (!(thrown instanceof OpenAI.APIError)) throw thrown
    return thrown
  }
  const chat = (more: object) =>
    client.chat.completions.create({
      model,
      messages: [...messages],
      ...more,
    } as OpenAI.ChatCompletionCreateParamsNonStreaming)

  it('is refused in the shape the client knows, with the part that is wrong', async () => {
    const unknown = await refused(chat({ model: 'gpt-4o' }))
    expect(unknown).toBeInstanceOf(OpenAI.NotFoundError)
    expect(unknown).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' })
    expect(unknown.message).toContain('intent-starter')
    expect(await refused(chat({ n: 2 }))).toMatchObject({ status: 400, param: 'n' })
    expect(await refused(chat({ temperature: 9 }))).toMatchObject({ status: 400, param: 'temperature' })
    expect(await refused(chat({ messages: [{ role: 'user', content: 'a '.repeat(4_000) }] }))).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
    })
    const picture = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }]
    expect(await refused(chat({ messages: picture }))).toMatchObject({ param: 'messages.0.content.0' })
    const audio = await toFile(Buffer.from('ID3 not a wav'), 'song.mp3')
    expect(
      await refused(client.audio.transcriptions.create({ file: audio, model: 'whisper-1' })),
    ).toMatchObject({
      ...{ status: 400, param: 'file' },
      message: expect.stringContaining('ffmpeg'),
    })
    const flac = client.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input: 'hi',
      response_format: 'flac',
    })
    expect(await refused(flac)).toMatchObject({ status: 400, param: 'response_format' })
    expect(await refused(client.embeddings.create({ model, input: 'hello', dimensions: 5 }))).toMatchObject({
      param: 'dimensions',
    })
  })
})
