/** An actor that does what it is told and remembers what it heard: the test decides, the runtime is the real one. */
import {
  type Address,
  type Behavior,
  type Effect,
  type ExitReason,
  fixedAddress,
  type Message,
  next,
  placedAddress,
  type Ref,
  type Runtime,
} from '../../src/actors/index.ts'
import { createSimulation, type Simulation, type SimulationOptions } from '../../src/actors/simulate.ts'
import { assert, nodeId } from '../../src/host/index.ts'

export type Fault = 'throw' | 'reject' | 'invariant'
export const FAULTS: readonly Fault[] = ['throw', 'reject', 'invariant']

/** Breaks the contract in one of the three ways. Returns `never` for the types; a rejected promise for `reject`. */
export function breakDown(fault: Fault): never {
  if (fault === 'throw') throw new Error('a defect')
  if (fault === 'invariant') assert(false, 'a broken invariant')
  return Promise.reject(new Error('an async defect')) as never
}

export interface ProbeArgs {
  /** Effects of `start`. */
  readonly atStart?: readonly Effect[]
  readonly atStop?: readonly Effect[]
  /** Keep asks unanswered unless told otherwise. */
  readonly silent?: boolean
}

export interface ProbeState extends ProbeArgs {
  readonly heard: readonly Message[]
}

/** Tells a probe to have these effects. */
export const doing = (...effects: readonly Effect[]): Message => ({ type: 'do', effects }) as Message
export const note = (n: number): Message => ({ type: 'note', n }) as Message
export const breaking = (fault: Fault): Message => ({ type: 'break', fault }) as Message

export const probe: Behavior<ProbeState, Message, ProbeArgs | undefined> = {
  kind: 'probe',
  start: (args) => next({ ...args, heard: [] }, args?.atStart ?? []),
  receive(state, message, { replyTo, deadline_ms, sender }) {
    if (message.type === 'break') return breakDown((message as Message & { fault: Fault }).fault)
    if (message.type === 'do')
      return next(state, (message as Message & { effects: readonly Effect[] }).effects)
    const heard = [...state.heard, message]
    if (replyTo === undefined || state.silent === true) return next({ ...state, heard })
    const report = { type: 'report', heard: state.heard, deadline_ms, sender } as Message
    return next({ ...state, heard }, [{ type: 'reply', to: replyTo, message: report }])
  },
  childExited: (state, child, reason) =>
    next({ ...state, heard: [...state.heard, { type: 'child-exited', child, reason } as Message] }),
  stopping: (state) => state.atStop ?? [],
  snapshot: (state) => state,
  restore: (snapshot) => next(snapshot as ProbeState),
}

export interface Bench extends Simulation {
  readonly logs: {
    readonly level: string
    readonly message: string
    readonly values: Record<string, unknown>
  }[]
  /** What an actor heard, in order; it must be alive. */
  heard(actor: Ref | Address): Promise<Message[]>
  row(actor: Ref | Address): ReturnType<Runtime['actors']>[number] | undefined
}

export function bench(options: Partial<SimulationOptions> = {}): Bench {
  const logs: Bench['logs'] = []
  const simulation = createSimulation({
    seed: 1,
    in_order: true,
    behaviors: { probe },
    observe: {
      log: (level, message, values) => {
        logs.push({ level, message, values })
      },
    },
    ...options,
  })
  const { runtime } = simulation
  return {
    ...simulation,
    logs,
    async heard(actor) {
      const answer = runtime.ask(actor, { type: 'report' }, { deadline_ms: 1_000 })
      simulation.advance(20)
      const { heard } = (await answer) as Message & { readonly heard: readonly Message[] }
      // The looking itself leaves no trace.
      return heard.filter(({ type }) => type !== 'report')
    },
    row(actor) {
      const address = typeof actor === 'string' ? actor : actor.address
      return runtime.actors().find((row) => row.address === address)
    },
  }
}

export const at = (path: string): Address => fixedAddress(nodeId('simulated'), path)
export const placed = (key: string): Address => placedAddress('probe', key)
export const types = (messages: readonly Message[]): string[] => messages.map(({ type }) => type)
export const numbers = (messages: readonly Message[]): number[] =>
  messages.flatMap((message) => ('n' in message ? [message.n as number] : []))
export type Terminated = Message & { readonly ref: Ref; readonly reason: ExitReason }
