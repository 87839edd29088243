/**
 * The way to the voice: an `infer` port around the engines' own. What conversations get from it is ready to play:
 * 16 kHz, without the silence a voice begins with, and from the cache when it was said before.
 *
 * S1  A reply in the cache leaves at once, in the voice of the house where that said it. S2  The same words asked for twice at a time are rendered once. S3  The cache
 * never holds more than its bytes; what was not heard for longest goes. S4  Only a whole rendering is kept.
 * Runs of other engines pass through untouched.
 */
import type { Outcome, OutsideEffect, Ref } from '../actors/index.ts'
import { placedAddress } from '../actors/index.ts'
import { type ErrorShape, type RequestId, requestId } from '../host/index.ts'
import { type EngineEvent, type EngineRequest, openRun } from '../inference/index.ts'
import { concat } from './audio.ts'
import { LeadingSilence } from './leading-silence.ts'
import { ReplyCache } from './reply-cache.ts'
import { Resampler } from './resample.ts'

type Deliver = (outcome: Outcome) => void
type Infer = OutsideEffect<'infer'>
type TtsRequest = Extract<EngineRequest, { kind: 'tts' }>

/** How the runtime asks for outside work. */
export interface InferPort {
  request(effect: Infer, deliver: Deliver, actor: Ref): void
  cancel(id: RequestId, actor: Ref): void
  actorGone(actor: Ref): void
}

/** In the name of whom renderings run: no actor owns one, several may listen. */
const SPEECH: Ref = { address: placedAddress('voice', 'speech'), incarnation: 1 }

interface Listener {
  readonly id: RequestId
  readonly actor: Ref
  readonly deliver: Deliver
}

interface Rendering {
  readonly key: string
  readonly run: RequestId
  readonly listeners: Set<Listener>
  readonly parts: Int16Array[]
  readonly silence: LeadingSilence
  resampler: Resampler | undefined
}

export class SpeechPort implements InferPort {
  readonly #engines: InferPort
  readonly #cache: ReplyCache
  readonly #renderings = new Map<string, Rendering>()
  #runs = 0

  constructor(engines: InferPort, cache_bytes: number) {
    this.#engines = engines
    this.#cache = new ReplyCache(cache_bytes)
  }

  request(effect: Infer, deliver: Deliver, actor: Ref): void {
    const request = effect.body as EngineRequest | undefined
    if (effect.op === 'open' && request?.kind === 'tts' && request.text !== undefined) {
      this.#speak(effect, request, { id: effect.id, actor, deliver })
      return
    }
    this.#engines.request(effect, deliver, actor)
  }

  cancel(id: RequestId, actor: Ref): void {
    this.#leave((listener) => listener.id === id && sameActor(listener.actor, actor))
    this.#engines.cancel(id, actor)
  }

  actorGone(actor: Ref): void {
    this.#leave((listener) => sameActor(listener.actor, actor))
    this.#engines.actorGone(actor)
  }

  /** Renders texts into the cache, one after the other; what fails is left out. Settles when all were tried. */
  async warm(to: string, texts: readonly string[], voice: string | undefined): Promise<void> {
    for (const [index, text] of texts.entries()) {
      await new Promise<void>((resolve) => {
        const id = requestId(`warm:${index}`)
        const request: TtsRequest = { kind: 'tts', text, ...(voice === undefined ? {} : { voice }) }
        this.request(
          openRun(id, to, request, WARM_MS),
          (outcome) => outcome.event !== 'chunk' && resolve(),
          SPEECH,
        )
      })
    }
  }

  #speak(effect: Infer, request: TtsRequest, listener: Listener): void {
    const key = keyOf(effect.to, request)
    const kept = this.#cache.get(key) ?? this.#cache.get(keyOf(request.kind, request))
    if (kept !== undefined) {
      if (kept.length > 0) listener.deliver(audio(listener.id, kept.slice()))
      listener.deliver(done(listener.id))
      return
    }
    const running = this.#renderings.get(key)
    if (running !== undefined) {
      running.listeners.add(listener)
      const soFar = concat(running.parts)
      if (soFar.length > 0) listener.deliver(audio(listener.id, soFar))
      return
    }
    this.#render(key, effect, request, listener)
  }

  #render(key: string, effect: Infer, request: TtsRequest, listener: Listener): void {
    this.#runs += 1
    const rendering: Rendering = {
      key,
      run: requestId(`speech:${this.#runs}`),
      listeners: new Set([listener]),
      parts: [],
      silence: new LeadingSilence(),
      resampler: undefined,
    }
    this.#renderings.set(key, rendering)
    this.#engines.request(
      openRun(rendering.run, effect.to, request, effect.deadline_ms),
      (outcome) => this.#outcome(rendering, outcome),
      SPEECH,
    )
  }

  #outcome(rendering: Rendering, outcome: Outcome): void {
    if (this.#renderings.get(rendering.key) !== rendering) return
    if (outcome.event === 'failed') {
      this.#end(rendering, (listener) => failed(listener.id, outcome.error))
      return
    }
    const event = outcome.body as EngineEvent | undefined
    if (event?.type === 'audio') {
      rendering.resampler ??= new Resampler(event.sample_rate)
      this.#hand(rendering, rendering.silence.trim(rendering.resampler.processInt16(event.samples)))
    }
    if (outcome.event !== 'done') return
    const rest = rendering.resampler?.flushInt16() ?? new Int16Array(0)
    this.#hand(rendering, rendering.silence.trim(rest))
    this.#cache.set(rendering.key, concat(rendering.parts))
    this.#end(rendering, (listener) => done(listener.id))
  }

  #hand(rendering: Rendering, samples: Int16Array): void {
    if (samples.length === 0) return
    rendering.parts.push(samples)
    for (const listener of [...rendering.listeners]) listener.deliver(audio(listener.id, samples.slice()))
  }

  #end(rendering: Rendering, last: (listener: Listener) => Outcome): void {
    this.#renderings.delete(rendering.key)
    for (const listener of rendering.listeners) listener.deliver(last(listener))
  }

  /** A rendering nobody listens to any more is given up. */
  #leave(leaves: (listener: Listener) => boolean): void {
    for (const rendering of [...this.#renderings.values()]) {
      for (const listener of rendering.listeners) {
        if (leaves(listener)) rendering.listeners.delete(listener)
      }
      if (rendering.listeners.size > 0) continue
      this.#renderings.delete(rendering.key)
      this.#engines.cancel(rendering.run, SPEECH)
    }
  }
}

/** What the voice of the house said before is played also when another voice was asked. */
const keyOf = (to: string, { voice = '', speed = 1, text }: TtsRequest): string =>
  JSON.stringify([to, voice, speed, text])

/** One fixed phrase renders in about 100 ms; a minute covers a voice that is still loading. */
const WARM_MS = 60_000

const sameActor = (a: Ref, b: Ref): boolean => a.address === b.address && a.incarnation === b.incarnation

const audio = (id: RequestId, samples: Int16Array): Outcome => {
  const body: EngineEvent = { type: 'audio', samples, sample_rate: 16_000 }
  return { type: 'outcome', id, event: 'chunk', body }
}

const done = (id: RequestId): Outcome => {
  const body: EngineEvent = { type: 'done', usage: { compute_ms: 0 } }
  return { type: 'outcome', id, event: 'done', body }
}

const failed = (id: RequestId, error: ErrorShape): Outcome => ({
  type: 'outcome',
  id,
  event: 'failed',
  error,
})
