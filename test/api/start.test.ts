import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { tokenFrom } from '../../src/api/index.ts'
import { live } from './live.ts'

describe('an API that cannot start', () => {
  it('on a taken port names the port and the flag', async () => {
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    const { port } = taken.address() as { port: number }
    try {
      await expect(live({ port })).rejects.toMatchObject({
        code: 'port-in-use',
        message: expect.stringContaining(String(port)),
        hint: expect.stringContaining('--http-port'),
      })
    } finally {
      taken.close()
    }
  })

  it.each(['0.0.0.0', '::', '192.168.1.5'])('on %s without a token is refused', async (host) => {
    await expect(live({ host })).rejects.toMatchObject({
      code: 'config-invalid',
      hint: expect.stringContaining('api.token_file'),
    })
  })

  it('with a short token is refused', async () => {
    await expect(live({}, { token: 'secret' })).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('on an address of another machine says so', async () => {
    await expect(live({ host: '203.0.113.7' }, { token: 't'.repeat(32) })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('203.0.113.7'),
    })
  })
})

describe('an API beyond loopback', () => {
  it('starts with a token and asks for it', async () => {
    const token = tokenFrom(`${'t'.repeat(40)}\nsecond line\n`)
    const { api } = await live({ host: '0.0.0.0' }, { token })
    try {
      expect(api.url).toBe(`http://127.0.0.1:${api.port}`)
      expect((await fetch(`${api.url}/api/v1/status`)).status).toBe(401)
      const headers = { authorization: `Bearer ${token}` }
      expect((await fetch(`${api.url}/api/v1/status`, { headers })).status).toBe(200)
    } finally {
      await api.stop()
    }
  })
})
