/** Entry of the replica's thread: opens the files, then does in groups what it is asked (`group.ts`). */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { errorShape, type Host } from '../../host/index.ts'
import { realHost } from '../../host/real.ts'
import { holdLock } from '../database.ts'
import { DataDirectoryBusy } from '../errors.ts'
import { type GroupPorts, runGroup, type Work } from './group.ts'
import type { ReplicaReply, ReplicaRequest, ReplicaResult, ReplicaThreadData } from './messages.ts'
import { PageFile } from './page-file.ts'
import { readEngineCode, realFiles } from './real-files.ts'
import { ReplicaDatabase } from './replica-database.ts'
import { gcmSealers } from './seal.ts'
import { Watches } from './watches.ts'

type Close = Extract<ReplicaRequest, { op: 'close' }>

class ReplicaThread {
  readonly #port: MessagePort
  readonly #host: Host
  readonly #pages: PageFile
  readonly #database: ReplicaDatabase
  readonly #release: () => void
  readonly #watches: Watches
  readonly #waiting: ReplicaRequest[] = []
  #busy = false

  constructor(
    port: MessagePort,
    host: Host,
    pages: PageFile,
    database: ReplicaDatabase,
    release: () => void,
  ) {
    this.#port = port
    this.#host = host
    this.#pages = pages
    this.#database = database
    this.#release = release
    this.#watches = new Watches(database.version())
  }

  serve(): void {
    this.#port.on('message', (request: ReplicaRequest) => {
      this.#waiting.push(request)
      if (!this.#busy) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#busy = true
    const ports: GroupPorts<ReplicaResult> = {
      clock: this.#host.clock,
      next: () => {
        this.#receive()
        const next = this.#waiting[0]
        if (next === undefined || next.op === 'close') return undefined
        this.#waiting.shift()
        return this.#workOf(next)
      },
      flush: () => this.#database.flush(),
      discard: () => {
        this.#watches.forget()
        return this.#database.discard()
      },
      done: (id, result) => this.#say({ reply: 'done', id, result, version: this.#database.version() }),
      failed: (id, error) => this.#say({ reply: 'failed', id, error }),
    }
    for (;;) {
      const first = ports.next()
      if (first === undefined) break
      await runGroup(first, ports)
      for (const { table, rows } of this.#watches.news(this.#database))
        this.#say({ reply: 'changed', table, rows })
      // Both come after the answers, so that nobody waits for them.
      if (this.#pages.isBroken()) throw new Error('the files must be opened anew')
      if (this.#pages.isCheckpointDue()) this.#checkpoint()
    }
    const close = this.#waiting.shift() as Close | undefined
    if (close !== undefined) this.#close(close)
    this.#busy = false
  }

  #receive(): void {
    if (this.#waiting.length > 0) return
    const received: { message: ReplicaRequest } | undefined = receiveMessageOnPort(this.#port)
    if (received !== undefined) this.#waiting.push(received.message)
  }

  #workOf(request: Exclude<ReplicaRequest, Close>): Work<ReplicaResult> {
    return { id: request.id, run: () => this.#run(request) }
  }

  #run(request: Exclude<ReplicaRequest, Close>): ReplicaResult {
    const database = this.#database
    switch (request.op) {
      case 'write':
        database.write(request.statements)
        return { of: 'write' }
      case 'read':
        return { of: 'read', rows: database.read(request.statement, request.limit) }
      case 'changes':
        return { of: 'changes', batch: database.changesSince(request.since, request.rows, request.site) }
      case 'merge':
        return { of: 'merge', applied: database.merge(request.rows, request.also, this.#watches) }
      case 'sites':
        return { of: 'sites', sites: database.sites() }
      case 'watch':
        this.#watches.set(request.table, request.on)
        return { of: 'watch' }
      case 'backup':
        database.flush()
        this.#backup(request.path)
        return { of: 'backup' }
      case 'verify':
        database.flush()
        return { of: 'verify', faults: database.verify() }
    }
  }

  #backup(path: string): void {
    const { key } = workerData as ReplicaThreadData
    const { random } = this.#host
    this.#pages.copyTo({ files: realFiles, path, random, sealersOf: gcmSealers(key, random) })
  }

  /** One that fails is tried again after the next group; the log holds everything until then. */
  #checkpoint(): void {
    try {
      this.#pages.checkpoint()
    } catch {
      if (this.#pages.isBroken()) throw new Error('the files must be opened anew')
    }
  }

  #close({ id }: Close): void {
    const version = this.#database.version()
    this.#database.close()
    this.#pages.close()
    this.#release()
    this.#say({ reply: 'done', id, result: { of: 'close' }, version })
    this.#port.close()
  }

  #say(reply: ReplicaReply): void {
    this.#port.postMessage(reply)
  }
}

async function start(port: MessagePort, { path, key, site, migrations }: ReplicaThreadData): Promise<void> {
  const host = realHost()
  const { random } = host
  const lock = lockOf(path)
  try {
    const pages = PageFile.open({ files: realFiles, path, random, sealersOf: gcmSealers(key, random) })
    const database = await ReplicaDatabase.open({ pages, code: readEngineCode(), migrations, site })
    new ReplicaThread(port, host, pages, database, () => lock.release()).serve()
    port.postMessage({
      reply: 'opened',
      version: database.version(),
      schema: database.schema(),
      site: database.site(),
      recovered: pages.endedUnclean,
    } satisfies ReplicaReply)
  } catch (thrown) {
    lock.release()
    throw thrown
  }
}

/** Two owners of the files would write over each other. The system frees the lock however this process ends. */
function lockOf(path: string): { release(): void } {
  const file = `${path}-lock`
  // Creates it for its owner alone.
  realFiles.open(file).close()
  const lock = holdLock(file)
  if (lock === undefined) throw new DataDirectoryBusy(path, undefined)
  return lock
}

if (parentPort !== null) {
  const port = parentPort
  start(port, workerData as ReplicaThreadData).catch((thrown: unknown) => {
    port.postMessage({ reply: 'not-opened', error: errorShape(thrown) } satisfies ReplicaReply)
    port.close()
  })
}
