/**
 * Which node each placed actor (`loqa:/kind/key`) lives on, as a map that nodes gossip. Pure: the caller sends what `claim` and
 * `release` give, and feeds in what others sent.
 *
 * M1  Nodes that have exchanged all entries hold the same map, whatever the order and repetition. M2  Of two claims the higher epoch
 * counts; of equal ones, made in a partition, the smaller node: the other then stops its copy. M3  A dead node owns nothing: its
 * actors are orphans, and whoever `place` names claims them anew. M4  The map is bounded; at the bound nothing new is taken.
 */
import { z } from 'zod'
import type { NodeId } from '../../host/index.ts'
import { print } from './print.ts'

/** Placed actors of a household: sessions, timers, skills of a dozen nodes, a hundred times over. */
export const MAX_PLACEMENTS = 16_384
/** Entries in one message: about 25 kB. */
export const MAX_ENTRIES = 256
/** One million moves of one actor per second for fifty years; adding to it is exact. */
const MAX_EPOCH = 2 ** 50
/** How long a released address is remembered, so that an old claim does not bring it back. Gossip is done in seconds. */
export const FORGET_MS = 10 * 60_000

export const placementSchema = z.strictObject({
  address: z
    .string()
    .max(270)
    .regex(/^loqa:\/[A-Za-z0-9_.:~-]{1,128}\/[A-Za-z0-9_.:~-]{1,128}$/),
  /** Null: it lives nowhere, on purpose. */
  node: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9_-]+$/)
    .transform((id) => id as NodeId)
    .nullable(),
  epoch: z.int().min(1).max(MAX_EPOCH),
})

/** To one who lacks them, or to all when they are new: take over what is newer. */
export const placementsSchema = z.strictObject({
  type: z.literal('placements'),
  entries: z.array(placementSchema).max(MAX_ENTRIES),
})

export type Placement = Readonly<z.infer<typeof placementSchema>>
export type PlacementsMessage = Readonly<z.infer<typeof placementsSchema>>

interface Kept extends Placement {
  /** When it was released, monotonic ms; undefined while it is owned. */
  readonly released_at: number | undefined
}

export interface Placements {
  readonly entries: ReadonlyMap<string, Kept>
  /** The same for equal maps: compared to find out whether something is missing. */
  readonly digest: number
}

export const NO_PLACEMENTS: Placements = { entries: new Map(), digest: 0 }

export const whereIs = ({ entries }: Placements, address: string): NodeId | undefined =>
  entries.get(address)?.node ?? undefined

/** This node takes an actor on. Undefined: the map is full, or the address is none. */
export const claim = (
  placements: Placements,
  address: string,
  node: NodeId,
  now: number,
): { readonly placements: Placements; readonly entry: Placement } | undefined =>
  write(placements, address, node, now)

/** It lives nowhere any more. Undefined when this node does not own it. */
export const release = (placements: Placements, address: string, node: NodeId, now: number) =>
  whereIs(placements, address) === node ? write(placements, address, null, now) : undefined

function write(placements: Placements, address: string, node: NodeId | null, now: number) {
  const epoch = (placements.entries.get(address)?.epoch ?? 0) + 1
  const checked = placementSchema.safeParse({ address, node, epoch })
  if (!checked.success) return undefined
  const merged = merge(placements, [checked.data], now)
  return merged.news.length === 0 ? undefined : { placements: merged.placements, entry: checked.data }
}

export interface Merged {
  readonly placements: Placements
  /** What was newer than what was known: to be passed on. */
  readonly news: readonly Placement[]
  /** Those of the news by which `node` lost what it owned. */
  readonly lost: (node: NodeId) => readonly string[]
}

export function merge(placements: Placements, entries: readonly Placement[], now: number): Merged {
  const news: Placement[] = []
  const before: (NodeId | null | undefined)[] = []
  let map: Map<string, Kept> | undefined
  let { digest } = placements
  for (const each of entries) {
    const known = (map ?? placements.entries).get(each.address)
    if (known !== undefined && !isNewer(each, known)) continue
    if (known === undefined && (map ?? placements.entries).size >= MAX_PLACEMENTS) continue
    map ??= new Map(placements.entries)
    map.set(each.address, { ...each, released_at: each.node === null ? now : undefined })
    digest = (digest ^ (known === undefined ? 0 : printOf(known)) ^ printOf(each)) >>> 0
    before.push(known?.node)
    news.push(each)
  }
  return {
    placements: map === undefined ? placements : { entries: map, digest },
    news,
    lost: (node) =>
      news.filter((each, i) => before[i] === node && each.node !== node).map(({ address }) => address),
  }
}

function isNewer(a: Placement, b: Placement): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch
  if (a.node === b.node) return false
  // An end and a claim of the same epoch: it lives, for ending it again is easy.
  if (a.node === null || b.node === null) return b.node === null
  return a.node < b.node
}

/** What a dead node owned: to be placed anew. Sorted, so that all nodes go through them alike. */
export const orphans = ({ entries }: Placements, isAlive: (node: NodeId) => boolean): readonly string[] =>
  [...entries.values()]
    .filter(({ node }) => node !== null && !isAlive(node))
    .map(({ address }) => address)
    .sort()

/** Without what was released long ago. */
export function forget(placements: Placements, now: number): Placements {
  const old = [...placements.entries.values()].filter(
    ({ released_at }) => released_at !== undefined && now - released_at > FORGET_MS,
  )
  if (old.length === 0) return placements
  const entries = new Map(placements.entries)
  let { digest } = placements
  for (const each of old) {
    entries.delete(each.address)
    digest = (digest ^ printOf(each)) >>> 0
  }
  return { entries, digest }
}

/** The whole map as messages, for a peer whose digest differs. */
export function pages({ entries }: Placements): readonly PlacementsMessage[] {
  const all = [...entries.values()].map(({ address, node, epoch }) => ({ address, node, epoch }))
  const messages: PlacementsMessage[] = []
  for (let i = 0; i < all.length; i += MAX_ENTRIES) {
    messages.push({ type: 'placements', entries: all.slice(i, i + MAX_ENTRIES) })
  }
  return messages
}

const printOf = ({ address, node, epoch }: Placement): number => print(`${address} ${node ?? ''} ${epoch}`)
