/** What happens every heartbeat: verdicts, a look at who is silent, heartbeats, calls to the departed, repairs. */
import { monotonic } from '../../host/index.ts'
import { type Draft, draw, drop, isLive, neighboursNow, patience, put } from './draft.ts'
import { accuse, passVerdicts } from './hearsay.ts'
import { probe } from './probing.ts'
import { allMembers, memberOf } from './roster.ts'
import { beat, sync } from './speaking.ts'
import type { Awake, Member } from './state.ts'
import { changeOf, penaltyNow } from './steadiness.ts'

/** Beats between looks at every single member: 4 s. */
const SWEEP_BEATS = 16
/** Beats without a sign of being unwell that take one off the awareness: a second. */
const CALM_BEATS = 4
/** The departed called at once after one came back: all that were on the other side of a partition in a house. */
const MOST_CALLS = 64

export function everyBeat(draft: Draft): void {
  const { config } = draft
  draft.beats += 1
  draft.answers = config.answers_per_beat
  draft.due = monotonic(draft.due + config.heartbeat_ms)
  passVerdicts(draft)
  watch(draft)
  sayAlive(draft)
  if (draft.self.phase === 'active') repair(draft)
  if (draft.beats % SWEEP_BEATS === 0) sweep(draft)
}

/** From when on a neighbour's silence counts: since it gave proof of life, to us or through another, or since it is one. */
const provenAt = ({ contact, dealings }: Member): Awake =>
  Math.max(contact.heard_at, dealings.vouched_at, dealings.expected_since)

/** Asks after the silent ones and suspects those silent for too long. */
function watch(draft: Draft): void {
  const { config, now } = draft
  const neighbours = neighboursNow(draft)
  const silent: Member[] = []
  for (const id of neighbours) {
    const member = memberOf(draft.roster, id)!
    if (isLive(member) && now - provenAt(member) >= config.probe_after_ms) silent.push(member)
  }
  senseOwnHealth(draft, silent.length)
  if (silent.length === 0) return
  const suspect_after_ms = config.suspect_after_ms * patience(draft)
  const first = draw(draft, silent.length)
  let probes = config.probes_per_beat
  for (let i = 0; i < silent.length; i += 1) {
    const { id } = silent[(first + i) % silent.length]!
    const member = memberOf(draft.roster, id)!
    const overdue = now - provenAt(member) >= suspect_after_ms
    if (overdue) accuse(draft, member, member.life.incarnation, draft.self.id, 'silent')
    if (probes-- > 0) probe(draft, memberOf(draft.roster, id)!)
  }
}

/**
 * Many silent while others are heard: rather this node misses messages than that several died at once, so it grows patient.
 * Nobody heard at all is a cut, and patience would help nobody.
 */
function senseOwnHealth(draft: Draft, silent: number): void {
  const neighbours = neighboursNow(draft).length
  const unwell = silent > Math.max(2, neighbours / 10) && silent < neighbours
  if (unwell) draft.awareness = Math.min(draft.config.awareness_max, draft.awareness + 1)
  else calm(draft)
}

function calm(draft: Draft): void {
  if (draft.awareness > 0 && draft.beats % CALM_BEATS === 0) draft.awareness -= 1
}

function sayAlive(draft: Draft): void {
  const neighbours = neighboursNow(draft)
  // From another one each time, so that what is told to the first few is not always told to the same.
  const first = neighbours.length === 0 ? 0 : draw(draft, neighbours.length)
  for (let i = 0; i < neighbours.length; i += 1) beat(draft, neighbours[(first + i) % neighbours.length]!)
  if (draft.live > neighbours.length) sayAliveFar(draft)
  if (draft.self.phase === 'active') callDeparted(draft)
}

/** In a large cluster one drawn member more, so that two views that differ always meet. */
function sayAliveFar(draft: Draft): void {
  const slot = draw(draft, draft.roster.slots.size)
  const member = draft.roster.chunks[slot >> 5]![slot & 31]!
  if (isLive(member) && !neighboursNow(draft).includes(member.id)) beat(draft, member.id)
}

/** One that is gone, in turn; all of them when one came back, for then a partition has healed. */
function callDeparted(draft: Draft): void {
  const { gone, beats } = draft
  if (gone.length === 0) return
  if (draft.callOut) for (const id of gone.slice(-MOST_CALLS)) beat(draft, id)
  else beat(draft, gone[beats % gone.length]!)
  draft.callOut = false
}

/** Sends everything to the neighbour whose digest has differed for longest, each more seldom while it does not help. */
function repair(draft: Draft): void {
  const { config, now } = draft
  let worst: Member | undefined
  for (const id of neighboursNow(draft)) {
    const member = memberOf(draft.roster, id)!
    const { differs_since } = member.contact
    if (differs_since === undefined || now - differs_since < config.sync_after_ms) continue
    const { synced_at, syncs } = member.dealings
    if (now - synced_at < Math.min(config.sync_most_ms, config.sync_every_ms * 2 ** syncs)) continue
    if (worst === undefined || differs_since < worst.contact.differs_since!) worst = member
  }
  if (worst === undefined) return
  const { dealings } = worst
  put(draft, { ...worst, dealings: { ...dealings, synced_at: now, syncs: Math.min(10, dealings.syncs + 1) } })
  sync(draft, worst.id)
}

/** Forgets who is gone for long or no longer admitted, and tells who has calmed down. */
function sweep(draft: Draft): void {
  for (const member of allMembers(draft.roster)) {
    const { standing, repute } = member
    if (!draft.admitted(member.id)) expel(draft, member)
    else if ('since' in standing && !isLive(member)) {
      if (draft.now - standing.since >= draft.config.forget_after_ms) drop(draft, member)
      else settle(draft, member)
    } else if (!repute.steady) settle(draft, member)
  }
}

function settle(draft: Draft, member: Member): void {
  const { repute, standing } = member
  if (repute.steady || penaltyNow(draft, repute) > draft.config.calm_at) return
  draft.effects.push({ type: 'publish', change: changeOf(member, repute.told, true, false, 'settled') })
  put(draft, { ...member, repute: { ...repute, steady: true, told: standing.status } })
}

function expel(draft: Draft, member: Member): void {
  const left: Member = { ...member, standing: { status: 'left', since: draft.now } }
  if (isLive(member)) put(draft, left, 'not-admitted')
  drop(draft, left)
}
