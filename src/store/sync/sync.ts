/**
 * How the logs of all writers reach every node: heads told, gaps pulled. Pure: `sync(state, input, context) → { state, effects }`.
 *
 * Every node keeps the signed log of every writer (`batch.ts`), applies it in order, and tells the others how far it holds it. Who hears of
 * more pulls it, from any peer that has it, the writer or not. What is insertable at all `validate.ts` and `admission.ts` say, in the
 * worker of the database; here nothing is looked at but headers. Read on in `state.ts` (words), `planning.ts` (what to pull from whom),
 * `pulling.ts` (answers), `telling.ts` (heads), `serving.ts`, `log.ts` (what of a log is kept), `growth.ts` (what is ever forgotten).
 *
 * S1  What is told is durable: a head rises only by `stored` and `own-log`, so a crash takes back nothing that others were told.
 * S2  A log is held without a gap. A held version never falls within a life of the process.
 * S3  Duplicates, late and unasked answers change nothing; each pull is answered once.
 * S4  One pull a log, MAX_PULLS in all, MAX_PULLS_PER_PEER of one peer; the next of a log only after the store has taken the last. So what
 *     waits in memory is MAX_PULLS answers, however fast others send and however slow the disk is.
 * S5  A pull that fails costs one pull: the next goes on where the last batch was stored, with another peer if there is one.
 * S6  Once messages arrive and the store stores, every log that a connected peer holds is held here in the end, whatever was lost before.
 * S7  A peer that tells of what it does not have, answers beside the question, passes on forgeries, floods or is silent is named by that, and
 *     after MAX_STRIKES left alone for SHUNNED_MS; its word is not needed for anything, as every batch is signed by its writer.
 * S8  A writer whose log is endless takes one pull of several, MAX_LOG_BYTES of disk, and is named. Nobody else's log waits for it.
 * S9  All is bounded: peers, logs, lives of a node, pulls, answers read for others, strikes.
 * S10 Rows of a newer schema stay in their log, and are read again when this node has the schema: parking them costs a number a log.
 * S11 A node that meets batches it signed and does not hold says so, once: its directory is an old copy, and has to take its next life.
 *
 * What a lying member with a valid key can do: write what it likes under its own name, within the bounds of a row; sign two histories and
 * give them to different nodes, which then differ in its rows (not found here: comparing digests does); waste a pull of each node every
 * few seconds. What it cannot do: change, hold back or invent rows of others, as long as one honest node that has them is reached; make a
 * value win for ever; stop others from replicating; grow anybody's memory.
 */
import {
  assertNever,
  type Monotonic,
  monotonic,
  type NodeId,
  withEntry,
  withoutEntry,
} from '../../host/index.ts'
import { MAX_PEERS, TICK_MS } from './bounds.ts'
import { close, type Draft, open, strike } from './draft.ts'
import type { LogExtent } from './log.ts'
import type { SyncMessage } from './messages.ts'
import { type Origin, type OriginKey, originKey } from './origin.ts'
import { plan } from './planning.ts'
import { forgetPulls, giveUpWaiting, hearBatches, hearBusy, hearStored, hearStoreFailed } from './pulling.ts'
import { give, replenish, serve } from './serving.ts'
import type { Parked, Peer, SyncContext, SyncInput, SyncState, SyncStep } from './state.ts'
import { grew, hearHeads, tell, tellAll } from './telling.ts'

export interface SyncStart {
  readonly self: Origin
  readonly schema: number
  readonly now: Monotonic
  /** What the store holds, its own log among it. */
  readonly held?: ReadonlyMap<OriginKey, LogExtent>
  readonly parked?: ReadonlyMap<OriginKey, Parked>
}

const LONG_AGO = monotonic(Number.NEGATIVE_INFINITY)

