/**
 * A session on a stage: the real behaviour and the real turn machine, in virtual time, with scripted engines, skills
 * and a scripted satellite around them. Everything that happened is in `trace`.
 *
 * A frame's first two samples hold its number, so that the scripted recogniser knows which part of the script it hears
 * whatever run it is fed to, just as a real one knows from the sound.
 */
import type { Context, Effect, Message, Outcome, ReplyTo } from '../../src/actors/index.ts'
import { type Monotonic, sessionId, wall } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import type { EngineEvent, EngineRequest, Service } from '../../src/inference/index.ts'
import type { SkillInvoke, SkillResult } from '../../src/skills/index.ts'
import { FRAME_MS, FRAME_SAMPLES } from '../../src/voice/audio.ts'
import { ENDPOINT_TIMES } from '../../src/voice/endpointing.ts'
import type { TurnView, VoiceEvent } from '../../src/voice/messages.ts'
import type { RecordedStep } from '../../src/voice/replay.ts'
import { type SessionMessage, type SessionState, sessionBehavior } from '../../src/voice/session.ts'
import { type TurnOptions, WAITS } from '../../src/voice/turn-state.ts'
import { houseUnderstanding } from './house.ts'

/** One spoken word: where it lies in the recording. */
export interface SpokenWord {
  readonly word: string
  readonly start_ms: number
  readonly end_ms: number
}

export interface Faults {
  /** Probability per opened run that it fails, by engine. */
  readonly stt?: () => boolean
  readonly tts?: () => boolean
  readonly llm?: () => boolean
  readonly wake?: () => boolean
  readonly skill?: () => 'answers' | 'fails' | 'silent'
  /** Does nothing and says nothing; `kind` when a run is opened. */
  readonly hang?: (kind?: EngineRequest['kind']) => boolean
}

export interface StageOptions {
  readonly words?: readonly SpokenWord[]
  /** What the words sound like; without it they have no pitch. */
  readonly recording?: Int16Array
  readonly faults?: Faults
  readonly skill?: (invoke: SkillInvoke) => SkillResult
  /** The language model's answer to a prompt. */
  readonly model?: (prompt: string) => string
  readonly service?: () => Service
  /** How far the recogniser's text trails the voice. */
  readonly lag_ms?: number
}

export const turnOptions = (): TurnOptions => ({
  understanding: houseUnderstanding(),
  endpointing: ENDPOINT_TIMES,
  waits: WAITS,
  engines: { stt: 'stt', llm: 'llm', tts: 'tts' },
  voice: undefined,
})

export const SATELLITE = 'kitchen-1'
const SELF = { address: 'loqa:/session/s' as never, incarnation: 1 }

interface Run {
  readonly request: EngineRequest
  heard: Set<number>
  text: string
  open: boolean
}

