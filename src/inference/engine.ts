/**
 * The contract every engine keeps, whatever library is behind it: load, run as a stream, cancel, unload, measure.
 * The same shape is spoken by an adapter inside its child process and by the replica in the node that drives it.
 */
import type { ErrorShape } from '../host/index.ts'

export type EngineKind = 'stt' | 'llm' | 'tts' | 'vad' | 'wake' | 'embedding'

/** A model on disk, checked against its sha-256 before any engine sees it. */
export interface ModelFiles {
  readonly id: string
  readonly kind: EngineKind
  readonly engine: string
  /** Role → absolute path, e.g. `{ model: '…/stt.onnx', tokens: '…/tokens.txt' }`. */
  readonly paths: Readonly<Record<string, string>>
  /** What the adapter needs to know beyond the files; from the model's manifest entry. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Where an adapter may keep what it makes of the files, for its next start; it need not exist yet. */
  readonly work_dir?: string
  /** Where libraries lie that were added to the ones that came with the program, one folder for each engine. */
  readonly engines_dir?: string
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** What a stream is opened with. One union for all engines: the next adapter must not need another. */
export type EngineRequest =
  /** Audio follows by `feed` until `finish`. Samples: Float32, mono, `sample_rate` Hz, finite, in [−1, 1]. */
  | { readonly kind: 'stt'; readonly sample_rate: 16000 }
  /** As `stt`, for ever: each `partial` lists the wake words heard since the run began, separated by spaces. */
  | { readonly kind: 'wake'; readonly sample_rate: 16000 }
  /** Whether somebody speaks. Audio follows as for `stt`, for ever; each `activity` says so of the sound since the one before. */
  | { readonly kind: 'vad'; readonly sample_rate: 16000 }
  /** Runs at once; there is nothing to feed nor to finish. */
  | {
      readonly kind: 'llm'
      readonly prompt: string
      /** JSON schema the whole output obeys. */
      readonly schema?: Readonly<Record<string, unknown>>
      readonly max_tokens: number
      readonly temperature?: number
    }
  /**
   * A conversation, for language models; runs at once. The adapter writes it down as its model learned to read conversations. An
   * answer cut off by `max_tokens`, or by the end of what the model can hold, is `done` with the reason `length`.
   */
  | {
      readonly kind: 'chat'
      readonly messages: readonly ChatMessage[]
      /** JSON schema the whole answer obeys, unless it is cut off. */
      readonly schema?: Readonly<Record<string, unknown>>
      /** As many as the model has room for when absent. */
      readonly max_tokens?: number
      readonly temperature?: number
      readonly top_p?: number
      /** The same one gives the same answer on the same model; needed where `temperature` is not 0 and a run may be done again. */
      readonly seed?: number
      /** The answer ends before the first of these. */
      readonly stop?: readonly string[]
    }
  /** What a text means as a vector, from a language model; runs at once. */
  | { readonly kind: 'embedding'; readonly text: string }
  /** Whose voice it is as a vector. Audio follows as for `stt`. */
  | { readonly kind: 'speaker'; readonly sample_rate: 16000 }
  /**
   * Text by `feed` (a streaming writer) until `finish`; or all at once in `text`, then there is nothing to feed nor to finish.
   * `speed` 0.5 … 2, 1 is natural.
   */
  | { readonly kind: 'tts'; readonly text?: string; readonly voice?: string; readonly speed?: number }

export type EngineInput =
  | { readonly type: 'audio'; readonly samples: Float32Array }
  | { readonly type: 'text'; readonly text: string }

export type EngineEvent =
  /** The text so far; later partials may revise it. */
  | { readonly type: 'partial'; readonly text: string }
  /** The text, after `finish`. `confidence` in [0, 1] where the engine has one. */
  | { readonly type: 'final'; readonly text: string; readonly confidence?: number }
  | { readonly type: 'token'; readonly text: string }
  /** Speech: s16 mono at `sample_rate` Hz, in order, without gaps. The receiver owns the buffer. */
  | { readonly type: 'audio'; readonly samples: Int16Array; readonly sample_rate: number }
  /** Whether there was a voice in the sound up to there, from the beginning of the run. */
  | { readonly type: 'activity'; readonly voiced: boolean; readonly audio_ms: number }
  /** Of unit length, as wide as the model. */
  | { readonly type: 'embedding'; readonly vector: Float32Array }
  /** The stream ended well; `usage` counts what was consumed and produced. `reason` is of a conversation's answer. */
  | { readonly type: 'done'; readonly usage: Usage; readonly reason?: 'stop' | 'length' }
  /** The stream ended; nothing follows. */
  | { readonly type: 'failed'; readonly error: ErrorShape }

export interface Usage {
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly audio_ms?: number
  /** Time the engine itself was busy with this stream. */
  readonly compute_ms: number
}

/** One run. Exactly one `done` or `failed` is the last event; after `cancel` there are no events at all. */
export interface EngineStream {
  feed(input: EngineInput): void
  /** No more input; the engine finishes what it has. */
  finish(): void
  /**
   * Drops the run; the engine is free for the next one within `inference.cancel_timeout_ms`, or is restarted soon after. An adapter that cannot let go at once
   * returns a promise that resolves when it has.
   */
  cancel(): void | Promise<void>
}

export interface Engine {
  readonly kind: EngineKind
  /** Runs it takes at once, waiting ones included; more are refused with `overloaded`. Known after `load`. */
  readonly admits: number
  /** Errors: `model-invalid` (damaged, wrong format), `engine-unavailable` (library missing on this machine). */
  load(model: ModelFiles): Promise<void>
  /**
   * `onHeard`: for a recogniser that listens while somebody speaks; it says every `HEARD_EVERY_MS` of sound how much of the run's
   * sound, in ms from the beginning, it has worked through (`lag.ts`). One that hears an utterance as a whole says nothing.
   */
  open(
    request: EngineRequest,
    onEvent: (event: EngineEvent) => void,
    onHeard?: (audio_ms: number) => void,
  ): EngineStream
  /** A short self-benchmark on built-in input. */
  measure(): Promise<Measurement>
  unload(): Promise<void>
}

export interface Measurement {
  /** Time to the first event, over `runs` runs. */
  readonly p50_ms: number
  readonly p95_ms: number
  /** Compute time over audio time (stt, tts); below 1 keeps up with speech. */
  readonly real_time_factor?: number
  readonly tokens_per_s?: number
  readonly runs: number
  /** What it computes on beside the processor, and its memory once the model is in it. */
  readonly gpu?: Gpu
}

export interface Gpu {
  readonly backend: 'cuda' | 'metal' | 'vulkan'
  readonly free_mb: number
  readonly total_mb: number
}
