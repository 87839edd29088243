/**
 * A run on an engine elsewhere that goes on with one of the node's own when that one cannot: nobody who asked notices more than the
 * delay, unless something of the answer was given out already. What is kept and repeated is decided in `carried-run.ts`.
 */
import { again, carry, fed, finished, heard, isEngineAtFault, mayCarryOn } from './carried-run.ts'
import type { EngineEvent, EngineRequest, EngineStream } from './engine.ts'

/** An engine that may be begun with. */
export interface Opener {
  readonly spec: { readonly model: string; readonly tag: string }
  open(request: EngineRequest, onEvent: (event: EngineEvent) => void): EngineStream
}

/** `next`: who could do it, after those named. `fell` is told each time. */
export function openWithFallback<T extends Opener>(
  first: T,
  next: (tried: ReadonlySet<T>) => T | undefined,
  request: EngineRequest,
  onEvent: (event: EngineEvent) => void,
  fell: (from: T, to: T, why: string) => void,
): EngineStream {
  const tried = new Set<T>()
  let run = carry(request)
  let at = first
  let over = false
  let stream: EngineStream

  const listen =
    (opener: T) =>
    (event: EngineEvent): void => {
      if (over || at !== opener) return
      if (event.type === 'failed' && isEngineAtFault(event.error)) {
        const other = next(tried)
        if (other !== undefined && mayCarryOn(run, opener.spec.model, other.spec.model)) {
          fell(opener, other, event.error.code)
          begin(other)
          return
        }
      }
      const told = heard(run, event)
      run = told.run
      over = event.type === 'done' || event.type === 'failed'
      if (told.news !== undefined) onEvent(told.news)
    }
  const begin = (opener: T): void => {
    tried.add(opener)
    at = opener
    run = again(run)
    stream = opener.open(request, listen(opener))
    for (const input of run.inputs ?? []) stream.feed(input)
    if (run.finished) stream.finish()
  }
  begin(first)
  return {
    feed(input) {
      run = fed(run, input)
      stream.feed(input)
    },
    finish() {
      run = finished(run)
      stream.finish()
    },
    cancel() {
      over = true
      return stream.cancel()
    },
  }
}