export class Stage {
  readonly clock = new SimulatedClock()
  readonly trace: string[] = []
  readonly turns: TurnView[] = []
  readonly events: VoiceEvent[] = []
  readonly answers: { readonly to: ReplyTo; readonly message: Message }[] = []
  readonly invoked: SkillInvoke[] = []
  readonly published: Message[] = []
  readonly told: Message[] = []
  /** Time at which samples were handed to the satellite, and when it was last silenced. */
  readonly played: { readonly at: number; readonly samples: number; readonly id: string }[] = []
  readonly silenced: number[] = []
  readonly metrics: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>> | undefined
  }[] = []
  state: SessionState
  stopped = false
  frames = 0

  /** What went into the timeline, as it comes back from there. */
  readonly steps: RecordedStep[] = []

  readonly #behavior: ReturnType<typeof sessionBehavior>
  readonly #runs = new Map<string, Run>()
  readonly #timers = new Map<string, () => void>()
  readonly #plays = new Map<string, { end_ms: number; cancel?: () => void }>()
  readonly #options: StageOptions
  #replies = 0

  constructor(options: StageOptions = {}) {
    this.#options = options
    const { service } = options
    this.#behavior = sessionBehavior({
      ...{ ...turnOptions(), idle_ms: 300_000 },
      ...(service === undefined ? {} : { service }),
    })
    const begun = this.#behavior.start({ id: sessionId('s'), room: 'kitchen' }, this.#context(undefined))
    this.state = begun.state
    this.#carryOut(begun.effects)
  }

  /** The words of the recording, changeable while it runs. */
  words(): readonly SpokenWord[] {
    return this.#options.words ?? []
  }

  attach(): void {
    this.tell({ type: 'session.attach', satellite: SATELLITE, room: 'kitchen' })
  }

  tell(message: SessionMessage, replyTo?: ReplyTo): void {
    if (this.stopped) return
    if (message.type !== 'audio.frame') this.#note(`> ${message.type} ${idOf(message)}`)
    const next = this.#behavior.receive(this.state, message, this.#context(replyTo))
    this.state = next.state
    this.#carryOut(next.effects)
  }

  get asked(): number {
    return this.#replies
  }

  /** Asks a text; the answer will be the next of `answers`. */
  ask(text: string): ReplyTo {
    this.#replies += 1
    const to: ReplyTo = { actor: undefined, id: this.#replies }
    this.tell({ type: 'turn.ask', text }, to)
    return to
  }

  /** Streams frames in real time until `until_ms` of the recording. */
  hear(until_ms: number): void {
    while (this.frames * FRAME_MS < until_ms) this.frame()
  }

  frame(): void {
    const start = this.frames * FRAME_MS
    const end = start + FRAME_MS
    const voiced = this.words().some((word) => word.start_ms < end && word.end_ms > start)
    this.clock.advance(FRAME_MS)
    this.tell({
      type: 'audio.frame',
      satellite: SATELLITE,
      samples: numbered(this.frames, this.#options.recording),
      voiced,
    })
    this.frames += 1
  }

  finishAudio(): void {
    this.tell({ type: 'audio.end', satellite: SATELLITE })
  }

  advance(ms: number): void {
    this.clock.advance(ms)
  }

  get phase(): string {
    return this.state.turn.phase.name
  }

  #note(line: string): void {
    this.trace.push(`${this.clock.monotonic().toFixed(3)} ${line}`)
  }

  #context(replyTo: ReplyTo | undefined): Context {
    return {
      self: SELF,
      now: this.clock.monotonic() as Monotonic,
      wall: wall(this.clock.wall()),
      entropy: 0,
      replyTo,
      deadline_ms: undefined,
      sender: undefined,
    }
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) this.#one(effect)
  }

  #one(effect: Effect): void {
    if (!('op' in effect && effect.op === 'feed')) this.#note(`< ${effect.type} ${describe(effect)}`)
    switch (effect.type) {
      case 'schedule':
        this.#timers.get(effect.id)?.()
        this.#timers.set(
          effect.id,
          this.clock.after(effect.delay_ms, () => this.tell(effect.message as SessionMessage)),
        )
        return
      case 'cancel': {
        this.#cancel(effect.id)
        return
      }
      case 'infer': {
        this.#infer(effect)
        return
      }
      case 'play': {
        this.#play(effect)
        return
      }
      case 'ask': {
        this.#askSkill(effect)
        return
      }
      case 'reply':
        this.answers.push({ to: effect.to, message: effect.message })
        return
      case 'publish':
        this.published.push(effect.message)
        return
      case 'send':
        this.told.push(effect.message)
        return
      case 'timeline': {
        const { kind, body, at } = effect
        this.steps.push({ kind, at_ms: at!, body: JSON.parse(JSON.stringify(body)) })
        return
      }
      case 'metric':
        this.metrics.push({ name: effect.name, labels: effect.labels })
        return
      case 'stop':
        this.stopped = true
        return
    }
  }

  #cancel(id: string): void {
    this.#timers.get(id)?.()
    this.#timers.delete(id)
    this.#runs.delete(id)
    const play = this.#plays.get(id)
    if (play !== undefined) {
      play.cancel?.()
      this.#plays.delete(id)
      this.silenced.push(this.clock.monotonic())
    }
  }

  #outcome(id: string, after_ms: number, event: Outcome['event'], body?: unknown): void {
    const run = this.#runs.get(id)
    this.clock.after(after_ms, () => {
      // The port's promise: after a cancel nothing is delivered.
      if (run !== undefined && this.#runs.get(id) !== run) return
      if (event !== 'chunk') this.#runs.delete(id)
      const outcome = event === 'failed' ? { error: body } : { body }
      this.tell({ type: 'outcome', id, event, ...outcome } as never)
    })
  }

  #infer(effect: Extract<Effect, { type: 'infer' }>): void {
    const { id } = effect
    if (effect.op === 'open') {
      const request = effect.body as EngineRequest
      this.#runs.set(id, { request, heard: new Set(), text: '', open: true })
      const faults = this.#options.faults
      if (faults?.hang?.(request.kind)) return
      const { kind } = request
      if (
        kind !== 'chat' &&
        kind !== 'embedding' &&
        kind !== 'speaker' &&
        kind !== 'vad' &&
        faults?.[kind]?.()
      ) {
        this.#outcome(id, 1, 'failed', CRASHED)
        return
      }
      if (request.kind === 'tts') {
        this.#voice(id, request.text ?? '')
        return
      }
      if (request.kind === 'llm') {
        this.#model(id, request.prompt)
        return
      }
      return
    }
    const run = this.#runs.get(id)
    if (run === undefined) return
    if (effect.op === 'feed') {
      this.#recognise(id, run, (effect.body as { samples: Float32Array }).samples)
      return
    }
    if (this.#options.faults?.hang?.()) return
    const text = this.#textUpTo(run, Number.POSITIVE_INFINITY)
    this.#outcome(id, 2, 'chunk', { type: 'final', text } satisfies EngineEvent)
    this.#outcome(id, 2.1, 'done', { type: 'done', usage: { compute_ms: 1 } } satisfies EngineEvent)
  }

  #recognise(id: string, run: Run, samples: Float32Array): void {
    for (let offset = 0; offset < samples.length; offset += FRAME_SAMPLES) {
      run.heard.add(numberOf(samples, offset))
    }
    const latest = Math.max(...run.heard) * FRAME_MS + FRAME_MS
    const text = this.#textUpTo(run, latest - (this.#options.lag_ms ?? 62))
    if (text === run.text) return
    run.text = text
    if (this.#options.faults?.stt?.()) {
      this.#outcome(id, 0.5, 'failed', CRASHED)
      return
    }
    this.#outcome(id, 1, 'chunk', { type: 'partial', text } satisfies EngineEvent)
  }

  #textUpTo(run: Run, end_ms: number): string {
    return this.words()
      .filter((word) => word.end_ms <= end_ms && heardAll(run.heard, word))
      .map(({ word }) => word)
      .join(' ')
  }

  #voice(id: string, text: string): void {
    const samples = Math.max(1, text.length) * 16 * 60
    const piece = 1_600
    let after = 30
    for (let offset = 0; offset < samples; offset += piece) {
      const length = Math.min(piece, samples - offset)
      this.#outcome(id, after, 'chunk', {
        type: 'audio',
        samples: new Int16Array(length).fill(1_000),
        sample_rate: 16_000,
      } satisfies EngineEvent)
      after += 5
    }
    this.#outcome(id, after, 'done', { type: 'done', usage: { compute_ms: after } } satisfies EngineEvent)
  }

  #model(id: string, prompt: string): void {
    const text = this.#options.model?.(prompt) ?? '{}'
    this.#outcome(id, 12, 'chunk', { type: 'token', text } satisfies EngineEvent)
    this.#outcome(id, 12.5, 'done', { type: 'done', usage: { compute_ms: 12 } } satisfies EngineEvent)
  }

  #play(effect: Extract<Effect, { type: 'play' }>): void {
    const { id } = effect
    if (effect.op === 'event') {
      const event = effect.body as VoiceEvent
      this.events.push(event)
      if (event.type === 'turn') this.turns.push(event.turn)
      return
    }
    const now = this.clock.monotonic()
    if (effect.op === 'cut') {
      const cut = this.#plays.get(id)
      cut?.cancel?.()
      this.#plays.delete(id)
      this.silenced.push(now)
      const all = this.played
        .filter((played) => played.id === id)
        .reduce((sum, { samples }) => sum + samples, 0)
      const unplayed = Math.round(Math.max(0, (cut?.end_ms ?? now) - now - (effect.body as number)) * 16)
      const body = { played: all - Math.min(all, unplayed), ahead: new Int16Array(Math.min(all, unplayed)) }
      this.clock.after(0, () => this.tell({ type: 'outcome', id, event: 'done', body } as never))
      return
    }
    const play = this.#plays.get(id) ?? { end_ms: now }
    this.#plays.set(id, play)
    if (effect.op === 'audio') {
      const { length } = effect.body as Int16Array
      this.played.push({ at: now, samples: length, id })
      play.end_ms = Math.max(play.end_ms, now) + length / 16
      return
    }
    play.cancel = this.clock.after(Math.max(0, play.end_ms - now), () => {
      this.#plays.delete(id)
      this.tell({ type: 'outcome', id, event: 'done' } as never)
    })
  }

  #askSkill(effect: Extract<Effect, { type: 'ask' }>): void {
    const invoke = effect.message as SkillInvoke
    this.invoked.push(invoke)
    const outcome = this.#options.faults?.skill?.() ?? 'answers'
    if (outcome === 'answers') {
      const message = this.#options.skill?.(invoke) ?? {
        type: 'skill.result',
        speech: `Done: ${invoke.intent.name}.`,
      }
      this.clock.after(3, () => this.tell({ type: 'answer', id: effect.id, message }))
      return
    }
    const error = outcome === 'fails' ? CRASHED : { code: 'timeout', message: 'too slow', retryable: true }
    this.clock.after(outcome === 'fails' ? 3 : effect.deadline_ms, () =>
      this.tell({ type: 'ask-failed', id: effect.id, error }),
    )
  }
}

