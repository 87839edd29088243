/**
 * The audit log: who did what to which object, with what outcome; never the content. One JSON object per line, each
 * holding the hash of the one before, so that a changed, removed or reordered record is found and named. What a hash
 * chain cannot find, a cut-off tail and a log written anew, is found by checkpoints held elsewhere (`audit-keeper.ts`).
 */
import { type Clock, type Disk, LoqaError, OverloadedError } from '../host/index.ts'
import { type ReadLines, readLines, readLinesBackwards } from './audit-lines.ts'
import {
  type AuditEntry,
  type AuditPosition,
  type AuditRecord,
  FIRST_HASH,
  lineOf,
  parseRecord,
  recordAfter,
} from './audit-record.ts'
import { type AuditVerdict, type Evidence, Verification } from './audit-verify.ts'

/** Records made durable together: half a second of a disk that takes a thousand a second, 100 KB. */
const MAX_GROUP = 256
/** Records that wait for the disk. A disk that far behind is stuck, and each is some 400 bytes of memory. */
const MAX_WAITING = 10_000

export interface AuditQuery {
  /** Only records with this or a later time, ms since 1970. */
  readonly since?: number
  /** Only these, or what begins like this up to a dot: `skill` finds `skill.call`. */
  readonly what?: string
  /** At most so many: the newest. */
  readonly limit: number
}

export interface Audit {
  /** Returns when the record is durable. Records are written in the order of the calls. Errors: `DiskError`, `overloaded`. */
  append(entry: AuditEntry): Promise<AuditRecord>
  /** What was written last. */
  position(): AuditPosition
  /** Calls `run` whenever records have become durable. */
  onWritten(run: () => void): void
  /** Reads the file, in pieces; also held against what this process knows it wrote last. */
  verify(evidence?: Evidence): Promise<AuditVerdict>
  /** The newest that fit, oldest of them first. A log of some size is read whole when few fit. */
  list(query: AuditQuery): Promise<readonly AuditRecord[]>
  /** Time of the first record, ms since 1970; undefined when there is none. */
  oldest(): Promise<number | undefined>
  /** The last record before the first one of `time` or later, ms since 1970; undefined when there is none. */
  lastBefore(time: number): Promise<AuditPosition | undefined>
  /** Takes away all records up to the number `seq`; `head` is the first line then. Whoever appends meanwhile waits. Errors: `audit-changed`. */
  cut(seq: number, head: string): Promise<void>
  /** All lines as they are in the file at this moment, changed ones too. */
  lines(): AsyncIterable<ReadLines>
}

/**
 * Opens the log at `path`. A last line torn by a power cut was never acknowledged and is taken away; any other fault
 * is left in place for `verify` to name, and the chain goes on behind it.
 */
export async function openAudit(disk: Disk, clock: Clock, path: string, node: string): Promise<Audit> {
  const log = new AuditLog(disk, clock, path, node)
  await log.resume()
  return log
}

interface Waiting {
  readonly entry: AuditEntry
  readonly resolve: (record: AuditRecord) => void
  readonly reject: (error: unknown) => void
}

class AuditLog implements Audit {
  readonly #doors: { readonly disk: Disk; readonly clock: Clock }
  readonly #path: string
  readonly #node: string
  readonly #listeners: (() => void)[] = []
  #position: AuditPosition = { seq: 0, hash: FIRST_HASH }
  #waiting: Waiting[] = []
  /** Whoever touches the file waits for its end. */
  #queue: Promise<unknown> = Promise.resolve()
  /** A write failed half way (a full disk): what the file ends in is unknown. */
  #uncertain = false

  constructor(disk: Disk, clock: Clock, path: string, node: string) {
    this.#doors = { disk, clock }
    this.#path = path
    this.#node = node
  }

