/** The replica's thread, with one weakness: it dies when somebody reads `die`, whichever way it takes the message. */
import { syncBuiltinESMExports } from 'node:module'
import threads, { type MessagePort } from 'node:worker_threads'

interface Read {
  readonly statement?: { readonly sql: string; readonly parameters?: readonly unknown[] }
}

const isDeadly = (request: unknown): boolean => {
  const { sql, parameters } = (request as Read | undefined)?.statement ?? {}
  return sql === 'die' || parameters?.[0] === 'die'
}

threads.parentPort?.on('message', (request: unknown) => {
  if (isDeadly(request)) process.exit(1)
})
const receive = threads.receiveMessageOnPort
threads.receiveMessageOnPort = (port: MessagePort) => {
  const received: { message: unknown } | undefined = receive(port)
  if (isDeadly(received?.message)) process.exit(1)
  return received
}
syncBuiltinESMExports()
await import('../../src/store/crdt/thread.ts')
