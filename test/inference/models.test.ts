/** Which files there are, which may be used, and what is said when one may not. In a simulated disk. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import type { LoqaError } from '../../src/host/index.ts'
import { type SimulatedHost, simulatedHost } from '../../src/host/simulated/index.ts'
import {
  chooseModels,
  FORMANT_VOICE,
  type Model,
  type Models,
  openModels,
  replicasOf,
} from '../../src/inference/index.ts'

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const WEIGHTS = text('weights '.repeat(1_000))
const PACKED = new Uint8Array(gzipSync(WEIGHTS))

const entry = (role: string, path: string, bytes: Uint8Array, more = {}) => ({
  role,
  path,
  sha256: sha256(bytes),
  bytes: bytes.length,
  ...more,
})
const model = (id: string, kind: string, files: object[]) => ({ id, kind, engine: 'sherpa', files })

const MANIFEST = {
  models: [
    model('small', 'stt', [entry('model', 'small.onnx', WEIGHTS)]),
    model('packed', 'stt', [entry('model', 'packed.onnx.gz', PACKED, { encoding: 'gzip' })]),
  ],
}

let host: SimulatedHost
/** Runs the simulated clock until the promise settles. */
async function settle<T>(promise: Promise<T>): Promise<T> {
  let open = true
  const done = promise.finally(() => {
    open = false
  })
  done.catch(() => {})
  while (open) {
    host.clock.runUntilIdle()
    // The unpacking itself happens outside the simulation.
    await new Promise(setImmediate)
  }
  return done
}
const opened = (): Promise<Models> =>
  settle(openModels({ ...host, models_dir: '/models', unpacked_dir: '/data/models' }))

async function fault(promise: Promise<unknown>): Promise<LoqaError> {
  return settle(promise).then(
    () => expect.unreachable('it succeeded'),
    (thrown: LoqaError) => thrown,
  )
}

const place = (path: string, bytes: Uint8Array) => settle(host.disk.write(path, bytes))

beforeEach(async () => {
  host = simulatedHost(1)
  await settle(host.disk.makeDirectory('/models'))
  await place('/models/manifest.json', text(JSON.stringify(MANIFEST)))
  await place('/models/small.onnx', WEIGHTS)
  await place('/models/packed.onnx.gz', PACKED)
})

const byId = (models: Models, id: string): Model => models.list.find((each) => each.id === id)!

describe('checking', () => {
  test('whole files are handed to the engine by role', async () => {
    const models = await opened()
    const files = await settle(models.prepare(byId(models, 'small')))
    expect(files).toMatchObject({
      id: 'small',
      kind: 'stt',
      engine: 'sherpa',
      paths: { model: '/models/small.onnx' },
    })
  })

  test('every single flipped bit is found, and the message names the file', async () => {
    const models = await opened()
    for (let i = 0; i < 100; i += 1) {
      const damaged = Uint8Array.from(WEIGHTS)
      damaged[host.random.uint32() % damaged.length]! ^= 1 << (host.random.uint32() % 8)
      await place('/models/small.onnx', damaged)
      const { code, message, hint } = await fault(models.prepare(byId(models, 'small')))
      expect({ code, hint }).toEqual({ code: 'model-invalid', hint: expect.stringContaining('restore') })
      expect(message).toContain('/models/small.onnx')
    }
  })

  test.each<[string, (() => Promise<void>) | undefined, RegExp]>([
    ['a missing file', undefined, /is missing/],
    ['a short file', () => place('/models/small.onnx', WEIGHTS.subarray(1)), /7999 bytes instead of 8000/],
  ])('%s is named', async (_, damage, says) => {
    const models = await opened()
    if (damage === undefined) await settle(host.disk.remove('/models/small.onnx'))
    else await damage()
    const { code, message } = await fault(models.prepare(byId(models, 'small')))
    expect(code).toBe('model-invalid')
    expect(message).toMatch(says)
  })

  test('a file that was replaced after it was found right is checked again', async () => {
    const models = await opened()
    await settle(models.prepare(byId(models, 'small')))
    host.clock.advance(5)
    await place('/models/small.onnx', text('noise   '.repeat(1_000)))
    expect((await fault(models.prepare(byId(models, 'small')))).code).toBe('model-invalid')
  })
})

