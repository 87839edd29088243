/** The programs that are used understand what they are told, and what the kernel says of devices is understood. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import {
  cardsOf,
  recorderFor,
  type SoundProcess,
  startSound,
  streamPlayerFor,
  wavPlayer,
} from '../../src/sound/index.ts'

const { disk } = realHost()
const folder = mkdtempSync(join(tmpdir(), 'loqa-alsa-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function isInstalled(): boolean {
  try {
    execFileSync('arecord', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** ALSA's own devices that need no card: a microphone that reads a file, a loudspeaker that writes one. */
const DEVICES = `
pcm.nothing { type null }
pcm.voice { type file; slave.pcm "nothing"; file "/dev/null"; infile "${folder}/in.raw"; format "raw" }
pcm.paper { type file; slave.pcm "nothing"; file "${folder}/out.raw"; format "raw" }
`
const SAMPLES = Int16Array.from({ length: 16_000 }, (_, at) => (at * 7) % 3_000)
const PCM = new Uint8Array(SAMPLES.buffer)

describe.runIf(isInstalled())('the real arecord and aplay', () => {
  writeFileSync(join(folder, 'asound.conf'), DEVICES)
  writeFileSync(join(folder, 'in.raw'), PCM)
  process.env.ALSA_CONFIG_PATH = join(folder, 'asound.conf')
  afterAll(() => {
    delete process.env.ALSA_CONFIG_PATH
  })

  it('record what the device hears, as it is', async () => {
    const command = (await recorderFor('node', 'voice', process.env.PATH, disk))!
    let recorded = Buffer.alloc(0)
    await new Promise<void>((resolve) => {
      const recorder: SoundProcess = startSound(command, {
        data(bytes) {
          if (recorded.length < PCM.length) recorded = Buffer.concat([recorded, bytes])
          else recorder.kill()
        },
        ended: () => resolve(),
      })
    })
    expect(recorded.subarray(0, PCM.length).equals(PCM)).toBe(true)
  })

  it('play what they are given, to its end', async () => {
    const command = (await streamPlayerFor('paper', process.env.PATH, disk))!
    const why = await new Promise<string | undefined>((resolve) => {
      const player = startSound(command, { data: () => undefined, ended: resolve })
      player.write(PCM.subarray(0, 1_282))
      player.write(PCM.subarray(1_282))
      player.end()
    })
    expect(why).toBe(undefined)
    expect(readFileSync(join(folder, 'out.raw')).subarray(0, PCM.length).equals(PCM)).toBe(true)
  })

  it('say why when there is no such device', async () => {
    const command = (await recorderFor('node', 'absent', process.env.PATH, disk))!
    const why = await new Promise<string | undefined>((resolve) => {
      startSound(command, { data: () => undefined, ended: resolve })
    })
    expect(why).toMatch(/audio open error: No such file or directory/)
  })
})

describe('a program', () => {
  const put = (name: string, mode: number): void => {
    writeFileSync(join(folder, name), '#!/bin/sh\n')
    chmodSync(join(folder, name), mode)
  }

  it('is the first of its kind on the PATH that may be run', async () => {
    put('arecord', 0o644)
    put('parec', 0o755)
    put('pacat', 0o755)
    const path = `/nowhere:${folder}`
    expect(await recorderFor('node', '', path, disk)).toMatchObject({
      program: 'parec',
      path: join(folder, 'parec'),
    })
    expect((await streamPlayerFor('hdmi', path, disk))?.args[0]).toBe('--device=hdmi')
    put('arecord', 0o755)
    expect((await recorderFor('node', 'plughw:1', path, disk))?.args.slice(0, 2)).toEqual(['-D', 'plughw:1'])
    expect(await recorderFor('person', '', path, disk)).toMatchObject({ program: 'parec' })
    expect(await wavPlayer(path, disk)).toBe(undefined)
    expect(await recorderFor('node', '', undefined, disk)).toBe(undefined)
  })

  it('that cannot be started says why, once', async () => {
    const command = { program: 'parec', path: join(folder, 'absent'), args: [] }
    const why = await new Promise<string | undefined>((resolve) => {
      const process = startSound(command, { data: () => undefined, ended: resolve })
      process.write(PCM)
      process.end()
    })
    expect(why).toMatch(/ENOENT/)
  })
})

describe('devices', () => {
  it('are those the kernel lists', () => {
    const text =
      '00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1\n00-03: HDMI 0 :  : playback 1\n01-00: USB Audio : USB Audio : capture 1\n'
    expect(cardsOf(text)).toEqual({
      microphones: ['ALC257 Analog', 'USB Audio'],
      loudspeakers: ['ALC257 Analog', 'HDMI 0'],
    })
  })

  it('are none where it lists none, or something else', () => {
    for (const text of ['', '\n', '::::', 'hello', '00-00:'])
      expect(cardsOf(text)).toEqual({ microphones: [], loudspeakers: [] })
  })
})
