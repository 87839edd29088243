/** Every microphone of this node that waits for the wake word, and the way from its word to the arbiter and back. */
import type { Message, Runtime } from '../../actors/index.ts'
import { LoqaError, type NodeId, newTraceId, type Random } from '../../host/index.ts'
import type { HeardFrame } from '../microphone.ts'
import type { VoiceListener } from '../player.ts'
import { arbiterOf, type WakeDecided, type WakeHeard } from './arbiter.ts'
import { ROUND_MS } from './arbitration.ts'
import { WakeListening } from './listening.ts'
import type { OpenWakeRun } from './runs.ts'

export interface WakeOptions {
  readonly node: NodeId
  /** Clients that do not say so wait for the word. */
  readonly always: boolean
  /** Starts the engine if it does not run; resolves when it can be used, or will not be. */
  readonly want: () => Promise<void>
  readonly open: OpenWakeRun
  /** Nodes that can be told now. */
  readonly peers: () => readonly NodeId[]
  /** For logs and metrics. */
  readonly decided: (decided: WakeDecided & { readonly snr_db: number; readonly energy_db: number }) => void
}

interface Claimed {
  readonly listening: WakeListening
  readonly listener: VoiceListener
  readonly snr_db: number
  readonly energy_db: number
}

export class Wakefulness {
  readonly #options: WakeOptions | undefined
  readonly #random: Random
  readonly #claims = new Map<string, Claimed>()
  #runtime: Pick<Runtime, 'tell'> | undefined

  /** Without options there is no wake word. */
  constructor(random: Random, options: WakeOptions | undefined) {
    this.#random = random
    this.#options = options
  }

  connect(runtime: Pick<Runtime, 'tell' | 'subscribe'>): void {
    this.#runtime = runtime
    runtime.subscribe('wake.decided', (message) => this.#decided(message as WakeDecided))
  }

  /** Whether a client waits for the word, which asked for it, or not, or said nothing. Errors: `engine-unavailable`. */
  wanted(asked: boolean | undefined): boolean {
    const wanted = asked ?? this.#options?.always ?? false
    if (!wanted) return false
    if (this.#options === undefined)
      throw new LoqaError('engine-unavailable', 'This node has no wake word', { hint: NO_WORD })
    return true
  }

  /** Resolves when the word is listened for; what was said before is not heard. */
  async ready(): Promise<void> {
    await this.#options?.want()
  }

  /** After `wanted`. */
  listen(room: string, hear: (frame: HeardFrame) => void, listener: VoiceListener): WakeListening {
    const options = this.#options
    if (options === undefined)
      throw new LoqaError('engine-unavailable', 'This node has no wake word', { hint: NO_WORD })
    const listening: WakeListening = new WakeListening({
      open: options.open,
      hear,
      claim: (loud) => this.#claim(room, listening, listener, loud),
      woke: () => undefined,
      slept: () => listener.event({ type: 'sleep' }),
    })
    return listening
  }

  #claim(
    room: string,
    listening: WakeListening,
    listener: VoiceListener,
    { snr_db, energy_db }: { readonly snr_db: number; readonly energy_db: number },
  ): void {
    const options = this.#options
    if (options === undefined) return
    const { node } = options
    const id = `${node}/${newTraceId(this.#random)}`
    // A winner may yield until its round is over: the newest claims are remembered, and no more.
    this.#claims.set(id, { listening, listener, snr_db, energy_db })
    const [oldest] = this.#claims.keys()
    if (this.#claims.size > MOST_REMEMBERED && oldest !== undefined) this.#claims.delete(oldest)
    const heard: WakeHeard = {
      type: 'wake.heard',
      claim: { id, node, room, snr_db, energy_db },
      peers: options.peers(),
    }
    this.#runtime?.tell(arbiterOf(node), heard as Message)
  }

  #decided(decided: WakeDecided): void {
    const claimed = this.#claims.get(decided.id)
    if (claimed === undefined) return
    const { listening, listener, snr_db, energy_db } = claimed
    this.#options?.decided({ ...decided, snr_db, energy_db })
    const { verdict, after_ms, by } = decided
    listener.event({
      type: 'wake',
      answers: verdict === 'won',
      why: verdict,
      after_ms: Math.round(after_ms * 10) / 10,
      by,
    })
    listening.decided(decided)
    if (verdict !== 'won' || after_ms >= ROUND_MS) this.#claims.delete(decided.id)
  }
}

const NO_WORD = 'Its models directory lists no model of the kind wake; see models/README.md.'
/** One for each microphone of a node that may hear a word within a round. */
const MOST_REMEMBERED = 64
