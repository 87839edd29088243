/**
 * The runtime in virtual time: the very same code over the simulated doors, so that a run is a function of its seed.
 * Which of the ready actors goes next is drawn too (any order is legal between different receivers), so every seed
 * tries another interleaving. Everything that happens goes into a trace; the same seed gives the same trace, byte for byte.
 */
import { createHash, type Hash } from 'node:crypto'
import { nodeId } from '../host/index.ts'
import { type SimulatedHost, simulatedHost } from '../host/simulated/index.ts'
import { keyOf, type Ref } from './address.ts'
import type { ExitReason } from './effects.ts'
import { noHosting } from './hosting.ts'
import type { Observe, TraceEvent } from './observation.ts'
import type { Outside } from './outside.ts'
import type { Behaviors } from './registry.ts'
import type { RemotePort } from './remote.ts'
import { createRuntime, type Runtime } from './runtime.ts'

/** Lines kept for reading; the hash covers all. */
const KEPT_LINES = 20_000

export interface SimulationOptions {
  readonly seed: number
  readonly behaviors: Behaviors
  /** Scripted ports; use the host's clock for anything that takes time. */
  readonly outside?: (host: SimulatedHost) => Outside
  readonly observe?: Partial<Observe>
  readonly node?: string
  /** First come, first served instead of a drawn order. */
  readonly in_order?: boolean
  /** To share a clock and a network with other nodes. */
  readonly host?: SimulatedHost
  readonly remote?: RemotePort
  readonly boot?: number
}

export interface Simulation {
  readonly runtime: Runtime
  readonly host: SimulatedHost
  /** What the root of the tree failed of, if it did. */
  readonly failure: () => ExitReason | undefined
  /** Lets virtual time pass. */
  advance(ms: number): void
  /** Until nothing is scheduled any more; throws when that does not come. */
  runUntilIdle(most_steps?: number): void
  /** The last lines of the trace, oldest first. */
  trace(): readonly string[]
  /** Events so far. */
  events(): number
  /** sha-256 over the whole trace so far, in hex. */
  traceHash(): string
}

export function createSimulation(options: SimulationOptions): Simulation {
  const host = options.host ?? simulatedHost(options.seed)
  const order = host.random.fork()
  const hash: Hash = createHash('sha256')
  const lines: string[] = []
  let events = 0
  let failure: ExitReason | undefined

  const trace = (event: TraceEvent): void => {
    const line = `${host.clock.monotonic()} ${lineOf(event)}`
    hash.update(line).update('\n')
    events += 1
    lines.push(line)
    if (lines.length > 2 * KEPT_LINES) lines.splice(0, KEPT_LINES)
  }

  const runtime = createRuntime({
    node: nodeId(options.node ?? 'simulated'),
    host,
    behaviors: options.behaviors,
    outside: options.outside?.(host) ?? {},
    observe: {
      log: options.observe?.log ?? (() => undefined),
      metric: options.observe?.metric ?? (() => undefined),
      audit: options.observe?.audit ?? (() => undefined),
      ...(options.observe?.timeline === undefined ? {} : { timeline: options.observe.timeline }),
    },
    failed: (reason) => {
      failure = reason
    },
    trace,
    ...(options.in_order === true ? {} : { choose: (count: number) => order.below(count) }),
    hosting: noHosting,
    ...(options.remote === undefined ? {} : { remote: options.remote }),
    boot: options.boot ?? 0,
  })

  return {
    runtime,
    host,
    failure: () => failure,
    advance: (ms) => host.clock.advance(ms),
    runUntilIdle: (most_steps) => {
      host.clock.runUntilIdle(most_steps)
    },
    trace: () => lines.slice(-KEPT_LINES),
    events: () => events,
    traceHash: () => hash.copy().digest('hex'),
  }
}

const nameOf = (ref: Ref | undefined): string => (ref === undefined ? 'outside' : keyOf(ref))

function lineOf(event: TraceEvent): string {
  switch (event.what) {
    case 'handled':
      return `handled ${nameOf(event.actor)} from ${nameOf(event.sender)} ${dataOf(event.message)}`
    case 'effect':
      return `effect ${nameOf(event.actor)} ${dataOf(event.effect)}`
    case 'dead-letter':
      return `dead-letter ${event.reason} ${event.to} ${dataOf(event.message)}`
    case 'started':
    case 'ended':
    case 'failed':
    case 'resting':
    case 'passive':
      return `${event.what} ${nameOf(event.actor)}`
  }
}

/** Audio and other bytes as their length and a digest: readable, and still compared. */
const dataOf = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    if (!ArrayBuffer.isView(part)) return part
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
    return `${bytes.length} bytes ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
  })
