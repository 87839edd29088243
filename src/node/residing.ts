/**
 * Where the household's actors live, and how one gets elsewhere: the directory of placed actors, the wire that carries messages to those of
 * other nodes, moves, the records that outlive a node, what moves by itself. These need each other; nobody else needs to know how.
 */
import { fixedAddress, type OutsideEffect, type Runtime } from '../actors/index.ts'
import { type Cluster, createRemote, Moving, Placing, type Remote, remoteListener } from '../cluster/index.ts'
import type { Host, NodeId } from '../host/index.ts'
import { createInferPort, isEngineWork, type Pool } from '../inference/index.ts'
import type { Log, Metrics } from '../observe/index.ts'
import type { HouseholdStore } from '../store/index.ts'
import type { Voice } from '../voice/index.ts'
import type { Clustering } from './clustering.ts'
import { isMovable, MOVES, PLACED, sessionOf } from './conversations.ts'
import { Joining } from './joining.ts'
import type { Memory } from './memory.ts'
import { PlacementRecords } from './placement-records.ts'
import { Relocating } from './relocating.ts'
import { Undo } from './undo.ts'

export interface ResidenceParts {
  readonly self: NodeId
  /** The same in membership, in references to actors and in the mailboxes of others. */
  readonly life: number
  readonly host: Pick<Host, 'clock' | 'random'>
  readonly clustering: Clustering
  readonly store: HouseholdStore
  readonly memory: Memory
  readonly pool: Pick<Pool, 'run'>
  /** Opened later; asked for when the first conversation there is. */
  readonly voice: () => Voice
  readonly log: Log
  readonly metrics: Metrics
}

export interface Residence {
  readonly placing: Placing
  readonly moving: Moving
  readonly remote: Remote
  readonly relocating: Relocating
  /** Once, before the first actor starts: from then on other nodes reach those of this runtime. */
  connect(runtime: Runtime): void
  /** In the reverse order of opening. */
  stop(): Promise<void>
}

export function openResidence(parts: ResidenceParts): Residence {
  const { self, life, host, clustering, store, memory, pool, voice, log, metrics } = parts
  const { clock, random } = host
  const cluster = (): Cluster | undefined => clustering.cluster
  const warn = (message: string, values: Record<string, unknown>): void => log.warn(message, values)
  const undo = new Undo()
  const placing = new Placing({
    ...{ node: self, clock, kinds: PLACED, cluster, log: warn },
    yields: (address, to) => joining.yields(address, to),
  })
  undo.later(() => placing.close())
  const joining: Joining = new Joining({
    ...{ self, clock, random, timeline: memory.timeline, recorder: memory.recorder },
    owner: (address) => placing.livesOn(address),
    voice: { quiet: (id) => voice().quiet(id), isSpokenIn: (id) => voice().isSpokenIn(id) },
    log: (message, values) => log.info(message, values),
  })
  undo.later(() => joining.close())
  const moving: Moving = new Moving({
    ...{ node: self, clock, random, kinds: MOVES, log: warn },
    parentOf: (kind) => (kind === 'session' ? fixedAddress(self, 'sessions') : undefined),
    ready: (address) => voice().movable(sessionOf(address)),
    arrived(address) {
      placing.taken(address)
      relocating.came(address)
    },
    left(address, to, away_ms) {
      voice().moved(sessionOf(address))
      void joining.moved(address)
      metrics.observe('loqa_migration_ms', away_ms)
      log.info('An actor moved to another node', { actor: address, node: to, away_ms: Math.round(away_ms) })
    },
  })
  undo.later(() => moving.close())
  const forOthers = createInferPort({
    run: (to, request, onEvent, options) => pool.run(to, request, onEvent, { ...options, here: true }),
  })
  const remote = createRemote({
    ...{ node: self, boot: life, clock, moving: moving.remote },
    placed: {
      ...placing.placed,
      // A copy that moves is not one to be stopped.
      heard(addresses) {
        moving.claimed(addresses)
        placing.placed.heard?.(addresses)
        records.changed(addresses)
      },
      wrote: (addresses) => records.changed(addresses),
    },
    metric: ({ name, add, labels }) => metrics.add(name, add, labels),
    serves: (effect) => effect.type === 'infer' && isEngineWork(effect),
    fault: (peer, what, fatal) => log.warn('A node broke the rules of the wire', { peer, what, fatal }),
    outside: {
      infer: (effect, deliver, actor) => forOthers.request(effect as OutsideEffect<'infer'>, deliver, actor),
      cancel: (id, actor) => forOthers.cancel(id, actor),
    },
  })
  undo.later(() => remote.close())
  const records: PlacementRecords = new PlacementRecords({
    ...{ self, clock, store, map: remote, log: warn },
    isKept: (address) => voice().isKept(sessionOf(address)),
  })
  undo.later(() => records.stop())
  const relocating: Relocating = new Relocating({
    ...{ self, clock, cluster, moving, map: remote, moves: isMovable },
    isHeld: (address) => voice().isSpokenIn(sessionOf(address)),
    done({ address, to, why }, outcome, why_not) {
      metrics.add('loqa_relocations_total', 1, { why, outcome })
      const session = sessionOf(address)
      if (why_not === undefined) {
        log.info('A conversation moved by itself', { session, to: clustering.nameOf(to), why })
        void memory.noted('session.moved', session, `from ${self} to ${to}, by itself: ${why}`)
      } else log.info('A conversation stays, which was to move by itself', { session, why, why_not })
    },
  })
  undo.later(() => relocating.stop())
  return {
    ...{ placing, moving, remote, relocating },
    connect(runtime) {
      const here = joining.connect(runtime, placing.connect(runtime, remote))
      const hearing = (): NodeId | undefined => remote.moves.hearing
      remote.connect(relocating.connect(moving.connect(runtime, remote, here), hearing))
      records.start()
      for (const listener of [remoteListener(remote), placing.listener, relocating.listener]) {
        clustering.listen(listener)
      }
    },
    stop: () => undo.all(),
  }
}
