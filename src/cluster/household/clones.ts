/**
 * Two nodes with one id: a data directory, or the card it lies on, was copied. Every start counts an incarnation up and
 * draws a boot id. Of two that live at once the higher incarnation goes on, of equals the greater boot id; the other
 * refuses to write. Both say so, each naming the other.
 *
 * C1 Two that hear each other come to opposite verdicts: one goes on, one refuses.
 * C2 A restart is no clone: its older boot is never heard again after the newer one.
 * C3 Whoever refused once goes on refusing until it is restarted: what it wrote meanwhile is not wanted.
 */
import { LoqaError, type NodeId } from '../../host/index.ts'
import { MAX_MEMBERS } from './bounds.ts'

/** Travels in every heartbeat. */
export interface Life {
  readonly node: NodeId
  /** Starts of this data directory so far. */
  readonly incarnation: number
  /** Drawn at every start, 16 hex digits. */
  readonly boot: string
  /** Where it was heard from, for people. */
  readonly address: string
}

export class ClonedError extends LoqaError {
  constructor(refuses: Life, goes_on: Life) {
    super(
      'node-cloned',
      `Two nodes share the id ${refuses.node}: ${refuses.address} (start ${refuses.incarnation}) refuses to write, ` +
        `${goes_on.address} (start ${goes_on.incarnation}) goes on`,
      { hint: 'A data directory was copied. On the copy: loqa household reset, then let it join again.' },
    )
  }
}

export interface CloneState {
  readonly self: Life
  /** Set once this node has given way. */
  readonly refusing: ClonedError | undefined
  /** The newest life heard of each other node. */
  readonly lives: ReadonlyMap<NodeId, Life>
  /** Already told, by the pair of boots: once each. */
  readonly named: ReadonlySet<string>
}

export interface CloneVerdict {
  readonly state: CloneState
  /** To be shown and audited; undefined when there is nothing new to say. */
  readonly error: ClonedError | undefined
}

export const aloneWith = (self: Life): CloneState => ({
  self,
  refusing: undefined,
  lives: new Map(),
  named: new Set(),
})

export const mayWrite = ({ refusing }: CloneState): boolean => refusing === undefined

export const isNewer = (a: Life, b: Life): boolean =>
  a.incarnation === b.incarnation ? a.boot > b.boot : a.incarnation > b.incarnation

export function heardOf(state: CloneState, life: Life): CloneVerdict {
  if (life.node === state.self.node) return heardSelf(state, life)
  const newest = state.lives.get(life.node)
  if (newest === undefined || newest.boot === life.boot || isNewer(life, newest)) {
    const lives = new Map(state.lives)
    lives.delete(life.node)
    lives.set(life.node, life)
    if (lives.size > MAX_MEMBERS) lives.delete(lives.keys().next().value!)
    return { state: { ...state, lives }, error: undefined }
  }
  return named(state, life, newest)
}

function heardSelf(state: CloneState, life: Life): CloneVerdict {
  const { self } = state
  if (life.boot === self.boot) return { state, error: undefined }
  if (!isNewer(life, self)) return named(state, life, self)
  const verdict = named(state, self, life)
  const refusing = state.refusing ?? new ClonedError(self, life)
  return { ...verdict, state: { ...verdict.state, refusing } }
}

function named(state: CloneState, older: Life, newer: Life): CloneVerdict {
  const pair = `${older.boot}/${newer.boot}`
  if (state.named.has(pair)) return { state, error: undefined }
  // Bounded: when full, start over and name again rather than keep silent.
  const known = state.named.size >= MAX_MEMBERS ? [] : state.named
  return { state: { ...state, named: new Set(known).add(pair) }, error: new ClonedError(older, newer) }
}
