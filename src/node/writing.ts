/** The language model outside any conversation of the house: answers token by token, vectors of texts; and which engines there are. */
import { placedAddress, type Ref } from '../actors/index.ts'
import type { EmbeddedText, EngineRow, WriteRequest, Written } from '../api/index.ts'
import type { Cluster } from '../cluster/index.ts'
import { LoqaError } from '../host/index.ts'
import type { Pool } from '../inference/index.ts'
import { type EngineDoors, eventsOf } from './engine-run.ts'

const WRITER: Ref = { address: placedAddress('voice', 'writing'), incarnation: 1 }
/** A long answer of a large model on a small machine: 2,000 tokens at 4 a second. Who asked may give up sooner. */
const WRITE_MS = 500_000
/** A text of the largest size takes a small machine some seconds. */
const EMBED_MS = 30_000
const SEEDS = 0xffff_ffff

/** Errors: those of the engine, with their codes. Ending the iteration early, or `signal`, cancels the run. */
export async function* answerFor(
  doors: EngineDoors,
  { engine = 'llm', ...asked }: WriteRequest,
  signal: AbortSignal,
): AsyncIterable<Written> {
  // Another node may have to do the run again, and must come to the same words.
  const seed = asked.seed ?? Math.floor(doors.random.float() * SEEDS)
  const request = { kind: 'chat', ...asked, ...(asked.temperature ? { seed } : {}) } as const
  const run = { to: engine, request, actor: WRITER, deadline_ms: WRITE_MS }
  for await (const event of eventsOf(doors, run, signal)) {
    if (event.type === 'token') yield { type: 'text', text: event.text }
    if (event.type !== 'done') continue
    const { input_tokens = 0, output_tokens = 0 } = event.usage
    yield { type: 'end', reason: event.reason ?? 'stop', input_tokens, output_tokens }
  }
}

/** Errors: those of the engine; `cancelled` after `signal`. */
export async function embeddingOf(
  doors: EngineDoors,
  { text, engine = 'llm' }: { readonly text: string; readonly engine?: string },
  signal: AbortSignal,
): Promise<EmbeddedText> {
  const run = {
    to: engine,
    request: { kind: 'embedding', text },
    actor: WRITER,
    deadline_ms: EMBED_MS,
  } as const
  let vector: Float32Array | undefined
  let tokens = 0
  for await (const event of eventsOf(doors, run, signal)) {
    if (event.type === 'embedding') vector = event.vector
    if (event.type === 'done') tokens = event.usage.input_tokens ?? 0
  }
  if (vector !== undefined) return { vector, tokens }
  throw signal.aborted
    ? new LoqaError('cancelled', 'The request was given up')
    : new LoqaError('engine-unavailable', 'The engine gave no vector for this text')
}

/** Those that would be used now, of the household; each tag once. */
export function enginesOf(
  pool: Pick<Pool, 'capabilities'>,
  cluster: Pick<Cluster, 'sheets'> | undefined,
): readonly EngineRow[] {
  const own = pool.capabilities().filter(({ state }) => state === 'ready')
  const others = [...(cluster?.sheets().values() ?? [])].flatMap(({ sheet }) =>
    sheet.capabilities.filter(({ ready }) => ready),
  )
  const tags = [...new Set([...own, ...others].map(({ tag }) => tag))]
  return tags.flatMap((tag) => {
    const parts = /^(stt|llm|tts)\.[^:]+:(.+)$/.exec(tag)
    return parts === null ? [] : [{ tag, kind: parts[1] as EngineRow['kind'], model: parts[2]! }]
  })
}
