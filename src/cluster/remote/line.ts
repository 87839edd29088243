/** One link as rows: what goes out is named and packed, what comes in is unpacked. */
import type { DeadLetterReason, Message, Ref, Target } from '../../actors/index.ts'
import type { NodeId } from '../../host/index.ts'
import type { Link } from '../transport/mesh.ts'
import { MAX_TOLD_BACK } from './bounds.ts'
import type { Label } from './face.ts'
import { Named, Naming } from './names.ts'
import { Outbox, type Refusal, type Weight } from './outbox.ts'
import { ROW } from './wire.ts'

/** Late samples are worth less than fresh ones. */
const AUDIO = 'audio.frame'

interface Undelivered {
  readonly row: readonly [reason: DeadLetterReason, to: Target, from: Ref | undefined, type: string]
  count: number
}

/** A tell that was taken and then displaced by a later one. */
export type Displaced = (target: Target, message: Message, sender: Ref | undefined) => void

export class Line {
  readonly link: Link
  readonly outbox: Outbox
  readonly named = new Named()
  /** The other side said hello. */
  greeted = false
  /** Rows it knows, once it said hello. */
  speaks = 0
  /** Something waits for the end of the tick. */
  dirty = false
  readonly #naming: Naming
  readonly #wake: (line: Line) => void
  #undelivered: Map<string, Undelivered> | undefined

  constructor(link: Link, wake: (line: Line) => void, displaced: Displaced) {
    this.link = link
    this.#wake = wake
    this.outbox = new Outbox(
      (frame) => link.send('data', frame),
      (told) => displaced(...(told as Parameters<Displaced>)),
    )
    this.#naming = new Naming((row) => this.put(row, 'owed') === undefined)
  }

  get peer(): NodeId {
    return this.link.peer
  }

  /** `told`: what to hand over when an audio row is displaced. */
  put(row: readonly unknown[], weight: Weight, told?: Parameters<Displaced>): Refusal | undefined {
    if (!this.dirty) {
      this.dirty = true
      this.#wake(this)
    }
    return this.outbox.put(row, weight, told)
  }

  flush(): void {
    this.dirty = false
    this.outbox.flush()
  }

  /** The number of a target for a row; −1 when there is no room to name it. */
  name(target: Target | undefined): number {
    return this.#naming.of(target)
  }

  label(label: Label | undefined): number {
    return this.#naming.label(label)
  }

  tell(
    target: Target,
    message: Message,
    sender: Ref | undefined,
    label: Label | undefined,
  ): Refusal | undefined {
    const to = this.#naming.of(target)
    const from = this.#naming.of(sender)
    const labelled = this.#naming.label(label)
    if (to < 0 || from < 0 || labelled < 0) return 'full'
    const row = [ROW.tell, to, from, labelled, message]
    if (message.type !== AUDIO) return this.put(row, 'data')
    return this.put(row, 'audio', [target, message, sender])
  }

  /** A tell of the peer reached nobody: told back with the others of the same frame. */
  noteUndelivered(reason: DeadLetterReason, to: Target, from: Ref | undefined, type: string): void {
    this.#undelivered ??= new Map()
    const key = `${reason} ${type} ${typeof to === 'string' ? to : to.address} ${from?.address ?? ''}`
    const known = this.#undelivered.get(key)
    if (known !== undefined) known.count += 1
    else if (this.#undelivered.size < MAX_TOLD_BACK) {
      this.#undelivered.set(key, { row: [reason, to, from, type], count: 1 })
    }
  }

  tellBack(): void {
    const undelivered = this.#undelivered
    if (undelivered === undefined) return
    this.#undelivered = undefined
    for (const { row, count } of undelivered.values()) {
      const [reason, target, sender, type] = row
      const to = this.name(target)
      const from = this.name(sender)
      if (to > 0 && from >= 0) this.put([ROW.undelivered, reason, to, from, type, count], 'owed')
    }
  }
}
