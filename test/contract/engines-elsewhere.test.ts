/**
 * Engines of an OpenAI-compatible server, and of a Wyoming service, keep the contract of all engines, against a real node; and against
 * servers that behave badly each run ends with a reason, or is done by an engine that is here.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { enginesElsewhere, wyomingEngines } from '../../src/inference/elsewhere.ts'
import type { EngineInput, Pool } from '../../src/inference/index.ts'
import { parseWav, recordingOf, resample, toFloat32 } from '../../src/voice/index.ts'
import { errorCode, open, openPool, run, specs, temporaryDirectory, typesOf } from '../inference/engines.ts'
import { fixture, RunningNode } from '../system/running-node.ts'
import { type EngineCase, keepsContract, resultOf } from './engine-contract.ts'
import { ENDS, openMortal, STOPS, survives } from './engine-faults.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const SETTINGS = {
  url: '',
  key_file: '',
  llm_model: 'default',
  stt_model: 'whisper-1',
  tts_model: 'tts-1',
  tts_voice: 'alloy',
  timeout_ms: 20_000,
}
type Kind = 'stt' | 'llm' | 'tts'
const elsewhere = (kind: Kind, more: Partial<typeof SETTINGS>) =>
  enginesElsewhere({ ...SETTINGS, ...more }).flatMap(({ spec }) => (spec.kind === kind ? [spec] : []))

const samples = toFloat32(recordingOf(parseWav(readFileSync(fixture('what-time-is-it.wav')))))
const recording: readonly EngineInput[] = Array.from(
  { length: Math.ceil(samples.length / 320) },
  (_, at) => ({
    type: 'audio',
    samples: samples.slice(at * 320, (at + 1) * 320),
  }),
)
const STT = { kind: 'stt', sample_rate: 16_000 } as const

describe('a real node as the server', () => {
  let node: RunningNode
  const TOKEN = 'k'.repeat(40)
  let key_file = ''
  beforeAll(async () => {
    node = await RunningNode.start((data) => {
      key_file = join(data, 'token')
      writeFileSync(key_file, `${TOKEN}\n`)
      const key = ['--set', `api.token_file=${key_file}`]
      return [...key, '--set', 'wyoming.enabled=true', '--set', 'wyoming.port=0']
    }, 'says-so')
  })
  afterAll(() => node?.dispose())
  const replicas = (kind: Kind) => async () => elsewhere(kind, { url: `${node.http}/v1`, key_file })

  describe('chat', () => {
    const messages = [{ role: 'user', content: 'set a timer for five minutes' }] as const
    keepsContract(
      {
        ...{ model: 'default', to: 'llm.openai', says: 'token', inputs: [] },
        request: { kind: 'chat', messages },
        empty: {
          request: { kind: 'chat', messages: [{ role: 'user', content: '' }] },
          ends: 'invalid-input',
        },
      },
      replicas('llm'),
    )
  })

  describe('transcription', () => {
    keepsContract(
      {
        ...{ model: 'whisper-1', to: 'stt.openai', says: 'final', request: STT, inputs: recording },
        empty: { request: STT, ends: 'done' },
      },
      replicas('stt'),
    )
  })

  describe('speech', () => {
    keepsContract(
      {
        ...{ model: 'tts-1', to: 'tts.openai', says: 'audio', inputs: [] },
        request: { kind: 'tts', text: 'The timer for five minutes is set. Anything else?' },
        empty: { request: { kind: 'tts', text: '' }, ends: 'done' },
      },
      replicas('tts'),
    )
  })

  const service = async (kind: 'stt' | 'tts') => {
    const { wyoming } = JSON.parse(readFileSync(join(node.data, 'runtime.json'), 'utf8')) as {
      wyoming: number
    }
    const none = { stt_url: '', tts_url: '', tts_voice: '', timeout_ms: 20_000 }
    return wyomingEngines({ ...none, [`${kind}_url`]: `tcp://127.0.0.1:${wyoming}` }).map(({ spec }) => spec)
  }

  describe('transcription over Wyoming', () => {
    keepsContract(
      {
        ...{ model: 'wyoming', to: 'stt.wyoming', says: 'final', request: STT, inputs: recording },
        empty: { request: STT, ends: 'done' },
      },
      () => service('stt'),
    )
  })

  describe('speech over Wyoming', () => {
    keepsContract(
      {
        ...{ model: 'wyoming', to: 'tts.wyoming', says: 'audio', inputs: [] },
        request: { kind: 'tts', text: 'The timer for five minutes is set. Anything else?' },
        empty: { request: { kind: 'tts', text: '' }, ends: 'done' },
      },
      () => service('tts'),
    )
  })

  const heard = {
    says: 'final',
    request: STT,
    inputs: recording,
    empty: { request: STT, ends: 'done' },
  } as const
  const here: readonly EngineCase[] = [
    { model: 'whisper-1', to: 'stt.openai', ...heard },
    { model: 'wyoming', to: 'stt.wyoming', ...heard },
  ]
  test('a process that speaks to it is killed, aborts, leaks or stops in mid-run, and is replaced', async () => {
    const mortal = openMortal([...(await replicas('stt')()), ...(await service('stt'))])
    await mortal.pool.start()
    await Promise.all(
      here.map(async (engine) => {
        for (const fault of [...ENDS, STOPS]) await survives(mortal, engine, fault)
      }),
    )
    await mortal.pool.stop()
  })

  test('over Wyoming, it hears what it said itself, sound that comes as it is spoken', async () => {
    const both = openPool([...(await service('stt')), ...(await service('tts'))]).pool
    await both.start()
    expect(resultOf(await run(both, 'stt', STT, recording))).toBe('what time is it')
    const text = 'Set a timer for five minutes.'
    const spoken = await run(both, 'tts', { kind: 'tts', text })
    const sound = spoken.flatMap((event) => (event.type === 'audio' ? [event] : []))
    const { sample_rate } = sound[0]!
    const inputs = sound.map(({ samples }) => ({ type: 'audio', samples: toFloat32(samples) }) as const)
    const whole = resample(Float32Array.from(inputs.flatMap((one) => [...one.samples])), sample_rate, 16_000)
    expect(resultOf(await run(both, 'stt', STT, [{ type: 'audio', samples: whole }]))).toBe(
      'set a timer for five minutes',
    )
    await both.stop()
  })

  test('hears, answers and keeps to a schema as its own engines do', async () => {
    const all = openPool([...(await replicas('llm')()), ...(await replicas('stt')())]).pool
    await all.start()
    expect(resultOf((await run(all, 'stt', STT, recording)).filter(({ type }) => type === 'final'))).toBe(
      'what time is it',
    )
    const schema = { type: 'object', properties: { intent: { enum: ['timer.set', 'none'] } } }
    const prompt = ' set a timer for five minutes\n'
    const events = await run(all, 'llm', { kind: 'llm', prompt, schema, max_tokens: 64 })
    const { intent } = JSON.parse(resultOf(events)) as { intent: string }
    expect(['timer.set', 'none']).toContain(intent)
    await all.stop()
  })
})

describe('a server that', () => {
  let server: Server
  /** With that server alone, and with an engine of its own behind it. */
  let pool: Pool
  let backed: Pool
  let asked = 0
  let behave: (response: ServerResponse, nth: number) => void
  const directory = temporaryDirectory()

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume()
      asked += 1
      behave(response, asked)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`
    const engines = elsewhere('llm', { url, timeout_ms: 3_000 })
    pool = openPool(engines).pool
    backed = openPool([
      ...engines,
      ...(await specs(['random-language'], { unpacked_dir: directory.path })),
    ]).pool
    await Promise.all([pool.start(), backed.start()])
  })
  afterAll(async () => {
    await Promise.all([pool?.stop(), backed?.stop()])
    server.closeAllConnections()
    server.close()
    directory.remove()
  })

  function serve(act: typeof behave): void {
    behave = act
    asked = 0
  }
  const chat = { kind: 'chat', messages: [{ role: 'user', content: 'hello' }], max_tokens: 8 } as const
  const ask = () => run(pool, 'llm', chat)
  const event = (data: unknown): string =>
    `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
  const says = (content: string, finish_reason: string | null = null) =>
    event({ choices: [{ delta: { content }, finish_reason }] })
  const whole = (response: ServerResponse): unknown => response.end(says('yes', 'stop') + event('[DONE]'))
  /** Whatever it did before, it is asked again and believed. */
  afterEach(async () => {
    serve(whole)
    expect(typesOf(await ask())).toEqual(['token', 'done'])
  })

  test.each([429, 500])(
    'answers with %i is asked again after a pause, and served by it then',
    async (status) => {
      serve((response, nth) => {
        if (nth > 2) whole(response)
        else response.writeHead(status).end()
      })
      expect(typesOf(await ask())).toEqual(['token', 'done'])
      expect(asked).toBe(3)
    },
  )

  type Act = (response: ServerResponse) => unknown
  const alone: Act = (response) => response.writeHead(429, { 'retry-after': '60' }).end()
  const away: Act = (response) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end()
  test.each<[string, Act, string, number]>([
    ['refuses the key', (response) => response.writeHead(401).end(), 'engine-unavailable', 1],
    ['knows no schemas', (response) => response.writeHead(400).end(), 'engine-unavailable', 1],
    ['wants to be left alone', alone, 'overloaded', 1],
    ['sends the caller elsewhere', away, 'engine-unavailable', 3],
    ['hangs up', (response) => response.destroy(), 'engine-unavailable', 3],
    ['speaks no JSON', (response) => response.end('data: {"choices":\n\n'), 'engine-crashed', 1],
    ['speaks another language', (response) => response.end('<html>hello</html>'), 'engine-crashed', 1],
    ['floods', (response) => response.end(`data: ${'x'.repeat(2 ** 20)}`), 'engine-crashed', 1],
    [
      'reports a failure',
      (response) => response.end(event({ error: { message: 'full' } })),
      'engine-crashed',
      1,
    ],
  ])('%s: the run ends with a reason', async (_, act, code, times) => {
    serve(act)
    expect(errorCode(await ask())).toBe(code)
    expect(asked).toBe(times)
  })

  test('hangs is given up in its time, before its first word and after it', async () => {
    serve((response, nth) => void (nth === 2 && response.write(says('wait'))))
    expect(errorCode(await ask())).toBe('engine-hung')
    const events = await ask()
    expect(typesOf(events)).toEqual(['token', 'failed'])
    expect(errorCode(events)).toBe('engine-hung')
  })

  test('stops in the middle: what came is not taken for an answer, and not said twice', async () => {
    serve((response) => response.end(says('half an ')))
    const events = await run(backed, 'llm', chat)
    expect(typesOf(events)).toEqual(['token', 'failed'])
    expect(errorCode(events)).toBe('engine-crashed')
  })

  test('is never asked for a run that may not leave', async () => {
    serve(whole)
    const last = await new Promise<string>((resolve) => {
      const ended = ({ type }: { type: string }): void => {
        if (type === 'done' || type === 'failed') resolve(type)
      }
      backed.run('llm', chat, ended, { here: true })
    })
    expect(last).toBe('done')
    expect(asked).toBe(0)
  })

  test('a run that is cancelled is let go of at once', async () => {
    const left = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    serve((response) => {
      response.once('close', () => left.resolve())
      response.write(says('yes'))
      arrived.resolve()
    })
    const { stream, events } = open(pool, 'llm', chat)
    await arrived.promise
    stream.cancel()
    await left.promise
    expect(typesOf(events)).not.toContain('failed')
  })

  test('cannot do it: the engine that is here does, and after three failures at once', async () => {
    serve((response) => response.writeHead(501).end())
    for (let turn = 0; turn < 5; turn += 1)
      expect(typesOf(await run(backed, 'llm', chat)).at(-1)).toBe('done')
    // Runs of three tries each; one had failed before, and then it is left alone.
    expect(asked).toBe(6)
  })
})
