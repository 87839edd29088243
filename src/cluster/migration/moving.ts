/**
 * Actors of a running node that move: carries out what the mover decides (`mover.ts`, read it first), with the runtime's seam for
 * actors that move, the links and the map of placements. Whoever wants one moved asks the node where it lives.
 *
 * What comes for an actor that is frozen, that came a moment ago or that left comes here (`came`), from this node or another; all else
 * never does.
 */
import type { Address, FromAfar, Frozen, Message, Runtime, Settle, Target } from '../../actors/index.ts'
import { fixedAddress, parseAddress } from '../../actors/index.ts'
import {
  assert,
  assertNever,
  type Cancel,
  type Clock,
  LoqaError,
  type NodeId,
  type Random,
} from '../../host/index.ts'
import type { Remote, RemoteMoves, RemoteOptions } from '../remote/face.ts'
import type { Bundle, Parcel } from './bundle.ts'
import {
  type MoverContext,
  type MoverEffect,
  type MoverInput,
  type MoverState,
  mover,
  moverDue,
  moves,
  noMoves,
} from './mover.ts'
import { abortedMove, type Moved, refusedMove } from './outcomes.ts'
import { isMoveRequest, type MoveRequest } from './requests.ts'
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

/** Asking another node to move an actor: its wait to be ready, and the move. */
const ASKED_MS = 20_000
/** An actor that is just doing something is looked at again after this: less than anybody notices. */
const FREEZE_AGAIN_MS = 5

interface Waiter {
  readonly resolve: (moved: Moved) => void
  readonly reject: (error: LoqaError) => void
}

/** Where nodes are asked to move what lives with them. */
export const movesAddress = (node: NodeId): Address => fixedAddress(node, 'moves')

export class Moving {
  /** For `createRemote`. */
  readonly remote: NonNullable<RemoteOptions['moving']>
  readonly #options: MovingOptions
  #state: MoverState
  #runtime: Pick<Runtime, 'moving' | 'stop' | 'ask'> | undefined
  #links: RemoteMoves | undefined
  readonly #waiters = new Map<string, Waiter>()
  /** Since when it is frozen. */
  readonly #frozen_at = new Map<string, number>()
  /** Came here, and what is told to them still comes by this machine. */
  readonly #gated = new Set<string>()
  /** Who waits for one of them to be open. */
  readonly #opening = new Map<string, (() => void)[]>()
  /** Left, and what comes for them is passed on. */
  readonly #passing = new Set<string>()
  /** Why it cannot be frozen yet. */
  readonly #held = new Map<string, string>()
  /** By which node a message came that another one passed on. */
  readonly #via = new WeakMap<object, NodeId>()
  readonly #inputs: MoverInput[] = []
  #busy = false
  #wake: Cancel = () => undefined
  #wake_at: number | undefined
  #closed = false

  constructor(options: MovingOptions) {
    this.#options = options
    this.#state = noMoves(options.node)
    this.remote = {
      heard: (from, message) => {
        if (message.type === 'forward' && message.passed.what === 'told')
          this.#via.set(message.passed.parcel, from)
        this.#input({ type: 'heard', from, message })
      },
      gone: (node) => this.#input({ type: 'gone', node }),
      first_mark: options.random.uint32() * 2 ** 20,
    }
  }

