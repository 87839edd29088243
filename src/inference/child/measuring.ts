/** The self-benchmark every adapter shares: short runs on built-in input, one after the other. */
import type { Engine, EngineEvent, EngineInput, EngineRequest, Measurement, Usage } from '../engine.ts'

export interface Trial {
  readonly request: EngineRequest
  readonly inputs: readonly EngineInput[]
  /** From where the wait counts: opening the run, or saying that the input is complete. */
  readonly from: 'open' | 'finish'
}

interface Timed {
  readonly wait_ms: number
  readonly usage: Usage
}

const SAMPLE_RATE = 16_000
const WAITED_FOR: ReadonlySet<EngineEvent['type']> = new Set([
  'final',
  'token',
  'audio',
  'embedding',
  'activity',
])

function runOnce(engine: Engine, trial: Trial): Promise<Timed> {
  return new Promise((resolve, reject) => {
    let start_ms = performance.now()
    let first_ms: number | undefined
    const stream = engine.open(trial.request, (event) => {
      if (WAITED_FOR.has(event.type)) first_ms ??= performance.now()
      if (event.type === 'done') {
        resolve({ wait_ms: (first_ms ?? performance.now()) - start_ms, usage: event.usage })
      }
      if (event.type === 'failed') reject(new Error(event.error.message))
    })
    for (const input of trial.inputs) stream.feed(input)
    if (trial.from === 'finish') start_ms = performance.now()
    stream.finish()
  })
}

/** Errors: the first run that fails rejects. */
export async function measureRuns(engine: Engine, trial: Trial, runs: number): Promise<Measurement> {
  const timed: Timed[] = []
  for (let i = 0; i < runs; i += 1) timed.push(await runOnce(engine, trial))
  const waits = timed.map((run) => run.wait_ms).sort((a, b) => a - b)
  const at = (quantile: number): number =>
    waits[Math.min(waits.length - 1, Math.floor(waits.length * quantile))]!
  const total = (of: (usage: Usage) => number | undefined): number =>
    timed.reduce((sum, run) => sum + (of(run.usage) ?? 0), 0)
  const compute_ms = total((usage) => usage.compute_ms)
  const audio_ms = total((usage) => usage.audio_ms)
  const tokens = total((usage) => usage.output_tokens)
  return {
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    runs,
    ...(audio_ms > 0 ? { real_time_factor: compute_ms / audio_ms } : {}),
    ...(tokens > 0 && compute_ms > 0 ? { tokens_per_s: (tokens / compute_ms) * 1_000 } : {}),
  }
}

/** A neural voice: what a short sentence takes. */
export const measureVoice = (engine: Engine, text: string): Promise<Measurement> =>
  measureRuns(engine, { request: { kind: 'tts', text }, inputs: [], from: 'open' }, 4)

/** A recogniser of whole sentences: two seconds of silence, to which it listens as long as to words. */
export function measureSentences(engine: Engine): Promise<Measurement> {
  const inputs: EngineInput[] = [{ type: 'audio', samples: new Float32Array(2 * SAMPLE_RATE) }]
  const request = { kind: 'stt', sample_rate: SAMPLE_RATE } as const
  return measureRuns(engine, { request, inputs, from: 'finish' }, 3)
}
