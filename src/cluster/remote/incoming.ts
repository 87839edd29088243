/** What the rows of one link bring about here. */
import { errorOf, type FromAfar, type Ref, type Settle, type Target } from '../../actors/index.ts'
import { assertNever, LoqaError, type NodeId, OverloadedError } from '../../host/index.ts'
import { MAX_PEER_ASKS } from './bounds.ts'
import { told, toldReason } from './errors.ts'
import type { RemoteOptions } from './face.ts'
import type { Line } from './line.ts'
import type { PeerBook } from './peers.ts'
import type { Places } from './places.ts'
import { MOVES_SINCE, OLDEST_UNDERSTOOD, ROW, type Row, type RowOf, VERSION } from './wire.ts'
import type { WorkAsked, WorkServed } from './work.ts'

export interface IncomingParts {
  readonly here: FromAfar
  readonly book: PeerBook
  readonly line: Line
  readonly work: WorkAsked
  readonly served: WorkServed
  readonly places: Places
  /** Asks of this node to any peer; those that end are taken out. */
  readonly asked: Map<number, PeerBook>
  readonly labelOf: RemoteOptions['labelOf']
  readonly moving: RemoteOptions['moving']
  /** From whom what is told or asked just now came; undefined: from this node. */
  readonly hearing: (peer: NodeId | undefined) => void
  /** The other side said hello. */
  readonly greeted: () => void
  /** `fatal`: the link is given up. */
  readonly fault: (what: string, fatal: boolean) => void
}

export class Incoming {
  readonly #parts: IncomingParts

  constructor(parts: IncomingParts) {
    this.#parts = parts
  }

  row(row: Row): void {
    const { line, served, work, book, fault } = this.#parts
    if (row[0] === ROW.tell && line.greeted) {
      this.#tell(row)
      return
    }
    if (row[0] === ROW.hello) {
      this.#hello(row)
      return
    }
    if (!line.greeted) {
      fault('no-hello', true)
      return
    }
    const { named } = line
    switch (row[0]) {
      case ROW.name:
        named.name(row[1], row[2], row[3])
        return
      case ROW.label:
        named.label(row[1], {
          trace_id: row[2],
          session_id: row[3],
          capability_tier: row[4],
          privacy_scope: row[5],
        })
        return
      case ROW.tell:
        return
      case ROW.ask:
        this.#ask(row)
        return
      case ROW.answer:
        this.#answer(row)
        return
      case ROW.failed:
        if (this.#ended(row[1])) this.#parts.here.failed(row[1], errorOf(row[2]))
        return
      case ROW.giveUp:
        book.givenUp(row[1])
        return
      case ROW.watch:
        this.#watch(row)
        return
      case ROW.unwatch: {
        const target = this.#target(row[1])
        if (target !== undefined) book.unwatchedBy(target)
        return
      }
      case ROW.gone:
        this.#gone(row)
        return
      case ROW.undelivered:
        this.#undelivered(row)
        return
      case ROW.workOpen:
        served.open(row)
        return
      case ROW.workOp:
        served.op(row)
        return
      case ROW.workEnd:
        served.end(row[1])
        return
      case ROW.outcome:
        work.outcome(line.peer, row)
        return
      case ROW.placements:
        this.#parts.places.heard(row[1], line)
        return
      case ROW.move:
        this.#parts.moving?.heard(line.peer, row[1])
        return
      case ROW.moved: {
        const target = this.#target(row[1])
        if (target !== undefined && book.unwatch(target)) this.#parts.here.moved(target, row[2])
        return
      }
      default:
        assertNever(row)
    }
  }

  #hello([, version, oldest, boot]: RowOf<typeof ROW.hello>): void {
    const { line, book, here, places, fault } = this.#parts
    if (line.greeted || oldest > VERSION || version < OLDEST_UNDERSTOOD) {
      fault(line.greeted ? 'second-hello' : 'version', true)
      return
    }
    line.greeted = true
    line.speaks = version
    if (book.boot !== undefined && book.boot !== boot) this.#parts.moving?.gone(line.peer)
    for (const target of book.hello(boot)) here.gone(target, refOf(target), { kind: 'node-gone' })
    for (const { target } of book.watching.values()) line.put([ROW.watch, line.name(target)], 'owed')
    places.greeted(line)
    this.#parts.greeted()
  }

