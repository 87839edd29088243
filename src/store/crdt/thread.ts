/** Entry of the replica's thread: opens the files, then does in groups what it is asked (`group.ts`). */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { errorShape, type Host } from '../../host/index.ts'
import { realHost } from '../../host/real.ts'
import { DataDirectoryBusy } from '../errors.ts'
import { holdLock } from '../sqlite.ts'
import { digestOf } from './digest.ts'
import { WriterChanged } from './errors.ts'
import { type GroupPorts, runGroup, type Work } from './group.ts'
import { Journal } from './journal.ts'
import type { ReplicaReply, ReplicaRequest, ReplicaResult, ReplicaThreadData } from './messages.ts'
import { PageFile } from './page-file.ts'
import { readEngineCode, realFiles } from './real-files.ts'
import { ReplicaDatabase } from './replica-database.ts'
import { gcmSealers } from './seal.ts'
import { signaturesWith } from './signatures.ts'
import { Watches } from './watches.ts'
import { nextLife, openWriter } from './writer.ts'

/** Done alone: nothing else may happen to the database meanwhile. */
type Alone = Extract<ReplicaRequest, { op: 'close' | 'next-life' }>

const isAlone = (request: ReplicaRequest): request is Alone =>
  request.op === 'close' || request.op === 'next-life'

interface Parts {
  readonly port: MessagePort
  readonly host: Host
  readonly pages: PageFile
  readonly database: ReplicaDatabase
  readonly journal: Journal
  readonly release: () => void
}

class ReplicaThread {
  readonly #parts: Parts
  readonly #watches = new Watches()
  readonly #waiting: ReplicaRequest[] = []
  #busy = false
  /** Something was written here since the last flush. */
  #wrote = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  serve(): void {
    this.#parts.port.on('message', (request: ReplicaRequest) => {
      this.#waiting.push(request)
      if (!this.#busy) void this.#work()
    })
  }

  async #work(): Promise<void> {
    const { host, pages } = this.#parts
    this.#busy = true
    const ports: GroupPorts<ReplicaResult> = {
      clock: host.clock,
      next: () => {
        this.#receive()
        const next = this.#waiting[0]
        if (next === undefined || isAlone(next)) return undefined
        this.#waiting.shift()
        return this.#workOf(next)
      },
      flush: () => this.#flush(),
      discard: () => this.#discard(),
      done: (id, result) => this.#say({ reply: 'done', id, result }),
      failed: (id, error) => this.#say({ reply: 'failed', id, error }),
    }
    for (;;) {
      const first = ports.next()
      if (first !== undefined) await this.#group(first, ports)
      else {
        const alone = this.#waiting.shift() as Alone | undefined
        if (alone === undefined) break
        await this.#alone(alone)
      }
      // Both come after the answers, so that nobody waits for them.
      if (pages.isBroken()) throw new Error('the files must be opened anew')
      if (pages.isCheckpointDue()) this.#checkpoint()
    }
    this.#busy = false
  }

  async #group(first: Work<ReplicaResult>, ports: GroupPorts<ReplicaResult>): Promise<void> {
    const { journal } = this.#parts
    const before = journal.ownExtent
    await runGroup(first, ports)
    for (const { table, rows } of this.#watches.news()) this.#say({ reply: 'changed', table, rows })
    const extent = journal.ownExtent
    if (extent !== before) this.#say({ reply: 'own-log', extent })
  }

  #flush(): void {
    this.#seal()
    this.#parts.database.flush()
  }

  #seal(): void {
    if (this.#wrote) for (const row of this.#parts.journal.seal()) this.#watches.changed(row)
    this.#wrote = false
  }

  async #discard(): Promise<void> {
    this.#wrote = false
    this.#watches.forget()
    await this.#parts.database.discard()
    this.#parts.journal.reload()
  }

  #receive(): void {
    if (this.#waiting.length > 0) return
    const received: { message: ReplicaRequest } | undefined = receiveMessageOnPort(this.#parts.port)
    if (received !== undefined) this.#waiting.push(received.message)
  }

  #workOf(request: Exclude<ReplicaRequest, Alone>): Work<ReplicaResult> {
    return { id: request.id, run: () => this.#run(request) }
  }

  #run(request: Exclude<ReplicaRequest, Alone>): ReplicaResult {
    const { database, journal } = this.#parts
    switch (request.op) {
      case 'write':
        database.write(request.statements)
        this.#wrote = true
        return { of: 'write' }
      case 'read':
        return { of: 'read', rows: database.read(request.statement, request.limit) }
      case 'store':
        return { of: 'store', stored: journal.store(request.origin, request.batches, this.#watches) }
      case 'answer':
        return { of: 'answer', batches: journal.answer(request.origin, request.above, request.edition) }
      case 'replay':
        return { of: 'replay', parked: journal.replay(request.origin, request.above, this.#watches) }
      case 'compact':
        // What was written just now belongs into the new edition too.
        this.#seal()
        return { of: 'compact', compaction: journal.compact(request.settled) }
      case 'believe':
        journal.believe(new Set(request.members))
        return { of: 'believe' }
      case 'watch':
        this.#watches.set(request.table, request.on)
        return { of: 'watch' }
      case 'digest':
        return { of: 'digest', ...database.with(digestOf) }
      case 'backup':
        this.#flush()
        this.#backup(request.path)
        return { of: 'backup' }
      case 'verify':
        this.#flush()
        return { of: 'verify', faults: database.verify() }
    }
  }

  #backup(path: string): void {
    const { key } = workerData as ReplicaThreadData
    const { random } = this.#parts.host
    this.#parts.pages.copyTo({ files: realFiles, path, random, sealersOf: gcmSealers(key, random) })
  }

  /** One that fails is tried again after the next group; the log holds everything until then. */
  #checkpoint(): void {
    const { pages } = this.#parts
    try {
      pages.checkpoint()
    } catch {
      if (pages.isBroken()) throw new Error('the files must be opened anew')
    }
  }

  async #alone({ id, op }: Alone): Promise<void> {
    const { database, journal, pages, port, release } = this.#parts
    if (op === 'next-life') {
      try {
        journal.adopt(await nextLife(database, journal.contents()))
        this.#say({ reply: 'done', id, result: { of: 'next-life', contents: journal.contents() } })
      } catch (thrown) {
        await this.#discard()
        this.#say({ reply: 'failed', id, error: errorShape(thrown) })
      }
      return
    }
    database.close()
    pages.close()
    release()
    this.#say({ reply: 'done', id, result: { of: 'close' } })
    port.close()
  }

  #say(reply: ReplicaReply): void {
    this.#parts.port.postMessage(reply)
  }
}

async function start(
  port: MessagePort,
  { path, key, writer, life, migrations }: ReplicaThreadData,
): Promise<void> {
  const host = realHost()
  const { random } = host
  const lock = lockOf(path)
  try {
    const pages = PageFile.open({ files: realFiles, path, random, sealersOf: gcmSealers(key, random) })
    const database = await ReplicaDatabase.open({ pages, code: readEngineCode(), migrations })
    const signatures = signaturesWith(writer.seed)
    const self = await openWriter(database, path, { node: writer.node, life })
    const journal = new Journal(database, self, signatures)
    new ReplicaThread({ port, host, pages, database, journal, release: () => lock.release() }).serve()
    port.postMessage({
      reply: 'opened',
      contents: journal.contents(),
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
    const writer = thrown instanceof WriterChanged ? thrown.writer : undefined
    port.postMessage({ reply: 'not-opened', error: errorShape(thrown), writer } satisfies ReplicaReply)
    port.close()
  })
}
