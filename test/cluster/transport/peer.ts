/** A process of its own with a mesh: `serve` counts what comes, `flood PORT` sends as much as it can. Talks over IPC. */
import { openMesh } from '../../../src/cluster/transport/libp2p-mesh.ts'
import type { Link } from '../../../src/cluster/transport/mesh.ts'
import { decodeFrame } from '../../../src/host/index.ts'
import { realHost } from '../../../src/host/real.ts'
import { identities, KEY } from './identities.ts'

export interface Report {
  /** Frames and bytes by the id of the peer that sent them. */
  readonly heard: Readonly<Record<string, { frames: number; bytes: number }>>
  readonly links: number
  readonly heap_bytes: number
}

const [mode, index, port] = process.argv.slice(2)
const host = realHost()
const mesh = await openMesh({
  host,
  identity: identities[Number(index)]!,
  keys: [KEY],
  port: 0,
  hosts: ['127.0.0.1'],
  connections_per_source: 10_000,
})

function serve(): void {
  let heard: Record<string, { frames: number; bytes: number }> = {}
  let links = 0
  mesh.onLink((link: Link) => {
    links += 1
    link.onClose(() => {
      links -= 1
    })
    link.onFrame((_, frame) => {
      heard[link.peer] ??= { frames: 0, bytes: 0 }
      heard[link.peer]!.frames += 1
      heard[link.peer]!.bytes += frame.length
      try {
        decodeFrame(frame)
      } catch {
        // Refused, as whoever uses the link would.
      }
    })
  })
  process.on('message', () => {
    globalThis.gc?.()
    process.send!({ heard, links, heap_bytes: process.memoryUsage().heapUsed } satisfies Report)
    heard = {}
  })
}

async function flood(): Promise<void> {
  const link = await mesh.dial({ host: '127.0.0.1', port: Number(port) }, undefined)
  const small = new Uint8Array(20)
  const large = new Uint8Array(1_000_000)
  const fill = (): void => {
    while (link.send('data', small));
    while (link.send('bulk', large));
    while (link.send('control', small));
  }
  link.onDrain(fill)
  link.onFrame(() => {})
  link.onClose(() => process.exit(0))
  fill()
}

if (mode === 'serve') serve()
else await flood()
process.on('disconnect', () => process.exit(0))
process.send!({ port: mesh.places[0]!.port })
