/**
 * The timelines as the rest of the node sees them. A conversation never waits: what it notes down goes into a bounded queue, and from there
 * in one transaction within 100 ms to the file, in a thread of its own. What is `ephemeral` stays in this object.
 */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Cancel, type ErrorShape, type Host, LoqaError, PROGRAMS, type Wall } from '../../host/index.ts'
import { StoreClosed } from '../errors.ts'
import {
  type Erased,
  eventSchema,
  isSelected,
  type KeptTimeline,
  type Selection,
  type TimelineEvent,
  type TimelineHead,
} from './events.ts'
import { MemoryTimelines } from './memory-timelines.ts'
import type {
  Appended,
  TimelineAsk,
  TimelineReply,
  TimelineRequest,
  TimelineResult,
  TimelineThreadData,
} from './messages.ts'

/** How long an event may wait for company: a process killed before loses it. */
const GROUP_MS = 50
/** Waiting for a disk that does not keep up: some ten thousand events. Beyond, the newest are dropped, and counted. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** A card of a skill may be large; a timeline is no place for it. */
const MAX_EVENT_BYTES = 64 * 1024
/** Events decoded in one go: about a millisecond. */
const READ_AT_ONCE = 50
/** How often what is too old is looked for, ms. */
const PRUNE_EVERY_MS = 600_000
const DAY_MS = 86_400_000
/** Steps of a conversation that goes on for ever, as that of a satellite in the kitchen does, are kept for a day. */
const NOTED_FOR_MS = DAY_MS

/** How long timelines are kept. `session`: none longer than its conversation, whoever consented. */
export type Keep = 'none' | 'session' | 'days'

export interface TimelineOptions {
  readonly host: Pick<Host, 'clock' | 'disk'>
  readonly directory: string
  /** 32 bytes: `keys.for('timeline')`. */
  readonly key: Uint8Array
  readonly keep: Keep
  /** Whole timelines, after their conversation ended; for those with consent. */
  readonly days: number
  /** Events were lost: the disk did not keep up, refused them, or they were too large. */
  readonly lost?: (events: number, why: 'queue-full' | 'not-written' | 'too-large') => void
  /** How tests fill the disk: most pages (4 KiB) the file may take. */
  readonly max_pages?: number
  /** How tests break the thread. */
  readonly thread?: URL
}

/** Errors: `store-key-wrong`, `store-damaged`, `store-too-new`, `store-full`, `store-io`, `DiskError`. */
export async function openTimeline(options: TimelineOptions): Promise<Timeline> {
  const file = join(options.directory, 'timeline.db')
  // Creates it for its owner alone; SQLite gives its log the same mode.
  await options.host.disk.append(file, new Uint8Array())
  const { key, max_pages } = options
  const workerData: TimelineThreadData = { file, key, max_pages }
  const worker = new Worker(options.thread ?? PROGRAMS.timeline, { workerData, name: 'timeline' })
  const erasures = await new Promise<readonly string[]>((resolve, reject) => {
    worker.once('message', (reply: TimelineReply) => {
      if (reply.reply === 'opened') resolve(reply.erasures)
      else if (reply.reply === 'not-opened') reject(errorFrom(reply.error))
    })
    worker.once('error', reject)
    worker.once('exit', () => reject(new StoreClosed()))
  })
  return new Timeline(worker, new Set(erasures), options)
}

interface Pending {
  readonly resolve: (result: TimelineResult) => void
  readonly reject: (error: LoqaError) => void
}

export class Timeline {
  readonly #worker: Worker
  readonly #options: TimelineOptions
  readonly #pending = new Map<number, Pending>()
  readonly #memory = new MemoryTimelines()
  /** Whose conversation goes on. */
  readonly #living = new Map<string, TimelineHead>()
  readonly #erasures: Set<string>
  #queue: Appended[] = []
  /** Given to the thread, and not acknowledged yet. */
  readonly #sent = new Set<Promise<void>>()
  /** Of both. */
  #waitingBytes = 0
  #sendTimer: Cancel | undefined
  #pruneTimer: Cancel | undefined
  #nextId = 1
  /** `lost`: its thread ended unasked. */
  #state: 'open' | 'closed' | 'lost' = 'open'

