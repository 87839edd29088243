/** One sync machine on its own: inputs go in, effects are collected; the other nodes are what the test says. */
import { monotonic, type NodeId } from '../../../src/host/index.ts'
import type { Header } from '../../../src/store/sync/batch-bytes.ts'
import {
  beginSync,
  type ChangeRow,
  type LogExtent,
  type Origin,
  type OriginKey,
  originKey,
  type SyncEffect,
  type SyncInput,
  type SyncMessage,
  type SyncStart,
  type SyncState,
  signBatch,
  sync,
} from '../../../src/store/sync/index.ts'
import type { Head } from '../../../src/store/sync/messages.ts'
import { A, signaturesOf } from './signing.ts'

type EffectOf<Type extends SyncEffect['type']> = Extract<SyncEffect, { type: Type }>

export const logOf = (node: NodeId, life = 0): OriginKey => originKey({ node, life })

/** A signed batch of nobody's rows, for what is looked at is the header. */
export function batchOf(origin: Origin, from: number, to: number, changes: Partial<Header> = {}): Uint8Array {
  const rows: readonly ChangeRow[] = []
  return signBatch(
    { origin, schema: 1, edition: 0, base: 0, from, to, ...changes },
    rows,
    signaturesOf(origin.node),
  )
}

export class Stage {
  state: SyncState
  now = 1_000
  effects: SyncEffect[] = []
  strangers = new Set<NodeId>()

  constructor(start: Partial<SyncStart> = {}) {
    const self = { node: A, life: 0 }
    const { state, effects } = beginSync({ self, schema: 1, now: monotonic(this.now), ...start })
    this.state = state
    this.effects.push(...effects)
  }

  /** Effects of this input, which are also kept. */
  input(input: SyncInput): readonly SyncEffect[] {
    const { state, effects } = sync(this.state, input, {
      now: monotonic(this.now),
      entropy: 7,
      mayWrite: (node) => !this.strangers.has(node),
    })
    this.state = state
    this.effects.push(...effects)
    return effects
  }

  /** Ticks when the machine wants to. */
  pass(ms: number): void {
    const end = this.now + ms
    while (this.state.due <= end) {
      this.now = Math.max(this.now, this.state.due)
      this.input({ type: 'tick' })
    }
    this.now = end
  }

  up(...peers: readonly NodeId[]): void {
    for (const peer of peers) this.input({ type: 'peer-up', peer })
  }

  hear(from: NodeId, message: SyncMessage): readonly SyncEffect[] {
    return this.input({ type: 'message', from, message })
  }

  told(from: NodeId, ...heads: readonly (Partial<Head> & Pick<Head, 'node'>)[]): readonly SyncEffect[] {
    return this.hear(from, {
      type: 'heads',
      heads: heads.map((head) => ({ life: 0, version: 0, edition: 0, ...head })),
    })
  }

  stored(
    number: number,
    extent: Partial<LogExtent> & { version: number },
    changes = {},
  ): readonly SyncEffect[] {
    return this.input({
      type: 'stored',
      number,
      through: extent.version,
      extent: { edition: 0, bytes: 100, ...extent },
      parked: false,
      schema: this.state.schema,
      wrong: 0,
      fault: undefined,
      ...changes,
    })
  }

  /** What was said so far to that peer, of one type. */
  said<Type extends SyncMessage['type']>(to: NodeId, type: Type): Extract<SyncMessage, { type: Type }>[] {
    const said = this.of('send').filter((effect) => effect.to === to && effect.message.type === type)
    return said.map(({ message }) => message as Extract<SyncMessage, { type: Type }>)
  }

  of<Type extends SyncEffect['type']>(type: Type): EffectOf<Type>[] {
    return this.effects.filter((effect): effect is EffectOf<Type> => effect.type === type)
  }

  /** The faults of a node so far. */
  named(node: NodeId): readonly string[] {
    return this.of('fault').flatMap((effect) => (effect.node === node ? [effect.fault] : []))
  }
}
