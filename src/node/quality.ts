/**
 * The quality tier of this node's conversations: sees what turns and engines took, has the rules of `inference/tiers.ts` decide, tries
 * engines unheard before a step up, and says every step in log, audit log and metrics.
 */
import { type Effect, placedAddress, type Ref } from '../actors/index.ts'
import type { QualityView } from '../api/index.ts'
import type { Config } from '../config.ts'
import { type Cancel, type Clock, requestId } from '../host/index.ts'
import {
  beginTier,
  type Capability,
  type Choice,
  type Choices,
  type EngineRequest,
  feedRun,
  finishRun,
  type InferPort,
  openRun,
  p95Of,
  type Served,
  type Service,
  serviceOf,
  TIERS,
  type Tier,
  type Tiered,
  type Tiering,
  type TierSettings,
  type TierStep,
  trialLimit,
  tried,
  triesAt,
  turnTook,
  untried,
} from '../inference/index.ts'
import type { Log, Metrics } from '../observe/index.ts'
import { EngineTimes } from './engine-times.ts'

export interface QualityParts {
  readonly clock: Clock
  readonly config: Pick<Config, 'qos' | 'voice'>
  readonly log: Log
  readonly metrics: Metrics
  /** This node's own, in order of preference. */
  readonly capabilities: () => readonly Capability[]
  readonly noted: (step: TierStep) => void
}

type Step = Pick<Extract<Effect, { type: 'timeline' }>, 'kind' | 'body'>

/** In whose name engines are tried: nobody waits. */
const TRIAL: Ref = { address: placedAddress('quality', 'trial'), incarnation: 1 }
/** About as much as a meaning, or a short answer, takes. */
const TRIED_WITH: Readonly<Record<Served, EngineRequest>> = {
  stt: { kind: 'stt', sample_rate: 16_000 },
  llm: { kind: 'llm', prompt: 'turn on the light', max_tokens: 24, temperature: 0 },
  tts: { kind: 'tts', text: 'The light is on.' },
}
/** Half a second of silence. */
const SILENCE = new Float32Array(8_000)

export class Quality {
  readonly #parts: QualityParts
  readonly #settings: TierSettings
  readonly #pause_ms: number
  readonly #times: EngineTimes
  #state: Tiering
  #service: Service | undefined
  #last: QualityView['last_step'] = null
  #next: Cancel = () => undefined
  #port: InferPort | undefined
  #trials = 0
  #stopped = false

