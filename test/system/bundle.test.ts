/** The program as `npm ci` bundles it, in a folder that holds no sources: it starts, and so does all that it starts. */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundle } from '../../bin/bundle.ts'
import { PACKAGE, PROGRAMS, VERSION } from '../../src/host/index.ts'
import { ROOT } from './running-node.ts'

let place: string

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'loqa-bundle-'))
  cpSync(join(ROOT, 'bin'), join(place, 'bin'), { recursive: true })
  for (const name of ['config', 'models', 'node_modules', 'sdk', 'skills', 'package.json'])
    symlinkSync(join(ROOT, name), join(place, name))
  await bundle(join(place, 'dist'))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

const loqa = (...args: string[]): string =>
  execFileSync(join(place, 'bin/loqa'), args, { encoding: 'utf8', timeout: 60_000 })

describe('the bundle', () => {
  it('is a few files, one for each command and for what is loaded when it is needed, not the fifteen hundred that the sources read', () => {
    expect(readdirSync(join(place, 'dist')).length).toBeLessThan(200)
    expect(existsSync(join(place, 'src'))).toBe(false)
    expect(loqa('--version')).toBe(`${VERSION}\n`)
  })

  it('runs a node with its store, skills and engines', async () => {
    const data = join(place, 'data')
    const node = spawn(join(place, 'bin/loqa-node'), ['--data', data, '--port', '0', '--http-port', '0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    await new Promise<void>((resolve, reject) => {
      const heard = (chunk: Buffer): void => {
        said += chunk.toString()
        if (said.includes(' is ready')) resolve()
      }
      node.stdout.on('data', heard)
      node.stderr.on('data', heard)
      node.once('exit', (code) => reject(new Error(`ended with ${code}:\n${said}`)))
    })
    try {
      expect(
        JSON.parse(loqa('--data', data, 'ask', 'add milk to the shopping list', '--json')),
      ).toMatchObject({
        intent: 'list.add',
        slots: { item: ['milk'] },
      })
      const { http } = JSON.parse(readFileSync(join(data, 'runtime.json'), 'utf8')) as { http: number }
      const script = await (await fetch(`http://127.0.0.1:${http}/page/web/waterfall.ts`)).text()
      expect(script).toContain('export function waterfall(latency')
      expect(script).not.toContain('readonly')
      const { capabilities } = JSON.parse(loqa('--data', data, 'status', '--json')) as {
        capabilities: { tag: string; state: string }[]
      }
      expect(capabilities.map(({ tag, state }) => `${tag} ${state}`).sort()).toEqual([
        'llm.llama:intent-starter ready',
        'stt.sherpa:recogniser-starter ready',
        'tts.formant:formant-en ready',
      ])
    } finally {
      const ended = new Promise((resolve) => node.once('exit', resolve))
      node.kill('SIGTERM')
      expect(await ended).toBe(0)
    }
  })
})

describe('from sources', () => {
  it('every program that is started stands where it is looked for', () => {
    expect(PACKAGE).toBe(ROOT)
    for (const file of Object.values(PROGRAMS)) expect(existsSync(file)).toBe(true)
  })
})
