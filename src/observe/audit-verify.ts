/**
 * Whether an audit log is what its node wrote, line by line: every record has the next number, follows the one before, has
 * the hash it says, and is what the checkpoints say it was. Goes on behind a fault, so that an old one that a person knows
 * of hides no new one. Pure; `audit-lines.ts` reads.
 */
import type { Checkpoint, IsSigned, KnownCheckpoint } from './audit-checkpoint.ts'
import { readHead } from './audit-head.ts'
import {
  type AuditPosition,
  type AuditRecord,
  FIRST_HASH,
  hashOf,
  lineOf,
  parseRecord,
  sha256,
} from './audit-record.ts'

export type FaultKind =
  /** A line that is no record. */
  | 'unreadable'
  /** A record that is missing, there twice, or in another's place. */
  | 'out-of-order'
  /** A record that does not follow the one before: one of the two was written anew. */
  | 'unlinked'
  /** A record that is not what its hash says. */
  | 'changed'
  /** A record of another node's log. */
  | 'foreign'
  /** The last line has no end. */
  | 'cut-off'
  /** A record that is whole, and not the one a checkpoint says: it, or one before it, was written anew. */
  | 'rewritten'
  /** Records that a checkpoint says there were. */
  | 'tail-missing'

export interface AuditFault {
  readonly kind: FaultKind
  /** From 1; for a missing tail the line that would come next. */
  readonly line: number
  /** Number the record has, or should have. */
  readonly seq: number
  /** Goes on after "line 17", for people. */
  readonly reason: string
  /** The checkpoint that shows it, and who holds it. */
  readonly shown_by?: KnownCheckpoint
  /** Last record before it that a checkpoint bears out; 0 when none. */
  readonly sure_until: number
  /** By which it is known again, also when the log has grown; any other change gives others. */
  readonly marks: readonly string[]
}

/** More are counted, not kept: the first ones say where to look. */
export const MAX_FAULTS = 100

interface Found {
  /** Records, readable or not. */
  readonly records: number
  /** Hash of the last record. */
  readonly head: string
  /** Number of the last record that a checkpoint bears out; 0 when none. */
  readonly sure_until: number
  /** Number of the last record that was taken away when it was old; absent when the log begins with record 1. */
  readonly begins_after?: number
}
export type AuditVerdict = Found &
  (
    | { readonly ok: true }
    | {
        readonly ok: false
        /** Of the first fault. */
        readonly line: number
        readonly reason: string
        /** In the order of the log, at most `MAX_FAULTS`. */
        readonly faults: readonly AuditFault[]
        readonly faulty: number
        /** Checkpoints the log contradicts. */
        readonly contradicted: readonly Checkpoint[]
      }
  )

/** What a log is held against. */
export interface Evidence {
  /** Of this node and of those it was before. All signed by the node they name. */
  readonly known: readonly KnownCheckpoint[]
  /** Id of the node whose log it is, now; undefined: any. */
  readonly node?: string
  /** Undefined: a log begins with record 1, whatever its first line says. */
  readonly isSigned?: IsSigned
  /** The last record this process wrote or found at its start; undefined: not known. */
  readonly written?: AuditPosition
}

export class Verification {
  readonly #node: string | undefined
  readonly #written: AuditPosition | undefined
  readonly #isSigned: IsSigned
  /** What the log begins behind, when its oldest records were taken away. */
  #start: Checkpoint | undefined
  readonly #known = new Map<number, KnownCheckpoint[]>()
  readonly #faults: AuditFault[] = []
  readonly #contradicted: Checkpoint[] = []
  readonly #nodes = new Set<string>()
  #faulty = 0
  #lines = 0
  #seq = 0
  /** Undefined after a line that is no record: what follows it cannot be said. */
  #head: string | undefined = FIRST_HASH
  #last: AuditRecord | undefined
  #sure_until = 0
  #highest_known = 0

  constructor({ known, node, written, isSigned }: Evidence = { known: [] }) {
    this.#node = node
    this.#isSigned = isSigned ?? (() => false)
    this.#written = written
    if (node !== undefined) this.#nodes.add(node)
    for (const one of known) {
      const { seq } = one.checkpoint
      this.#known.set(seq, [...(this.#known.get(seq) ?? []), one])
      this.#highest_known = Math.max(this.#highest_known, seq)
    }
  }

