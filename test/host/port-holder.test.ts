/** Whoever has a port is named, where the system tells. */
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listenersAt } from '../../src/host/port-holder.ts'
import { realHost } from '../../src/host/real.ts'
import { portHolder } from '../../src/host/real-ports.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1CFC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1CFC 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1
   2: 00000000:1CFD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0`

describe('who has a port', () => {
  it('is whose socket listens there, not who is connected to it', () => {
    expect(listenersAt(7420, TABLE)).toEqual(['4711'])
    expect(listenersAt(7421, TABLE)).toEqual(['4713'])
    expect(listenersAt(80, TABLE)).toEqual([])
    expect(listenersAt(7420, 'nothing of the kind')).toEqual([])
  })

  it('is nobody while it is free, and this process while it listens', async () => {
    const { network } = realHost()
    const server = createServer()
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as { port: number }
    const holder = await portHolder(network, '127.0.0.1', port)
    if (process.platform === 'linux') expect(holder?.pid).toBe(process.pid)
    else expect(holder).toEqual({})
    await new Promise((closed) => server.close(closed))
    expect(await portHolder(network, '127.0.0.1', port)).toBeUndefined()
  })
})
