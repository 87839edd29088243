import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  GREETINGS_PER_SOURCE,
  HANDSHAKE_MS,
  MAX_GREETING_BYTES,
} from '../../../src/cluster/household/bounds.ts'
import { found, newSelf } from '../../../src/cluster/household/founding.ts'
import { greet } from '../../../src/cluster/household/gate.ts'
import { decodeEnrolment } from '../../../src/cluster/household/messages.ts'
import { HANG_UP_MS } from '../../../src/cluster/running/bounds.ts'
import { Enrolments } from '../../../src/cluster/running/enrolments.ts'
import type { Listener } from '../../../src/host/index.ts'
import { realHost } from '../../../src/host/real.ts'
import { SimulatedClock, SimulatedRandom } from '../../../src/host/simulated/index.ts'

/** An enrolment door on a real socket, whose deadlines the test moves. */
async function door() {
  const clock = new SimulatedClock()
  const random = new SimulatedRandom(1)
  const context = { now: clock.monotonic(), wall: clock.wall(), random }
  let state = found(newSelf('attic', random), context, { locked: false })
  const { network } = realHost()
  const asked: string[] = []
  const enrolments = new Enrolments({
    clock,
    random,
    state: () => state,
    input: ({ type }) => asked.push(type),
    mayGreet: (source) => {
      const { gate, allowed } = greet(state.gate, source, clock.monotonic())
      state = { ...state, gate }
      return allowed
    },
    dial: (place) => network.dial(place, 1_000),
    met: () => undefined,
    door: () => undefined,
  })
  listener = await network.listen({ host: '127.0.0.1', port: 0 }, (connection) =>
    enrolments.admit(connection),
  )
  return { clock, asked, enrolments }
}
let listener: Listener | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await listener?.close()
})

/** Connects as a stranger; `allowHalfOpen`: it does not hang up when the other side does. */
async function stranger(options: { allowHalfOpen?: boolean } = {}) {
  const socket = connect({ host: '127.0.0.1', port: listener!.port, ...options })
  sockets.push(socket)
  let heard = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    heard = Buffer.concat([heard, typeof bytes === 'string' ? Buffer.from(bytes) : bytes])
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const ended = new Promise<void>((resolve) => socket.once('end', () => resolve()))
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return { socket, closed, ended, heard: () => heard }
}

const framed = (bytes: Uint8Array): Buffer => {
  const frame = Buffer.alloc(4 + bytes.length)
  frame.writeUInt32BE(bytes.length)
  frame.set(bytes, 4)
  return frame
}

describe('the door for strangers', () => {
  it.each([
    ['noise', framed(Buffer.from('GET / HTTP/1.1'))],
    ['a frame longer than a greeting may be', framed(new Uint8Array(MAX_GREETING_BYTES + 1))],
    ['an empty frame', framed(new Uint8Array())],
  ])('%s is answered with a code and nothing else, and hung up on', async (_, bytes) => {
    const { asked } = await door()
    const { socket, closed, heard } = await stranger()
    socket.write(bytes)
    await closed
    expect(decodeEnrolment(heard().subarray(4))).toEqual({ type: 'refused', code: 'enrolment-broken' })
    expect(heard().length).toBeLessThan(300)
    expect(asked).toEqual(['session-ended'])
  })

  it('whoever says nothing is let go after the time of a handshake', async () => {
    const { clock } = await door()
    const { closed, heard } = await stranger()
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(HANDSHAKE_MS)
    await closed
    expect(decodeEnrolment(heard().subarray(4))).toEqual({ type: 'refused', code: 'enrolment-expired' })
  })

  it('whoever does not hang up in turn is hung up on', async () => {
    const { clock } = await door()
    const { socket, ended, closed } = await stranger({ allowHalfOpen: true })
    socket.write(framed(Buffer.from('noise')))
    await ended
    expect(socket.destroyed).toBe(false)
    clock.advance(HANG_UP_MS)
    // The reset is seen by whoever goes on talking.
    socket.write('still here')
    await closed
  })

  it('one address is heard so many times a minute, and then not at all', async () => {
    await door()
    const answers = await Promise.all(
      Array.from({ length: GREETINGS_PER_SOURCE + 3 }, async () => {
        const { socket, closed, heard } = await stranger()
        socket.write(framed(Buffer.from('noise')))
        await closed
        return heard().length > 0
      }),
    )
    expect(answers.filter(Boolean)).toHaveLength(GREETINGS_PER_SOURCE)
  })
})
