/** How the runtime tells the outside what happens in it. The composition root connects it to logs, metrics and the audit log. */
import type { Ref } from './address.ts'
import type { Effect, Message } from './effects.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Observe {
  /** `actor` is absent when the runtime itself speaks. */
  log(
    level: LogLevel,
    message: string,
    values: Readonly<Record<string, unknown>>,
    actor: Ref | undefined,
  ): void
  metric(metric: Omit<Extract<Effect, { type: 'metric' }>, 'type'>): void
  audit(entry: Omit<Extract<Effect, { type: 'audit' }>, 'type'>, actor: Ref): void
  /** Absent: nobody keeps timelines. */
  timeline?(step: Omit<Extract<Effect, { type: 'timeline' }>, 'type'>, actor: Ref): void
}

/** What a simulation sees of the runtime, in the order in which it happens. */
export type TraceEvent =
  | {
      readonly what: 'handled'
      readonly actor: Ref
      readonly message: Message
      readonly sender: Ref | undefined
    }
  | { readonly what: 'started' | 'ended' | 'failed' | 'resting' | 'passive'; readonly actor: Ref }
  | { readonly what: 'effect'; readonly actor: Ref; readonly effect: Effect }
  | { readonly what: 'dead-letter'; readonly to: string; readonly message: Message; readonly reason: string }

export type Trace = (event: TraceEvent) => void
