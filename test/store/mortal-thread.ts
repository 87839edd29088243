/** The store's thread, with one weakness: it dies when somebody lists the collection `die`. */
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (request: { collection?: string }) => {
  if (request.collection === 'die') process.exit(1)
})
await import('../../src/store/thread.ts')
