/** Whatever a person, a program or a broken part does to a node at work: a clear word, the others undisturbed, nothing lost. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { StatusView, TurnView } from '../../src/api/index.ts'
import { Satellite } from '../api/live.ts'
import { moduleOf, writeSkill } from '../skills/hostile.ts'
import { without } from './ports.ts'
import { fixture, ROOT, RunningNode } from './running-node.ts'
import { pcmOf, wavOf } from './wav.ts'

// Real processes on a machine that may be busy with others: how long is not what is tested here.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 90_000 })

const COMMAND = fixture('set-a-timer-for-five-minutes.wav')
const TIMER = { intent: 'timer.set', slots: { duration: 300 } }
/** 16 kHz s16: the command, and the silence that ends it. */
const sound = Buffer.concat([pcmOf(COMMAND), Buffer.alloc(32_000 * 2)])
const samples = Float64Array.from(
  new Int16Array(new Uint8Array(pcmOf(COMMAND)).buffer),
  (value) => value / 32_768,
)
const FRAME_BYTES = 640

const FOREVER = '(loop $again (br $again)) (i32.const 0)'
const BOMB = `(loop $again
  (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
  (memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536)))
  (br $again)) (i32.const 0)`
const HOSTILE = {
  loops: { module: moduleOf([], FOREVER), says: /took too long/ },
  bombs: { module: moduleOf([], BOMB), says: /not working/ },
  traps: { module: moduleOf([], '(unreachable)'), says: /not working/ },
} as const

let node: RunningNode
beforeAll(async () => {
  node = await RunningNode.start((data) => {
    for (const [name, { module }] of Object.entries(HOSTILE)) writeSkill(join(data, 'own'), name, module)
    return ['--set', `skills.extra_dir=${join(data, 'own')}`]
  })
})
afterAll(() => node.dispose())

/** Sends sound in frames of `bytes`, `speed` times as fast as it was spoken. */
async function speak(satellite: Satellite, pcm: Buffer, bytes = FRAME_BYTES, speed = 1): Promise<void> {
  const begin = performance.now()
  for (let at = 0; at < pcm.length; at += bytes) {
    satellite.socket.send(pcm.subarray(at, at + bytes))
    const due = begin + (at + bytes) / 32 / speed
    while (performance.now() < due) await new Promise((done) => setTimeout(done, 5))
  }
}

async function satellite(): Promise<Satellite> {
  const arrived = new Satellite(node.http)
  await arrived.event('ready')
  return arrived
}

/** A whole spoken turn in real time. */
async function turnOf(speaker: Satellite, bytes?: number): Promise<TurnView> {
  const [{ turn }] = await Promise.all([speaker.event('turn'), speak(speaker, sound, bytes)])
  speaker.socket.terminate()
  return turn as TurnView
}

const post = (body: string | Uint8Array, type = 'application/json'): Promise<Response> =>
  fetch(`${node.http}/api/v1/ask`, { method: 'POST', headers: { 'content-type': type }, body })

