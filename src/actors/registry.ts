/** The kinds of actors this node can run, and how a new one of each is made. */
import { assert, type NodeId } from '../host/index.ts'
import { type Address, fixedAddress, isSegment, placedAddress } from './address.ts'
import type { MailboxPolicy } from './behavior.ts'
import { type AllowedFromAfar, type AnyBehavior, Cell, type Place, type Species } from './cell.ts'
import { Children } from './children.ts'
import type { Delivery } from './delivery.ts'
import type { RestartKind } from './effects.ts'
import { DEFAULT_POLICY } from './mailbox.ts'
import {
  type ActorSpec,
  DEFAULT_LIMITS,
  DEFAULT_SHUTDOWN_MS,
  type Limits,
  type TreeSpec,
} from './supervisor.ts'

/** A behaviour with what the runtime needs to know beside it. */
export interface Registration {
  readonly behavior: AnyBehavior
  /** How its children are supervised; default one_for_one, five restarts in ten seconds. */
  readonly supervise?: Partial<Limits>
  /** Put its state away after so long without a message; it needs `snapshot` and `restore`. Default: never. */
  readonly passivate_after_ms?: number
  /** How long its last writes may take when it stops, then it is killed. Default 1,000. */
  readonly shutdown_ms?: number
  /** Default: other nodes may tell and ask such actors anything, and start none. */
  readonly from_afar?: AllowedFromAfar
}

export type Behaviors = Readonly<Record<string, AnyBehavior | Registration>>

export interface NewActor {
  readonly kind: string
  readonly address: Address
  readonly args: unknown
  readonly parent: Cell
  readonly restart: RestartKind
  readonly fixed: boolean
  readonly shutdown_ms?: number | undefined
  readonly mailbox?: MailboxPolicy | undefined
  /** Of the life it goes on with. Absent: a new one. */
  readonly incarnation?: number
}

/** A kind as registered, with every default filled in. */
interface Kind extends Species {
  readonly behavior: AnyBehavior
  readonly shutdown_ms: number
  readonly mailbox: MailboxPolicy
}

/** Supervisors are not talked to. */
const NOT_FROM_AFAR: AllowedFromAfar = { message: () => false }
const BRANCH_MAILBOX: MailboxPolicy = { capacity: 1, overflow: 'reject' }

export class Registry {
  readonly node: NodeId
  readonly #delivery: Delivery
  readonly #kinds = new Map<string, Kind>()
  /** Shared by all actors spawned alike; there are a handful. */
  readonly #places: Place[] = []
  readonly #created: (cell: Cell) => void

  constructor(node: NodeId, behaviors: Behaviors, delivery: Delivery, created: (cell: Cell) => void) {
    this.node = node
    this.#delivery = delivery
    this.#created = created
    for (const [kind, given] of Object.entries(behaviors)) {
      const registration = 'behavior' in given ? given : { behavior: given }
      this.#kinds.set(kind, complete(kind, registration))
    }
  }

  /** Whether another node may start such an actor with these arguments. */
  allowsFromAfar(kind: string, args: unknown): 'yes' | 'not this kind' | 'not these arguments' {
    const allowed = this.#kinds.get(kind)?.from_afar?.args
    if (allowed === undefined) return 'not this kind'
    return allowed(args) ? 'yes' : 'not these arguments'
  }

  kind(kind: string): Kind {
    const known = this.#kinds.get(kind)
    assert(known !== undefined, `no behaviour of kind ${kind} is registered`)
    return known
  }

  /** Errors: `InvariantError` when the kind is unknown or the address is taken. */
  createActor(actor: NewActor): Cell {
    const species = this.kind(actor.kind)
    const { address, args, parent, fixed } = actor
    const place = this.#place(actor.restart, actor.shutdown_ms ?? species.shutdown_ms, fixed)
    const mailbox = actor.mailbox ?? species.mailbox
    return this.#add(address, species, args, parent, place, mailbox, actor.incarnation)
  }

  createBranch(spec: TreeSpec, path: string, parent: Cell | undefined): Cell {
    const limits: Limits = { ...DEFAULT_LIMITS, ...limitsOf(spec) }
    const species: Species = {
      kind: 'supervisor',
      behavior: undefined,
      limits,
      passivate_after_ms: undefined,
      from_afar: NOT_FROM_AFAR,
    }
    const place = this.#place(spec.restart ?? 'permanent', DEFAULT_SHUTDOWN_MS, true)
    return this.#add(fixedAddress(this.node, path), species, spec, parent, place, BRANCH_MAILBOX)
  }

  /** Errors: `InvariantError` for a key that cannot be part of an address. */
  addressOf(kind: string, key: string): Address {
    assert(isSegment(key), 'the key of an actor is one segment of an address')
    return placedAddress(kind, key)
  }

  #add(
    address: Address,
    species: Species,
    args: unknown,
    parent: Cell | undefined,
    place: Place,
    mailbox: MailboxPolicy,
    incarnation = this.#delivery.nextIncarnation(),
  ): Cell {
    assert(!this.#delivery.has(address), `${address} is taken`)
    const cell = new Cell({ address, incarnation, species, args, parent, place, mailbox })
    this.#delivery.add(cell)
    if (parent !== undefined) {
      parent.children ??= new Children()
      parent.children.add(cell)
    }
    this.#created(cell)
    return cell
  }

  #place(restart: RestartKind, shutdown_ms: number, fixed: boolean): Place {
    for (const place of this.#places) {
      if (place.restart === restart && place.shutdown_ms === shutdown_ms && place.fixed === fixed)
        return place
    }
    const place = { restart, shutdown_ms, fixed }
    this.#places.push(place)
    return place
  }
}

function complete(kind: string, registration: Registration): Kind {
  const { behavior, supervise, passivate_after_ms, shutdown_ms, from_afar } = registration
  assert(behavior.kind === kind, `behaviour ${behavior.kind} is registered as ${kind}`)
  assert(isSegment(kind), `${kind} cannot be part of an address`)
  return {
    kind,
    behavior,
    limits: { ...DEFAULT_LIMITS, ...supervise },
    passivate_after_ms,
    from_afar,
    shutdown_ms: shutdown_ms ?? DEFAULT_SHUTDOWN_MS,
    mailbox: behavior.mailbox ?? DEFAULT_POLICY,
  }
}

function limitsOf(spec: TreeSpec): Partial<Limits> {
  const { id: _id, restart: _restart, children: _children, ...limits } = spec
  return limits
}

export const pathBelow = (parent: string, id: string): string => (parent === '' ? id : `${parent}/${id}`)

/** Errors: `InvariantError` when an id is used twice or a kind is unknown; better at start than in the night. */
export function checkTree(spec: TreeSpec, registry: Registry): void {
  const ids = new Set<string>()
  for (const child of spec.children) {
    assert(!ids.has(child.id), `two children of ${spec.id} are called ${child.id}`)
    ids.add(child.id)
    if ('children' in child) checkTree(child, registry)
    else registry.kind((child as ActorSpec).kind)
  }
}
