/**
 * Why a node that was seen is not connected: one reason per node, the most useful one, with a sentence for people and what
 * to do about it.
 */
import { type Monotonic, type NodeId, OLDEST_UNDERSTOOD_VERSION, PROTOCOL_VERSION } from '../../host/index.ts'
import { duration } from '../household/errors.ts'
import { type DiscoveryState, isWanted, soonest } from './discovering.ts'
import { isFresh, ranked, type SeenPlace, written } from './places.ts'
import type { Seen } from './sightings.ts'

/** What the rest of the node knows, to be put beside what was seen. */
export interface Known {
  readonly self: KnownNode & { readonly id: NodeId }
  /** Members of the household. */
  readonly members: ReadonlyMap<NodeId, KnownNode>
  readonly revoked: ReadonlySet<NodeId>
  /** Nodes that wait here for a person, with the six digits to compare. */
  readonly pending: ReadonlyMap<NodeId, { readonly name: string; readonly code: string }>
  /** This node asks there to be let in; `code` once both sides show it. */
  readonly joining: { readonly node: NodeId; readonly code: string | undefined } | undefined
}

export interface KnownNode {
  readonly name: string
  readonly room: string
  /** Of membership: `alive`, `suspect`, `dead`, `left`; undefined before it was heard of. */
  readonly state: 'alive' | 'suspect' | 'dead' | 'left' | undefined
  readonly rtt_ms: number | null
  readonly capabilities: readonly string[]
}

export type Reason =
  | 'other-household'
  | 'unknown-household'
  | 'pending'
  | 'joining'
  | 'connecting'
  | 'unreachable'
  | 'no-address'
  | 'version-too-old'
  | 'version-too-new'
  | 'clock-wrong'
  | 'revoked'
  | 'wrong-key'
  | 'wrong-peer'
  | 'cloned'
  | 'self-elsewhere'
  | 'refused'

export interface WhyNot {
  readonly reason: Reason
  /** One sentence for people: what, since when. */
  readonly message: string
  /** What to do; absent when waiting is all there is. */
  readonly hint?: string
  /** Six digits to compare, for `pending` and `joining`. */
  readonly code?: string
  /** For `unreachable`: where it was tried, and how that ended last. */
  readonly tried?: readonly { readonly address: string; readonly error: string; readonly failing_s: number }[]
  /** Seconds until it is dialled again. */
  readonly next_try_s?: number
}

/** A row of `loqa nodes --json`. */
export interface NodeRow {
  readonly id: string
  readonly name: string
  readonly room: string
  readonly self: boolean
  /** Membership's word of members; `connecting` before it has one; `seen` is everybody else. */
  readonly state: 'alive' | 'suspect' | 'dead' | 'left' | 'connecting' | 'seen' | 'revoked' | 'pending'
  /** `192.168.1.20:7421`, `[fe80::1%eth0]:7421`, the best first. */
  readonly addresses: readonly string[]
  readonly rtt_ms: number | null
  readonly capabilities: readonly string[]
  /** Null when connected. Of this node: null, unless another one goes by its id. */
  readonly why_not_connected: WhyNot | null
}

export function explain(state: DiscoveryState, known: Known, now: Monotonic): NodeRow[] {
  const others = new Set([...known.members.keys(), ...known.pending.keys(), ...state.seen.keys()])
  others.delete(known.self.id)
  const order = (id: NodeId): number => (known.members.has(id) ? 0 : known.pending.has(id) ? 1 : 2)
  const rows = [...others].sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1))
  return [
    selfRow(state, known, now),
    ...rows.map((id) => row(state, known, id, now)),
    ...silentPeers(state, now),
  ]
}

function selfRow(state: DiscoveryState, { self }: Known, now: Monotonic): NodeRow {
  return {
    id: self.id,
    name: self.name,
    room: self.room,
    self: true,
    state: self.state ?? 'alive',
    addresses: state.own_places.map(written),
    rtt_ms: null,
    capabilities: self.capabilities,
    why_not_connected: elsewhere(state, now),
  }
}