  /** Undefined, and counted, when that number was not given. */
  #target(place: number): Target | undefined {
    const target = this.#parts.line.named.target(place)
    if (target === undefined) this.#parts.fault('unnamed', false)
    return target
  }

  #tell([, to, from, , message]: RowOf<typeof ROW.tell>): void {
    const { here, line } = this.#parts
    const target = this.#target(to)
    if (target === undefined) return
    const sender = line.named.ref(from)
    this.#parts.hearing(line.peer)
    const reason = here.tell(target, message, sender)
    this.#parts.hearing(undefined)
    if (reason !== undefined) line.noteUndelivered(reason, target, sender, message.type)
  }

  #ask([, id, to, from, , deadline_ms, message]: RowOf<typeof ROW.ask>): void {
    const { here, line, book } = this.#parts
    const target = this.#target(to)
    if (target === undefined) return
    if (!book.mayAsk) {
      this.#failed(id, new OverloadedError('This node', `${MAX_PEER_ASKS} open asks of one peer`))
      return
    }
    let over = false
    const settle = this.settle(id, target)
    this.#parts.hearing(line.peer)
    const giveUp = here.ask(
      target,
      message,
      { sender: line.named.ref(from), deadline_ms },
      {
        answered: (answer) => {
          over = true
          settle.answered(answer)
        },
        failed: (error) => {
          over = true
          settle.failed(error)
        },
      },
    )
    this.#parts.hearing(undefined)
    if (!over) book.answering(id, giveUp)
  }

  /** The way back of an ask of that peer: also of one that came here with a move. */
  settle(id: number, target: Target): Settle {
    const { line, book, labelOf } = this.#parts
    return {
      answered: (answer) => {
        book.answered(id)
        const label = labelOf?.(answer, target)
        if (label?.privacy_scope === 'ephemeral') {
          this.#failed(id, new LoqaError('private', 'The answer may not leave the node that was asked'))
          return
        }
        const refusal = line.put([ROW.answer, id, line.name(target), line.label(label), answer], 'owed')
        if (refusal !== undefined) {
          this.#failed(id, new LoqaError('unsendable', 'The answer is no plain data, or too large'))
        }
      },
      failed: (error) => {
        book.answered(id)
        this.#failed(id, error)
      },
    }
  }

  #failed(id: number, error: LoqaError): void {
    const { line, fault } = this.#parts
    // Nothing can be owed beyond that: it does not read.
    if (line.put([ROW.failed, id, told(error.toJSON())], 'owed') !== undefined) fault('does-not-read', true)
  }

  #answer([, id, by, , message]: RowOf<typeof ROW.answer>): void {
    const { here, line } = this.#parts
    if (this.#ended(id)) here.answered(id, message, line.named.ref(by))
    else {
      const from = line.named.ref(by)?.address
      here.undelivered('late-answer', 'outside', from, message.type, 1)
    }
  }

  /** Whether an ask of that number was under way to this peer. */
  #ended(id: number): boolean {
    const { book, asked } = this.#parts
    if (book.ended(id) === undefined) return false
    asked.delete(id)
    return true
  }

  #watch([, place]: RowOf<typeof ROW.watch>): void {
    const { book, here, line, fault } = this.#parts
    const target = this.#target(place)
    if (target === undefined || book.isWatchedBy(target)) return
    if (!book.mayWatch) {
      fault('too-many-watches', true)
      return
    }
    let over = false
    const off = here.watch(target, (ref, reason) => {
      over = true
      book.unwatchedBy(target)
      if (reason.kind === 'moved') {
        // Who does not know moves hears that it is gone from here, and may look for it again.
        const moved = line.speaks >= MOVES_SINCE
        line.put(
          moved
            ? [ROW.moved, line.name(target), reason.to]
            : [ROW.gone, line.name(target), ref.incarnation, { kind: 'stopped', reason: 'it moved' }],
          'owed',
        )
        return
      }
      line.put([ROW.gone, line.name(target), ref.incarnation, toldReason(reason)], 'owed')
    })
    if (!over) book.watchedBy(target, off)
  }

  #gone([, place, incarnation, reason]: RowOf<typeof ROW.gone>): void {
    const { book, here } = this.#parts
    const target = this.#target(place)
    if (target === undefined || !book.unwatch(target)) return
    here.gone(target, { ...refOf(target), incarnation }, reason)
  }

  #undelivered([, reason, to, from, type, count]: RowOf<typeof ROW.undelivered>): void {
    const { here, line } = this.#parts
    const target = this.#target(to)
    if (target === undefined) return
    here.undelivered(reason, refOf(target).address, line.named.ref(from)?.address, type, count)
  }
}

const refOf = (target: Target): Ref =>
  typeof target === 'string' ? { address: target, incarnation: 0 } : target