  append(entry: AuditEntry): Promise<AuditRecord> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new OverloadedError('The audit log', `${MAX_WAITING} records that wait`))
    }
    const { promise, resolve, reject } = Promise.withResolvers<AuditRecord>()
    this.#waiting.push({ entry, resolve, reject })
    // What comes while a group is written is the next group: one sync for all of it.
    if (this.#waiting.length === 1) this.#inTurn(() => this.#writeWaiting())
    return promise
  }

  position(): AuditPosition {
    return this.#position
  }

  onWritten(run: () => void): void {
    this.#listeners.push(run)
  }

  async verify(evidence: Evidence = { known: [] }): Promise<AuditVerdict> {
    const { size, position } = await this.#inTurn(async () => ({
      size: await this.#size(),
      position: this.#position,
    }))
    const verification = new Verification({ ...evidence, written: position })
    let unfinished = ''
    for await (const piece of readLines(this.#doors, this.#path, size)) {
      for (const line of piece.lines) verification.line(line)
      unfinished = piece.unfinished
    }
    return verification.end(unfinished)
  }

  async list({ since, what, limit }: AuditQuery): Promise<readonly AuditRecord[]> {
    const size = await this.#inTurn(() => this.#size())
    const found: AuditRecord[] = []
    for await (const lines of readLinesBackwards(this.#doors, this.#path, size)) {
      for (const line of lines) {
        const record = line === undefined ? undefined : parseRecord(line)
        if (record === undefined) continue
        if (since !== undefined && !(Date.parse(record.time) >= since)) continue
        if (what !== undefined && record.what !== what && !record.what.startsWith(`${what}.`)) continue
        found.push(record)
        if (found.length >= limit) return found.reverse()
      }
    }
    return found.reverse()
  }

  async *lines(): AsyncGenerator<ReadLines> {
    const size = await this.#inTurn(() => this.#size())
    yield* readLines(this.#doors, this.#path, size)
  }

  async oldest(): Promise<number | undefined> {
    for await (const { lines } of this.lines()) {
      const first = lines.map((line) => (line === undefined ? undefined : parseRecord(line))).find(Boolean)
      if (first !== undefined) return Date.parse(first.time)
    }
    return undefined
  }

  async lastBefore(time: number): Promise<AuditPosition | undefined> {
    let last: AuditRecord | undefined
    for await (const { lines } of this.lines()) {
      for (const line of lines) {
        const record = line === undefined ? undefined : parseRecord(line)
        if (record === undefined) continue
        if (!(Date.parse(record.time) < time)) return last
        last = record
      }
    }
    return last
  }

  cut(seq: number, head: string): Promise<void> {
    const { disk } = this.#doors
    const shorter = `${this.#path}.shorter`
    return this.#inTurn(async () => {
      try {
        await disk.remove(shorter)
        await this.#copyBehind(seq, head, shorter)
        await disk.rename(shorter, this.#path)
      } catch (thrown) {
        // The disk may be full: half a copy would keep it so.
        await disk.remove(shorter).catch(() => undefined)
        throw thrown
      }
    })
  }

  async #copyBehind(seq: number, head: string, to: string): Promise<void> {
    const { disk } = this.#doors
    const encoder = new TextEncoder()
    await disk.append(to, encoder.encode(`${head}\n`))
    let past = false
    for await (const { lines } of readLines(this.#doors, this.#path, await this.#size())) {
      const kept: string[] = []
      for (const line of lines) {
        if (line === undefined) throw changed(this.#path)
        if (past) kept.push(`${line}\n`)
        else past = parseRecord(line)?.seq === seq
      }
      if (kept.length > 0) await disk.append(to, encoder.encode(kept.join('')))
    }
    if (!past) throw changed(this.#path)
    await disk.sync(to)
  }

  /** Takes away a torn last line and goes on behind the last record there is. */
  async resume(): Promise<void> {
    const size = await this.#size()
    await this.#mendEnd(size)
    this.#position = { seq: 0, hash: FIRST_HASH }
    for await (const lines of readLinesBackwards(this.#doors, this.#path, size)) {
      for (const line of lines) {
        const record = line === undefined ? undefined : parseRecord(line)
        if (record === undefined) continue
        this.#position = { seq: record.seq, hash: record.hash }
        return
      }
    }
  }

  async #mendEnd(size: number): Promise<void> {
    const { disk } = this.#doors
    const last = size === 0 ? '\n' : new TextDecoder().decode(await disk.readAt(this.#path, size - 1, 1))
    if (last === '\n') return
    // Rare enough to read it whole: only after a crash in mid-write.
    const bytes = await disk.read(this.#path)
    await disk.write(this.#path, bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1))
  }

  async #size(): Promise<number> {
    return (await this.#doors.disk.info(this.#path))?.size ?? 0
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.catch(() => undefined)
    return done
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.slice(0, MAX_GROUP)
      try {
        const records = await this.#write(group.map(({ entry }) => entry))
        this.#waiting.splice(0, group.length)
        for (const [index, { resolve }] of group.entries()) resolve(records[index]!)
        for (const run of this.#listeners) run()
      } catch (error) {
        this.#waiting.splice(0, group.length)
        for (const { reject } of group) reject(error)
      }
    }
  }

  async #write(entries: readonly AuditEntry[]): Promise<readonly AuditRecord[]> {
    const { disk, clock } = this.#doors
    if (this.#uncertain) await this.resume()
    this.#uncertain = true
    const time = new Date(clock.wall()).toISOString()
    const records: AuditRecord[] = []
    let position = this.#position
    for (const entry of entries) {
      const record = recordAfter(position, entry, this.#node, time)
      records.push(record)
      position = record
    }
    await disk.append(this.#path, new TextEncoder().encode(records.map((one) => `${lineOf(one)}\n`).join('')))
    await disk.sync(this.#path)
    this.#uncertain = false
    this.#position = { seq: position.seq, hash: position.hash }
    return records
  }
}

/** Somebody wrote in it since it was checked: nothing is taken away. */
const changed = (path: string): LoqaError => new LoqaError('audit-changed', `${path} was changed meanwhile`)
