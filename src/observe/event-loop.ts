/** Adapter on Node's event-loop delay histogram: how late the node's own work runs, as gauges at every scrape. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

/** Sampling period in milliseconds. The histogram counts it as delay, so it is subtracted again. */
const RESOLUTION_MS = 5
const NANOSECONDS = 1e6

export interface LoopLag {
  readonly p50_ms: number
  readonly p99_ms: number
  readonly max_ms: number
}

export interface LoopWatch {
  /** Since the watch began or was last reset. */
  read(): LoopLag
  reset(): void
  stop(): void
}

export function watchEventLoop(): LoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS)
  return {
    read: () => ({
      p50_ms: late(histogram.percentile(50)),
      p99_ms: late(histogram.percentile(99)),
      max_ms: late(histogram.max),
    }),
    reset: () => histogram.reset(),
    stop: () => histogram.disable(),
  }
}

/** Publishes the lag since the previous scrape, so a bad minute is seen and then forgotten. */
export function reportEventLoop(metrics: Metrics, watch: LoopWatch): void {
  metrics.onScrape(() => {
    const lag = watch.read()
    metrics.set('loqa_event_loop_lag_ms', lag.p50_ms, { quantile: '0.5' })
    metrics.set('loqa_event_loop_lag_ms', lag.p99_ms, { quantile: '0.99' })
    metrics.set('loqa_event_loop_lag_ms', lag.max_ms, { quantile: '1' })
    metrics.set('loqa_process_rss_bytes', process.memoryUsage.rss())
    watch.reset()
  })
}
