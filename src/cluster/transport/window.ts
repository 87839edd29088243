/**
 * yamux tells the sender of every slice that was read, in a packet of its own: half of what a receiver of bulk spends goes
 * there. Told when half of the window is used, as yamux in Go does, the sender never waits either.
 */
import type { Stream } from '@libp2p/interface'

/** What a stream of yamux has besides what it shows. A version that has it no longer is left alone. */
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

export function tellHalfWindows(stream: Stream): void {
  const windowed: unknown = stream
  if (!isWindowed(windowed)) return
  const tell = windowed.sendWindowUpdate.bind(stream)
  windowed.sendWindowUpdate = () => {
    if (windowed.recvWindowCapacity <= windowed.recvWindow / 2) tell()
  }
}
