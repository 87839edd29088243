/** The replica's thread, with one weakness: it dies when somebody reads `die`. */
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (request: { statement?: { sql: string } }) => {
  if (request.statement?.sql === 'die') process.exit(1)
})
await import('../../../src/store/crdt/thread.ts')
