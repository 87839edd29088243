/**
 * Engines of an OpenAI-compatible server (Ollama, vLLM, LM Studio, llama.cpp's own, or a cloud) under the contract of all engines:
 * chat, transcription, speech. What is asked leaves this machine; that is switched on by a person, never by default.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineKind, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import { Server } from './elsewhere.ts'
import { type Writable, Writing } from './openai-chat.ts'
import type { Loaded, OnEvent } from './openai-run.ts'
import { Hearing, Speaking } from './openai-sound.ts'

/** A server has queues of its own. */
const ADMITS = 16

const parameters = z.object({
  url: z.string(),
  model: z.string(),
  voice: z.string(),
  timeout_ms: z.number(),
})

export class OpenAiEngine implements Engine {
  readonly admits = ADMITS
  #kind: EngineKind = 'llm'
  #loaded: Loaded | undefined

  get kind(): EngineKind {
    return this.#kind
  }

  /** The server is not asked before somebody needs it: it may be off now, and every question may cost. */
  async load(files: ModelFiles): Promise<void> {
    const { url, model, voice, timeout_ms } = parameters.parse(files.parameters)
    this.#kind = files.kind
    this.#loaded = {
      server: new Server({ url, key: await keyOf(files.paths.key), timeout_ms }),
      model,
      voice,
    }
  }

  open(request: EngineRequest, onEvent: OnEvent): EngineStream {
    if (this.#loaded === undefined) throw new LoqaError('engine-unavailable', 'No server is set')
    const able = (this.#kind === 'llm' && request.kind === 'chat') || request.kind === this.#kind
    if (!able) throw new LoqaError('invalid-input', `This engine of a server does ${this.#kind} only`)
    switch (request.kind) {
      case 'stt':
        return new Hearing(this.#loaded, onEvent)
      case 'tts':
        return new Speaking(this.#loaded, request, onEvent)
      default:
        return new Writing(this.#loaded, request as Writable, onEvent)
    }
  }

  /** A trial would send something nobody said, and may cost: what is known comes from real runs. */
  measure(): Promise<Measurement> {
    return new Promise(() => undefined)
  }

  async unload(): Promise<void> {
    this.#loaded = undefined
  }
}

async function keyOf(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return (await readFile(path, 'utf8')).split('\n', 1)[0]!.trim()
  } catch {
    throw new LoqaError('model-invalid', `openai.key_file cannot be read: ${path}`, {
      hint: 'Write the key into it as its first line, readable by the node alone.',
    })
  }
}
