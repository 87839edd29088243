/**
 * The members by id, as a value: changing one gives a new roster that shares almost everything with the old. Members sit in
 * chunks of 32, so a change copies 32 + size / 32 references: 60 of 1,000, where copying a map would take 1,000.
 */
import type { NodeId } from '../../host/index.ts'
import type { Member, Roster } from './state.ts'

const CHUNK = 32

export const EMPTY_ROSTER: Roster = { slots: new Map(), chunks: [] }

export function memberOf({ slots, chunks }: Roster, id: NodeId): Member | undefined {
  const slot = slots.get(id)
  return slot === undefined ? undefined : chunks[slot >> 5]![slot & 31]
}

/** With this member added, or in the place of the one of the same id. */
export function withMember({ slots, chunks }: Roster, member: Member): Roster {
  const slot = slots.get(member.id) ?? slots.size
  const next = chunks.slice()
  const chunk = next[slot >> 5]?.slice() ?? []
  chunk[slot & 31] = member
  next[slot >> 5] = chunk
  return slot < slots.size
    ? { slots, chunks: next }
    : { slots: new Map(slots).set(member.id, slot), chunks: next }
}

/** Without this one; works everything out anew, for it is rare. */
export const withoutMember = (roster: Roster, id: NodeId): Roster =>
  rosterOf(allMembers(roster).filter((member) => member.id !== id))

export function rosterOf(members: readonly Member[]): Roster {
  const chunks: Member[][] = []
  for (let start = 0; start < members.length; start += CHUNK) chunks.push(members.slice(start, start + CHUNK))
  return { slots: new Map(members.map(({ id }, slot) => [id, slot])), chunks }
}

export const allMembers = ({ chunks }: Roster): readonly Member[] => chunks.flat()
