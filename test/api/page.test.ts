/** The page's files: whoever reaches the address may have them, and nothing else without a token; they load nothing from elsewhere. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAGE_FILES } from '../../src/api/index.ts'
import { buildServer } from '../../src/api/server.ts'
import { PAGE_FOLDER } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { pageReader } from '../../src/node/page.ts'
import { settings } from './live.ts'
import { ScriptedView } from './scripted-view.ts'

type Server = Awaited<ReturnType<typeof buildServer>>
const TOKEN = 'x'.repeat(32)
let server: Server

beforeAll(async () => {
  const { clock, disk } = realHost()
  const page = pageReader(disk)
  server = await buildServer({ view: new ScriptedView(), clock, settings, token: TOKEN, page })
})
afterAll(() => server.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  server.app.inject({ url, headers: { host: '127.0.0.1:7420', ...headers } })

const source = (file: string): string => readFileSync(join(PAGE_FOLDER, file), 'utf8')

describe('the page', () => {
  it.each(PAGE_FILES)('$path is served as $type', async ({ path, file, type }) => {
    const answer = await get(path)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe(type)
    expect(answer.rawPayload.length).toBeGreaterThan(100)
    if (!file.endsWith('.ts')) expect(answer.rawPayload).toEqual(readFileSync(join(PAGE_FOLDER, file)))
  })

  it('needs no token, while everything that says something of the node does', async () => {
    for (const path of ['/api/v1/status', '/api/docs', '/page/web/../../node.ts', '/page/node.ts'])
      expect((await get(path)).statusCode, path).toBe(401)
    const authorization = `Bearer ${TOKEN}`
    expect((await get('/page/node.ts', { authorization })).statusCode).toBe(404)
    expect((await get('/page/web/tsconfig.json', { authorization })).statusCode).toBe(404)
  })

  it('is kept from the frames and names of other sites like every answer', async () => {
    const { headers } = await get('/')
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'.*frame-ancestors 'none'.*worker-src 'self'$/,
    )
    expect(headers['x-frame-options']).toBe('DENY')
    expect((await get('/', { host: 'evil.example' })).statusCode).toBe(421)
  })

  it('names no other server, has no script or style of its own inside, and sets no HTML', () => {
    for (const { file } of PAGE_FILES.filter(({ type }) => type.includes('text/') || type.includes('json'))) {
      const text = source(file)
      expect(text.replaceAll('http://localhost', ''), file).not.toMatch(/https?:\/\/(?!127)/)
      expect(text, file).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval\(/)
    }
    expect(source('web/index.html')).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/)
  })

  it('every script imports only what is served; the service worker keeps all of it', () => {
    const served = new Set(PAGE_FILES.map(({ path }) => path))
    for (const { file } of PAGE_FILES.filter(({ type }) => type.startsWith('text/javascript'))) {
      for (const [, name] of source(file).matchAll(/^(?:import|export) (?!type).*from '(.+)'/gm)) {
        const path = new URL(name!, `http://node/page/${file}`).pathname
        expect(served, `${file} imports ${name}`).toContain(path)
      }
    }
    const [, kept = ''] = /const PAGE = \[([^\]]+)\]/.exec(source('web/service-worker.ts')) ?? []
    const names = [...kept.matchAll(/'([^']+)'/g)].map(([, name]) => name).sort()
    expect(names).toEqual([...served].filter((path) => path !== '/service-worker.js').sort())
  })

  it('has the icons its manifest promises, of the sizes it promises', () => {
    const { icons } = JSON.parse(source('web/manifest.webmanifest')) as {
      icons: { src: string; sizes: string }[]
    }
    for (const { src, sizes } of icons) {
      const file = join(PAGE_FOLDER, src.replace('/page/', ''))
      expect(existsSync(file)).toBe(true)
      if (sizes === 'any') continue
      const png = readFileSync(file)
      expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes)
    }
  })
})
