/** What people see of the household and may ask of it: the rows and requests behind `loqa household`. */
import { type Clock, LoqaError, type NodeId } from '../../host/index.ts'
import { certificateOf, maySign, members } from '../household/authority.ts'
import { MAX_WINDOW_MS, WINDOW_MS } from '../household/bounds.ts'
import { isOpen } from '../household/standing.ts'
import type { HouseholdState } from '../household/state.ts'
import type { Belonging } from './belonging.ts'

export interface HouseholdView {
  readonly id: string
  readonly phase: 'member' | 'removed'
  readonly members: readonly {
    readonly id: NodeId
    readonly name: string
    readonly self: boolean
    /** May let others in and remove them. */
    readonly may_admit: boolean
    /** ISO 8601, of its certificate. */
    readonly since: string
    readonly expires: string
  }[]
  readonly removed: readonly NodeId[]
  /** ISO 8601; null while closed. */
  readonly open_until: string | null
  readonly locked: boolean
  readonly pending: readonly {
    readonly id: NodeId
    readonly name: string
    /** Six digits, to be compared with those on that node. */
    readonly code: string
    readonly waits_s: number
  }[]
  /** This node asks to be let in there. */
  readonly joining: { readonly id: NodeId; readonly code: string | null; readonly confirmed: boolean } | null
}

export interface HouseholdDesk {
  show(): HouseholdView
  /** Lets nodes in by themselves for a while. Errors: `not-entitled`, `not-member`. */
  open(minutes?: number): Promise<void>
  lock(): Promise<void>
  /** Errors: `code-wrong`, `enrolment-locked`. */
  approve(code: string): Promise<void>
  /** By id, or a name that only one node bears. Errors: `not-found`, `ambiguous`, `not-entitled`. */
  dismiss(node: string): Promise<void>
  revoke(node: string): Promise<void>
  join(node: string): Promise<void>
}

export function householdDesk(
  belonging: Belonging,
  clock: Clock,
  seen: () => readonly { readonly id: string; readonly name: string }[],
): HouseholdDesk {
  const pendingNodes = () => belonging.state.pending.map(({ card }) => ({ id: card.node, name: card.name }))
  const memberNodes = () => showHousehold(belonging.state, clock).members
  return {
    show: () => showHousehold(belonging.state, clock),
    open: (minutes) => {
      const span_ms = minutes === undefined ? WINDOW_MS : Math.min(minutes * 60_000, MAX_WINDOW_MS)
      return belonging.request({ type: 'open', span_ms })
    },
    lock: () => belonging.request({ type: 'lock' }),
    approve: (code) => belonging.request({ type: 'approve', code: code.replaceAll(/[\s-]/g, '') }),
    dismiss: async (node) => belonging.request({ type: 'dismiss', node: oneOf(pendingNodes(), node) }),
    revoke: async (node) => belonging.request({ type: 'revoke', node: oneOf(memberNodes(), node) }),
    join: async (node) => belonging.request({ type: 'join', node: oneOf(seen(), node) }),
  }
}

/** Errors: `not-found`, `ambiguous`. The end of an id will do, if it is long enough to be meant. */
function oneOf(nodes: readonly { readonly id: string; readonly name: string }[], wanted: string): NodeId {
  const byId = nodes.filter(({ id }) => id === wanted || (wanted.length >= 6 && id.endsWith(wanted)))
  const found = byId.length > 0 ? byId : nodes.filter(({ name }) => name === wanted)
  const [node] = found
  if (node === undefined) {
    throw new LoqaError('not-found', `There is no node ${JSON.stringify(wanted.slice(0, 80))} for that`, {
      hint: 'loqa nodes lists them.',
    })
  }
  if (found.length > 1) {
    throw new LoqaError('ambiguous', `${found.length} nodes are called ${JSON.stringify(wanted)}`, {
      hint: `Give the id: ${found.map(({ id }) => id).join(', ')}`,
    })
  }
  return node.id as NodeId
}

export function showHousehold(state: HouseholdState, clock: Clock): HouseholdView {
  const { roster, self, phase, locked, pending, joining, closes } = state
  const now = clock.monotonic()
  const iso = (wall: number): string => new Date(wall).toISOString()
  const open = isOpen(state, { now })
  return {
    id: roster.household,
    phase,
    members: members(roster).map((id) => {
      const { card, at, expires } = certificateOf(roster, id)!
      return {
        id,
        name: card.name,
        self: id === self.card.node,
        may_admit: maySign(roster, id),
        since: iso(at),
        expires: iso(expires),
      }
    }),
    removed: [...roster.tombstone.keys()],
    open_until: open ? iso(clock.wall() + (closes - now)) : null,
    locked,
    pending: pending.map(({ card, code, since }) => ({
      id: card.node,
      name: card.name,
      code,
      waits_s: Math.round((now - since) / 1000),
    })),
    joining:
      joining === undefined
        ? null
        : { id: joining.node, code: joining.code ?? null, confirmed: joining.consent === 'given' },
  }
}
