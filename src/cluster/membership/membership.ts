/**
 * Who is in the household right now: heartbeats to neighbours, suspicion, indirect probes, refutation, news riding on heartbeats
 * (SWIM, with Lifeguard's awareness and accelerating suspicion). Pure: `membership(state, input, context) → { state, effects }`.
 *
 * Read on in `state.ts` (words), `config.ts` (numbers), `hearing.ts` (a member's own word), `hearsay.ts` (others' word; verdicts),
 * `probing.ts`, `beating.ts` (every heartbeat), `neighbours.ts` (who hears whom).
 *
 * M1  A node never holds itself suspect or dead; its incarnation never falls, and rises above every claim against it that it hears.
 * M2  The incarnation known of a member never falls while the member is known, and no accusation of an earlier one is kept.
 * M3  Dead and left end only by a higher incarnation. Suspicion ends by that, by hearing the member, or by a helper's reaching it.
 * M4  A death is told only after suspicion of at least `suspicion_min_ms` of own waking time in which the member was not heard.
 * M5  Nothing others say changes the standing of a member heard within `probe_after_ms`.
 * M6  Who is not admitted is neither learned of nor listened to.
 * M7  All is bounded: members by MAX_MEMBERS, rumours by members, accusers, entries per message, answers and probes per heartbeat.
 * M8  A message counts once: per life of its sender, none of a sequence number seen before or older than the window.
 * M9  Only a member itself announces its new life to those that hear it, or departs at once.
 * M10 What is derived (digest, live, suspects, gone) is what working it out from the members would give.
 * M11 Time slept through is blamed on nobody.
 *
 * M4 does not promise that who is called dead has stopped. A member that runs is called dead by one that for so long neither hears it nor
 * is told by another that it lives: cut off, or with no stream to it, which a cut in one direction alone keeps from opening, and no
 * third member that exchanges messages with both among the helpers drawn. Who never hears a word cannot tell that from a death.
 *
 * What a lying member can do: have others spend some messages (accused members refute once a heartbeat; answers are rationed; a
 * false digest costs a sync every 8 s); make a suspicion flicker at members that do not hear the accused directly, until it refutes;
 * vouch, as one of the helpers drawn, for a dead member, which delays the verdict of whoever asked it, for ever in a house of three.
 * What it cannot do: have a member that is heard called suspect or dead, or one called dead that others exchange messages with; raise an
 * incarnation beyond recovery; bring in strangers; grow anybody's memory; have two others disagree for longer than it takes them to talk.
 */
import { assert, assertNever, type Monotonic, monotonic, type NodeId } from '../../host/index.ts'
import { everyBeat } from './beating.ts'
import type { MembershipConfig } from './config.ts'
import { close, count, type Draft, isLive, open } from './draft.ts'
import { hear } from './hearing.ts'
import { accuse, listen, refute } from './hearsay.ts'
import type { MembershipMessage } from './messages.ts'
import { lifePrint, printOf } from './neighbours.ts'
import { type Remembered, remembering } from './newcomer.ts'
import { answerPing, helpProbe, probe, receiveAck } from './probing.ts'
import { EMPTY_ROSTER, memberOf } from './roster.ts'
import { beat, sync } from './speaking.ts'
import type { MembershipContext, MembershipInput, MembershipState, MembershipStep } from './state.ts'

export interface Founding {
  readonly id: NodeId
  /** Drawn anew for every life of the process: 0 to 2³² − 1. */
  readonly boot: number
  /** Where to begin; what was reached in the last life if that is known, else 0. */
  readonly incarnation?: number
  readonly now: Monotonic
  /** Spreads the first heartbeats of nodes that start together. */
  readonly entropy: number
  readonly config: MembershipConfig
  /** Members of the last run: taken for alive until they prove not to be. */
  readonly known?: readonly Remembered[]
}

