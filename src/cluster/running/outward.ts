/** Carries out what the household wants of the world: words to members, links to cut, enrolments to go on with. */
import { assertNever, type NodeId } from '../../host/index.ts'
import { batches } from '../household/messages.ts'
import type { HouseholdRecord } from '../household/records.ts'
import type { Place } from '../transport/mesh.ts'
import type { OutwardEffect } from './belonging.ts'
import type { Enrolments } from './enrolments.ts'
import type { Links } from './links.ts'

export interface OutwardPorts {
  readonly self: NodeId
  readonly links: Links
  readonly enrolments: Enrolments
  readonly enrolmentPlaces: (node: NodeId) => readonly Place[]
  readonly reopen: () => void
  readonly audit: (entry: { what: string; object: string; outcome: string }) => void
}

export function carryOutward(effect: OutwardEffect, ports: OutwardPorts): void {
  const { links, enrolments } = ports
  switch (effect.type) {
    case 'spread':
      for (const peer of links.peers()) if (peer !== effect.except) tell(links, peer, effect.records)
      break
    case 'tell':
      tell(links, effect.to, effect.records)
      break
    case 'grant': {
      const { grant } = effect
      links.send(grant.node, { type: 'household', message: { type: 'grant', grant } })
      break
    }
    case 'cut':
      cut(effect.node, ports)
      break
    case 'part':
      links.partAll('this node moved to another household')
      break
    case 'reopen':
      ports.reopen()
      break
    case 'enrol':
      void enrolments.join(effect, ports.enrolmentPlaces(effect.node))
      break
    case 'consent':
      enrolments.consent()
      break
    case 'withdraw':
      enrolments.withdraw()
      break
    case 'moved':
      enrolments.kept()
      break
    case 'welcome':
      enrolments.welcome(effect.session, effect.welcome)
      break
    case 'refuse':
      enrolments.refuse(effect.session, effect.code)
      break
    case 'audit':
      ports.audit({ what: effect.what, object: effect.object, outcome: effect.outcome })
      break
    default:
      assertNever(effect)
  }
}

function tell(links: Links, peer: NodeId, records: readonly HouseholdRecord[]): void {
  for (const batch of batches(records)) {
    links.send(peer, { type: 'household', message: { type: 'records', records: batch } })
  }
}

/** It was told before this that it is out, and the link sends what is waiting; but nothing it says is heard any more. */
function cut(node: NodeId, { self, links }: OutwardPorts): void {
  if (node === self) links.partAll('this node was removed from its household')
  else links.part(node, 'it was removed from the household', true)
}
