/** Promised: a version that a node has no time for is not lost. */
import { mkdtempSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { desk } from './run.ts'

const TEMPLATE = fileURLToPath(new URL('../../sdk/templates/typescript', import.meta.url))

it('a node that is asked too much is asked again', async () => {
  const answers = [
    [429, { error: { code: 'rate-limited', message: 'Too many requests from this address' } }],
    [429, { error: { code: 'rate-limited', message: 'Too many requests from this address' } }],
    [200, { name: 'pets', version: '1.0.0' }],
  ] as const
  let asked = 0
  const server = createServer((_request, response) => {
    const [status, body] = answers[asked]!
    asked += 1
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const folder = mkdtempSync(join(tmpdir(), 'loqa-dev-'))
  try {
    await cp(TEMPLATE, folder, { recursive: true })
    const ada = await desk((server.address() as AddressInfo).port)
    const { code, out } = await ada.run(['skill', 'dev', folder, '--once'])
    expect(out.match(/asked too much just now/g)).toHaveLength(1)
    expect(out).toContain('pets 1.0.0 is in the node')
    expect([code, asked]).toEqual([0, 3])
  } finally {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
