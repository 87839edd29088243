/** What a member says on its control stream, handed to whom it concerns. */
import type { NodeId } from '../../host/index.ts'
import type { Discovery } from '../discovery/discovery.ts'
import type { Belonging } from './belonging.ts'
import type { Copies } from './copies.ts'
import type { Links } from './links.ts'
import type { ControlMessage } from './messages.ts'
import type { Presence } from './presence.ts'
import type { RoundTrips } from './round-trips.ts'
import type { Sheet } from './sheets.ts'

export interface Hearing {
  readonly self: NodeId
  readonly belonging: Pick<Belonging, 'isMember' | 'input'>
  readonly presence: Pick<Presence, 'input'>
  readonly copies: Pick<Copies, 'heard'>
  readonly links: Pick<Links, 'send'>
  readonly trips: Pick<RoundTrips, 'answered'>
  /** Undefined before it is open. */
  readonly discovery: () => Pick<Discovery, 'take'> | undefined
  readonly sheet: (peer: NodeId, sheet: Sheet) => void
}

/** Who is no member, or no longer, is not listened to. */
export function hear(peer: NodeId, message: ControlMessage, hearing: Hearing): void {
  const { self, belonging, presence, copies, links, trips, discovery, sheet } = hearing
  if (!belonging.isMember(peer)) return
  switch (message.type) {
    case 'membership':
      presence.input({ type: 'message', from: peer, message: message.message })
      break
    case 'household':
      if (message.message.type === 'grant') belonging.input({ type: 'granted', grant: message.message.grant })
      else belonging.input({ type: 'heard', from: peer, records: message.message.records })
      break
    case 'life': {
      const { node, starts, boot, address } = message
      copies.heard({ node, incarnation: starts, boot, address })
      break
    }
    case 'places':
      for (const { node, places } of message.nodes) {
        if (node !== self && belonging.isMember(node)) discovery()?.take({ type: 'told', node, places })
      }
      break
    case 'sheet': {
      const { type: _, ...told } = message
      sheet(peer, told)
      break
    }
    case 'ping':
      links.send(peer, { type: 'pong', number: message.number })
      break
    case 'pong':
      trips.answered(peer, message.number)
      break
    default:
  }
}