/** A node at its start; streams bring the peers. What was parked under an older schema is read again at once. */
export function beginSync({ self, schema, now, held = new Map(), parked = new Map() }: SyncStart): SyncStep {
  const state: SyncState = {
    self,
    schema,
    held,
    parked,
    tidying: new Map(),
    tidied_at: new Map(),
    peers: new Map(),
    reputes: new Map(),
    pulls: [],
    number: 0,
    untold: new Set(),
    tell_at: undefined,
    told_all_at: now,
    replenished_at: now,
    paused_until: LONG_AGO,
    outlived: false,
    due: monotonic(now + TICK_MS),
  }
  const replays = [...parked].map(([origin, { above }]) => ({ type: 'replay', origin, above }) as const)
  return { state, effects: [...replays, { type: 'schedule', delay_ms: TICK_MS }] }
}

export function sync(state: SyncState, input: SyncInput, context: SyncContext): SyncStep {
  const draft = open(state, context)
  apply(draft, input)
  plan(draft)
  tell(draft)
  wait(draft, input.type === 'tick')
  return close(draft)
}

function apply(draft: Draft, input: SyncInput): void {
  switch (input.type) {
    case 'tick':
      tick(draft)
      return
    case 'peer-up':
      greet(draft, input.peer)
      return
    case 'peer-down':
      lose(draft, input.peer)
      return
    case 'message':
      hear(draft, input.from, input.message)
      return
    case 'undecodable':
      strike(draft, input.from, 'undecodable')
      return
    case 'own-log':
      grew(draft, originKey(draft.self), input.extent)
      return
    case 'stored':
      hearStored(draft, input)
      return
    case 'store-failed':
      hearStoreFailed(draft, input.number)
      return
    case 'read':
      give(draft, input.peer, input.number, input.batches)
      return
    case 'schema':
      upgrade(draft, input.version)
      return
    case 'replayed':
      replayed(draft, input.origin, input.parked)
      return
    default:
      assertNever(input)
  }
}

function tick(draft: Draft): void {
  giveUpWaiting(draft)
  replenish(draft)
  draft.replan = true
}

function hear(draft: Draft, from: NodeId, message: SyncMessage): void {
  switch (message.type) {
    case 'heads':
      hearHeads(draft, from, message)
      return
    case 'pull':
      serve(draft, from, message)
      return
    case 'batches':
      hearBatches(draft, from, message)
      return
    case 'busy':
      hearBusy(draft, from, message.number)
      return
    default:
      assertNever(message)
  }
}

const STRANGE: Peer = {
  told: new Map(),
  aside: new Map(),
  reading: [],
  served_pulls: 0,
  served_bytes: 0,
}

/** Both sides tell everything they hold. A peer that was there before has lost what it had: it begins anew. */
function greet(draft: Draft, peer: NodeId): void {
  if (peer === draft.self.node || !draft.mayWrite(peer)) return
  if (!draft.peers.has(peer) && draft.peers.size >= MAX_PEERS) return
  forgetPulls(draft, peer)
  draft.peers = withEntry(draft.peers, peer, STRANGE)
  tellAll(draft, peer)
}

function lose(draft: Draft, peer: NodeId): void {
  draft.peers = withoutEntry(draft.peers, peer)
  forgetPulls(draft, peer)
}

function upgrade(draft: Draft, version: number): void {
  draft.schema = version
  for (const [origin, { above }] of draft.parked) draft.effects.push({ type: 'replay', origin, above })
}

function replayed(draft: Draft, origin: OriginKey, parked: Parked | undefined): void {
  draft.parked =
    parked === undefined ? withoutEntry(draft.parked, origin) : withEntry(draft.parked, origin, parked)
}

/** The next tick: sooner when there is something to tell that had to wait. */
function wait(draft: Draft, ticked: boolean): void {
  const due = monotonic(Math.max(draft.now, Math.min(draft.now + TICK_MS, draft.tell_at ?? Infinity)))
  if (!ticked && due >= draft.due) return
  draft.due = due
  draft.effects.push({ type: 'schedule', delay_ms: due - draft.now })
}
