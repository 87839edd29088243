/**
 * Entry of the store's thread. Writes that arrive while a commit waits for the disk are taken together into the next
 * one: under load one wait serves many, alone nobody waits for company. Answers leave after the commit.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { errorShape } from '../host/index.ts'
import { type Database, openDatabase } from './database.ts'
import { StoreFull } from './errors.ts'
import type { StoredEntry, StoreReply, StoreRequest, StoreThreadData } from './messages.ts'

type Apply = Extract<StoreRequest, { op: 'apply' }>

/** Requests in one group: bounds how long the first of them waits for the last. */
const MAX_GROUP = 256

function serve(port: MessagePort, database: Database): void {
  const say = (reply: StoreReply): void => port.postMessage(reply)

  const commit = (group: readonly Apply[]): void => {
    if (group.length === 0) return
    try {
      database.apply(group.flatMap(({ changes }) => changes))
      for (const { id } of group) say({ reply: 'done', id, entries: [] })
    } catch (thrown) {
      if (group.length === 1 || !(thrown instanceof StoreFull)) {
        for (const { id } of group) say({ reply: 'failed', id, error: errorShape(thrown) })
        return
      }
      // One that is too large for what is left must not keep the small ones out.
      for (const single of group) commit([single])
    }
  }

  const answer = (id: number, read: () => readonly StoredEntry[]): void => {
    try {
      say({ reply: 'done', id, entries: read() })
    } catch (thrown) {
      say({ reply: 'failed', id, error: errorShape(thrown) })
    }
  }

  const handle = (requests: readonly StoreRequest[]): void => {
    let group: Apply[] = []
    for (const request of requests) {
      if (request.op === 'apply') {
        group.push(request)
        continue
      }
      // A read sees every write asked for before it.
      commit(group)
      group = []
      if (request.op === 'list') {
        const { collection, prefix, limit } = request
        answer(request.id, () => database.list(collection, prefix, limit))
      } else if (request.op === 'get') {
        const { collection, key } = request
        answer(request.id, () => {
          const entry = database.get(collection, key)
          return entry === undefined ? [] : [entry]
        })
      } else {
        answer(request.id, () => {
          database.close()
          return []
        })
        port.close()
        return
      }
    }
    commit(group)
  }

  port.on('message', (first: StoreRequest) => {
    const requests = [first]
    while (requests.length < MAX_GROUP) {
      const more: { message: StoreRequest } | undefined = receiveMessageOnPort(port)
      if (more === undefined) break
      requests.push(more.message)
    }
    handle(requests)
  })
}

if (parentPort !== null) {
  const { file, max_pages } = workerData as StoreThreadData
  try {
    const database = openDatabase(file, max_pages === undefined ? {} : { max_pages })
    serve(parentPort, database)
    parentPort.postMessage({ reply: 'opened' } satisfies StoreReply)
  } catch (thrown) {
    parentPort.postMessage({ reply: 'not-opened', error: errorShape(thrown) } satisfies StoreReply)
  }
}