describe('a recording', () => {
  const save = (name: string, bytes: Uint8Array): string => {
    const path = join(node.data, name)
    writeFileSync(path, bytes)
    return path
  }
  const broken = samples.map((value, index) =>
    index % 11 === 0 ? Number.NaN : index % 1_013 === 0 ? Number.NEGATIVE_INFINITY : value,
  )

  it('of any rate, width and number of channels is heard, also clipped or with samples that are no numbers', async () => {
    const recordings = {
      'telephone.wav': wavOf(samples, { rate: 8_000, bits: 8 }),
      'studio.wav': wavOf(samples, { rate: 96_000, bits: 24, channels: 6 }),
      'odd.wav': wavOf(samples, { rate: 22_051, bits: 32, channels: 2, float: true }),
      'clipped.wav': wavOf(
        samples.map((value) => Math.max(-1, Math.min(1, value * 20))),
        { rate: 16_000, bits: 16 },
      ),
      'broken.wav': wavOf(broken, { rate: 16_000, bits: 64, float: true }),
    }
    const turns = await Promise.all(
      Object.entries(recordings).map(([name, bytes]) => node.json<TurnView>('listen', save(name, bytes))),
    )
    for (const turn of turns) expect(turn).toMatchObject(TIMER)
  })

  it.each([
    ['is empty', new Uint8Array(), 'The file is empty'],
    ['is none', readFileSync(join(ROOT, 'LICENSE')), 'not a WAV file'],
    ['is cut off in its header', readFileSync(COMMAND).subarray(0, 30), 'cut off'],
    ['holds no samples', readFileSync(COMMAND).subarray(0, 44), 'holds no sound'],
  ])('that %s is refused with the reason', async (_, bytes, reason) => {
    const { code, stdout, stderr } = await node.loqa('listen', save('refused.wav', bytes))
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(reason)
  })

  it('of ten minutes is heard from its beginning, and Ctrl-C ends it', async () => {
    const long = new Float64Array(600 * 16_000)
    long.set(samples)
    const path = save('long.wav', wavOf(long, { rate: 16_000, bits: 8 }))
    const args = ['--data', node.data, 'listen', path, '--json']
    const listening = spawn(join(ROOT, 'bin/loqa'), args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(listening, 'close')
    const [line] = (await once(listening.stdout, 'data')) as [Buffer]
    expect(JSON.parse(line.toString())).toMatchObject(TIMER)
    listening.kill('SIGINT')
    expect(await ended).toEqual([130, null])
  })
})

describe('a text', () => {
  it('of a megabyte is refused, by the command too', async () => {
    const long = 'set a timer '.repeat(87_382)
    const refused = await post(JSON.stringify({ text: long }))
    expect([refused.status, await refused.json()]).toMatchObject([413, { error: { code: 'too-large' } }])
    const { code, stderr } = await node.loqa('ask', long.slice(0, 100_000))
    expect([code, stderr]).toEqual([1, expect.stringMatching(/larger than 65536 bytes\n.*4096 characters/)])
  })

  it.each([
    ['control characters', JSON.stringify({ text: 'set a\u0007timer' }), 'control characters'],
    ['half a character', '{"text":"\\ud800"}', 'well-formed'],
    ['bytes that are not UTF-8', Buffer.from('{"text":"a\u00ff"}', 'latin1'), 'UTF-8'],
    ['nothing in it', '{"text":"   "}', 'empty'],
    ['something else around it', '{"text":["a"]}', 'expected string'],
  ])('with %s is refused with the reason', async (_, body, reason) => {
    const refused = await post(body)
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(reason)])
  })
})

describe('a satellite', () => {
  it('may cut its sound anywhere', async () => {
    const turns = await Promise.all([333, 1_279, 9_001].map(async (size) => turnOf(await satellite(), size)))
    for (const turn of turns) expect(turn).toMatchObject(TIMER)
  })

  it('ten times too fast loses its own sound, and disturbs nobody', async () => {
    const [hasty, other] = [await satellite(), await satellite()]
    const noise = Buffer.concat(Array.from({ length: 10 }, () => sound))
    const [turn] = await Promise.all([turnOf(other), speak(hasty, noise, FRAME_BYTES * 10, 10)])
    expect(turn).toMatchObject(TIMER)
    expect(hasty.socket.readyState).toBe(1)
    hasty.socket.terminate()
    const metrics = await (await fetch(`${node.http}/metrics`)).text()
    expect(Number(/^loqa_voice_frames_dropped_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0)
  })

  it('beyond the sixty-fourth is told so; a hundred silent ones keep nobody from asking', async () => {
    const crowd = Array.from({ length: 100 }, () => new Satellite(node.http))
    const fates = await Promise.all(
      crowd.map((one) => Promise.race([one.event('ready').then(() => 'ready'), one.closed])),
    )
    expect(fates.filter((fate) => fate === 'ready')).toHaveLength(64)
    expect(fates.find((fate) => fate !== 'ready')).toMatchObject({ code: 1013 })
    expect((await node.json<TurnView>('ask', 'what time is it')).intent).toBe('clock.time')
    for (const one of crowd) one.socket.terminate()
    await Promise.all(crowd.map((one) => one.closed))
    expect(await turnOf(await satellite())).toMatchObject(TIMER)
  })
})

/** The process whose memory holds the library. */
function engineWith(library: string): number {
  const found = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
      return Number(parent) === node.pid && readFileSync(`/proc/${name}/maps`, 'utf8').includes(library)
    } catch {
      return false
    }
  })
  expect(found, `the engine with ${library}`).toBeDefined()
  return Number(found)
}

