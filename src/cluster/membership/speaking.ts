/** Messages going out: each with a header of this life, and heartbeats with what the receiver needs to hear. */
import type { NodeId } from '../../host/index.ts'
import { PAGE_ENTRIES } from './config.ts'
import { count, type Draft, put } from './draft.ts'
import type { Claim, Heartbeat, MemberEntry, MembershipMessage } from './messages.ts'
import { allMembers, memberOf } from './roster.ts'
import { takeNews, tellings } from './rumours.ts'
import type { Member } from './state.ts'

const NO_NEWS: MemberEntry[] = []

export function send(draft: Draft, to: NodeId, message: MembershipMessage): void {
  draft.effects.push({ type: 'send', to, message })
}

export function header(draft: Draft): { boot: number; seq: number; incarnation: number } {
  draft.seq += 1
  return { boot: draft.self.boot, seq: draft.seq, incarnation: draft.self.incarnation }
}

export function beat(draft: Draft, to: NodeId): void {
  const member = memberOf(draft.roster, to)
  send(draft, to, heartbeat(draft, member && claimAgainst(member)))
}

function heartbeat(draft: Draft, you: Claim | undefined): Heartbeat {
  const news = newsFor(draft)
  const plain: Heartbeat = { type: 'heartbeat', ...header(draft), digest: draft.digest, news }
  if (you === undefined && draft.self.phase === 'active') return plain
  return {
    ...plain,
    ...(you === undefined ? {} : { you }),
    ...(draft.self.phase === 'left' ? { leaving: true } : {}),
  }
}

function newsFor(draft: Draft): MemberEntry[] {
  if (draft.rumours.length === 0) return NO_NEWS
  const { news_per_message, retell } = draft.config
  const { told, left } = takeNews(draft.rumours, news_per_message, tellings(retell, draft.live))
  draft.rumours = left
  return told.flatMap(({ id }) => {
    if (id === draft.self.id) return [ownEntry(draft)]
    const member = memberOf(draft.roster, id)
    return member === undefined ? [] : [entryOf(draft, member)]
  })
}

/** What stands against the receiver, if anything: it cannot refute what it does not hear. */
function claimAgainst({ life, standing, accused }: Member): Claim | undefined {
  if (accused !== undefined) return { boot: life.boot, ...accused }
  return standing.status === 'alive' ? undefined : { ...life, status: standing.status }
}

const ownEntry = ({ self }: Draft): MemberEntry => ({
  id: self.id,
  boot: self.boot,
  incarnation: self.incarnation,
  status: self.phase === 'left' ? 'left' : 'alive',
})

function entryOf({ self }: Draft, { id, life, standing }: Member): MemberEntry {
  const entry = { id, boot: life.boot, incarnation: life.incarnation, status: standing.status }
  if (standing.status !== 'suspect' || standing.accusers.includes(self.id)) return entry
  const by = standing.accusers.at(-1)
  return by === undefined ? entry : { ...entry, by }
}

/**
 * An immediate heartbeat to someone whose view, of itself or of us, must be put right; at most one per heartbeat and peer. It says how the
 * receiver is known here even if that is alive: perhaps by a life that is over, or that somebody made up.
 */
export function answer(draft: Draft, to: NodeId): void {
  const member = memberOf(draft.roster, to)
  if (member === undefined) return
  if (draft.now - member.dealings.answered_at < draft.config.late_ms || !mayAnswer(draft)) return
  put(draft, { ...member, dealings: { ...member.dealings, answered_at: draft.now } })
  const you = claimAgainst(member) ?? { ...member.life, status: member.standing.status }
  send(draft, to, heartbeat(draft, you))
}

/** Whether one more message may be sent because another asked for it: bounds what a flood makes us send. */
export function mayAnswer(draft: Draft): boolean {
  if (draft.answers <= 0) {
    count(draft, 'loqa_membership_refused_total', { why: 'answers-used-up' })
    return false
  }
  draft.answers -= 1
  return true
}

/** Everything known, in pages. */
export function sync(draft: Draft, to: NodeId): void {
  count(draft, 'loqa_membership_syncs_total')
  const entries = allMembers(draft.roster)
    .filter(({ id }) => id !== to)
    .map((member) => entryOf(draft, member))
  entries.push(ownEntry(draft))
  for (let start = 0; start < entries.length; start += PAGE_ENTRIES) {
    send(draft, to, {
      type: 'sync',
      ...header(draft),
      entries: entries.slice(start, start + PAGE_ENTRIES),
    })
  }
}