/** A node at its start; streams bring those it does not remember. */
export function begin({
  id,
  boot,
  incarnation = 0,
  now,
  entropy,
  config,
  known = [],
}: Founding): MembershipStep {
  const phase_ms = (entropy / 2 ** 32) * config.heartbeat_ms
  const print = printOf(id)
  const state: MembershipState = {
    self: { id, print, boot, incarnation, phase: 'active', raised_at: undefined },
    roster: EMPTY_ROSTER,
    digest: lifePrint(print, boot, incarnation),
    live: 0,
    suspects: [],
    gone: [],
    neighbours: [],
    neighboursStale: true,
    rumours: [],
    awareness: 0,
    beats: 0,
    seq: 0,
    due: monotonic(now + phase_ms),
    slept_ms: 0,
    answers: config.answers_per_beat,
    callOut: false,
  }
  return { state: remembering(state, known, now), effects: [{ type: 'schedule', delay_ms: phase_ms }] }
}

export function membership(
  state: MembershipState,
  input: MembershipInput,
  context: MembershipContext,
): MembershipStep {
  const draft = awake(state, context)
  switch (input.type) {
    case 'tick':
      tick(draft, context.now)
      break
    case 'message':
      receive(draft, input.from, input.message)
      break
    case 'stream-opened':
      greet(draft, input.peer)
      break
    case 'stream-closed':
      lose(draft, input.peer)
      break
    case 'leave':
      leave(draft)
      break
    default:
      assertNever(input)
  }
  return close(draft)
}

/** The draft, at the time this node has been awake. An own timer that is late shows how long it slept, and that it may be unwell. */
function awake(state: MembershipState, context: MembershipContext): Draft {
  const { now, config } = context
  const late_ms = now - state.due
  if (late_ms <= config.late_ms) return open(state, now - state.slept_ms, context)
  const slept_ms = state.slept_ms + late_ms
  const signs = Math.min(4, Math.ceil(late_ms / config.heartbeat_ms))
  const awareness = Math.min(config.awareness_max, state.awareness + signs)
  const draft = open({ ...state, slept_ms, awareness, due: now }, now - slept_ms, context)
  count(draft, 'loqa_membership_late_total')
  return draft
}

/** A tick that comes early is of a schedule that was replaced. */
function tick(draft: Draft, now: Monotonic): void {
  if (draft.due - now <= draft.config.late_ms) everyBeat(draft)
  draft.effects.push({ type: 'schedule', delay_ms: Math.max(0, draft.due - now) })
}

function receive(draft: Draft, from: NodeId, message: MembershipMessage): void {
  if (!hear(draft, from, message)) return
  switch (message.type) {
    case 'heartbeat':
      if (message.you !== undefined) refute(draft, from, message.you)
      listen(draft, from, message.news)
      return
    case 'ping':
      answerPing(draft, from, message)
      return
    case 'probe-request':
      helpProbe(draft, from, message)
      return
    case 'ack':
      receiveAck(draft, from, message)
      return
    case 'sync':
      listen(draft, from, message.entries)
      return
    default:
      assertNever(message)
  }
}

/** Both sides say at once that they live and what they know. */
function greet(draft: Draft, peer: NodeId): void {
  if (peer === draft.self.id || !draft.admitted(peer)) return
  beat(draft, peer)
  sync(draft, peer)
}

/** A killed process closes its streams within milliseconds: suspected at once, and asked after through others. */
function lose(draft: Draft, peer: NodeId): void {
  const member = memberOf(draft.roster, peer)
  if (member === undefined || !isLive(member) || draft.self.phase === 'left') return
  accuse(draft, member, member.life.incarnation, draft.self.id, 'stream-closed')
  const suspected = memberOf(draft.roster, peer)
  assert(suspected !== undefined, 'an accused member stays known')
  probe(draft, suspected)
}

/** Told to everyone at once, and again with every heartbeat until the process ends. */
function leave(draft: Draft): void {
  draft.self = { ...draft.self, phase: 'left' }
  for (const id of draft.roster.slots.keys()) {
    const member = memberOf(draft.roster, id)
    if (member !== undefined && isLive(member)) beat(draft, id)
  }
}
