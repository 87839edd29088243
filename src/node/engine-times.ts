/**
 * What conversations waited for engines, by what they asked for: until the first sound of a voice, until the words after the end of
 * speech, until all a language model says. A run that is given up took at least so long.
 */
import { keyOf, type Ref } from '../actors/index.ts'
import type { Clock } from '../host/index.ts'
import type { EngineEvent, EngineRequest, InferPort } from '../inference/index.ts'

/** Of each the second slowest counts, of fewer the slowest: one that was late once is not slow yet. */
const KEPT = 3
/** Engines of one node, and then some. */
const MOST_KNOWN = 32

interface Run {
  readonly to: string
  readonly kind: EngineRequest['kind']
  /** ms; undefined while a recogniser still hears. */
  since: number | undefined
}

export class EngineTimes {
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #took = new Map<string, readonly number[]>()

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock
    this.#changed = changed
  }

  /** Lately, ms; undefined: nothing is known. */
  of(to: string): number | undefined {
    const sorted = [...(this.#took.get(to) ?? [])].sort((a, b) => b - a)
    return sorted.length < KEPT ? sorted[0] : sorted[1]
  }

  /** It was tried: what was before no longer counts. */
  proved(to: string, took_ms: number): void {
    this.#took.delete(to)
    this.#add(to, took_ms)
  }

  /** The tier fell: how quick each was before that says nothing any more, only how it was last. */
  lately(): void {
    for (const [to, took] of this.#took) this.#took.set(to, took.slice(-1))
    this.#changed()
  }

  around(port: InferPort): InferPort {
    const runs = new Map<string, Run>()
    const nameOf = (id: string, actor: Ref): string => `${keyOf(actor)} ${id}`
    const end = (name: string): void => {
      const run = runs.get(name)
      runs.delete(name)
      if (run?.since !== undefined) this.#add(run.to, this.#now() - run.since)
    }
    const giveUp = (name: string): void => {
      const run = runs.get(name)
      runs.delete(name)
      if (run?.since === undefined) return
      const least_ms = this.#now() - run.since
      if (least_ms > (this.of(run.to) ?? 0)) this.#add(run.to, least_ms)
    }
    return {
      request: (effect, deliver, actor) => {
        const name = nameOf(effect.id, actor)
        if (effect.op === 'open') {
          const { kind } = effect.body as EngineRequest
          runs.set(name, { to: effect.to, kind, since: kind === 'stt' ? undefined : this.#now() })
        }
        const hearing = runs.get(name)
        if (effect.op === 'finish' && hearing?.kind === 'stt') hearing.since = this.#now()
        if (effect.op !== 'open') {
          port.request(effect, deliver, actor)
          return
        }
        port.request(
          effect,
          (outcome) => {
            if (outcome.event === 'failed' && outcome.error.code !== 'timeout') runs.delete(name)
            else if (outcome.event !== 'chunk' || isResult(runs.get(name), outcome.body)) end(name)
            deliver(outcome)
          },
          actor,
        )
      },
      cancel: (id, actor) => {
        giveUp(nameOf(id, actor))
        port.cancel(id, actor)
      },
      actorGone: (actor) => {
        const prefix = nameOf('', actor)
        for (const name of runs.keys()) if (name.startsWith(prefix)) runs.delete(name)
        port.actorGone(actor)
      },
    }
  }

  #now(): number {
    return this.#clock.monotonic()
  }

  #add(to: string, took_ms: number): void {
    if (!this.#took.has(to) && this.#took.size >= MOST_KNOWN) return
    const before = this.of(to)
    this.#took.set(to, [...(this.#took.get(to) ?? []), took_ms].slice(-KEPT))
    if (this.of(to) !== before) this.#changed()
  }
}

/** The first thing that was waited for. */
const isResult = (run: Run | undefined, body: unknown): boolean =>
  run?.kind === 'tts' && (body as EngineEvent | undefined)?.type === 'audio'