  constructor(parts: QualityParts) {
    this.#parts = parts
    const { qos, voice } = parts.config
    this.#settings = {
      budgets: { fast: qos.fast_ms, balanced: qos.balanced_ms, rich: qos.rich_ms },
      best: qos.tier === 'auto' ? 'rich' : qos.tier,
      fixed: qos.tier !== 'auto',
      hold_ms: qos.recover_after_s * 1_000,
    }
    this.#pause_ms = voice.pause_complete_ms
    this.#times = new EngineTimes(parts.clock, () => {
      this.#service = undefined
    })
    this.#state = beginTier(this.#settings, parts.clock.monotonic())
    parts.metrics.onScrape(() => this.#report())
  }

  get tier(): Tier {
    return this.#state.tier
  }

  /** The same object as long as nothing changed. */
  service(): Service {
    this.#service ??= this.#serviceIn(this.tier)
    return this.#service
  }

  /** Another engine is ready, or gone. */
  enginesChanged(): void {
    this.#service = undefined
  }

  /** The engines' port as conversations are to use it: what they wait for is timed. */
  around(port: InferPort): InferPort {
    this.#port = port
    return this.#times.around(port)
  }

  /** Every step of every conversation here. */
  heard({ kind, body }: Step): void {
    if (kind !== 'turn.ended') return
    const took = engineTime(body.latency_ms)
    if (took === undefined) return
    this.#go(turnTook(this.#state, this.#pause_ms + took, this.#now(), this.#settings))
  }

  view(): QualityView {
    const { tier, turns } = this.#state
    const { budgets, fixed, best } = this.#settings
    const { engines, plain } = this.service()
    return {
      ...{ tier, best, fixed, budget_ms: budgets[tier], p95_ms: p95Of(this.#state), turns: turns.length },
      engines: { stt: engines.stt, llm: engines.llm ?? null, tts: engines.tts, plain_tts: plain ?? null },
      last_step: this.#last,
    }
  }

  stop(): void {
    this.#stopped = true
    this.#next()
    this.#port?.actorGone(TRIAL)
  }

  #now(): number {
    return this.#parts.clock.monotonic()
  }

  #serviceIn(tier: Tier): Service {
    return serviceOf(tier, this.#choices(), this.#settings, this.#pause_ms)
  }

  #choices(): Choices {
    const ready = this.#parts.capabilities().filter(({ state }) => state === 'ready')
    const of = (kind: Served): readonly Choice[] => {
      const [first, ...others] = ready.filter(({ tag }) => tag.startsWith(`${kind}.`))
      const took = (to: string, p95_ms: number | null): Choice => ({
        to,
        took_ms: this.#times.of(to) ?? p95_ms,
      })
      return [took(kind, first?.p95_ms ?? null), ...others.map(({ tag, p95_ms }) => took(tag, p95_ms))]
    }
    return { stt: of('stt'), llm: of('llm'), tts: of('tts') }
  }

  #go({ state, step }: Tiered): void {
    this.#state = state
    if (step !== undefined) this.#stepped(step)
    this.#plan()
  }

  #stepped(step: TierStep): void {
    const { metrics, log, noted, clock } = this.#parts
    if (step.why !== 'recovered') this.#times.lately()
    this.#service = undefined
    this.#last = { ...step, at: new Date(clock.wall()).toISOString() }
    metrics.add('loqa_qos_steps_total', 1, { ...step })
    const level = step.why === 'recovered' ? 'info' : 'warn'
    log[level]('Answers are given in another quality tier', { ...step, engines: this.service().engines })
    noted(step)
  }

  /** The next trial, if one may follow. */
  #plan(): void {
    this.#next()
    const at = triesAt(this.#state, this.#settings)
    if (at === undefined || this.#stopped) return
    this.#next = this.#parts.clock.after(Math.max(0, at - this.#now()), () => {
      const before = this.#state
      void this.#tryNext().then((keeps) => {
        // A turn that ended meanwhile has planned anew.
        if (this.#stopped || this.#state !== before) return
        this.#go(tried(before, keeps, this.#now(), this.#settings))
      })
    })
  }

  async #tryNext(): Promise<boolean> {
    const next = TIERS[TIERS.indexOf(this.tier) + 1]!
    for (const { kind, to } of untried(this.service(), this.#serviceIn(next))) {
      const limit_ms = trialLimit(this.#settings, next, kind, this.#pause_ms)
      const keeps = await this.#try(kind, to, limit_ms)
      this.#parts.metrics.add('loqa_qos_trials_total', 1, { engine: to, kept: String(keeps) })
      if (!keeps) return false
    }
    return true
  }

  #try(kind: Served, to: string, limit_ms: number): Promise<boolean> {
    const port = this.#port
    if (port === undefined) return Promise.resolve(false)
    this.#trials += 1
    const id = requestId(`trial:${this.#trials}`)
    const began = this.#now()
    return new Promise((resolve) => {
      const over = this.#parts.clock.after(limit_ms, () => {
        port.cancel(id, TRIAL)
        resolve(false)
      })
      port.request(
        openRun(id, to, TRIED_WITH[kind]),
        (outcome) => {
          const isSound = outcome.event === 'chunk' && kind === 'tts'
          if (outcome.event === 'chunk' && !isSound) return
          over()
          if (isSound) port.cancel(id, TRIAL)
          if (outcome.event !== 'failed') this.#times.proved(to, this.#now() - began)
          resolve(outcome.event !== 'failed')
        },
        TRIAL,
      )
      if (kind !== 'stt') return
      port.request(feedRun(id, to, { type: 'audio', samples: SILENCE }), () => undefined, TRIAL)
      port.request(finishRun(id, to), () => undefined, TRIAL)
    })
  }

  #report(): void {
    const { metrics } = this.#parts
    const { tier } = this.#state
    for (const one of TIERS) metrics.set('loqa_qos_tier', one === tier ? 1 : 0, { tier: one })
    metrics.set('loqa_qos_budget_ms', this.#settings.budgets[tier])
    metrics.set('loqa_qos_turn_p95_ms', p95Of(this.#state) ?? 0)
  }
}

/** What engines took of a turn, ms; a skill's own time no tier makes shorter. Undefined: no engine was waited for. */
export function engineTime(latency: unknown): number | undefined {
  const hops = (latency ?? {}) as Readonly<Record<string, number | null | undefined>>
  const known = ['stt', 'nlu', 'tts'].map((hop) => hops[hop]).filter((ms) => typeof ms === 'number')
  return known.length === 0 ? undefined : known.reduce((sum, ms) => sum + ms, 0)
}
