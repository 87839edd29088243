/** A node with a microphone and a loudspeaker of its own: it is spoken to, interrupted, and its devices are pulled out. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tone } from '../../src/cli/tone.ts'
import { writeWav } from '../../src/voice/index.ts'
import { SoundCard, until } from '../sound/sound-card.ts'
import { enginesOf } from './processor-share.ts'
import { fixture, RunningNode } from './running-node.ts'
import { pcmOf } from './wav.ts'

const speech = (name: string): Buffer => pcmOf(fixture(name))

/** A voice that is stopped is not replaced before somebody waits for it. */
const PATIENT = ['--set', 'inference.ping_timeout_ms=30000']

/** Bytes. */
const HALF_A_SECOND = 16_000

const card = new SoundCard()
let node: RunningNode
beforeAll(async () => {
  const path = process.env.PATH
  process.env.PATH = `${card.folder}:${path}`
  try {
    node = await RunningNode.start(['--mic', '--set', 'audio.input=plughw:7', ...PATIENT])
  } finally {
    process.env.PATH = path
  }
  await until('the microphone is open', () => card.has('arecord.log'))
}, 120_000)
afterAll(async () => {
  await node?.dispose()
  card.remove()
})

/** What the loudspeaker played since `from` bytes, as the node's own recogniser hears it. */
async function playedSince(from: number): Promise<string> {
  const form = new FormData()
  const pcm = Uint8Array.from(card.read('played.raw').subarray(from))
  const wav = writeWav(new Int16Array(pcm.buffer), 16_000)
  form.set('file', new Blob([Uint8Array.from(wav)]), 'played.wav')
  form.set('model', 'whisper-1')
  const answer = await fetch(`${node.http}/v1/audio/transcriptions`, { method: 'POST', body: form })
  return ((await answer.json()) as { text: string }).text
}
interface Check {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}
async function addToList(items: string): Promise<void> {
  await fetch(`${node.http}/api/v1/ask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: `add ${items} to the shopping list` }),
  })
}

/** The one engine that brings no library of its own. */
const voiceOf = (pid: number): number =>
  enginesOf(pid).find((engine) => !/sherpa|llama/.test(readFileSync(`/proc/${engine}/maps`, 'utf8')))!

async function doctor(check: string): Promise<Check | undefined> {
  const answer = await fetch(`${node.http}/api/v1/doctor`)
  return ((await answer.json()) as Check[]).find((one) => one.check === check)
}

describe('loqa-node --mic', () => {
  it('opens the device that was named, and says so', async () => {
    expect(card.read('arecord.log').toString()).toMatch(/^-D plughw:7 .*-f S16_LE -r 16000 -c 1/)
    expect(await doctor('microphone')).toMatchObject({ ok: true, detail: expect.stringMatching(/arecord/) })
  })

  it('answers in the room it stands in, through its loudspeaker', async () => {
    card.put('say.raw', speech('what-time-is-it.wav'))
    await until('the answer was played', () => card.plays.whole === 1)
    expect(await playedSince(0)).toMatch(/^it is|it's/i)
    const sessions = (await (await fetch(`${node.http}/api/v1/sessions`)).json()) as { room: string }[]
    expect(sessions.map(({ room }) => room)).toContain('kitchen')
  })

  it.skipIf(process.platform !== 'linux')(
    'sounds a short tone to who waits for an answer, and then the answer',
    async () => {
      // What was said before would be said from memory.
      await addToList('rice')
      const from = card.read('played.raw').length
      const { begun, whole: before } = card.plays
      const played = (): Buffer => card.read('played.raw').subarray(from)
      const voice = voiceOf(node.pid)
      process.kill(voice, 'SIGSTOP')
      card.put('say.raw', speech('what-is-on-the-shopping-list.wav'))
      await until('somebody is told to wait', () => card.plays.begun > begun)
      process.kill(voice, 'SIGCONT')
      const whole = Buffer.from(tone().buffer)
      await until('the tone was played', () => played().includes(whole))
      const after = played().indexOf(whole) + whole.length
      await until('the answer follows', () => played().length > after + HALF_A_SECOND)
      await until('it was played', () => card.plays.whole - before === card.plays.begun - begun)
      expect(await playedSince(from + after)).toMatch(/list/)
    },
  )

  it('is interrupted in mid-answer: what it said ends there, and the new question is answered', async () => {
    await addToList('apples and bananas and bread and butter and cheese and milk')
    const before = card.plays
    card.put('interrupt.raw', speech('what-time-is-it.wav'))
    card.put('say.raw', speech('what-is-on-the-shopping-list.wav'))
    await until('two answers began', () => card.plays.begun === before.begun + 2)
    await until('one was played whole', () => card.plays.whole === before.whole + 1)
    expect(card.plays.begun).toBe(before.begun + 2)
  })

  it('loses its microphone in mid-sentence: says why, and hears again when it is back', async () => {
    card.put('say.raw', speech('set-a-timer-for-five-minutes.wav'))
    await until('somebody speaks', () => !card.has('say.raw'))
    card.put('unplugged')
    await until('it is missed', () => node.output.includes('audio open error: No such device'))
    expect(await doctor('microphone')).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/No such device/),
      fix: expect.stringMatching(/arecord -l/),
    })
    const before = card.plays
    card.take('unplugged')
    card.put('say.raw', speech('what-time-is-it.wav'))
    await until('it answers again', () => card.plays.whole > before.whole && !card.has('say.raw'))
  })

  it('goes on without a loudspeaker, and with the next one', async () => {
    card.put('deaf')
    card.put('say.raw', speech('what-time-is-it.wav'))
    await until('it is missed', () => node.output.includes('aplay: main:831: audio open error'))
    expect(await doctor('loudspeaker')).toMatchObject({ ok: false, fix: expect.stringMatching(/aplay -l/) })
    card.take('deaf')
    const { whole } = card.plays
    card.put('say.raw', speech('what-time-is-it.wav'))
    await until('it is heard again', () => card.plays.whole > whole)
  })

  it('lets go of the microphone when it stops', async () => {
    const recorder = Number(card.read('arecord.pid').toString())
    expect(() => process.kill(recorder, 0)).not.toThrow()
    expect(await node.end('SIGTERM')).toBe(0)
    await until('the program is gone', () => !isAlive(recorder))
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
