/**
 * What was seen of each node. Pure: every function takes what was known and gives what is known then.
 *
 * S1 At most MAX_STRANGERS strangers, MAX_PER_SOURCE of them from one address, the longest unheard forgotten first; members
 *    come on top and are pushed out by nobody.
 * S2 At most MAX_PLACES addresses of a node; one that a link proved is not pushed out by those that were only said.
 * S3 A goodbye takes back only what was announced from the same address.
 */
import type { Monotonic, NodeId } from '../../host/index.ts'
import type { Place } from '../transport/mesh.ts'
import type { Announcement } from './announcement.ts'
import { FORGET_MS, MAX_PER_SOURCE, MAX_STRANGERS } from './bounds.ts'
import * as places from './places.ts'

export interface Seen {
  readonly node: NodeId
  readonly first: Monotonic
  /** When anything was said of it last, by itself or by members. */
  readonly last: Monotonic
  /** What it announced last, and from which address. */
  readonly announcement: Announcement | undefined
  readonly source: string | undefined
  /** The announcement bears our household's tag. */
  readonly is_ours: boolean
  readonly places: places.Places
}

/** In order of `last`: the first is the longest unheard. */
export type Sightings = ReadonlyMap<NodeId, Seen>
export type IsMember = (node: NodeId) => boolean

export interface HeardFrom {
  readonly announcement: Announcement
  /** The sender's address, with zone when link-local. */
  readonly from: string
  readonly is_ours: boolean
}

export function heard(
  sightings: Sightings,
  { announcement, from, is_ours }: HeardFrom,
  isMember: IsMember,
  now: Monotonic,
): Sightings {
  const { node } = announcement.life
  const seen = seenOr(sightings, node, now)
  const noted = places.noted(seen.places, { host: from, port: announcement.mesh_port }, 'heard', now, {
    host: from,
    port: announcement.enrolment_port,
  })
  const next = put(sightings, { ...seen, last: now, announcement, source: from, is_ours, places: noted })
  return bounded(next, from, isMember)
}

export function goodbye(sightings: Sightings, node: NodeId, from: string): Sightings {
  const seen = sightings.get(node)
  if (seen === undefined) return sightings
  const left = seen.places.filter(
    ({ place, origin, proved }) => origin !== 'heard' || place.host !== from || proved !== undefined,
  )
  return replace(sightings, { ...seen, places: left })
}

/** A member says where `node` is. Strangers become nobody by being told of: only members' addresses are passed on. */
export function told(sightings: Sightings, node: NodeId, where: readonly Place[], now: Monotonic): Sightings {
  const seen = seenOr(sightings, node, now)
  const noted = where.reduce((all, place) => places.noted(all, place, 'told', now), seen.places)
  return put(sightings, { ...seen, last: now, places: noted })
}

/** A link to `node` stands at `place`, which is a static one or was dialled for it. */
export function proved(
  sightings: Sightings,
  node: NodeId,
  place: Place,
  is_static: boolean,
  now: Monotonic,
): Sightings {
  const seen = seenOr(sightings, node, now)
  const noted = is_static ? places.noted(seen.places, place, 'static', now) : seen.places
  return put(sightings, { ...seen, last: now, places: places.proved(noted, place, now) })
}

export function failed(
  sightings: Sightings,
  node: NodeId,
  place: Place,
  code: string,
  now: Monotonic,
): Sightings {
  const seen = sightings.get(node)
  if (seen === undefined) return sightings
  // What is announced there again stays, marked: a forger would otherwise make us forget by answering.
  const isHeard = seen.places.some((one) => places.isSamePlace(one.place, place) && places.isFresh(one, now))
  const left =
    code === 'wrong-peer' && !isHeard
      ? places.withdrawn(seen.places, place)
      : places.failed(seen.places, place, code, now)
  return replace(sightings, { ...seen, places: left })
}

/** Drops what is too old. Members keep the addresses that were proved or told, for ever: there is nobody else to ask. */
export function aged(sightings: Sightings, isMember: IsMember, now: Monotonic): Sightings {
  const next = new Map<NodeId, Seen>()
  for (const [node, seen] of sightings) {
    if (!isMember(node) && now - seen.last > FORGET_MS) continue
    const left = places.current(seen.places, now)
    next.set(node, left.length === seen.places.length ? seen : { ...seen, places: left })
  }
  return next
}

/** The keys changed: whose announcement is ours has to be judged again. */
export const judged = (sightings: Sightings, isOurs: (announcement: Announcement) => boolean): Sightings =>
  new Map(
    [...sightings].map(([node, seen]) => [
      node,
      { ...seen, is_ours: seen.announcement !== undefined && isOurs(seen.announcement) },
    ]),
  )

function seenOr(sightings: Sightings, node: NodeId, now: Monotonic): Seen {
  return (
    sightings.get(node) ?? {
      node,
      first: now,
      last: now,
      announcement: undefined,
      source: undefined,
      is_ours: false,
      places: [],
    }
  )
}

function put(sightings: Sightings, seen: Seen): Map<NodeId, Seen> {
  const next = new Map(sightings)
  next.delete(seen.node)
  return next.set(seen.node, seen)
}

const replace = (sightings: Sightings, seen: Seen): Sightings => new Map(sightings).set(seen.node, seen)

function bounded(sightings: Map<NodeId, Seen>, from: string, isMember: IsMember): Sightings {
  const strangers = [...sightings.values()].filter(({ node }) => !isMember(node))
  const neighbours = strangers.filter(({ source }) => source === from)
  if (neighbours.length > MAX_PER_SOURCE) sightings.delete(neighbours[0]!.node)
  else if (strangers.length > MAX_STRANGERS) sightings.delete(strangers[0]!.node)
  return sightings
}