  /** Before the first link. Gives what the remote layer is to be connected to instead of `here`. */
  connect(
    runtime: Pick<Runtime, 'moving' | 'stop' | 'ask'>,
    { moves: links }: Pick<Remote, 'moves'>,
    here: FromAfar,
  ): FromAfar {
    this.#runtime = runtime
    this.#links = links
    runtime.moving.connect((address, parcel) => {
      const from = links.hearing ?? this.#options.node
      // Its sender here may have sent it the old way a moment ago.
      if (links.hearing === undefined) links.toldHere(address)
      this.#input({ type: 'told', address, from, parcel })
    })
    const own = movesAddress(this.#options.node)
    return {
      ...here,
      ask: (target, message, how, settle) =>
        target === own ? this.#asked(message, settle) : here.ask(target, message, how, settle),
    }
  }

  /** The map has something new about these. Before anybody else acts on it. */
  claimed(addresses: readonly string[]): void {
    for (const address of addresses) {
      if (!this.#state.away.has(address) && !this.#state.here.has(address)) continue
      const fence = this.#links?.fenceOf(address)
      if (fence !== undefined) this.#input({ type: 'claimed', address, fence })
    }
  }

  /** Moves it, wherever it lives. Errors: `not-found`, `already-there`, `unreachable`, `not-moved` and what `ready` says. */
  async move(address: Address, to: NodeId): Promise<Moved> {
    const owner = this.#links?.fenceOf(address)?.node
    if (owner === undefined) {
      throw new LoqaError('not-found', `${address} lives on no node of this household`)
    }
    if (owner === to) throw new LoqaError('already-there', 'It lives there already')
    if (owner === this.#options.node) return this.#moveFromHere(address, to)
    const request: MoveRequest = { type: 'actor.move', address, to }
    assert(this.#runtime !== undefined, 'moving is connected before anything moves')
    const answer = await this.#runtime.ask(movesAddress(owner), request, { deadline_ms: ASKED_MS })
    const { away_ms } = answer as Message & Partial<Moved>
    return { from: owner, to, away_ms: typeof away_ms === 'number' && away_ms >= 0 ? away_ms : 0 }
  }

  close(): void {
    this.#closed = true
    this.#wake()
    for (const { reject } of this.#waiters.values()) reject(new LoqaError('cancelled', 'The node stops'))
    this.#waiters.clear()
  }

  async #moveFromHere(address: Address, to: NodeId): Promise<Moved> {
    if (this.#links?.canSay(to) !== true) {
      throw new LoqaError(
        'unreachable',
        'There is no link to that node, or it does not know how actors move',
        {
          retryable: true,
          hint: 'loqa nodes shows which nodes are connected, and their versions.',
        },
      )
    }
    if (this.#options.ready !== undefined) await this.#options.ready(address)
    const parsed = parseAddress(address)
    assert(parsed.form === 'placed', 'only placed actors move')
    if (this.#waiters.has(address)) throw refusedMove('busy')
    // It came a moment ago, and some may still send to where it was.
    if (this.#gated.has(address)) await this.#opened(address)
    if (this.#waiters.has(address)) throw refusedMove('busy')
    const { promise, resolve, reject } = Promise.withResolvers<Moved>()
    this.#waiters.set(address, { resolve, reject })
    this.#input({ type: 'move', address, kind: parsed.kind, to })
    return promise
  }

  #opened(address: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#opening.set(address, [...(this.#opening.get(address) ?? []), resolve])
    return promise
  }

  #asked(message: Message, settle: Settle): () => void {
    if (!isMoveRequest(message)) {
      settle.failed(new LoqaError('invalid-input', 'This is no request to move an actor'))
      return () => undefined
    }
    const { address, to } = message
    const fence = this.#links?.fenceOf(address)
    const moved =
      fence?.node === this.#options.node
        ? this.#moveFromHere(address, to)
        : Promise.reject(new LoqaError('not-found', `${address} does not live on this node`))
    moved.then(
      ({ away_ms }) => settle.answered({ type: 'actor.moved', away_ms } as Message),
      (error: unknown) =>
        settle.failed(error instanceof LoqaError ? error : new LoqaError('unexpected', 'The move failed')),
    )
    return () => undefined
  }

  get #context(): MoverContext {
    const { clock, kinds } = this.#options
    return { now: clock.monotonic(), kinds, claim: (address) => this.#links?.fenceOf(address) }
  }

  /** One after the other: carrying out an effect may bring the next. */
  #input(input: MoverInput): void {
    if (this.#closed || this.#runtime === undefined) return
    this.#inputs.push(input)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const { state, effects } = mover(this.#state, next, this.#context)
        this.#state = state
        for (const effect of effects) this.#carryOut(effect, effects)
        this.#settle()
      }
    } finally {
      this.#busy = false
    }
    this.#setWake()
  }

  /** Mailboxes of those whose move is over take what is told again. */
  #settle(): void {
    const seam = this.#runtime!.moving
    for (const address of this.#gated) {
      if (moves(this.#state, address)) continue
      this.#gated.delete(address)
      seam.open(address as Address)
      for (const go of this.#opening.get(address) ?? []) go()
      this.#opening.delete(address)
    }
    for (const address of this.#passing) {
      if (this.#state.away.has(address)) continue
      this.#passing.delete(address)
      seam.forget(address as Address)
    }
  }

  #setWake(): void {
    const at = moverDue(this.#state)
    if (at === this.#wake_at) return
    this.#wake()
    this.#wake_at = at
    if (at === undefined) return
    const { clock } = this.#options
    this.#wake = clock.after(Math.max(0, at - clock.monotonic()), () => {
      this.#wake_at = undefined
      this.#input({ type: 'due' })
    })
  }

  #carryOut(effect: MoverEffect, all: readonly MoverEffect[]): void {
    const seam = this.#runtime!.moving
    const links = this.#links!
    switch (effect.type) {
      case 'say':
        this.#say(effect)
        break
      case 'freeze':
        // Not within the turn of whoever asked for it.
        this.#options.clock.soon(() => this.#freeze(effect.address as Address))
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
        this.#options.log('An actor was lost with its node while it moved here', { actor: effect.address })
        break
      case 'void':
        this.#runtime!.stop(effect.address as Address, { reason: 'it lives on another node', kill: true })
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
        this.#waiter(effect.address)?.reject(refusedMove(effect.why))
        break
      default:
        assertNever(effect)
    }
  }

  #say({ to, message }: Extract<MoverEffect, { type: 'say' }>): void {
    if (message.type === 'forward' && message.passed.what === 'told') {
      const ask = this.#runtime!.moving.sentOn(message.passed.parcel)
      if (ask !== undefined) this.#links!.askedThere(to, ask, message.address as Address)
    }
    this.#links!.say(to, message)
  }

  #freeze(address: Address): void {
    if (this.#closed || this.#state.away.get(address)?.phase !== 'freezing') return
    const frozen = this.#runtime!.moving.freeze(address)
    if (typeof frozen !== 'string') {
      this.#frozen_at.set(address, this.#options.clock.monotonic())
      // Senders of this node sent it here until now.
      this.#links!.toldHere(address)
      this.#input({ type: 'frozen', address, bundle: bundleOf(frozen) })
      return
    }
    this.#held.set(address, frozen)
    if (frozen === 'busy') this.#options.clock.after(FREEZE_AGAIN_MS, () => this.#freeze(address))
    else this.#input({ type: 'cannot', address })
  }

  #release(address: Address, all: readonly MoverEffect[]): void {
    const seam = this.#runtime!.moving
    const move = this.#state.away.get(address)?.move
    const outranked = all.some(
      (each) => each.type === 'ended' && each.address === address && each.outcome.how === 'outranked',
    )
    if (outranked || move === undefined) {
      seam.thaw(address, [], true)
      this.#runtime!.stop(address, { reason: 'it lives on another node', kill: true })
      return
    }
    this.#passing.add(address)
    for (const ask of seam.release(address, move.to)) this.#links!.askedThere(move.to, ask, address)
  }

  #install({ address, kind, version, bundle, epoch }: Extract<MoverEffect, { type: 'install' }>): void {
    const from = this.#state.here.get(address)!.move.from
    const { args, snapshot } = (bundle.state ?? {}) as {
      readonly args?: unknown
      readonly snapshot?: unknown
    }
    const state = { args, snapshot: readSnapshot(this.#options.kinds.get(kind)!, version, snapshot) }
    for (const parcel of bundle.mailbox) this.#via.set(parcel, from)
    // Known before it speaks.
    this.#links!.claimAt(address, epoch)
    this.#gated.add(address)
    this.#runtime!.moving.install(
      { ...bundle, state, address: address as Address, kind, parent: this.#options.parentOf?.(kind) },
      (parcel) => this.#wayBack(address, parcel),
    )
    this.#options.arrived?.(address as Address)
  }

  /** The answer to what another node passed on goes back through that one. */
  #wayBack(address: string, parcel: object): Settle | undefined {
    const via = this.#via.get(parcel)
    const { ask } = parcel as Parcel
    if (via === undefined || ask === null) return undefined
    return this.#links!.settle(via, ask.id, address as Address) ?? NOBODY
  }

  #ended({ address, outcome }: Extract<MoverEffect, { type: 'ended' }>): void {
    const waiter = this.#waiter(address)
    const held = this.#held.get(address)
    this.#held.delete(address)
    const frozen_at = this.#frozen_at.get(address) ?? this.#options.clock.monotonic()
    this.#frozen_at.delete(address)
    if (outcome.how !== 'moved') {
      waiter?.reject(abortedMove(outcome, held))
      return
    }
    const to = this.#state.away.get(address)?.move.to ?? this.#options.node
    const away_ms = this.#options.clock.monotonic() - frozen_at
    this.#options.left?.(address as Address, to, away_ms)
    waiter?.resolve({ from: this.#options.node, to, away_ms })
  }

  #waiter(address: string): Waiter | undefined {
    const waiter = this.#waiters.get(address)
    this.#waiters.delete(address)
    return waiter
  }
}

/** Its node cannot be told any more, and has ended the ask itself. */
const NOBODY: Settle = { answered: () => undefined, failed: () => undefined }

/** Who watches it hears of the move from this node, and watches it there: that is not for the bundle. */
const bundleOf = ({ incarnation, state, mailbox, schedules, watching }: Frozen): Bundle => ({
  ...{ incarnation, state, mailbox: [...mailbox], schedules: [...schedules] },
  ...{ watchers: [], watching: [...watching] },
})