describe.skipIf(process.platform !== 'linux')('an engine in mid-turn', () => {
  /** Two people speak; the recogniser is hit in the middle of their sentences. */
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    '(%s) is replaced: every sentence is heard to its end, or asked for again',
    async (signal) => {
      await node.ready()
      const speakers = [await satellite(), await satellite()]
      const heard = Promise.all(speakers.map((speaker) => turnOf(speaker)))
      await Promise.race([speakers[0]!.event('partial'), heard])
      process.kill(engineWith('sherpa-onnx'), signal)
      for (const turn of await heard) {
        // A restart that takes longer than a person waits, on a busy machine, is apologised for.
        if (turn.error === undefined) expect(turn).toMatchObject(TIMER)
        else
          expect(turn).toMatchObject({ intent: 'none', reply: expect.stringMatching(/^Sorry, I lost you/) })
      }
      await node.ready()
      expect(await turnOf(await satellite())).toMatchObject(TIMER)
    },
  )

  it('that stands still while it is asked what a sentence means costs this answer only, and says so', async () => {
    const pid = engineWith('llama-addon')
    process.kill(pid, 'SIGSTOP')
    const lost = await node.loqa('ask', 'would you make it a bit brighter over there', '--json')
    expect(lost.code).toBe(1)
    expect(JSON.parse(lost.stdout)).toMatchObject({
      intent: 'none',
      reply: expect.stringContaining('Sorry'),
      error: { code: expect.stringMatching(/^(timeout|engine-)/) },
    })
    await node.ready()
    expect((await node.json<TurnView>('ask', 'what time is it')).intent).toBe('clock.time')
  })
})

describe('a skill that', () => {
  it.each(Object.entries(HOSTILE))(
    '%s fails in words; a spoken turn beside it does not notice',
    async (name, { says }) => {
      const beside = satellite().then((speaker) => turnOf(speaker))
      const { code, stdout } = await node.loqa('ask', `${name} go`, '--json')
      expect(code).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({ intent: `${name}.go`, reply: expect.stringMatching(says) })
      expect(await beside).toMatchObject(TIMER)
    },
  )
})

it('after all of it the node is well, has kept every timer, and has logged no defect', async () => {
  expect((await node.json<StatusView>('status')).health).toEqual({ state: 'ok', reasons: [] })
  expect((await node.json<TurnView>('ask', 'which timers do i have')).reply).toMatch(
    /^You have [\w ]+ timers/,
  )
  expect(node.output).not.toMatch(/unexpected|Unhandled|internal error/i)
})

describe('a model file', () => {
  it.each([
    ['is damaged', (bytes: Buffer) => bytes.fill(0, 1_000, 1_100), 'is damaged: its checksum is wrong'],
    ['is missing', () => undefined, 'is missing'],
  ])('that %s is named, with what to do; the rest of the node works', async (_, change, words) => {
    const lame = await RunningNode.start((data) => {
      const models = join(data, 'models-here')
      mkdirSync(models)
      for (const name of readdirSync(join(ROOT, 'models'))) {
        const bytes = readFileSync(join(ROOT, 'models', name))
        const kept = name === 'recogniser-starter.onnx' ? change(bytes) : bytes
        if (kept !== undefined) writeFileSync(join(models, name), kept)
      }
      return ['--set', `inference.models_dir=${models}`, ...without('llm')]
    }, 'says-so')
    try {
      const turn = await lame.loqa('listen', COMMAND, '--json')
      expect(turn.code).toBe(1)
      expect(JSON.parse(turn.stdout)).toMatchObject({
        reply: expect.stringContaining('Sorry'),
        error: { code: 'model-invalid', message: expect.stringContaining(words) },
      })
      const { health } = await lame.json<StatusView>('status')
      expect(health.state).toBe('degraded')
      expect(health.reasons.join()).toContain('recogniser-starter.onnx')
      expect((await lame.json<TurnView>('ask', 'what time is it')).intent).toBe('clock.time')
    } finally {
      await lame.dispose()
    }
  })
})
