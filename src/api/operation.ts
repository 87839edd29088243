/** What one row of the table of operations is made of. */
import type { z } from 'zod'
import type { NodeView } from './view.ts'
import type { TurnView } from './voice-shapes.ts'

export interface Answer {
  readonly status?: number
  readonly body: unknown
}

export interface Call {
  readonly view: NodeView
  readonly body: unknown
  readonly query: unknown
  /** Of the path, as `params` has them. */
  readonly params: unknown
  /** Aborted when the caller goes away or the time is over. */
  readonly signal: AbortSignal
  /** May see reasons and details: holds the token, or none is needed. */
  readonly trusted: boolean
  /** Tells watchers of a finished turn. */
  readonly told: (turn: TurnView) => void
}

export interface Operation {
  readonly id: string
  readonly method: 'GET' | 'POST'
  /** `:name` stands for a part that `params` describes. */
  readonly path: string
  readonly params?: z.ZodObject
  readonly summary: string
  readonly request?: z.ZodType
  /** Of its body; the limit of all others where it is absent. */
  readonly most_bytes?: number
  /** What may stand behind the question mark. */
  readonly query?: z.ZodType
  readonly response: z.ZodType
  readonly contentType: 'application/json' | 'application/x-ndjson' | 'text/plain' | 'audio/wav'
  /** Statuses it may give beside 200 and the common refusals. */
  readonly errors: readonly number[]
  run(call: Call): Promise<Answer> | Answer
}
