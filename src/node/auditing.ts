/** The audit log of a running node: kept by `observe`, signed with the node's key, its checkpoints in the shared store. */
import { join } from 'node:path'
import type { AuditQuery, AuditVerification } from '../api/index.ts'
import { sign, verify } from '../cluster/index.ts'
import { type Host, InvalidInputError, keyOf } from '../host/index.ts'
import {
  type Audit,
  type AuditFault,
  AuditKeeper,
  type AuditRecord,
  type AuditReport,
  AuditWatch,
  type KnownCheckpoint,
  LOCAL_HOLDER,
  type Log,
  type Shelf,
} from '../observe/index.ts'
import type { Store } from '../store/index.ts'
import type { Identity } from './identity.ts'

/** Checkpoints of all nodes; entries are named `<who holds it>/<whose log>`. */
export const AUDIT_COLLECTION = 'audit'

const YEAR_MS = 365.25 * 24 * 60 * 60 * 1000

export interface AuditingParts {
  readonly host: Host
  readonly directory: string
  /** 0: for ever. */
  readonly keep_years: number
  readonly identity: Identity
  readonly audit: Audit
  readonly store: Pick<Store, 'list' | 'apply'>
  readonly log: Log
}

export class Auditing {
  readonly #audit: Audit
  readonly #keeper: AuditKeeper
  readonly #watch: AuditWatch

  private constructor(audit: Audit, keeper: AuditKeeper, watch: AuditWatch) {
    this.#audit = audit
    this.#keeper = keeper
    this.#watch = watch
  }

  static async open(parts: AuditingParts): Promise<Auditing> {
    const { host, directory, keep_years, identity, audit, store, log } = parts
    const { disk, clock } = host
    const secret = identity.keyring.self.identity
    const failed = (what: string, error: unknown): void =>
      log.warn('The audit log could not be looked after; it is tried again', { what, error })
    const keeper = await AuditKeeper.open({
      ...{ audit, disk, clock, failed, shelf: shelfOf(store) },
      path: join(directory, 'audit.checkpoint'),
      node: identity.id,
      sign: (bytes) => sign(secret, bytes),
      isSigned: (node, bytes, signature) => {
        const key = keyOf(node)
        return key !== undefined && verify(key, bytes, signature)
      },
      checked: teller(log),
    })
    return new Auditing(audit, keeper, new AuditWatch(keeper, audit, clock, failed, keep_years * YEAR_MS))
  }

  /** Checks the log, then signs what the last run left; goes on in the background. */
  begin(): void {
    void this.#watch.begin()
  }

  /** Signs what is new. May be called again. */
  stop(): Promise<void> {
    return this.#watch.stop()
  }

  /** What a person should know, in words; empty before the first check has ended. */
  troubles(): readonly string[] {
    const [first, ...more] = this.#keeper.report?.open ?? []
    if (first === undefined) return []
    const others = more.length === 0 ? '' : `, and ${more.length} more`
    return [`The audit log was changed: line ${first.line} ${first.reason}${others}. See: loqa audit verify`]
  }

  /** `nameOf` gives a person's name for a node. Errors: `DiskError`. */
  async verify(nameOf: (node: string) => string): Promise<AuditVerification> {
    return shown(await this.#keeper.verify(), nameOf)
  }

  /** Errors: `audit-unbroken`, `DiskError`. */
  async acknowledge(nameOf: (node: string) => string): Promise<AuditVerification> {
    return shown(await this.#keeper.acknowledge(), nameOf)
  }

  /** Errors: `invalid-input` for a time that is none, `DiskError`. */
  list({ since, what, limit }: AuditQuery): Promise<readonly AuditRecord[]> {
    const from = since === undefined ? undefined : Date.parse(since)
    if (Number.isNaN(from)) throw new InvalidInputError('since must be a time, e.g. 2026-01-02T03:04:05Z')
    return this.#audit.list({
      ...(from === undefined ? {} : { since: from }),
      ...(what === undefined ? {} : { what }),
      limit,
    })
  }

  /** The log as it is, then what it was held against: lines of JSON, in pieces. */
  async *export(): AsyncGenerator<string> {
    const { known } = this.#keeper.report ?? (await this.#keeper.verify())
    for await (const { lines } of this.#audit.lines()) {
      if (lines.length > 0) yield `${lines.map((line) => line ?? UNREADABLE).join('\n')}\n`
    }
    for (const { checkpoint, holders } of known) yield `${JSON.stringify({ checkpoint, holders })}\n`
  }
}

/** Stands for a line whose bytes are no text: one line in, one line out. */
const UNREADABLE = JSON.stringify({ unreadable: true })

const shelfOf = (store: AuditingParts['store']): Shelf => ({
  list: () => store.list(AUDIT_COLLECTION),
  put: (key, value) => store.apply(AUDIT_COLLECTION, [{ change: 'put', key, value }]),
})

/** Says what was found at the first check, and whenever that is something else. */
function teller(log: Log): (report: AuditReport) => void {
  let said: string | undefined
  return (report) => {
    const found = report.open.flatMap(({ marks }) => marks).join()
    if (found !== said) tell(log, report)
    said = found
  }
}

function tell(log: Log, { verdict, open }: AuditReport): void {
  const { records, sure_until } = verdict
  if (verdict.ok) log.info('The audit log is unbroken', { records, signed_until: sure_until })
  else if (open.length === 0) log.info('The audit log has only faults that are known', { records })
  else {
    const [{ line, reason, shown_by }] = open as [AuditFault]
    const by = shown_by?.holders ?? []
    log.error('The audit log was changed', { line, reason, shown_by: by, faults: verdict.faulty, records })
  }
}

function shown(
  { checked_at, verdict, open, known }: AuditReport,
  nameOf: (node: string) => string,
): AuditVerification {
  const names = ({ holders }: KnownCheckpoint): string[] =>
    holders.map((holder) => (holder === LOCAL_HOLDER ? holder : nameOf(holder)))
  const newest = known.toSorted((a, b) => a.checkpoint.seq - b.checkpoint.seq).at(-1)
  return {
    ok: verdict.ok,
    checked_at,
    records: verdict.records,
    begins_after: verdict.begins_after ?? null,
    head: verdict.head,
    signed_until: verdict.sure_until,
    newest_checkpoint:
      newest === undefined
        ? null
        : { seq: newest.checkpoint.seq, time: newest.checkpoint.time, held_by: names(newest) },
    faulty: verdict.ok ? 0 : verdict.faulty,
    faults: (verdict.ok ? [] : verdict.faults).map((fault) => ({
      kind: fault.kind,
      line: fault.line,
      seq: fault.seq,
      reason: fault.reason,
      signed_until: fault.sure_until,
      shown_by: fault.shown_by === undefined ? [] : names(fault.shown_by),
      acknowledged: !open.includes(fault),
    })),
  }
}
