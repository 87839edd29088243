/**
 * Placed actors of a running node: carries out what the placer decides (`placer.ts`, read it first). Actors are started here through
 * the runtime, elsewhere by asking that node's `spawnAddress`, which starts only kinds it allows with arguments it accepts;
 * what another node has started here is claimed before that node hears of it. The map of claims is the remote layer's.
 */
import {
  type Address,
  type FromAfar,
  parseAddress,
  placedAddress,
  type Runtime,
  type Spawned,
  type SpawnRequest,
  spawnAddress,
} from '../../actors/index.ts'
import {
  assert,
  assertNever,
  type Cancel,
  type Clock,
  type ErrorShape,
  errorShape,
  LoqaError,
  type NodeId,
} from '../../host/index.ts'
import type { Remote, RemoteOptions } from '../remote/face.ts'
import type { ClusterListener } from '../running/face.ts'
import { guarded } from './guard.ts'
import { type HouseholdView, household } from './household.ts'
import { placer, refusal } from './placer.ts'
import {
  livesOn,
  newPlacer,
  type PlacedKinds,
  type PlacerContext,
  type PlacerEffect,
  type PlacerInput,
  type PlacerState,
} from './placer-state.ts'
import { ASKED_MS } from './wants.ts'

export interface PlacingOptions {
  readonly node: NodeId
  readonly clock: Clock
  readonly kinds: PlacedKinds
  /** Undefined while this node is alone. */
  readonly cluster: () => HouseholdView | undefined
  /**
   * The copy here does not count any more: that of `to` does. It ends when this resolves, unless it is to be kept, and is then claimed
   * anew. Absent: at once.
   */
  readonly yields?: (address: Address, to: NodeId) => Promise<'end' | 'keep'>
  readonly log: (message: string, values: Readonly<Record<string, unknown>>) => void
}

/** What placing does with the actors of this node. */
export type PlacingRuntime = Pick<Runtime, 'ask' | 'spawn' | 'find' | 'stop' | 'fromAfar'>
/** What it does with the map. */
export type PlacingMap = Pick<Remote, 'claim' | 'release' | 'placements'>

interface Waiter {
  readonly resolve: (node: NodeId) => void
  readonly reject: (error: LoqaError) => void
}

export class Placing {
  /** For `createRemote`. */
  readonly placed: NonNullable<RemoteOptions['placed']> = {
    lost: (address) => this.#input({ type: 'lost', address }),
    heard: (addresses) => {
      this.#look()
      this.#input({ type: 'heard', addresses })
    },
    orphaned: (addresses) => {
      this.#look()
      this.#input({ type: 'orphaned', addresses })
    },
  }
  /** After that of the remote layer. */
  readonly listener: ClusterListener = { member: () => this.#look() }
  readonly #options: PlacingOptions
  #state: PlacerState
  #runtime: PlacingRuntime | undefined
  #map: PlacingMap | undefined
  /** What to start wanted actors with, and who waits for them. */
  readonly #wanted = new Map<string, { readonly args: unknown; readonly waiters: Waiter[] }>()
  /** Living here: told when they end. */
  readonly #watched = new Set<string>()
  /** Copies that do not count, and have something to hand over first. */
  readonly #yielding = new Set<Address>()
  readonly #inputs: PlacerInput[] = []
  #busy = false
  #wake: Cancel = () => undefined
  #closed = false

  constructor(options: PlacingOptions) {
    this.#options = options
    this.#state = newPlacer(options.node)
  }

  /** Before the first link. Gives what the remote layer is to be connected to instead of the runtime's own. */
  connect(runtime: PlacingRuntime, map: PlacingMap): FromAfar {
    this.#runtime = runtime
    this.#map = map
    this.#look()
    return guarded(runtime.fromAfar, {
      own: spawnAddress(this.#options.node),
      isPlaced: (kind) => this.#options.kinds.has(kind),
      refusal: (address) => refusal(this.#state, address, this.#context),
      begun: (address) => this.#begun(address),
      isYielding: (address) => this.#yielding.has(address),
    })
  }

  /**
   * Has it live on some node; which one. `args` are for it if it is started for this. Errors: `no-place`, or why the last of the nodes
   * that could have it refused.
   */
  want(kind: string, key: string, args?: unknown): Promise<NodeId> {
    const address = placedAddress(kind, key)
    const { promise, resolve, reject } = Promise.withResolvers<NodeId>()
    const known = this.#wanted.get(address)
    if (known === undefined) this.#wanted.set(address, { args, waiters: [{ resolve, reject }] })
    else known.waiters.push({ resolve, reject })
    this.#look()
    this.#input({ type: 'wanted', address })
    return promise
  }

  /** It was started here, because it is needed on this node. */
  taken(address: Address): void {
    if (this.#watched.has(address)) return
    this.#watch(address)
    this.#input({ type: 'taken', address })
  }

  /** The node it lives on, as far as this one knows. */
  livesOn(address: Address): NodeId | undefined {
    return livesOn(this.#state, this.#context.map, address)
  }

  close(): void {
    this.#closed = true
    this.#wake()
    const error = new LoqaError('cancelled', 'The node stops')
    for (const { waiters } of this.#wanted.values()) for (const { reject } of waiters) reject(error)
    this.#wanted.clear()
  }

  get #context(): PlacerContext {
    assert(this.#map !== undefined, 'placing is connected before anything is placed')
    const { clock, kinds } = this.#options
    return { now: clock.monotonic(), map: this.#map.placements(), kinds }
  }

  /** What nodes say of themselves and how far they are changes all the time: it is looked at when it matters. */
  #look(): void {
    const { node, cluster } = this.#options
    this.#input({ type: 'house', ...household(node, cluster()) })
  }

  /** One after the other: carrying out an effect may bring the next. */
  #input(input: PlacerInput): void {
    if (this.#closed || this.#map === undefined) return
    this.#inputs.push(input)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const { state, effects } = placer(this.#state, next, this.#context)
        this.#state = state
        for (const effect of effects) this.#carryOut(effect)
      }
    } finally {
      this.#busy = false
    }
  }

  #carryOut(effect: PlacerEffect): void {
    switch (effect.type) {
      case 'start':
        this.#start(effect.address as Address)
        break
      case 'ask':
        this.#ask(effect.address, effect.node)
        break
      case 'claim':
        if (!this.#map!.claim(effect.address)) {
          this.#options.log('An actor is not found from other nodes: the map of placements is full', {
            actor: effect.address,
          })
        }
        break
      case 'release':
        this.#map!.release(effect.address)
        break
      case 'stop':
        this.#yield(effect.address as Address)
        break
      case 'placed':
        for (const { resolve } of this.#waiters(effect.address)) resolve(effect.node)
        break
      case 'unplaced': {
        const { code, message, retryable, hint } = effect.error
        for (const { reject } of this.#waiters(effect.address)) {
          reject(new LoqaError(code, message, { retryable, hint }))
        }
        break
      }
      case 'wake':
        this.#wake()
        if (effect.delay_ms === undefined) break
        this.#wake = this.#options.clock.after(effect.delay_ms, () => {
          this.#look()
          this.#input({ type: 'due' })
        })
        break
      default:
        assertNever(effect)
    }
  }

