/** A timeline's thread that opens and ends at the first thing it is asked to write. */
import { parentPort } from 'node:worker_threads'

parentPort!.on('message', ({ op, id }: { op: string; id: number }) => {
  if (op === 'append') process.exit()
  parentPort!.postMessage({ reply: 'done', id, result: {} })
})
parentPort!.postMessage({ reply: 'opened', erasures: [] })
