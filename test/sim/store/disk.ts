/**
 * What one simulated node keeps: its replica, the logs of all writers, what is parked. Everything here happens at once and durably, as one
 * transaction of the database does; what has not come here yet is lost when the process ends.
 */
import type { NodeId } from '../../../src/host/index.ts'
import {
  admitBatch,
  answerFrom,
  type ChangeRow,
  cutIntoBatches,
  EMPTY_QUARANTINE,
  extentOf,
  holdRow,
  type LogEntry,
  type LogExtent,
  type Origin,
  type OriginKey,
  originKey,
  type Quarantine,
  type ReplicatedSchema,
  readHeader,
  type SyncInput,
  signBatch,
  siteOf,
  wayThrough,
} from '../../../src/store/sync/index.ts'
import { type Operation, Replica } from '../../store/sync/replica.ts'
import { signaturesOf } from '../../store/sync/signing.ts'

interface Kept extends LogEntry {
  readonly bytes: Uint8Array
}

export type Stored = Omit<Extract<SyncInput, { type: 'stored' }>, 'type' | 'number'>

const EMPTY: LogExtent = { version: 0, edition: 0, bytes: 0 }

export class SimulatedStore {
  self: Origin
  replica: Replica
  schema: ReplicatedSchema
  #logs = new Map<OriginKey, Kept[]>()
  #quarantine: Quarantine = EMPTY_QUARANTINE
  readonly parked = new Map<OriginKey, { above: number }>()
  /** Rows inserted from others. */
  merged = 0

  constructor(self: Origin, schema: ReplicatedSchema) {
    this.self = self
    this.schema = schema
    this.replica = new Replica(siteOf(self, signaturesOf(self.node)))
  }

  /** A copy of the data directory as it is now. */
  copy(): SimulatedStore {
    const copy = new SimulatedStore(this.self, this.schema)
    copy.replica = this.replica.copy()
    copy.#logs = new Map([...this.#logs].map(([origin, log]) => [origin, [...log]]))
    copy.#quarantine = this.#quarantine
    for (const [origin, parked] of this.parked) copy.parked.set(origin, parked)
    return copy
  }

  /** Another life of the directory: another site. */
  nextLife(): void {
    this.self = { node: this.self.node, life: this.self.life + 1 }
    this.replica.site = siteOf(this.self, signaturesOf(this.self.node))
  }

  extents(): Map<OriginKey, LogExtent> {
    return new Map([...this.#logs].map(([origin, log]) => [origin, extentOf(log)]))
  }

  extent(origin: OriginKey): LogExtent {
    const log = this.#logs.get(origin)
    return log === undefined ? EMPTY : extentOf(log)
  }

  get quarantined(): number {
    return this.#quarantine.length
  }

  /** One transaction of this node; its changes. */
  write(operations: readonly Operation[]): readonly ChangeRow[] {
    const rows = this.replica.write(operations)
    if (rows.length > 0) this.append(rows, this.replica.db_version)
    return rows
  }

  /** Signs rows as the next of the own log. */
  append(rows: readonly ChangeRow[], to: number): void {
    const own = originKey(this.self)
    const { edition, base } = this.#latest(own)
    const from = this.extent(own).version
    for (const cut of cutIntoBatches(rows, from, to)) this.#sign(cut, edition, base)
  }

  /** Signs anew what still counts of the own log. */
  compact(): boolean {
    const own = originKey(this.self)
    const { version } = this.extent(own)
    if (version === 0) return false
    const { edition } = this.#latest(own)
    const rows = this.replica.changes(this.replica.site)
    for (const cut of cutIntoBatches(rows, 0, version)) this.#sign(cut, edition + 1, version)
    return true
  }

  #latest(origin: OriginKey): { edition: number; base: number } {
    const log = this.#logs.get(origin) ?? []
    return log.reduce((best, entry) => (entry.edition > best.edition ? entry : best), { edition: 0, base: 0 })
  }

  #sign({ from, to, rows }: ReturnType<typeof cutIntoBatches>[number], edition: number, base: number): void {
    const header = { origin: this.self, schema: this.schema.version, edition, base, from, to }
    this.keep(originKey(this.self), signBatch(header, rows, signaturesOf(this.self.node)))
  }

  keep(origin: OriginKey, bytes: Uint8Array): void {
    const { edition, base, from, to } = readHeader(bytes)!
    const log = [...(this.#logs.get(origin) ?? []), { edition, base, from, to, size: bytes.length, bytes }]
    this.#logs.set(origin, wayThrough(log, 0))
  }

  /** Checks, inserts and keeps batches of a log in order, up to the first that is none. */
  store(origin: OriginKey, batches: readonly Uint8Array[], mayWrite: (node: NodeId) => boolean): Stored {
    let through = 0
    let wrong = 0
    let parked = false
    let fault: Stored['fault']
    for (const bytes of batches) {
      const admission = this.#admit(bytes, mayWrite)
      if (!admission.ok) {
        fault = admission.fault
        break
      }
      this.#insert(admission.rows, admission.leaping)
      this.keep(origin, bytes)
      through = admission.header.to
      wrong += admission.wrong.length
      if (admission.parked > 0) {
        parked = true
        const { from } = admission.header
        this.parked.set(origin, { above: Math.min(from, this.parked.get(origin)?.above ?? from) })
      }
    }
    return { through, extent: this.extent(origin), parked, schema: this.schema.version, wrong, fault }
  }

  #admit(bytes: Uint8Array, mayWrite: (node: NodeId) => boolean) {
    return admitBatch(bytes, {
      signatures: signaturesOf(this.self.node),
      schema: this.schema,
      known: (table, pk, cid) => this.replica.known(table, pk, cid),
      mayWrite,
    })
  }

  #insert(rows: readonly ChangeRow[], leaping: readonly ChangeRow[]): void {
    const released: ChangeRow[] = []
    for (const row of leaping) {
      const held = holdRow(this.#quarantine, row, (a, b) => Buffer.compare(a, b) === 0)
      this.#quarantine = held.quarantine
      released.push(...held.released)
    }
    this.merged += rows.length
    this.replica.merge([...rows, ...released])
  }

  answer(origin: OriginKey, above: number, edition: number): readonly Uint8Array[] {
    return answerFrom(this.#logs.get(origin) ?? [], above, edition).map(({ bytes }) => bytes)
  }

  /** Reads a log again, under the schema of now. */
  replay(origin: OriginKey, above: number): { above: number } | undefined {
    this.parked.delete(origin)
    for (const { bytes, from, to } of this.#logs.get(origin) ?? []) {
      if (to <= above) continue
      const admission = this.#admit(bytes, () => true)
      if (!admission.ok) throw new Error(`a kept batch is ${admission.fault}`)
      this.#insert(admission.rows, admission.leaping)
      if (admission.parked > 0 && !this.parked.has(origin)) this.parked.set(origin, { above: from })
    }
    return this.parked.get(origin)
  }

  /** How far others hold what this node wrote is seen on their logs. */
  holds(origin: OriginKey, version: number): boolean {
    return this.extent(origin).version >= version
  }
}