function elsewhere({ elsewhere }: DiscoveryState, now: Monotonic): WhyNot | null {
  if (elsewhere === undefined) return null
  const when = `${duration(now - elsewhere.at)} ago`
  return elsewhere.is_ours
    ? {
        reason: 'self-elsewhere',
        message: `Another node at ${elsewhere.address} goes by this node's id (heard ${when})`,
        hint: 'A data directory was copied. On the copy: loqa household reset, then let it join again.',
      }
    : {
        reason: 'self-elsewhere',
        message: `Somebody at ${elsewhere.address} announces this node's id without the household's key (heard ${when})`,
        hint: 'An old copy of the data directory, or somebody on this network who pretends. It cannot connect.',
      }
}

function row(state: DiscoveryState, known: Known, id: NodeId, now: Monotonic): NodeRow {
  const member = known.members.get(id)
  const pending = known.pending.get(id)
  const places = ranked(state.seen.get(id)?.places ?? [])
  return {
    id,
    name: member?.name ?? pending?.name ?? '',
    room: member?.room ?? '',
    self: false,
    state: stateOf(known, id),
    addresses: places.map(({ place }) => written(place)),
    rtt_ms: member?.rtt_ms ?? null,
    capabilities: member?.capabilities ?? [],
    why_not_connected: state.linked.has(id) ? null : whyNot(state, known, id, now),
  }
}

function stateOf({ members, revoked, pending }: Known, id: NodeId): NodeRow['state'] {
  if (revoked.has(id)) return 'revoked'
  const member = members.get(id)
  if (member !== undefined) return member.state ?? 'connecting'
  return pending.has(id) ? 'pending' : 'seen'
}

const REFUSED: Readonly<Record<string, Reason>> = {
  'node-cloned': 'cloned',
  'clock-wrong': 'clock-wrong',
  'member-revoked': 'revoked',
  'other-household': 'other-household',
  'version-too-old': 'version-too-old',
  'version-too-new': 'version-too-new',
}

function whyNot(state: DiscoveryState, known: Known, id: NodeId, now: Monotonic): WhyNot {
  if (known.revoked.has(id)) {
    return {
      reason: 'revoked',
      message: 'It was removed from this household',
      hint: 'To let it in again: loqa household reset on that node, then approve it under its new id.',
    }
  }
  const refusal = state.refusals.get(id)
  if (refusal !== undefined) {
    const { code, message, hint } = refusal
    return { reason: REFUSED[code] ?? 'refused', message, ...(hint === undefined ? {} : { hint }) }
  }
  const seen = state.seen.get(id)
  const version = seen === undefined ? undefined : otherVersion(seen)
  if (version !== undefined) return version
  const theirs = seen?.announcement?.standing
  if (known.members.has(id) && theirs !== undefined && theirs.household !== state.standing?.household) {
    return {
      reason: 'other-household',
      message: `It has moved to another household, ${theirs.household.slice(0, 8)}, which is open`,
      hint:
        state.standing?.movable === true
          ? 'This node follows by itself.'
          : 'To follow it: loqa household reset on this node, while that household is open.',
    }
  }
  const waiting = known.pending.get(id)
  if (waiting !== undefined) {
    return {
      reason: 'pending',
      message: `It waits to be let in and shows ${waiting.code}`,
      hint: `When it shows the same six digits: loqa household approve ${waiting.code}`,
      code: waiting.code,
    }
  }
  if (known.joining?.node === id) return joining(known.joining.code)
  return isWanted(state, id) || known.members.has(id)
    ? notReached(state, seen, id, now)
    : otherHousehold(seen, state)
}

function joining(code: string | undefined): WhyNot {
  if (code === undefined) return { reason: 'joining', message: 'This node is asking there to be let in' }
  return {
    reason: 'joining',
    message: `This node waits to be let in there and shows ${code}`,
    hint: `On that node, when it shows the same six digits: loqa household approve ${code}`,
    code,
  }
}

function otherVersion({ announcement }: Seen): WhyNot | undefined {
  if (announcement === undefined) return undefined
  const { speaks, understands } = announcement
  if (understands > PROTOCOL_VERSION) {
    return {
      reason: 'version-too-new',
      message: `It speaks protocol ${speaks} and understands none below ${understands}; this node speaks ${PROTOCOL_VERSION}`,
      hint: 'Update this node.',
    }
  }
  if (speaks < OLDEST_UNDERSTOOD_VERSION) {
    return {
      reason: 'version-too-old',
      message: `It speaks protocol ${speaks}; this node understands none below ${OLDEST_UNDERSTOOD_VERSION}`,
      hint: 'Update that node.',
    }
  }
  return undefined
}