  /** The next line, without its end; undefined when its bytes are no text. */
  line(line: string | undefined): void {
    this.#lines += 1
    if (this.#lines === 1 && line !== undefined && this.#begin(line)) return
    const record = line === undefined ? undefined : parseRecord(line)
    if (line === undefined || record === undefined) {
      this.#fault('unreadable', this.#seq + 1, 'is not an audit record', sha256(line ?? ''))
      this.#seq += 1
      this.#head = undefined
      return
    }
    const fault = this.#faultOf(line, record)
    if (fault !== undefined) this.#fault(fault[0], record.seq, fault[1], sha256(line))
    this.#nodes.add(record.node)
    this.#last = record
    this.#seq = record.seq
    this.#head = record.hash
    if (record.seq === this.#written?.seq && record.hash !== this.#written.hash)
      this.#fault('rewritten', record.seq, `is not the record ${record.seq} this node wrote`, record.hash)
    const checkpoints = this.#known.get(record.seq)
    if (checkpoints !== undefined) this.#compare(record, checkpoints)
  }

  #begin(line: string): boolean {
    const head = readHead(line, this.#isSigned)
    if (head === undefined) return false
    this.#start = head
    this.#seq = head.seq
    this.#head = head.hash
    this.#nodes.add(head.node)
    const checkpoints = this.#known.get(head.seq)
    if (checkpoints !== undefined) this.#compare(head, checkpoints)
    return true
  }

  #faultOf(line: string, record: AuditRecord): [FaultKind, string] | undefined {
    const expected = this.#seq + 1
    if (record.seq !== expected) return ['out-of-order', `has number ${record.seq}, expected ${expected}`]
    if (this.#head !== undefined && record.prev_hash !== this.#head)
      return ['unlinked', 'does not follow the record before it']
    // The hash covers the fields; the line has to be those and nothing else.
    if (record.hash !== hashOf(record) || line !== lineOf(inOrder(record))) return ['changed', 'was changed']
    if (!this.#belongs(record)) return ['foreign', `is of another node's log (${record.node})`]
    return undefined
  }

  /** One log is one node's; when it gets another identity the records say so. */
  #belongs(record: AuditRecord): boolean {
    const last = this.#last
    if (last === undefined)
      return this.#start === undefined || [record.node, this.#node].includes(this.#start.node)
    if (record.node === last.node || record.what === 'node.renamed') return true
    return last.what === 'node.reset' && last.outcome === record.node
  }

  #compare(record: AuditPosition, checkpoints: readonly KnownCheckpoint[]): void {
    for (const known of checkpoints) {
      const { checkpoint } = known
      if (!this.#nodes.has(checkpoint.node)) continue
      if (checkpoint.hash === record.hash) {
        this.#sure_until = record.seq
        continue
      }
      this.#contradicted.push(checkpoint)
      const reason = `is not the record ${record.seq} that was signed on ${checkpoint.time}`
      this.#add({
        ...{ kind: 'rewritten', line: this.#lines, seq: record.seq, reason, shown_by: known },
        ...{ sure_until: this.#sure_until, marks: [markOf(checkpoint)] },
      })
    }
  }

  /** `unfinished`: what stands behind the last line's end. */
  end(unfinished = ''): AuditVerdict {
    const records = this.#lines - (this.#start === undefined ? 0 : 1)
    if (unfinished !== '') {
      this.#lines += 1
      this.#fault('cut-off', this.#seq + 1, 'is cut off', sha256(unfinished))
    }
    this.#compareEnd()
    const found = {
      ...{ records, head: this.#head ?? FIRST_HASH, sure_until: this.#sure_until },
      ...(this.#start === undefined ? {} : { begins_after: this.#start.seq }),
    }
    const [first] = this.#faults
    if (first === undefined) return { ok: true, ...found }
    return {
      ...{ ok: false, ...found, line: first.line, reason: first.reason, faults: this.#faults },
      ...{ faulty: this.#faulty, contradicted: this.#contradicted },
    }
  }

  /** The log must reach as far as any checkpoint says, and be this node's. */
  #compareEnd(): void {
    if (this.#node !== undefined && this.#last !== undefined && !this.#endsHere(this.#last, this.#node)) {
      const { node, seq, hash } = this.#last
      this.#fault('foreign', seq, `is the last of another node's log (${node})`, hash)
    }
    const there = this.#seq === 0 ? 'holds no record' : `ends with record ${this.#seq}`
    this.#lines += 1
    if (this.#highest_known > this.#seq && this.#compareBeyond(there)) return
    const { seq, hash } = this.#written ?? { seq: 0, hash: '' }
    if (seq > this.#seq)
      this.#fault(
        'tail-missing',
        this.#seq + 1,
        `is missing: the log ${there}, and this node wrote record ${seq} since it started`,
        hash,
      )
  }

  #compareBeyond(there: string): boolean {
    const beyond = [...this.#known.values()]
      .flat()
      .filter(({ checkpoint: { seq, node } }) => seq > this.#seq && this.#nodes.has(node))
      .sort((a, b) => b.checkpoint.seq - a.checkpoint.seq)
    const [furthest] = beyond
    if (furthest === undefined) return false
    const { seq, time } = furthest.checkpoint
    this.#contradicted.push(...beyond.map(({ checkpoint }) => checkpoint))
    this.#add({
      kind: 'tail-missing',
      line: this.#lines,
      seq: this.#seq + 1,
      reason: `is missing: the log ${there}, and record ${seq} was signed on ${time}`,
      shown_by: furthest,
      sure_until: this.#sure_until,
      marks: beyond.map(({ checkpoint }) => markOf(checkpoint)),
    })
    return true
  }

  #endsHere(last: AuditRecord, node: string): boolean {
    return last.node === node || (last.what === 'node.reset' && last.outcome === node)
  }

  #fault(kind: FaultKind, seq: number, reason: string, found: string): void {
    const line = this.#lines
    const mark = sha256(JSON.stringify([kind, line, seq, found])).slice(0, 32)
    this.#add({ kind, line, seq, reason, sure_until: this.#sure_until, marks: [mark] })
  }

  #add(fault: AuditFault): void {
    this.#faulty += 1
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(fault)
  }
}

/** The same whether the log ends before the record or has another in its place. */
const markOf = ({ seq, hash }: Checkpoint): string =>
  sha256(JSON.stringify(['checkpoint', seq, hash])).slice(0, 32)

const inOrder = (record: AuditRecord): AuditRecord => {
  const { seq, time, node, actor, who, what, object, outcome, prev_hash, hash } = record
  return { seq, time, node, actor, who, what, object, outcome, prev_hash, hash }
}

/** Checks the whole text of a log; names the first bad line (counted from 1). */
export function verifyAudit(text: string, evidence?: Evidence): AuditVerdict {
  const verification = new Verification(evidence)
  const lines = text.split('\n')
  const unfinished = lines.pop()
  for (const line of lines) verification.line(line)
  return verification.end(unfinished)
}