  constructor(worker: Worker, erasures: Set<string>, options: TimelineOptions) {
    this.#worker = worker
    this.#options = options
    this.#erasures = erasures
    worker.on('message', (reply: TimelineReply) => this.#hear(reply))
    worker.on('error', () => undefined)
    worker.on('exit', () => this.#lost())
    this.#pruneLater(0)
  }

  /**
   * A conversation began; of what is said in it before, nothing is noted. Again in the same scope, as that of the same person: nothing happens;
   * in another: that timeline ends, and another begins.
   */
  begin(head: TimelineHead): void {
    if (this.#options.keep === 'none') return
    const known = this.#living.get(head.session)
    if (known !== undefined && known.scope === head.scope && known.person === head.person) return
    if (known !== undefined) this.end(head.session)
    this.#living.set(head.session, head)
    if (head.scope === 'ephemeral') this.#memory.begin(head)
  }

  /** Never waits, never throws. */
  append(event: TimelineEvent): void {
    const head = this.#living.get(event.session_id)
    if (head === undefined) return
    // A consent may have been withdrawn meanwhile.
    const text = JSON.stringify({ ...event, privacy_scope: head.scope })
    if (text.length > MAX_EVENT_BYTES) this.#options.lost?.(1, 'too-large')
    else if (head.scope === 'ephemeral') this.#memory.append(event, text.length)
    else if (this.#state !== 'open') this.#options.lost?.(1, 'not-written')
    else if (this.#waitingBytes + text.length > MAX_WAITING_BYTES) this.#options.lost?.(1, 'queue-full')
    else {
      this.#queue.push({ head, at: event.at, text })
      this.#waitingBytes += text.length
      this.#sendSoon()
    }
  }

  /** Its conversation ended: what may not outlive it is erased. */
  end(session: string): void {
    const head = this.#living.get(session)
    this.#living.delete(session)
    this.#memory.end(session)
    if (head === undefined || head.scope === 'ephemeral' || this.#state !== 'open') return
    const stays = head.scope === 'persistent' && this.#options.keep === 'days'
    // The thread does all in order: what comes of a next conversation of that name comes after.
    this.#send()
    this.#ask(
      stays ? { op: 'end', session, at: this.#wall() } : { op: 'erase', which: { session }, living: true },
    ).catch(() => undefined)
  }

  /** It goes on elsewhere, and its steps with it: here they are erased, whatever their scope. */
  left(session: string): void {
    const head = this.#living.get(session)
    this.#living.delete(session)
    this.#memory.end(session)
    if (head === undefined || head.scope === 'ephemeral' || this.#state !== 'open') return
    this.#send()
    this.#ask({ op: 'erase', which: { session }, living: true }).catch(() => undefined)
  }

  /** False: its thread ended unasked; nothing more is kept until the node starts again. */
  get works(): boolean {
    return this.#state !== 'lost'
  }

  /** Sessions whose conversation goes on, as far as it was told. */
  living(): readonly string[] {
    return [...this.#living.keys()]
  }

  /** Oldest first. Errors: `store-*`. */
  async list(): Promise<readonly KeptTimeline[]> {
    await this.flush()
    const { list = [] } = await this.#ask({ op: 'list' })
    return [...list, ...this.#memory.list()]
  }

  /** Events of all kept conversations of that name, in order; empty when there are none. Errors: `store-*`. */
  async read(session: string): Promise<readonly TimelineEvent[]> {
    await this.flush()
    const { texts = [] } = await this.#ask({ op: 'read', session })
    const kept: TimelineEvent[] = []
    for (const [index, text] of texts.entries()) {
      kept.push(eventSchema.parse(JSON.parse(text)))
      // A whole megabyte at once would keep those waiting who talk.
      if (index % READ_AT_ONCE === 0) await new Promise<void>((go) => this.#options.host.clock.soon(go))
    }
    return [...kept, ...this.#memory.read(session)]
  }

  /** What is selected, gone when this resolves; timelines of conversations that go on begin anew. Errors: `store-*`; the file is as it was then. */
  async erase(which: Selection, erasure?: string): Promise<Erased> {
    if ('person' in which) this.#withoutPerson(which.person)
    const forgotten = this.#memory.erase(which)
    // At once, and in this order: what was noted before must not be written after.
    this.#send()
    const { erased = { timelines: 0, events: 0 } } = await this.#ask({
      op: 'erase',
      which,
      ...(erasure === undefined ? {} : { erasure }),
    })
    if (erasure !== undefined) this.#erasures.add(erasure)
    return {
      timelines: erased.timelines + forgotten.timelines,
      events: erased.events + forgotten.events,
    }
  }

  /** What `erase` would take. */
  async wouldErase(which: Selection): Promise<Erased> {
    const chosen = (await this.list()).filter((kept) => isSelected(kept, which))
    return { timelines: chosen.length, events: chosen.reduce((sum, { events }) => sum + events, 0) }
  }

  /** Whether the order to erase of that name was carried out here. */
  hasErased(erasure: string): boolean {
    return this.#erasures.has(erasure)
  }

  /** Resolves when all that was appended before is durable, or was lost and counted. */
  async flush(): Promise<void> {
    this.#send()
    await Promise.all(this.#sent)
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#pruneTimer?.()
    for (const session of this.living()) this.end(session)
    await this.flush()
    const closing = this.#ask({ op: 'close' })
    this.#state = 'closed'
    await closing.catch(() => undefined)
  }

  /** In company: what comes while the disk is busy goes together. */
  #sendSoon(): void {
    if (this.#sendTimer !== undefined || this.#sent.size > 0) return
    this.#sendTimer = this.#options.host.clock.after(GROUP_MS, () => this.#send())
  }

  #send(): void {
    this.#sendTimer?.()
    this.#sendTimer = undefined
    const events = this.#queue
    if (events.length === 0) return
    this.#queue = []
    const sent = this.#ask({ op: 'append', events })
      .then(
        () => undefined,
        () => this.#options.lost?.(events.length, 'not-written'),
      )
      .then(() => {
        this.#sent.delete(sent)
        for (const { text } of events) this.#waitingBytes -= text.length
        if (this.#queue.length > 0) this.#sendSoon()
      })
    this.#sent.add(sent)
  }

  /** What they go on to say is nobody's any more. */
  #withoutPerson(person: string): void {
    for (const head of this.#living.values()) {
      if (head.person !== person) continue
      const { person: _gone, ...rest } = head
      this.#living.set(head.session, { ...rest, scope: head.scope === 'persistent' ? 'session' : head.scope })
    }
  }

  #pruneLater(delay_ms: number): void {
    this.#pruneTimer = this.#options.host.clock.after(delay_ms, () => {
      const now = this.#wall()
      const ended = this.#options.keep === 'days' ? now - this.#options.days * DAY_MS : now
      this.#ask({ op: 'prune', ended, noted: now - NOTED_FOR_MS }).catch(() => undefined)
      this.#pruneLater(PRUNE_EVERY_MS)
    })
  }

  #ask(ask: TimelineAsk): Promise<TimelineResult> {
    if (this.#state !== 'open') return Promise.reject(new StoreClosed())
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#worker.postMessage({ ...ask, id } satisfies TimelineRequest)
    })
  }

  #hear(reply: TimelineReply): void {
    if (reply.reply !== 'done' && reply.reply !== 'failed') return
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (reply.reply === 'done') pending?.resolve(reply.result)
    else pending?.reject(errorFrom(reply.error))
  }

  #lost(): void {
    if (this.#state === 'open') this.#state = 'lost'
    this.#pruneTimer?.()
    for (const { reject } of this.#pending.values()) reject(new StoreClosed())
    this.#pending.clear()
  }

  #wall(): Wall {
    return this.#options.host.clock.wall()
  }
}

const errorFrom = ({ code, message, retryable, hint }: ErrorShape): LoqaError =>
  new LoqaError(code, message, { retryable, hint })
