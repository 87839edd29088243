/**
 * Watches connections that ask to become WebSockets, because HTTP's own timeouts stop counting for them.
 *
 * U1 A connection whose earlier request is still being answered may not upgrade: nobody would own it afterwards. It is
 *    dropped. U2 A handshake that is not done in time is dropped. U3 `dropAll` leaves none open.
 */
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../host/index.ts'

/** The guard and the upgrade take a millisecond; this is for a machine that is very busy. */
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface Upgrades {
  /** The handshake on this connection is done. */
  established(socket: Duplex): void
  dropAll(): void
}

export function watchUpgrades(server: Server, clock: Clock): Upgrades {
  const answering = new Map<Duplex, number>()
  const open = new Set<Duplex>()
  const established = new WeakSet<Duplex>()

  server.prependListener('request', (request, response) => {
    const { socket } = request
    answering.set(socket, (answering.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (answering.get(socket) ?? 1) - 1
      if (left > 0) answering.set(socket, left)
      else answering.delete(socket)
    })
  })
  server.prependListener('upgrade', (_request, socket: Duplex) => {
    if (answering.has(socket)) {
      socket.destroy()
      return
    }
    open.add(socket)
    const cancel = clock.after(HANDSHAKE_TIMEOUT_MS, () => {
      if (!established.has(socket)) socket.destroy()
    })
    socket.once('close', () => {
      cancel()
      open.delete(socket)
    })
  })
  return {
    established: (socket) => established.add(socket),
    dropAll: () => {
      for (const socket of open) socket.destroy()
    },
  }
}