export const CRASHED = { code: 'engine-crashed', message: 'the engine ended', retryable: true } as const

const heardAll = (heard: ReadonlySet<number>, word: SpokenWord): boolean => {
  for (let number = Math.floor(word.start_ms / FRAME_MS); number * FRAME_MS < word.end_ms; number += 1) {
    if (!heard.has(number)) return false
  }
  return true
}

function numbered(number: number, recording: Int16Array = new Int16Array(0)): Int16Array {
  const samples = new Int16Array(FRAME_SAMPLES)
  samples.set(recording.subarray(number * FRAME_SAMPLES, (number + 1) * FRAME_SAMPLES))
  samples[0] = number % 10_000
  samples[1] = Math.floor(number / 10_000)
  return samples
}

const numberOf = (samples: Float32Array, offset: number): number =>
  Math.round(samples[offset]! * 32_768) + 10_000 * Math.round(samples[offset + 1]! * 32_768)

const idOf = (message: object): string =>
  ['id', 'event', 'wait', 'text']
    .flatMap((key) => (key in message ? [String(message[key as never])] : []))
    .join(' ')

const describe = (effect: Effect): string =>
  JSON.stringify(effect, (key, value: unknown) =>
    value instanceof Int16Array || value instanceof Float32Array
      ? value.length
      : key === 'prompt'
        ? '…'
        : value,
  )

/**
 * Lays a sentence out in time: 280 ms a word, 20 ms between, from `start_ms`. A number in the sentence is a pause of
 * that many ms: `say('set a timer 600 for five minutes')`.
 */
export function say(sentence: string, start_ms = 300): SpokenWord[] {
  let at = start_ms
  const words: SpokenWord[] = []
  for (const part of sentence.split(' ')) {
    if (/^\d+$/.test(part)) {
      at += Number(part)
      continue
    }
    words.push({ word: part, start_ms: at, end_ms: at + 280 })
    at += 300
  }
  return words
}

export const endOf = (words: readonly SpokenWord[]): number => Math.max(...words.map(({ end_ms }) => end_ms))
