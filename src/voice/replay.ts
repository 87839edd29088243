/**
 * Runs a conversation again from its timeline, without audio, and compares what the turn machine decides now with what it decided then. Words,
 * the model's answers and the skills' results are given to it as they were noted; the sound of an utterance is replaced by as many frames
 * of voice. Pure: the same steps and the same grammar give the same verdict.
 *
 * Compared are the end of an utterance that a pause decided, what was taken for meant, and what was replied. A difference is no fault of the
 * timeline: the grammar, the skills or the machine are others now than they were.
 */
import { type Monotonic, monotonic, sessionId } from '../host/index.ts'
import type { SkillResult } from '../skills/index.ts'
import { START_FRAMES } from './activity.ts'
import { modelRunId, skillAskId } from './answering.ts'
import { FRAME_MS, FRAME_SAMPLES } from './audio.ts'
import type { UnderWay } from './carried-shape.ts'
import { endpoint, standingOf } from './endpointing.ts'
import type { Manner } from './finality.ts'
import { recogniserRunId } from './listening.ts'
import { waitOver } from './messages.ts'
import { conversationFrom, type StepKind } from './steps.ts'
import { newConversation, type TurnInput, turn } from './turn.ts'
import type { TurnOptions, TurnState } from './turn-state.ts'

export interface RecordedStep {
  readonly kind: string
  /** Milliseconds on the monotonic clock of the process that noted it down. */
  readonly at_ms: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface Decided {
  readonly kind: string
  readonly body: unknown
}

export type ReplayVerdict =
  | { readonly same: true; readonly turns: number; readonly decisions: number }
  | {
      readonly same: false
      readonly turns: number
      readonly decisions: number
      /** The first that differs; null where one side decided nothing more. */
      readonly difference: {
        readonly turn: number
        readonly step: number
        readonly recorded: Decided | null
        readonly replayed: Decided | null
      }
    }

const DECISIONS: readonly string[] = ['turn.decided', 'turn.replied'] satisfies StepKind[]
const SATELLITE = 'replay'

/** `steps` in the order in which they were noted. What is left of a turn whose beginning was dropped is passed over. */
export function replay(steps: readonly RecordedStep[], options: TurnOptions): ReplayVerdict {
  const turns = replayTurns(steps, options)
  for (;;) {
    const turn = turns.next()
    if (turn.done === true) return turn.value
  }
}

/** The same, turn by turn: a long conversation takes a second, in which others must not wait. */
export function* replayTurns(
  steps: readonly RecordedStep[],
  options: TurnOptions,
): Generator<undefined, ReplayVerdict, undefined> {
  let decisions = 0
  let turns = 0
  for (const { first, recorded } of turnsOf(steps)) {
    yield
    const run = new ReplayedTurn(recorded, options)
    turns += 1
    for (const [index, step] of recorded.entries()) {
      const difference = run.take(index)
      if (DECISIONS.includes(step.kind) || step.kind === 'turn.endpoint') decisions += 1
      if (difference !== undefined) {
        const place = { turn: Number(step.body.turn), step: first + index }
        return { same: false, turns, decisions, difference: { ...place, ...difference } }
      }
    }
  }
  return { same: true, turns, decisions }
}

function turnsOf(steps: readonly RecordedStep[]): { first: number; recorded: RecordedStep[] }[] {
  const turns: { first: number; recorded: RecordedStep[] }[] = []
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'turn.began') turns.push({ first: index, recorded: [step] })
    else if (step.kind === 'session.began') continue
    else turns.at(-1)?.recorded.push(step)
  }
  return turns
}

type Difference = { readonly recorded: Decided | null; readonly replayed: Decided | null }

class ReplayedTurn {
  readonly #steps: readonly RecordedStep[]
  readonly #options: TurnOptions
  readonly #number: number
  #state: TurnState
  /** What the machine decided and the record has not confirmed yet. */
  #decided: Decided[] = []
  #elsewhere = false

