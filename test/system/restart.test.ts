import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import type { StatusView, TurnView, VoiceEvent } from '../../src/api/index.ts'
import { QUIET, without } from './ports.ts'
import { command, RunningNode } from './running-node.ts'

let node: RunningNode | undefined
afterEach(async () => {
  await node?.dispose()
  node = undefined
})

/** Stays in the room like a loudspeaker and gives the first announcement, with the bytes of speech that came with it. */
function announcement(url: string): Promise<{ text: string; audio_bytes: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ text: string; audio_bytes: number }>()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/voice?room=kitchen`)
  let text: string | undefined
  let audio_bytes = 0
  socket.on('message', (data: Buffer, binary) => {
    if (binary) {
      audio_bytes += data.length
      return
    }
    const event = JSON.parse(data.toString()) as VoiceEvent
    if (event.type === 'announce') text = event.text
    if (event.type === 'reply-end' && text !== undefined) {
      resolve({ text, audio_bytes })
      socket.close()
    }
  })
  socket.on('error', reject)
  return promise
}

describe('a node that was killed', () => {
  it('still announces the timer it had promised', async () => {
    node = await RunningNode.start(without('stt', 'llm'), 'says-so')
    const set = await node.json<TurnView>('ask', 'set a pasta timer for ten seconds')
    expect(set.intent).toBe('timer.set')
    expect(await node.end('SIGKILL')).toBe('SIGKILL')
    const { code, stderr } = await node.loqa('status')
    expect([code, stderr]).toEqual([69, expect.stringContaining('it has stopped')])
    await node.start()
    const { text, audio_bytes } = await announcement(node.http)
    expect(text).toMatch(/pasta/i)
    expect(audio_bytes).toBeGreaterThan(8000)
  }, 90_000)

  it('finds its records unbroken, and says which was changed', async () => {
    node = await RunningNode.start(QUIET, 'says-so')
    await node.json<TurnView>('ask', 'set a pasta timer for ten minutes')
    await node.json<TurnView>('ask', 'how long is left')
    const audit = async (): Promise<string> =>
      /^audit log .*$/m.exec((await node!.loqa('doctor')).stdout)?.[0] ?? ''
    expect(await audit()).toMatch(/✓ 2 records, unbroken$/)
    await node.end('SIGKILL')
    const path = join(node.data, 'audit.log')
    writeFileSync(path, readFileSync(path, 'utf8').replace('timer.set', 'timer.xyz'))
    await node.start()
    expect(await audit()).toMatch(/✗ line 1 was changed/)
  }, 90_000)
})

describe('a data directory of the version before, with a random number for an id', () => {
  it('starts under an id of its own, and its timers run on', async () => {
    node = await RunningNode.start(QUIET, 'says-so')
    await node.json<TurnView>('ask', 'set a pasta timer for ten minutes')
    await node.end('SIGTERM')
    rmSync(join(node.data, 'keyring'))
    const former = '{"id":"0123456789abcdef","household":"fedcba9876543210"}'
    writeFileSync(join(node.data, 'node.json'), former)
    await node.start()
    expect((await node.json<StatusView>('status')).node.id).toMatch(/^12D3KooW/)
    expect((await node.json<TurnView>('ask', 'which timers do i have')).reply).toMatch(/pasta/i)
    expect((await node.loqa('doctor')).stdout).toMatch(/records, unbroken$/m)
  }, 90_000)
})

describe('a node that is asked to end', () => {
  it('drains and exits 0, and leaves its commands with a clear word', async () => {
    node = await RunningNode.start()
    expect(await node.end('SIGTERM')).toBe(0)
    const result = await node.loqa('status')
    expect(result.code).toBe(69)
    expect(result.stderr).toMatch(/loqa-node|npm start/)
  }, 60_000)
})

describe('a second node', () => {
  it('on the same folder exits 75 and names the owner, on a taken port says which and how to choose another', async () => {
    node = await RunningNode.start(QUIET, 'says-so')
    const same = await command('loqa-node', ['--data', node.data, '--port', '0', '--http-port', '0'])
    expect(same.code).toBe(75)
    expect(same.stderr).toContain(String(node.pid))

    const taken = new URL(node.http).port
    const elsewhere = ['--data', `${node.data}/other`, '--port', '0', '--http-port', taken]
    const second = await command('loqa-node', elsewhere)
    expect(second.code).not.toBe(0)
    expect(second.stderr).toContain(taken)
    expect(second.stderr).toMatch(/--http-port/)
  }, 60_000)

  it('with an unknown config key exits 78 and suggests the nearest', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'loqa-config-')), 'loqa.toml')
    writeFileSync(file, '[api]\nprot = 7420\n')
    const unknown = await command('loqa-node', ['--config', file])
    rmSync(dirname(file), { recursive: true })
    expect(unknown.code).toBe(78)
    expect(unknown.stderr).toContain(`${file}:2: api.prot is not a setting; did you mean api.port?`)
    const wrong = await command('loqa-node', ['--http-port', 'many'])
    expect(wrong.code).toBe(78)
    expect(wrong.stderr).toMatch(/http_port|http-port/)
  }, 60_000)
})
