/**
 * Engines of a Wyoming service (Home Assistant's add-ons for Whisper and Piper, another node, whoever speaks it) under the contract of all
 * engines: transcription and speech. What is asked leaves this machine; that is switched on by a person, never by default.
 */
import { z } from 'zod'
import { LoqaError } from '../../host/errors.ts'
import type { Engine, EngineKind, EngineRequest, EngineStream, Measurement, ModelFiles } from '../engine.ts'
import type { OnEvent } from './openai-run.ts'
import { WyomingHearing, WyomingSpeaking } from './wyoming-runs.ts'
import { Service } from './wyoming-service.ts'

/** A service has queues of its own. */
const ADMITS = 16

const parameters = z.object({ url: z.string(), voice: z.string(), timeout_ms: z.number() })

export class WyomingEngine implements Engine {
  readonly admits = ADMITS
  #kind: EngineKind = 'stt'
  #service: Service | undefined
  #voice = ''

  get kind(): EngineKind {
    return this.#kind
  }

  /** The service is not asked before somebody needs it: it may be off now. */
  async load(files: ModelFiles): Promise<void> {
    const { url, voice, timeout_ms } = parameters.parse(files.parameters)
    this.#kind = files.kind
    this.#voice = voice
    this.#service = new Service({ url, timeout_ms })
  }

  open(request: EngineRequest, onEvent: OnEvent): EngineStream {
    if (this.#service === undefined) throw new LoqaError('engine-unavailable', 'No service is set')
    if (request.kind === this.#kind && request.kind === 'stt')
      return new WyomingHearing(this.#service, request, onEvent)
    if (request.kind === this.#kind && request.kind === 'tts')
      return new WyomingSpeaking(this.#service, this.#voice, request, onEvent)
    throw new LoqaError('invalid-input', `This engine of a service does ${this.#kind} only`)
  }

  /** A trial would send something nobody said: what is known comes from real runs. */
  measure(): Promise<Measurement> {
    return new Promise(() => undefined)
  }

  async unload(): Promise<void> {
    this.#service = undefined
  }
}
