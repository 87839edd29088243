/**
 * A run that outlives the engine it began on: what was fed to it is kept, what came of it is counted, so that another engine can
 * do it again and the listener hears each word and sample once. Pure.
 *
 * C1 Whoever listens gets the same events as from one engine that never failed: no token, no sample twice, none left out.
 * C2 Once something of a spoken or written answer was delivered, only the same model may carry it on: another one would
 *    finish another sentence. Recognition may change models at any time, its partials are revised anyhow.
 * C3 What is kept is bounded: beyond `MAX_KEPT_BYTES` the run can no longer be carried on, and fails with its engine.
 */
import { assertNever, type ErrorShape, limits } from '../host/index.ts'
import type { EngineEvent, EngineInput, EngineRequest } from './engine.ts'

/** The longest utterance as Float32; texts are far smaller. */
const MAX_KEPT_BYTES = (limits.MAX_UTTERANCE_MS / 1000) * limits.SAMPLE_RATE * 4

export interface CarriedRun {
  readonly request: EngineRequest
  /** What was fed so far, in order; undefined once it was too much to keep. */
  readonly inputs: readonly EngineInput[] | undefined
  readonly kept_bytes: number
  readonly finished: boolean
  /** Delivered to the listener so far. */
  readonly delivered: Progress
  /** What the engine at work has yet to repeat before anything of it is news. */
  readonly repeats: Progress
}

interface Progress {
  readonly characters: number
  readonly samples: number
}

const NOTHING: Progress = { characters: 0, samples: 0 }

export const carry = (request: EngineRequest): CarriedRun => ({
  request,
  inputs: [],
  kept_bytes: 0,
  finished: false,
  delivered: NOTHING,
  repeats: NOTHING,
})

export function fed(run: CarriedRun, input: EngineInput): CarriedRun {
  const bytes = input.type === 'audio' ? input.samples.byteLength : input.text.length * 2
  const kept_bytes = run.kept_bytes + bytes
  const inputs = kept_bytes > MAX_KEPT_BYTES ? undefined : run.inputs && [...run.inputs, input]
  return { ...run, inputs, kept_bytes }
}

export const finished = (run: CarriedRun): CarriedRun => ({ ...run, finished: true })

/** There is nothing to feed. */
const RUNS_AT_ONCE: ReadonlySet<EngineRequest['kind']> = new Set(['llm', 'chat', 'embedding'])

/** Whether the engine has all it needs, so that its silence means something. */
export const isWaitedFor = ({ request, finished }: CarriedRun): boolean =>
  finished || RUNS_AT_ONCE.has(request.kind) || (request.kind === 'tts' && request.text !== undefined)

/** Whether this is what was asked for, or its end: partials are revised anyhow. */
export const isResult = ({ type }: EngineEvent): boolean => type !== 'partial'

/** Whether an engine with that model, after one with `before`, may do the run again. */
export function mayCarryOn(run: CarriedRun, before: string, model: string): boolean {
  if (run.inputs === undefined) return false
  const { characters, samples } = run.delivered
  return model === before || (characters === 0 && samples === 0)
}

/** The run as the next engine begins it: all that was delivered is to be repeated first. */
export const again = (run: CarriedRun): CarriedRun => ({ ...run, repeats: run.delivered })

/** An engine said something: what of it is news to the listener, if anything. */
export function heard(
  run: CarriedRun,
  event: EngineEvent,
): { readonly run: CarriedRun; readonly news: EngineEvent | undefined } {
  switch (event.type) {
    case 'token':
      return token(run, event)
    case 'audio':
      return audio(run, event)
    case 'embedding':
    case 'activity':
    case 'partial':
    case 'final':
    case 'done':
    case 'failed':
      return { run, news: event }
    default:
      return assertNever(event)
  }
}

function token(run: CarriedRun, event: Extract<EngineEvent, { type: 'token' }>) {
  const known = Math.min(event.text.length, run.repeats.characters)
  const text = event.text.slice(known)
  return {
    run: {
      ...run,
      repeats: { ...run.repeats, characters: run.repeats.characters - known },
      delivered: { ...run.delivered, characters: run.delivered.characters + text.length },
    },
    news: text === '' && known > 0 ? undefined : { ...event, text },
  }
}

function audio(run: CarriedRun, event: Extract<EngineEvent, { type: 'audio' }>) {
  const known = Math.min(event.samples.length, run.repeats.samples)
  // The receiver owns the buffer: what is left gets one of its own.
  const samples = known === 0 ? event.samples : event.samples.slice(known)
  return {
    run: {
      ...run,
      repeats: { ...run.repeats, samples: run.repeats.samples - known },
      delivered: { ...run.delivered, samples: run.delivered.samples + samples.length },
    },
    news: samples.length === 0 && known > 0 ? undefined : { ...event, samples },
  }
}

/** Failures that say something of the engine, not of the work: another one may do it. */
const ENGINE_AT_FAULT: ReadonlySet<string> = new Set([
  'unreachable',
  'stopped',
  'overloaded',
  'engine-crashed',
  'engine-hung',
  'engine-over-memory',
  'engine-unavailable',
])

export const isEngineAtFault = ({ code }: ErrorShape): boolean => ENGINE_AT_FAULT.has(code)
