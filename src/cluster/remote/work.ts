/**
 * Work of one node's actors done by another node's ports: an `infer` of a conversation here on an engine there. Generic: op, payload
 * and outcomes pass through as they are, samples included.
 *
 * W1  Outcomes arrive in order; the last is `done` or `failed`, and there is exactly one, unless the work was given up. W2  When the
 * link is lost the work fails with `unreachable` at once, and the other side lets go of it. W3  A deadline is kept here too,
 * so that a silent node costs no more than it. W4  Who asked never has its names mixed up with those of the node that does it.
 */
import {
  fixedAddress,
  keyOf,
  type Outcome,
  type OutsidePort,
  type Ref,
  UnreachableError,
} from '../../actors/index.ts'
import {
  type Cancel,
  type Clock,
  type ErrorShape,
  LoqaError,
  type NodeId,
  OverloadedError,
  requestId,
  TimeoutError,
} from '../../host/index.ts'
import { MAX_PEER_WORK } from './bounds.ts'
import { told } from './errors.ts'
import type { RemoteOptions, WorkPort } from './face.ts'
import type { Line } from './line.ts'
import { ROW, type RowOf } from './wire.ts'

type Deliver = (outcome: Outcome) => void

interface Job {
  readonly number: number
  readonly node: NodeId
  readonly id: OutsidePort['id']
  readonly port: OutsidePort['type']
  readonly owner: string
  readonly deliver: Deliver
  overdue: Cancel | undefined
}

const jobKey = (owner: string, port: string, id: string): string => `${owner} ${port} ${id}`

/** The side that asks. */
export class WorkAsked {
  readonly #clock: Clock
  readonly #lineTo: (node: NodeId) => Line | undefined
  readonly #byNumber = new Map<number, Job>()
  readonly #byKey = new Map<string, Job>()
  #numbers = 0

  constructor(clock: Clock, lineTo: (node: NodeId) => Line | undefined) {
    this.#clock = clock
    this.#lineTo = lineTo
  }

  port(node: NodeId): WorkPort {
    return {
      request: (effect, deliver, actor) => this.#request(node, effect, deliver, actor),
      cancel: (id, actor, port) => {
        const job = this.#byKey.get(jobKey(keyOf(actor), port, id))
        if (job?.node === node) this.#giveUp(job)
      },
      actorGone: (actor) => {
        const owner = keyOf(actor)
        for (const job of this.#byNumber.values()) {
          if (job.owner === owner && job.node === node) this.#giveUp(job)
        }
      },
    }
  }

  countFor(node: NodeId): number {
    let count = 0
    for (const job of this.#byNumber.values()) if (job.node === node) count += 1
    return count
  }

  outcome(node: NodeId, row: RowOf<typeof ROW.outcome>): void {
    const job = this.#byNumber.get(row[1])
    if (job?.node !== node) return
    if (row[2] === 'failed') this.#fail(job, row[3] as ErrorShape)
    else {
      if (row[2] === 'done') this.#forget(job)
      job.deliver({ type: 'outcome', id: job.id, event: row[2], body: row[3] })
    }
  }

  lost(node: NodeId): void {
    for (const job of [...this.#byNumber.values()]) {
      if (job.node === node) this.#fail(job, new UnreachableError(`Node ${node}`).toJSON())
    }
  }

  close(): void {
    for (const job of [...this.#byNumber.values()]) this.#forget(job)
  }

  #request(node: NodeId, effect: OutsidePort, deliver: Deliver, actor: Ref): void {
    const owner = keyOf(actor)
    const known = this.#byKey.get(jobKey(owner, effect.type, effect.id))
    // An engine's run begins with `open`; whatever else comes for one that is over has nothing to go on with.
    const opens = effect.op === 'open' || (known === undefined && effect.type !== 'infer')
    if (opens) {
      if (known !== undefined) this.#giveUp(known)
      this.#open(node, effect, deliver, owner)
    } else if (known !== undefined) {
      this.#send(known, [ROW.workOp, known.number, effect.op, effect.body ?? null])
    }
  }

  #open(node: NodeId, effect: OutsidePort, deliver: Deliver, owner: string): void {
    this.#numbers += 1
    const { id, type, to, op, deadline_ms } = effect
    const job: Job = { number: this.#numbers, node, id, port: type, owner, deliver, overdue: undefined }
    this.#byNumber.set(job.number, job)
    this.#byKey.set(jobKey(owner, type, id), job)
    if (deadline_ms !== undefined) {
      job.overdue = this.#clock.after(deadline_ms, () => {
        this.#giveUp(job)
        const error = new TimeoutError(`Work on ${to}`, deadline_ms).toJSON()
        deliver({ type: 'outcome', id, event: 'failed', error })
      })
    }
    this.#send(job, [ROW.workOpen, job.number, 0, type, to, op, effect.body ?? null, deadline_ms ?? null])
  }

  #send(job: Job, row: readonly unknown[]): void {
    const line = this.#lineTo(job.node)
    if (line === undefined) {
      this.#fail(job, new UnreachableError(`Node ${job.node}`).toJSON())
      return
    }
    const refusal = line.put(row, 'data')
    if (refusal === undefined) return
    this.#giveUp(job)
    const { id, deliver } = job
    deliver({ type: 'outcome', id, event: 'failed', error: refused(refusal, job.node).toJSON() })
  }

