/** What is known of each node, as the rows of `loqa nodes` are made of. */
import type { NodeId } from '../../host/index.ts'
import type { Known } from '../discovery/explain.ts'
import type { Belonging } from './belonging.ts'
import type { Links } from './links.ts'
import type { Presence } from './presence.ts'
import type { RoundTrips } from './round-trips.ts'
import type { Sheet, Sheets } from './sheets.ts'

export interface KnownParts {
  readonly self: {
    readonly id: NodeId
    readonly name: string
    readonly room: string
    readonly sheet: Sheet | undefined
  }
  readonly belonging: Pick<Belonging, 'state' | 'members' | 'revoked'>
  readonly presence: Pick<Presence, 'member'>
  readonly links: Pick<Links, 'helloOf'>
  readonly trips: Pick<RoundTrips, 'of'>
  readonly sheets: Sheets
  readonly nameOf: (node: NodeId) => string | undefined
}

export function knownOf({ self, belonging, presence, links, trips, sheets, nameOf }: KnownParts): Known {
  const { pending, joining } = belonging.state
  const tagsOf = (sheet: Sheet | undefined): string[] => (sheet?.capabilities ?? []).map(({ tag }) => tag)
  const memberRow = (node: NodeId) => {
    const sheet = sheets.get(node)?.sheet
    return {
      name: nameOf(node) ?? '',
      room: sheet?.room ?? links.helloOf(node)?.room ?? '',
      state: presence.member(node)?.standing.status,
      rtt_ms: trips.of(node) ?? null,
      capabilities: tagsOf(sheet),
    }
  }
  const { id, name, room, sheet } = self
  const others = belonging.members().filter((node) => node !== id)
  return {
    self: { id, name, room, state: 'alive', rtt_ms: 0, capabilities: tagsOf(sheet) },
    members: new Map(others.map((node) => [node, memberRow(node)])),
    revoked: new Set(belonging.revoked()),
    pending: new Map(pending.map(({ card, code }) => [card.node, { name: card.name, code }])),
    joining: joining === undefined ? undefined : { node: joining.node, code: joining.code },
  }
}