  /** Whether the copy here is about to end, because another one counts. */
  isYielding(address: Address): boolean {
    return this.#yielding.has(address)
  }

  #yield(address: Address): void {
    const { yields } = this.#options
    const to = this.#owner(address)
    if (yields === undefined || to === undefined) {
      this.#stop(address)
      return
    }
    if (this.#yielding.has(address)) return
    this.#yielding.add(address)
    yields(address, to)
      .catch(() => 'end' as const)
      .then((verdict) => {
        const lives = !this.#closed && this.#runtime!.find(address) !== undefined
        // Told nothing more until it has ended.
        if (lives && verdict === 'end' && this.#owner(address) !== undefined) {
          this.#stop(address)
          return
        }
        this.#yielding.delete(address)
        // Kept, or whoever it was for is gone by now: this copy counts.
        if (lives) this.#input({ type: verdict === 'keep' ? 'taken' : 'lost', address })
      })
  }

  /** Another node that is there and has it by the map. */
  #owner(address: Address): NodeId | undefined {
    const owner = livesOn(this.#state, this.#context.map, address)
    return owner === this.#options.node ? undefined : owner
  }

  #stop(address: Address): void {
    this.#runtime!.stop(address, { reason: 'it lives on another node' })
  }

  #waiters(address: string): readonly Waiter[] {
    const waiters = this.#wanted.get(address)?.waiters ?? []
    this.#wanted.delete(address)
    return waiters
  }

  #start(address: Address): void {
    const { kind, key } = partsOf(address)
    try {
      if (this.#runtime!.find(address) === undefined) {
        this.#runtime!.spawn({ kind, key, args: this.#wanted.get(address)?.args })
      }
    } catch (thrown) {
      this.#input({ type: 'failed', address, error: errorShape(thrown) })
      return
    }
    this.#begun(address)
  }

  #begun(address: Address): void {
    this.#watch(address)
    this.#input({ type: 'started', address })
  }

  #watch(address: Address): void {
    if (this.#watched.has(address)) return
    this.#watched.add(address)
    // It ended, or left for another node; the map tells which.
    this.#runtime!.fromAfar.watch(address, () => {
      this.#watched.delete(address)
      this.#yielding.delete(address)
      this.#input({ type: 'ended', address })
    })
  }

  #ask(address: string, node: NodeId): void {
    const args = this.#wanted.get(address)?.args
    const request: SpawnRequest = {
      type: 'actor.spawn',
      ...partsOf(address),
      ...(args === undefined ? {} : { args }),
    }
    const refused = (error: ErrorShape): void => this.#input({ type: 'refused', address, node, error })
    this.#runtime!.ask(spawnAddress(node), request, { deadline_ms: ASKED_MS }).then(
      (answer) => {
        if (isSpawned(answer, address)) this.#input({ type: 'answered', address, node })
        else refused(new LoqaError('unexpected', 'Another node answered what it was not asked').toJSON())
      },
      (thrown: unknown) => refused(errorShape(thrown)),
    )
  }
}

function partsOf(address: string): { readonly kind: string; readonly key: string } {
  const parsed = parseAddress(address)
  assert(parsed.form === 'placed', 'only placed actors are placed')
  return { kind: parsed.kind, key: parsed.key }
}

const isSpawned = (answer: { readonly type: string }, address: string): boolean => {
  const { type, ref } = answer as Partial<Spawned>
  return type === 'actor.spawned' && ref?.address === address
}
