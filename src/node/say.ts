/** Speech for a text, outside any conversation: the engine's events as a stream of bytes. */
import { placedAddress, type Ref } from '../actors/index.ts'
import { bytesOf } from '../voice/index.ts'
import { type EngineDoors, eventsOf } from './engine-run.ts'

export interface SpeechChunk {
  /** s16le mono. */
  readonly pcm: Uint8Array
  readonly sample_rate: number
}

export interface SpeechAsked {
  readonly text: string
  /** Empty is the engine's own choice. */
  readonly voice: string
  readonly speed: number
  /** Which voice engine; any by default. */
  readonly engine?: string | undefined
}

const SAYER: Ref = { address: placedAddress('voice', 'say'), incarnation: 1 }

/** A long text may be spoken for minutes, but an engine must begin and go on within this, ms. */
const RUN_MS = 120_000

/** Errors: those of the engine, with their codes. Ending the iteration early, or `signal`, cancels the run. */
export async function* speechFor(
  doors: EngineDoors,
  { text, voice, speed, engine = 'tts' }: SpeechAsked,
  signal: AbortSignal,
): AsyncIterable<SpeechChunk> {
  const request = { kind: 'tts', text, speed, ...(voice === '' ? {} : { voice }) } as const
  const run = { to: engine, request, actor: SAYER, deadline_ms: RUN_MS }
  for await (const event of eventsOf(doors, run, signal)) {
    if (event.type === 'audio') yield { pcm: bytesOf(event.samples), sample_rate: event.sample_rate }
  }
}
