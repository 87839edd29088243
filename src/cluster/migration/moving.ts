/**
 * Actors of a running node that move: feeds the mover (`mover.ts`, read it first) with what is heard and told, and has carried out what
 * it decides (`carrying.ts`). Whoever wants one moved asks the node where it lives.
 *
 * What comes for an actor that is frozen, that came a moment ago or that left comes here, from this node or another; all else
 * never does.
 */
import type { Address, FromAfar, Message, Runtime, Settle } from '../../actors/index.ts'
import { fixedAddress, parseAddress } from '../../actors/index.ts'
import { assert, type Cancel, LoqaError, type NodeId } from '../../host/index.ts'
import type { Remote, RemoteMoves, RemoteOptions } from '../remote/face.ts'
import { Carrying, type MovingOptions } from './carrying.ts'
import { type MoverContext, type MoverInput, type MoverState, mover, moverDue, noMoves } from './mover.ts'
import { abortedMove, type Moved, refusedMove } from './outcomes.ts'
import { isMoveRequest, type MoveRequest } from './requests.ts'
import type { Outcome } from './source-state.ts'

/** Asking another node to move an actor: its wait to be ready, and the move. */
const ASKED_MS = 20_000

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
  #carrying: Carrying | undefined
  readonly #waiters = new Map<string, Waiter>()
  /** Who waits until one that came a moment ago may move on. */
  readonly #opening = new Map<string, (() => void)[]>()
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
        this.#carrying?.heard(from, message)
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
    this.#carrying = new Carrying({
      ...{ options: this.#options, runtime, links, state: () => this.#state },
      input: (input) => this.#input(input),
      ended: (address, outcome, held, away_ms) => this.#ended(address, outcome, held, away_ms),
      refused: (address, why) => this.#waiter(address)?.reject(refusedMove(why)),
      opened: (address) => {
        for (const go of this.#opening.get(address) ?? []) go()
        this.#opening.delete(address)
      },
    })
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
    if (this.#carrying?.isArriving(address) === true) await this.#opened(address)
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
        for (const effect of effects) this.#carrying!.carryOut(effect, effects)
        this.#carrying!.settle()
      }
    } finally {
      this.#busy = false
    }
    this.#setWake()
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

  #ended(address: string, outcome: Outcome, held: string | undefined, away_ms: number): void {
    const waiter = this.#waiter(address)
    if (outcome.how !== 'moved') {
      waiter?.reject(abortedMove(outcome, held))
      return
    }
    const from = this.#options.node
    const to = this.#state.away.get(address)?.move.to ?? from
    this.#options.left?.(address as Address, to, away_ms)
    waiter?.resolve({ from, to, away_ms })
  }

  #waiter(address: string): Waiter | undefined {
    const waiter = this.#waiters.get(address)
    this.#waiters.delete(address)
    return waiter
  }
}
