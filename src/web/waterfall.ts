/** Where the time of an answer went, as bars behind each other. Pure. */
import type { Latency } from '../api/index.ts'

export interface Bar {
  readonly hop: 'endpoint' | 'stt' | 'nlu' | 'skill' | 'tts' | 'way'
  readonly label: string
  readonly from_ms: number
  readonly ms: number
}

const LABELS = [
  ['endpoint', 'hearing the end'],
  ['stt', 'last words'],
  ['nlu', 'meaning'],
  ['skill', 'doing it'],
  ['tts', 'voice'],
] as const

/**
 * The hops follow each other from your last sound on. What is left of the total, as the page measured it, is the way to the node and back.
 */
export function waterfall(latency: Latency): { readonly total_ms: number; readonly bars: readonly Bar[] } {
  const bars: Bar[] = []
  let at = 0
  for (const [hop, label] of LABELS) {
    const ms = latency[hop]
    if (ms === null) continue
    bars.push({ hop, label, from_ms: at, ms: Math.max(0, ms) })
    at += Math.max(0, ms)
  }
  const rest = (latency.total ?? 0) - at
  if (rest >= 1) bars.push({ hop: 'way', label: 'on the way', from_ms: at, ms: rest })
  return { total_ms: Math.max(at, latency.total ?? 0), bars }
}

/** `119 ms`, `1.4 s`. */
export const shown = (ms: number): string =>
  ms < 0.05
    ? '0 ms'
    : ms < 10
      ? `${ms.toFixed(1)} ms`
      : ms < 1000
        ? `${Math.round(ms)} ms`
        : `${(ms / 1000).toFixed(1)} s`
