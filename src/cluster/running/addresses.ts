/** Members tell each other where members are, so that one that hears no multicast is dialled all the same. Hints, nothing more. */
import type { NodeId } from '../../host/index.ts'
import type { Discovery } from '../discovery/discovery.ts'
import type { Link, Place } from '../transport/mesh.ts'
import type { Links } from './links.ts'
import { type Hello, MAX_PLACES } from './messages.ts'

interface Known {
  readonly node: NodeId
  readonly places: readonly Place[]
}

/** A link to a member opened: where it is, to the others; where they and we are, to it. */
export function passOn(
  { peer, place, dialled }: Link,
  { port }: Hello,
  self: NodeId,
  links: Links,
  discovery: Discovery | undefined,
): void {
  if (discovery === undefined) return
  const listening = { host: place.host, port }
  if (!dialled && port > 0) discovery.take({ type: 'told', node: peer, places: [listening] })
  const placesOf = (node: NodeId): Known => ({ node, places: discovery.placesOf(node).mesh })
  const others = links.peers().filter((other) => other !== peer)
  tell(links, others, [placesOf(peer)])
  tell(links, [peer], [{ node: self, places: discovery.ownPlaces }, ...others.map(placesOf)])
}

export function tell(links: Links, peers: readonly NodeId[], known: readonly Known[]): void {
  const nodes = known
    .filter(({ places }) => places.length > 0)
    .map(({ node, places }) => ({ node, places: places.slice(0, MAX_PLACES) }))
  if (nodes.length === 0) return
  for (const peer of peers) links.send(peer, { type: 'places', nodes })
}
