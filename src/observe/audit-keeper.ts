/**
 * Keeps an audit log honest while its node runs: signs checkpoints and has others hold them, holds those of others, and
 * checks the log against all there are. When these are done is `audit-watch.ts`'s.
 *
 * Promises: a record that was changed, removed, moved or added is found; so is a tail that was cut, a log written anew, an
 * older copy and a removed file, as far as a checkpoint reaches (`CHECKPOINT_RECORDS`, `CHECKPOINT_MS`) that the one
 * who did it could not destroy too. A checkpoint that its node did not sign counts for nothing, whoever brings it.
 */
import { type Clock, type Disk, LoqaError, type Monotonic } from '../host/index.ts'
import type { Audit } from './audit.ts'
import {
  type Checkpoint,
  held,
  holdersOf,
  type IsSigned,
  isDue,
  type KnownCheckpoint,
  kept,
  LOCAL_HOLDER,
  readShelved,
  type Shelved,
  type Sign,
  shelfKey,
  signCheckpoint,
} from './audit-checkpoint.ts'
import { cutBefore, headLine } from './audit-head.ts'
import { authenticOf, isOwn, nameOf } from './audit-known.ts'
import {
  acknowledgedMarks,
  EMPTY_VAULT,
  readVault,
  type Vault,
  withAcknowledged,
  writeVault,
} from './audit-vault.ts'
import type { AuditFault, AuditVerdict } from './audit-verify.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** Where checkpoints are kept for all to read; every node writes under its own name. */
export interface Shelf {
  list(): Promise<readonly { readonly key: string; readonly value: unknown }[]>
  put(key: string, value: unknown): Promise<void>
}

export interface AuditReport {
  /** ISO 8601: when the log was read. */
  readonly checked_at: string
  readonly verdict: AuditVerdict
  /** Those of its faults that no person acknowledged yet. */
  readonly open: readonly AuditFault[]
  /** Checkpoints it was held against. */
  readonly known: readonly KnownCheckpoint[]
}

export interface KeeperParts {
  readonly audit: Audit
  readonly disk: Disk
  readonly clock: Clock
  /** Of the file with the own checkpoints. */
  readonly path: string
  readonly node: string
  readonly sign: Sign
  readonly isSigned: IsSigned
  readonly shelf: Shelf
  /** Told of every verification. */
  readonly checked: (report: AuditReport) => void
  /** Something did not work that will be tried again: for the log. */
  readonly failed: (what: string, error: unknown) => void
}

export class AuditKeeper {
  readonly #parts: KeeperParts
  #vault: Vault = EMPTY_VAULT
  /** Number of the last record that was signed, and when. */
  #signed: { readonly seq: number; readonly at: Monotonic }
  /** What is in the vault is not on the shelf yet. */
  #unshelved = true
  /** What this node said before is known: until then it is not written over. */
  #shelf_read = false
  #queue: Promise<unknown> = Promise.resolve()
  #report: AuditReport | undefined
  #verifying: Promise<AuditReport> | undefined

  private constructor(parts: KeeperParts) {
    this.#parts = parts
    this.#signed = { seq: 0, at: parts.clock.monotonic() }
  }

  static async open(parts: KeeperParts): Promise<AuditKeeper> {
    const keeper = new AuditKeeper(parts)
    try {
      keeper.#vault = await readVault(parts.disk, parts.path)
    } catch (thrown) {
      parts.failed('read the checkpoints beside the log', thrown)
    }
    const { seq, hash } = parts.audit.position()
    const last = keeper.#vault.checkpoints.find((one) => one.seq === seq && one.hash === hash)
    keeper.#signed = { ...keeper.#signed, seq: last?.seq ?? 0 }
    return keeper
  }

  /** Of the last verification; undefined before the first has ended. */
  get report(): AuditReport | undefined {
    return this.#report
  }