  constructor(steps: readonly RecordedStep[], options: TurnOptions) {
    this.#steps = steps
    this.#options = options
    const { body, at_ms } = steps[0]!
    this.#number = Number(body.turn)
    const room = String(body.room)
    const context = (body.context ?? {}) as Readonly<Record<string, unknown>>
    this.#state = {
      ...newConversation(sessionId(SATELLITE), room),
      conversation: conversationFrom(room, context, monotonic(at_ms)),
      satellite: body.source === 'text' ? undefined : SATELLITE,
      turns: this.#number - 1,
    }
  }

  take(index: number): Difference | undefined {
    const { kind, body, at_ms } = this.#steps[index]!
    const now = monotonic(at_ms)
    if (this.#elsewhere) return undefined
    if (DECISIONS.includes(kind)) return this.#compare({ kind, body })
    // The moment before the recogniser was tried again has no step of its own.
    if (this.#state.phase.name === 'recovering') {
      this.#feed({ type: 'wait', message: waitOver(this.#number, 'retry') }, now)
    }
    switch (kind) {
      case 'turn.began':
        return this.#begin(body, now)
      case 'turn.resumed':
        return this.#voice(START_FRAMES, now)
      case 'turn.endpoint':
        return this.#endpoint(index, now)
      case 'stt.failed':
        return this.#recogniserFailed(index, now)
      case 'stt.text':
        return this.#finalText(index, now)
      case 'llm.answer':
        return this.#modelAnswer(body, now)
      case 'skill.result':
        return this.#skillResult(body, now)
      case 'turn.moved':
        return this.#moved(body, now)
      case 'turn.ended':
        return this.#decided[0] === undefined ? undefined : { recorded: null, replayed: this.#decided[0] }
      default:
        return undefined
    }
  }

  #begin(body: RecordedStep['body'], now: Monotonic): undefined {
    const text = String(body.text)
    if (body.source === 'text') return this.#feed({ type: 'text', text, replyTo: undefined }, now)
    if (body.source === 'resumed') return this.#feed({ type: 'go-on', left: body.left as UnderWay }, now)
    if (body.source === 'announcement') {
      return this.#feed({ type: 'announcement', from: 0, speech: text }, now)
    }
    if (body.interrupting === true) {
      // Something has to be interrupted.
      this.#state = { ...this.#state, turns: this.#number - 2 }
      const { conversation } = this.#state
      this.#feed({ type: 'announcement', from: 0, speech: 'Interrupted.' }, now)
      this.#state = { ...this.#state, conversation }
    }
    return this.#voice(START_FRAMES, now)
  }

  #voice(frames: number, now: Monotonic): undefined {
    for (let i = 0; i < frames; i += 1) {
      const frame = {
        type: 'audio.frame' as const,
        satellite: SATELLITE,
        samples: new Int16Array(FRAME_SAMPLES),
        voiced: true,
      }
      this.#feed({ type: 'frame', frame }, now)
    }
  }

  /** As much voice as was heard until the words were final. */
  #voiceUntilText(index: number, now: Monotonic): void {
    const text = this.#steps.slice(index).find(({ kind }) => kind === 'stt.text')
    const { phase } = this.#state
    if (text === undefined || phase.name !== 'listening') return
    this.#voice(Math.max(0, Number(text.body.heard_ms) / FRAME_MS - phase.utterance.voiced), now)
  }

  #endpoint(index: number, now: Monotonic): Difference | undefined {
    const { kind, body } = this.#steps[index]!
    const { phase } = this.#state
    if (phase.name !== 'listening') return undefined
    const text = String(body.text ?? '')
    if (text !== phase.utterance.text) this.#recogniser('chunk', { type: 'partial', text }, now)
    const differs = body.cause === 'pause' ? this.#otherVerdict(body) : undefined
    if (differs !== undefined) return { recorded: { kind, body }, replayed: { kind, body: differs } }
    this.#voiceUntilText(index, now)
    this.#feed({ type: 'audio-end' }, now)
    return undefined
  }

  /** What is decided now about the same silence after the same words, when that is something else. */
  #otherVerdict(body: RecordedStep['body']): unknown {
    const { phase } = this.#state
    if (phase.name !== 'listening') return undefined
    const verdict = endpoint(
      {
        silence_ms: Number(body.silence_ms),
        utterance_ms: Number(body.utterance_ms),
        standing: standingOf(phase.utterance.text, phase.utterance.reading),
        manner: body.manner as Manner,
      },
      this.#options.endpointing,
    )
    if (verdict.kind === 'end' && verdict.reason === body.reason) return undefined
    return { ...body, reason: verdict.kind === 'end' ? verdict.reason : 'goes on listening' }
  }

  #recogniserFailed(index: number, now: Monotonic): undefined {
    // It was given up: that is done at the end of an utterance only.
    if (this.#steps[index + 1]?.kind === 'turn.replied') this.#feed({ type: 'audio-end' }, now)
    const { phase } = this.#state
    if (phase.name !== 'listening' && phase.name !== 'transcribing') return
    const error = { code: String(this.#steps[index]!.body.error), message: '', retryable: true }
    const id = recogniserRunId(phase.turn, phase.utterance)
    this.#feed({ type: 'system', message: { type: 'outcome', id, event: 'failed', error } }, now)
  }

  #finalText(index: number, now: Monotonic): undefined {
    this.#voiceUntilText(index, now)
    return this.#recogniser('chunk', { type: 'final', text: String(this.#steps[index]!.body.text) }, now)
  }

  #recogniser(event: 'chunk', body: unknown, now: Monotonic): undefined {
    const { phase } = this.#state
    if (phase.name !== 'listening' && phase.name !== 'transcribing') return
    const id = recogniserRunId(phase.turn, phase.utterance)
    this.#feed({ type: 'system', message: { type: 'outcome', id, event, body } }, now)
  }

  #modelAnswer(body: RecordedStep['body'], now: Monotonic): undefined {
    const { phase } = this.#state
    if (phase.name !== 'interpreting') return
    const id = modelRunId(phase.number)
    const error = body.error as { code: string; message: string; retryable: boolean } | undefined
    this.#feed(
      {
        type: 'system',
        message:
          error === undefined
            ? { type: 'outcome', id, event: 'done', body: { type: 'final', text: String(body.answer) } }
            : { type: 'outcome', id, event: 'failed', error },
      },
      now,
    )
  }

  #skillResult(body: RecordedStep['body'], now: Monotonic): undefined {
    const { phase } = this.#state
    if (phase.name !== 'acting') return
    const id = skillAskId(phase.turn)
    const error = body.error as { code: string; message: string; retryable: boolean } | undefined
    const message =
      error === undefined
        ? ({ type: 'answer', id, message: body.result as SkillResult } as const)
        : ({ type: 'ask-failed', id, error } as const)
    this.#feed({ type: 'system', message }, now)
  }

  /** What another conversation was asked is decided by what was said there. */
  #moved(body: RecordedStep['body'], now: Monotonic): undefined {
    if (body.along !== undefined) this.#elsewhere = true
    else this.#feed({ type: 'refused', speech: String(body.refused) }, now)
  }

  #feed(input: TurnInput, now: Monotonic): undefined {
    const step = turn(this.#state, input, this.#options, now)
    this.#state = step.state
    for (const effect of step.effects) {
      if (effect.type !== 'timeline' || effect.body.turn !== this.#number) continue
      if (DECISIONS.includes(effect.kind)) this.#decided.push({ kind: effect.kind, body: effect.body })
    }
  }

  #compare(recorded: Decided): Difference | undefined {
    const replayed = this.#decided.shift() ?? null
    return replayed !== null && canonical(replayed) === canonical(recorded)
      ? undefined
      : { recorded, replayed }
  }
}

/** Equal values have equal text, whatever the order of their keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
