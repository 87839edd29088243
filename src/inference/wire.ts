/**
 * What an engine process says, checked once where it enters the node. A process that says anything else has lost its mind
 * (damaged memory, wrong version) and is replaced.
 */
import { z } from 'zod'
import { MAX_VECTOR } from './asked.ts'
import type { EngineEvent, Measurement } from './engine.ts'
import { aligned, FRAME_KIND, type Frame } from './frames.ts'

const stream = z.int().min(0).max(0xffff_ffff)
const ms = z.number().min(0)
const words = z.string().max(2_000_000)

const error = z.object({
  code: z.string().min(1).max(64),
  message: z.string().max(1_000),
  retryable: z.boolean(),
  hint: z.string().max(1_000).exactOptional(),
})

const usage = z.object({
  input_tokens: z.number().min(0).exactOptional(),
  output_tokens: z.number().min(0).exactOptional(),
  audio_ms: ms.exactOptional(),
  compute_ms: ms,
})

/** As numbers in JSON, because it is one of a run and small beside the text it stands for. */
const vector = z
  .array(z.number())
  .min(1)
  .max(MAX_VECTOR)
  .transform((numbers) => Float32Array.from(numbers))

const event = z.discriminatedUnion('type', [
  z.object({ type: z.literal('partial'), text: words }),
  z.object({ type: z.literal('final'), text: words, confidence: z.number().min(0).max(1).exactOptional() }),
  z.object({ type: z.literal('token'), text: words }),
  z.object({ type: z.literal('activity'), voiced: z.boolean(), audio_ms: ms }),
  z.object({ type: z.literal('embedding'), vector }),
  z.object({ type: z.literal('done'), usage, reason: z.enum(['stop', 'length']).exactOptional() }),
  z.object({ type: z.literal('failed'), error }),
])

const measurement = z.object({
  p50_ms: ms,
  p95_ms: ms,
  real_time_factor: z.number().min(0).exactOptional(),
  tokens_per_s: z.number().min(0).exactOptional(),
  runs: z.int().min(1),
  gpu: z
    .object({
      backend: z.enum(['cuda', 'metal', 'vulkan']),
      free_mb: z.number().min(0).max(1e9),
      total_mb: z.number().min(0).max(1e9),
    })
    .exactOptional(),
})

const said = z.discriminatedUnion('type', [
  /** The process runs and waits for `load`. */
  z.object({ type: z.literal('started') }),
  z.object({ type: z.literal('loaded'), admits: z.int().min(1).max(4_096) }),
  z.object({ type: z.literal('load-failed'), error }),
  z.object({ type: z.literal('event'), stream, event }),
  /** How much of a run's sound the engine has worked through, from the beginning. */
  z.object({ type: z.literal('heard'), stream, audio_ms: ms }),
  /** The engine has let go of a cancelled run. */
  z.object({ type: z.literal('released'), stream }),
  z.object({ type: z.literal('measured'), measurement }),
  z.object({ type: z.literal('pong'), ping: stream, rss_bytes: z.number().min(0) }),
])

/** engine process → node. */
export type FromChild =
  | Exclude<z.infer<typeof said>, { type: 'event' | 'measured' }>
  | { readonly type: 'event'; readonly stream: number; readonly event: EngineEvent }
  | { readonly type: 'measured'; readonly measurement: Measurement }

const AUDIO_RATES = { min: 8_000, max: 96_000 }

/** Undefined when the frame is not something an engine process may say. Never throws. */
export function decodeFromChild(frame: Frame): FromChild | undefined {
  if (frame.kind === FRAME_KIND.audio_out) return audioOut(frame)
  if (frame.kind !== FRAME_KIND.json) return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(frame.payload).toString('utf8'))
  } catch {
    return undefined
  }
  const checked = said.safeParse(value)
  return checked.success ? checked.data : undefined
}

function audioOut({ stream, payload }: Frame): FromChild | undefined {
  if (payload.byteLength < 4 || payload.byteLength % 2 !== 0) return undefined
  const sample_rate = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)
  if (sample_rate < AUDIO_RATES.min || sample_rate > AUDIO_RATES.max) return undefined
  const samples = new Int16Array(aligned(payload.subarray(4)))
  return { type: 'event', stream, event: { type: 'audio', samples, sample_rate } }
}