  /** Reads the whole log, in pieces. Errors: `DiskError`. */
  verify(): Promise<AuditReport> {
    this.#verifying ??= this.#verify().finally(() => {
      this.#verifying = undefined
    })
    return this.#verifying
  }

  async #verify(): Promise<AuditReport> {
    const { audit, clock, node, isSigned } = this.#parts
    const known = await this.#known(await this.#shelved())
    const checked_at = new Date(clock.wall()).toISOString()
    const verdict = await audit.verify({ known, node, isSigned })
    await this.#inTurn(() => this.#adopt(known, verdict))
    const acknowledged = acknowledgedMarks(this.#vault, isSigned)
    const faults = verdict.ok ? [] : verdict.faults
    const open = faults.filter(({ marks }) => !marks.every((mark) => acknowledged.has(mark)))
    this.#report = { checked_at, verdict, open, known }
    this.#parts.checked(this.#report)
    return this.#report
  }

  /** What others know of this log is kept here too: what this node hands on next must not be less. */
  async #adopt(known: readonly KnownCheckpoint[], verdict: AuditVerdict | undefined): Promise<void> {
    const own = new Set(this.#vault.checkpoints.map(nameOf))
    const missing = known
      .map(({ checkpoint }) => checkpoint)
      .filter((checkpoint) => !own.has(nameOf(checkpoint)))
      .sort((a, b) => a.seq - b.seq)
    if (missing.length === 0) return
    const all = [...missing, ...this.#vault.checkpoints]
    this.#vault = { ...this.#vault, checkpoints: [...kept(all, contradictedBy(verdict))] }
    this.#unshelved = true
    await this.#save()
  }

  /** A person saw what is wrong: it is not shown as a trouble any more. Errors: `audit-unbroken`, `DiskError`. */
  async acknowledge(): Promise<AuditReport> {
    const { audit, clock, node, sign } = this.#parts
    const { open } = await this.verify()
    const [first] = open
    if (first === undefined) {
      throw new LoqaError('audit-unbroken', 'The audit log has no fault that is not known yet')
    }
    const object = `line ${first.line}`
    const outcome = `${open.length} ${open.length === 1 ? 'fault' : 'faults'}, first ${first.kind}`
    await audit.append({ actor: 'audit', who: '-', what: 'audit.acknowledged', object, outcome })
    const time = new Date(clock.wall()).toISOString()
    await this.#inTurn(async () => {
      for (const { marks } of open)
        this.#vault = withAcknowledged(this.#vault, { node, time, marks: [...marks] }, sign)
      await this.#save()
    })
    await this.checkpoint()
    return this.verify()
  }

  /**
   * Takes away the oldest records of a log that is whole, when there is a month of them older than `keep_ms`; says so in the log and
   * in its first line. A log with a fault is left as it is. Errors: `DiskError`.
   */
  async retain(keep_ms: number): Promise<void> {
    const { audit, clock, node, sign } = this.#parts
    const now = clock.wall()
    const oldest = await audit.oldest()
    const limit = oldest === undefined ? undefined : cutBefore(now, oldest, keep_ms)
    if (limit === undefined) return
    const { verdict } = await this.verify()
    const last = await audit.lastBefore(limit)
    // Only what a checkpoint bears out, so never the newest record either: it is checked before it goes.
    if (!verdict.ok || last === undefined || last.seq >= verdict.sure_until) return
    const outcome = `older than ${Math.round(keep_ms / DAY_MS)} days`
    const object = `up to record ${last.seq}`
    await audit.append({ actor: 'audit', who: '-', what: 'audit.cut', object, outcome })
    await audit.cut(last.seq, headLine(node, last, new Date(now).toISOString(), sign))
    await this.verify()
  }

  /** Signs where the log is when that is due, or new at all; and has it held. */
  async checkpoint(when: 'due' | 'new' = 'new'): Promise<void> {
    const { audit, clock } = this.#parts
    await this.#inTurn(async () => {
      const position = audit.position()
      const { seq, at } = this.#signed
      const now = clock.monotonic()
      const fresh = when === 'new' ? position.seq !== seq : isDue(position.seq, seq, now - at)
      if (position.seq > 0 && fresh) {
        this.#sign(position, now)
        await this.#save()
      }
      if (fresh || when === 'new') await this.#shelve()
    })
  }

  #sign(position: ReturnType<Audit['position']>, at: Monotonic): void {
    const { node, clock, sign } = this.#parts
    const time = new Date(clock.wall()).toISOString()
    const checkpoint = signCheckpoint(node, position, time, sign)
    const evidence = contradictedBy(this.#report?.verdict)
    const checkpoints = kept([...this.#vault.checkpoints, checkpoint], evidence)
    this.#vault = { ...this.#vault, checkpoints: [...checkpoints] }
    this.#signed = { seq: position.seq, at }
    this.#unshelved = true
  }

  async #save(): Promise<void> {
    const { disk, path, failed } = this.#parts
    await writeVault(disk, path, this.#vault).catch((error: unknown) =>
      failed('write the checkpoints beside the log', error),
    )
  }

  async #shelve(): Promise<void> {
    const { shelf, node, failed } = this.#parts
    if (!this.#shelf_read) await this.#adopt(await this.#known(await this.#shelved()), this.#report?.verdict)
    const checkpoints = this.#vault.checkpoints.filter((one) => one.node === node)
    if (!this.#unshelved || !this.#shelf_read || checkpoints.length === 0) return
    try {
      await shelf.put(shelfKey(node, node), { checkpoints })
      this.#unshelved = false
    } catch (thrown) {
      failed('hand on checkpoints of the audit log', thrown)
    }
  }

  /**
   * Looks at what others hand on: keeps a copy of what this node is to hold, and checks the own log again when somebody knows a
   * checkpoint of it that was not known here.
   */
  async look(): Promise<void> {
    const shelved = await this.#shelved()
    await this.#hold(shelved)
    const before = new Set(this.#report?.known.map(({ checkpoint }) => nameOf(checkpoint)))
    for (const one of this.#vault.checkpoints) before.add(nameOf(one))
    const known = await this.#known(shelved)
    if (known.some(({ checkpoint }) => !before.has(nameOf(checkpoint)))) await this.verify()
    await this.#inTurn(() => this.#shelve())
  }

  async #hold(shelved: readonly Shelved[]): Promise<void> {
    const { node, shelf, failed } = this.#parts
    const nodes = [...new Set([node, ...shelved.filter(isOwn).map(({ of }) => of)])]
    const mine = nodes.filter((other) => other !== node && holdersOf(other, nodes).includes(node))
    for (const of of mine) {
      const own = shelved.find((entry) => entry.holder === node && entry.of === of)?.checkpoints ?? []
      const checked = await this.#authentic(shelved.filter((entry) => entry.of === of))
      const isKnown = (one: Checkpoint): boolean =>
        checked.some(({ checkpoint }) => nameOf(checkpoint) === nameOf(one))
      const all = held(
        own.filter(isKnown),
        checked.map(({ checkpoint }) => checkpoint),
      )
      if (all === undefined) continue
      await shelf
        .put(shelfKey(node, of), { checkpoints: all })
        .catch((error: unknown) => failed('hold checkpoints of another node', error))
    }
  }

  async #shelved(): Promise<readonly Shelved[]> {
    const { shelf, failed } = this.#parts
    try {
      const entries = await shelf.list()
      this.#shelf_read = true
      return entries.map(({ key, value }) => readShelved(key, value)).filter((entry) => entry !== undefined)
    } catch (thrown) {
      failed('read the checkpoints others hold', thrown)
      return []
    }
  }

  /** What is known of this log: from the file beside it, and from whoever holds some. */
  #known(shelved: readonly Shelved[]): Promise<readonly KnownCheckpoint[]> {
    const { checkpoints } = this.#vault
    const ids = new Set([this.#parts.node, ...checkpoints.map(({ node }) => node)])
    const local = [...ids].map((of) => ({
      holder: LOCAL_HOLDER,
      of,
      checkpoints: checkpoints.filter(({ node }) => node === of),
    }))
    return this.#authentic([...local, ...shelved.filter(({ of }) => ids.has(of))])
  }

  #authentic(entries: readonly Shelved[]): Promise<readonly KnownCheckpoint[]> {
    const { isSigned, clock } = this.#parts
    return authenticOf(entries, isSigned, clock)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.catch(() => undefined)
    return done
  }
}

const contradictedBy = (verdict: AuditVerdict | undefined): readonly Checkpoint[] =>
  verdict === undefined || verdict.ok ? [] : verdict.contradicted
