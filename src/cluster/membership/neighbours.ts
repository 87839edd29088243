/**
 * Who hears whom. Up to `full_mesh` members everyone hears everyone. In a larger cluster the members stand on a ring in the order of
 * their fingerprints, and each exchanges heartbeats with those at distances growing from 1 to half the ring, on both sides.
 * That is symmetric, so both ends expect what the other sends; news crosses 1,000 members in four steps; and cost
 * per node no longer grows with the cluster. 1,000 members hearing each other would be 4,000 frames a second at every node.
 *
 * While views differ, one may expect heartbeats of another that does not know: it pings, is answered, and all is well.
 */
import type { NodeId } from '../../host/index.ts'
import type { MembershipConfig } from './config.ts'

interface Placed {
  readonly id: NodeId
  readonly print: number
}

/** 32 bits of an id (FNV-1a, then mixed), the same at every node. */
export function printOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return mix(hash)
}

export function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Part of a member in the digest: changes with its life. */
export const lifePrint = (print: number, boot: number, incarnation: number): number =>
  mix(print ^ mix(boot ^ mix(incarnation ^ Math.floor(incarnation / 2 ** 32))))

export function neighboursOf(self: Placed, others: readonly Placed[], config: MembershipConfig): NodeId[] {
  if (others.length < config.full_mesh) return others.map(({ id }) => id)
  const ring = [self, ...others].sort((a, b) => a.print - b.print || (a.id < b.id ? -1 : 1))
  const place = ring.indexOf(self)
  const chosen = new Set<NodeId>()
  for (const distance of distances(ring.length, config.degree / 2)) {
    chosen.add(ring[(place + distance) % ring.length]!.id)
    chosen.add(ring[(place - distance + ring.length) % ring.length]!.id)
  }
  return [...chosen]
}

/** `count` distances from 1 to half of `size`, growing by an equal factor, all different. */
export function distances(size: number, count: number): number[] {
  const factor = (size / 2) ** (1 / (count - 1))
  const chosen: number[] = []
  for (let i = 0; i < count; i += 1) {
    chosen.push(Math.max((chosen.at(-1) ?? 0) + 1, Math.min(Math.floor(size / 2), Math.round(factor ** i))))
  }
  return chosen
}
