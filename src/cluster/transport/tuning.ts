/**
 * Where libp2p spends more than its work needs, and how to spare it. Each looks before it touches what libp2p does not show: a
 * version that is made otherwise is left as it is. What each saves was measured with `bench/cluster/messaging.ts`.
 */
import type { MessageStream, Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/** Noise hands down length, ciphertext and tag apart; as one buffer they cost one system call in place of three. */
export function inOneWrite(connection: MessageStream): MessageStream {
  const send = connection.send.bind(connection)
  connection.send = (data) => send(data.subarray())
  return connection
}

/** What a stream of yamux has besides what it shows. */
interface Windowed {
  sendWindowUpdate: () => void
  /** Bytes. */
  readonly recvWindow: number
  /** What the other side may still send of it. */
  readonly recvWindowCapacity: number
}

const isWindowed = (stream: unknown): stream is Windowed => {
  const { sendWindowUpdate, recvWindow, recvWindowCapacity } = stream as Partial<Windowed>
  return (
    typeof sendWindowUpdate === 'function' &&
    typeof recvWindow === 'number' &&
    typeof recvWindowCapacity === 'number'
  )
}

/**
 * yamux tells the sender of every slice that was read, in a packet of its own: half of what a receiver spends goes there. Told
 * when half of the window is used, as yamux in Go does, the sender never waits either.
 */
export function tellHalfWindows(stream: Stream): void {
  const windowed: unknown = stream
  if (!isWindowed(windowed)) return
  const tell = windowed.sendWindowUpdate.bind(stream)
  windowed.sendWindowUpdate = () => {
    if (windowed.recvWindowCapacity <= windowed.recvWindow / 2) tell()
  }
}

/** What an encrypted connection has inside: how it reads the length of a packet. */
interface Measured {
  readonly decoder: { lengthDecoder: (data: Uint8ArrayList) => number }
}

const isMeasured = (connection: unknown): connection is Measured => {
  const { decoder } = connection as { decoder?: { lengthDecoder?: unknown } }
  return typeof decoder?.lengthDecoder === 'function'
}

/** Thrown again and again: the decoder takes it for "not there yet", and nobody reads where it came from. */
const NOT_YET = new RangeError('the length of the next packet has not come yet')

/** After every packet noise finds that the next has not come by making an error, whose stack costs more than the cipher. */
export function withoutErrors(connection: MessageStream): void {
  const measured: unknown = connection
  if (!isMeasured(measured)) return
  measured.decoder.lengthDecoder = (data) => {
    if (data.byteLength < 2) throw NOT_YET
    return (data.get(0) << 8) | data.get(1)
  }
}
