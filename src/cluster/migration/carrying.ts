/**
 * Carries out what the mover asks for: of the runtime's seam for actors that move, of the links and of the map of placements. It keeps what
 * belongs to neither: since when who is frozen, whose mailbox is still shut, and by which node a message came that was passed on.
 */
import type { Address, Frozen, Runtime, Settle, Target } from '../../actors/index.ts'
import { assertNever, type Clock, type NodeId, type Random } from '../../host/index.ts'
import type { RemoteMoves } from '../remote/face.ts'
import type { Bundle, Parcel } from './bundle.ts'
import type { MoveMessage } from './messages.ts'
import { type MoverEffect, type MoverInput, type MoverState, moves } from './mover.ts'
import type { Outcome } from './source-state.ts'
import { type Movable, readSnapshot } from './versions.ts'

export interface MovingOptions {
  readonly node: NodeId
  readonly clock: Clock
  readonly random: Random
  /** The kinds of actors that move. */
  readonly kinds: ReadonlyMap<string, Movable>
  /** Under whom one that comes lives; undefined: under a supervisor where each is on its own. */
  readonly parentOf?: (kind: string) => Target | undefined
  /** Waits until it can be moved. Errors: why it cannot. */
  readonly ready?: (address: Address) => Promise<void>
  /** It lives here now, and the map says so. */
  readonly arrived?: (address: Address) => void
  /** It lives on that node now. `away_ms`: how long nobody handled anything. */
  readonly left?: (address: Address, to: NodeId, away_ms: number) => void
  readonly log: (message: string, values: Readonly<Record<string, unknown>>) => void
}

/** An actor that is just doing something is looked at again after this: less than anybody notices. */
const FREEZE_AGAIN_MS = 5

export interface CarryingParts {
  readonly options: MovingOptions
  readonly runtime: Pick<Runtime, 'moving' | 'stop'>
  readonly links: RemoteMoves
  readonly state: () => MoverState
  readonly input: (input: MoverInput) => void
  /** `held`: why it could not be frozen at first. `away_ms`: since it was frozen. */
  readonly ended: (address: string, outcome: Outcome, held: string | undefined, away_ms: number) => void
  readonly refused: (address: string, why: Extract<MoverEffect, { type: 'refused' }>['why']) => void
  /** One that came takes what it is told itself from now on. */
  readonly opened: (address: string) => void
}

export class Carrying {
  readonly #parts: CarryingParts
  /** Since when it is frozen. */
  readonly #frozen_at = new Map<string, number>()
  /** Came here, and what is told to them still comes by the mover. */
  readonly #gated = new Set<string>()
  /** Left, and what comes for them is passed on. */
  readonly #passing = new Set<string>()
  /** Why it cannot be frozen yet. */
  readonly #held = new Map<string, string>()
  /** By which node a message came that another one passed on. */
  readonly #via = new WeakMap<object, NodeId>()

  constructor(parts: CarryingParts) {
    this.#parts = parts
  }

  /** Before the mover hears it. */
  heard(from: NodeId, message: MoveMessage): void {
    if (message.type === 'forward' && message.passed.what === 'told')
      this.#via.set(message.passed.parcel, from)
  }

  /** It came a moment ago. */
  isArriving(address: string): boolean {
    return this.#gated.has(address)
  }