function otherHousehold(seen: Seen | undefined, { standing }: DiscoveryState): WhyNot {
  const theirs = seen?.announcement?.standing
  if (theirs === undefined) {
    return {
      reason: 'unknown-household',
      message: 'It belongs to a household that is closed',
      hint: 'To join that one: loqa household open there. To take it into this one: loqa household reset on that node.',
    }
  }
  if (theirs.household === standing?.household) {
    return { reason: 'connecting', message: 'It belongs to this household and shows no certificate yet' }
  }
  return {
    reason: 'other-household',
    message: `It belongs to another household, ${theirs.household.slice(0, 8)}, which is open`,
    hint: 'To take it into this one: loqa household reset on that node.',
  }
}

function notReached(state: DiscoveryState, seen: Seen | undefined, id: NodeId, now: Monotonic): WhyNot {
  const next_s = seconds(Math.max(0, soonest(state, id) - now))
  const next = Number.isFinite(next_s) ? { next_try_s: next_s } : {}
  const places = ranked(seen?.places ?? [])
  if (places.length === 0) {
    return {
      reason: 'no-address',
      message: 'Nobody knows where it is: it was not heard since this node started',
      hint: 'Is it switched on, and on the same network? Where multicast is blocked: --peer HOST:PORT.',
    }
  }
  const failing = places.filter((place) => place.failing !== undefined)
  const tried = failing.map(({ place, failing }) => ({
    address: written(place),
    error: failing!.code,
    failing_s: seconds(now - failing!.since),
  }))
  const only = (code: string): boolean =>
    failing.length === places.length && failing.every(({ failing }) => failing!.code === code)
  if (failing.some(({ failing }) => failing!.code === 'wrong-key')) {
    return {
      reason: 'wrong-key',
      message: `It answers at ${addressesOf(failing)} but holds another household key`,
      hint:
        'The key was changed while one of the two was away: it is asked again by itself. If this stays, it was reset, or it ' +
        'moved to another household while this node was away; to follow it: loqa household reset on this node.',
      tried,
      ...next,
    }
  }
  if (only('wrong-peer')) {
    return {
      reason: 'wrong-peer',
      message: `Another node answers at ${addressesOf(failing)}`,
      hint: 'It was reset and has a new id, or its address now belongs to another machine.',
      tried,
      ...next,
    }
  }
  if (failing.length === 0) return { reason: 'connecting', message: 'It is being dialled', ...next }
  const since = Math.max(...failing.map(({ failing }) => now - failing!.since))
  const is_heard = places.some((place) => isFresh(place, now))
  return {
    reason: 'unreachable',
    message: `It does not answer at ${addressesOf(failing)} for ${duration(since)} (${tried[0]!.error})`,
    hint: is_heard
      ? 'It announces itself, so it runs: does a firewall there block its port?'
      : 'Is it switched on, and on the same network?',
    tried,
    ...next,
  }
}

const addressesOf = (places: readonly SeenPlace[]): string =>
  places.map(({ place }) => written(place)).join(', ')
const seconds = (ms: number): number => Math.round(ms / 100) / 10

/** Peers from the configuration where nobody ever answered: there is no node to show, only an address. */
function silentPeers(state: DiscoveryState, now: Monotonic): NodeRow[] {
  return [...state.statics].flatMap(([key, { place, node, failing }]): NodeRow[] => {
    if (node !== undefined || failing === undefined) return []
    const address = written(place)
    const is_key = failing.code === 'wrong-key'
    const why: WhyNot = {
      reason: is_key ? 'other-household' : 'unreachable',
      message: is_key
        ? `Whoever answers at ${address} does not hold this household's key`
        : `Nobody answers at ${address} for ${duration(now - failing.since)} (${failing.code})`,
      hint: is_key
        ? 'It belongs to another household, or to none yet: loqa household open on one of the two.'
        : 'Is the address right, and is the node there running? See --peer and cluster.peers.',
      tried: [{ address, error: failing.code, failing_s: seconds(now - failing.since) }],
      next_try_s: seconds(Math.max(0, soonest(state, key) - now)),
    }
    return [
      {
        id: '',
        name: '',
        room: '',
        self: false,
        state: 'seen',
        addresses: [address],
        rtt_ms: null,
        capabilities: [],
        why_not_connected: why,
      },
    ]
  })
}
