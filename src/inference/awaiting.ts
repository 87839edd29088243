/** A run on an engine that has yet to load: what it is fed meanwhile is kept, and given to it once it is there. */
import type { EngineInput, EngineStream } from './engine.ts'

/** `settled`: the engine is ready, or will not be. `open`: fails the run by itself where it is not. */
export function openWhenSettled(settled: Promise<void>, open: () => EngineStream): EngineStream {
  const kept: EngineInput[] = []
  let finished = false
  let cancelled = false
  let stream: EngineStream | undefined
  void settled.then(() => {
    if (cancelled) return
    stream = open()
    for (const input of kept.splice(0)) stream.feed(input)
    if (finished) stream.finish()
  })
  return {
    feed(input) {
      if (stream === undefined) kept.push(input)
      else stream.feed(input)
    },
    finish() {
      finished = true
      stream?.finish()
    },
    cancel() {
      cancelled = true
      kept.length = 0
      return stream?.cancel()
    },
  }
}