  /** Mailboxes of those whose move is over take what is told again. */
  settle(): void {
    const seam = this.#parts.runtime.moving
    for (const address of this.#gated) {
      if (moves(this.#parts.state(), address)) continue
      this.#gated.delete(address)
      seam.open(address as Address)
      this.#parts.opened(address)
    }
    for (const address of this.#passing) {
      if (this.#parts.state().away.has(address)) continue
      this.#passing.delete(address)
      seam.forget(address as Address)
    }
  }

  carryOut(effect: MoverEffect, all: readonly MoverEffect[]): void {
    const seam = this.#parts.runtime.moving
    const links = this.#parts.links
    switch (effect.type) {
      case 'say':
        this.#say(effect)
        break
      case 'freeze':
        // Not within the turn of whoever asked for it.
        this.#parts.options.clock.soon(() => this.#freeze(effect.address as Address))
        break
      case 'thaw':
        this.#frozen_at.delete(effect.address)
        seam.thaw(
          effect.address as Address,
          effect.late.map(({ parcel }) => parcel),
          effect.without_mailbox,
        )
        break
      case 'claim':
        links.claimAt(effect.address, effect.epoch)
        break
      case 'release':
        this.#release(effect.address as Address, all)
        break
      case 'install':
        this.#install(effect)
        break
      case 'deliver':
        seam.deliver(effect.address as Address, effect.parcels, (parcel) =>
          this.#wayBack(effect.address, parcel),
        )
        break
      case 'inherit':
        this.#parts.options.log('An actor was lost with its node while it moved here', {
          actor: effect.address,
        })
        break
      case 'void':
        this.#parts.runtime.stop(effect.address as Address, {
          reason: 'it lives on another node',
          kill: true,
        })
        break
      case 'bury':
        seam.bury(
          effect.address as Address,
          'told' in effect ? effect.told.map(({ parcel }) => parcel) : effect.parcels,
          effect.why,
        )
        break
      case 'ended':
        this.#ended(effect)
        break
      case 'refused':
        this.#parts.refused(effect.address, effect.why)
        break
      default:
        assertNever(effect)
    }
  }

  #say({ to, message }: Extract<MoverEffect, { type: 'say' }>): void {
    if (message.type === 'forward' && message.passed.what === 'told') {
      const ask = this.#parts.runtime.moving.sentOn(message.passed.parcel)
      if (ask !== undefined) this.#parts.links.askedThere(to, ask, message.address as Address)
    }
    this.#parts.links.say(to, message)
  }

  #freeze(address: Address): void {
    if (this.#parts.state().away.get(address)?.phase !== 'freezing') return
    const frozen = this.#parts.runtime.moving.freeze(address)
    if (typeof frozen !== 'string') {
      this.#frozen_at.set(address, this.#parts.options.clock.monotonic())
      // Senders of this node sent it here until now.
      this.#parts.links.toldHere(address)
      this.#parts.input({ type: 'frozen', address, bundle: bundleOf(frozen) })
      return
    }
    this.#held.set(address, frozen)
    if (frozen === 'busy') this.#parts.options.clock.after(FREEZE_AGAIN_MS, () => this.#freeze(address))
    else this.#parts.input({ type: 'cannot', address })
  }

  #release(address: Address, all: readonly MoverEffect[]): void {
    const seam = this.#parts.runtime.moving
    const move = this.#parts.state().away.get(address)?.move
    const outranked = all.some(
      (each) => each.type === 'ended' && each.address === address && each.outcome.how === 'outranked',
    )
    if (outranked || move === undefined) {
      seam.thaw(address, [], true)
      this.#parts.runtime.stop(address, { reason: 'it lives on another node', kill: true })
      return
    }
    this.#passing.add(address)
    for (const ask of seam.release(address, move.to)) this.#parts.links.askedThere(move.to, ask, address)
  }

  #install({ address, kind, version, bundle, epoch }: Extract<MoverEffect, { type: 'install' }>): void {
    const from = this.#parts.state().here.get(address)!.move.from
    const { args, snapshot } = (bundle.state ?? {}) as {
      readonly args?: unknown
      readonly snapshot?: unknown
    }
    const state = { args, snapshot: readSnapshot(this.#parts.options.kinds.get(kind)!, version, snapshot) }
    for (const parcel of bundle.mailbox) this.#via.set(parcel, from)
    // Known before it speaks.
    this.#parts.links.claimAt(address, epoch)
    this.#gated.add(address)
    this.#parts.runtime.moving.install(
      { ...bundle, state, address: address as Address, kind, parent: this.#parts.options.parentOf?.(kind) },
      (parcel) => this.#wayBack(address, parcel),
    )
    this.#parts.options.arrived?.(address as Address)
  }

  /** The answer to what another node passed on goes back through that one. */
  #wayBack(address: string, parcel: object): Settle | undefined {
    const via = this.#via.get(parcel)
    const { ask } = parcel as Parcel
    if (via === undefined || ask === null) return undefined
    return this.#parts.links.settle(via, ask.id, address as Address) ?? NOBODY
  }

  #ended({ address, outcome }: Extract<MoverEffect, { type: 'ended' }>): void {
    const held = this.#held.get(address)
    this.#held.delete(address)
    const now = this.#parts.options.clock.monotonic()
    const away_ms = now - (this.#frozen_at.get(address) ?? now)
    this.#frozen_at.delete(address)
    this.#parts.ended(address, outcome, held, away_ms)
  }
}

/** Its node cannot be told any more, and has ended the ask itself. */
const NOBODY: Settle = { answered: () => undefined, failed: () => undefined }

/** Who watches it hears of the move from this node, and watches it there: that is not for the bundle. */
const bundleOf = ({ incarnation, state, mailbox, schedules, watching }: Frozen): Bundle => ({
  ...{ incarnation, state, mailbox: [...mailbox], schedules: [...schedules] },
  ...{ watchers: [], watching: [...watching] },
})
