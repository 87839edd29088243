/** Ports for nodes that must be known before they start. */
import { createServer } from 'node:net'

/** A port with a free one right above it, where the node lets others in. */
export async function twoPorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 30_000)
    const free = await Promise.all([port, port + 1].map(isFree))
    if (free.every(Boolean)) return port
  }
}

/** Flags of a node that listens there and hears nobody but those named. */
export const at = (port: number, ...peers: readonly number[]): string[] => [
  ...['--port', String(port), '--set', `cluster.enrolment_port=${port === 0 ? 0 : port + 1}`],
  ...peers.flatMap((peer) => ['--peer', `127.0.0.1:${peer}`]),
]

/** Flags of a node that leaves these engines to others. */
export const without = (...kinds: readonly ('stt' | 'llm' | 'tts')[]): string[] =>
  kinds.flatMap((kind) => ['--set', `inference.${kind}=off`])

/** Of one that is only written to: it starts in a third of the time, and is up when it says so. */
export const QUIET = without('stt', 'llm', 'tts')

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