  #giveUp(job: Job): void {
    this.#forget(job)
    this.#lineTo(job.node)?.put([ROW.workEnd, job.number], 'owed')
  }

  #fail(job: Job, error: ErrorShape): void {
    this.#forget(job)
    job.deliver({ type: 'outcome', id: job.id, event: 'failed', error })
  }

  #forget(job: Job): void {
    job.overdue?.()
    this.#byNumber.delete(job.number)
    const key = jobKey(job.owner, job.port, job.id)
    if (this.#byKey.get(key) === job) this.#byKey.delete(key)
  }
}

interface Served {
  readonly port: OutsidePort['type']
  readonly to: string
  readonly id: OutsidePort['id']
  readonly deliver: Deliver
}

/** The side that does it, for one link. */
export class WorkServed {
  readonly #line: Line
  readonly #options: Pick<RemoteOptions, 'outside' | 'serves'>
  /** In whose name it is done here: no actor of this node has it. */
  readonly #actor: Ref
  readonly #jobs = new Map<number, Served>()

  /** `link` numbers the links of this node, so that no two have the same name. */
  constructor(line: Line, options: Pick<RemoteOptions, 'outside' | 'serves'>, link: number) {
    this.#line = line
    this.#options = options
    this.#actor = { address: fixedAddress(line.peer, 'work'), incarnation: link }
  }

  open([, number, , type, to, op, body, deadline]: RowOf<typeof ROW.workOpen>): void {
    this.end(number)
    const id = requestId(`work:${number}`)
    const deliver: Deliver = (outcome) => this.#outcome(number, outcome)
    if (this.#jobs.size >= MAX_PEER_WORK) {
      this.#failed(number, new OverloadedError('This node', `${MAX_PEER_WORK} works of one peer`))
      return
    }
    this.#jobs.set(number, { port: type, to, id, deliver })
    this.#do({ type, id, to, op, body, ...(deadline === null ? {} : { deadline_ms: deadline }) }, deliver)
  }

  op([, number, op, body]: RowOf<typeof ROW.workOp>): void {
    const job = this.#jobs.get(number)
    if (job === undefined) return
    this.#do({ type: job.port, id: job.id, to: job.to, op, body }, job.deliver)
  }

  end(number: number): void {
    const job = this.#jobs.get(number)
    if (job === undefined) return
    this.#jobs.delete(number)
    this.#options.outside?.cancel?.(job.id, this.#actor, job.port)
  }

  lost(): void {
    for (const number of [...this.#jobs.keys()]) this.end(number)
  }

  #do(effect: OutsidePort, deliver: Deliver): void {
    const { outside, serves = servesEngines } = this.#options
    const port = effect.type === 'infer' || effect.type === 'play' ? outside?.[effect.type] : undefined
    const failed = (error: LoqaError): void =>
      deliver({ type: 'outcome', id: effect.id, event: 'failed', error: error.toJSON() })
    if (port === undefined || !serves(effect, this.#line.peer)) {
      failed(new LoqaError('unavailable', `This node does no such work for others: ${effect.type}`))
      return
    }
    try {
      port(effect, deliver, this.#actor)
    } catch (thrown) {
      failed(thrown instanceof LoqaError ? thrown : new LoqaError('unexpected', 'The work failed'))
    }
  }

  #outcome(number: number, outcome: Outcome): void {
    if (!this.#jobs.has(number)) return
    if (outcome.event === 'failed') {
      this.#jobs.delete(number)
      this.#line.put([ROW.outcome, number, 'failed', told(outcome.error)], 'owed')
      return
    }
    const weight = outcome.event === 'done' ? 'owed' : 'data'
    const refusal = this.#line.put([ROW.outcome, number, outcome.event, outcome.body ?? null], weight)
    if (refusal !== undefined) {
      this.end(number)
      this.#failed(number, refused(refusal, this.#line.peer))
    } else if (outcome.event === 'done') this.#jobs.delete(number)
  }

  #failed(number: number, error: LoqaError): void {
    this.#line.put([ROW.outcome, number, 'failed', told(error.toJSON())], 'owed')
  }
}

const servesEngines = ({ type }: OutsidePort): boolean => type === 'infer'

const refused = (refusal: 'full' | 'unsendable', node: NodeId): LoqaError =>
  refusal === 'full'
    ? new OverloadedError(`The way to node ${node}`, 'waiting bytes')
    : new LoqaError('unsendable', 'What was to be sent is no plain data, or too large')
