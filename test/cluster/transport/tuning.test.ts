/** What `tuning.ts` changes inside of libp2p is still there to be changed: an update of libp2p that moved it must not pass unseen. */
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import { expect, it } from 'vitest'
import { householdNoise } from '../../../src/cluster/transport/encrypter.ts'
import { tellHalfWindows } from '../../../src/cluster/transport/tuning.ts'
import { realHost } from '../../../src/host/real.ts'
import { KEY } from './identities.ts'

const open = (listen: string[]) =>
  createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [householdNoise({ keys: () => [KEY] }, realHost().random)],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
  })

const inside = (value: unknown, ...path: string[]): unknown =>
  path.reduce((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value)

it('finds in libp2p what it spares', async () => {
  const [near, far] = [await open([]), await open(['/ip4/127.0.0.1/tcp/0'])]
  await far.handle('/tuned', () => {})
  const connection = await near.dial(far.getMultiaddrs()[0]!)
  const stream = await connection.newStream('/tuned')

  tellHalfWindows(stream)
  expect(Object.hasOwn(stream, 'sendWindowUpdate')).toBe(true)

  const lengthOf = inside(connection, 'muxer', 'maConn', 'decoder', 'lengthDecoder') as (
    data: Uint8ArrayList,
  ) => number
  const thrown = (): unknown => {
    try {
      return lengthOf(new Uint8ArrayList(new Uint8Array(1)))
    } catch (error) {
      return error
    }
  }
  expect(thrown()).toBeInstanceOf(RangeError)
  expect(thrown()).toBe(thrown())
  expect(lengthOf(new Uint8ArrayList(Uint8Array.of(1), Uint8Array.of(2, 3)))).toBe(258)

  expect(Object.hasOwn(inside(connection, 'muxer', 'maConn', 'stream') as object, 'send')).toBe(true)
  await near.stop()
  await far.stop()
})