describe('unpacking', () => {
  test('a packed file is unpacked into the data directory, once', async () => {
    const models = await opened()
    const first = await settle(models.prepare(byId(models, 'packed')))
    expect(first.paths.model).toMatch(/^\/data\/models\//)
    expect(new Uint8Array(await settle(host.disk.read(first.paths.model!)))).toEqual(WEIGHTS)
    const written = (await settle(host.disk.info(first.paths.model!)))!.modified
    host.clock.advance(1_000)
    const second = await settle(models.prepare(byId(models, 'packed')))
    expect(second.paths).toEqual(first.paths)
    expect((await settle(host.disk.info(first.paths.model!)))!.modified).toBe(written)
  })

  test('an unpacked file that was cut short is unpacked again', async () => {
    const models = await opened()
    const { paths } = await settle(models.prepare(byId(models, 'packed')))
    await place(paths.model!, WEIGHTS.subarray(5))
    await settle((await opened()).prepare(byId(models, 'packed')))
    expect(new Uint8Array(await settle(host.disk.read(paths.model!)))).toEqual(WEIGHTS)
  })
})

describe('the manifest', () => {
  test('the formant voice is always there', async () => {
    const models = await opened()
    expect(models.list.at(-1)).toEqual(FORMANT_VOICE)
    expect((await settle(models.prepare(FORMANT_VOICE))).paths).toEqual({})
  })

  test.each([
    ['not JSON', '{'],
    ['no list', '{}'],
    [
      'a path that leads out',
      JSON.stringify({ models: [model('x', 'stt', [entry('model', '../../etc/passwd', WEIGHTS)])] }),
    ],
    [
      'an absolute path',
      JSON.stringify({ models: [model('x', 'stt', [entry('model', '/etc/passwd', WEIGHTS)])] }),
    ],
    [
      'no checksum',
      JSON.stringify({ models: [model('x', 'stt', [{ role: 'model', path: 'a', bytes: 1 }])] }),
    ],
  ])('%s is refused with the place', async (_, content) => {
    await place('/models/manifest.json', text(content))
    const { code, message } = await fault(
      openModels({ ...host, models_dir: '/models', unpacked_dir: '/data/models' }),
    )
    expect(code).toBe('model-invalid')
    expect(message).toContain('/models/manifest.json')
  })
})

describe('choosing', () => {
  const list = [...MANIFEST.models, FORMANT_VOICE] as Model[]
  const auto = { stt: 'auto', llm: 'auto', tts: 'auto', vad: 'auto' }

  test('auto takes the first of each capability and leaves out what there is none of', () => {
    expect(chooseModels(list, auto).map(({ id }) => id)).toEqual(['small', 'formant-en'])
  })
  test('off takes none, even where there is one', () => {
    expect(chooseModels(list, { ...auto, stt: 'off' }).map(({ id }) => id)).toEqual(['formant-en'])
  })
  test('what a node does well without is used only when somebody chose it', () => {
    const heard = { ...MANIFEST.models[0], id: 'heard', kind: 'vad', engine: 'sherpa-vad' } as Model
    const ids = (...given: Parameters<typeof chooseModels>) => chooseModels(...given).map(({ id }) => id)
    expect(ids([...list, heard], auto)).not.toContain('heard')
    expect(ids([...list, heard], auto, { vad: 'heard' })).toContain('heard')
    expect(ids([...list, heard], { ...auto, vad: 'heard' })).toContain('heard')
    expect(ids([...list, heard], { ...auto, vad: 'off' }, { vad: 'heard' })).not.toContain('heard')
  })
  test('a name takes that model', () => {
    expect(chooseModels(list, { ...auto, stt: 'packed' }).map(({ id }) => id)).toEqual([
      'packed',
      'formant-en',
    ])
  })
  test('a wrong name is refused with the right ones', () => {
    expect(() => chooseModels(list, { ...auto, stt: 'large' })).toThrow(
      expect.objectContaining({ code: 'config-invalid', hint: 'Choose auto, off or small or packed.' }),
    )
  })
  test('replicas of one model share its tag and differ in name', async () => {
    const specs = replicasOf(list[0]!, await opened(), 2)
    expect(specs.map(({ tag }) => tag)).toEqual(['stt.sherpa:small', 'stt.sherpa:small'])
    expect(specs.map(({ name }) => name)).toEqual(['stt.sherpa.small', 'stt.sherpa.small.2'])
  })
})
