/**
 * Puts what conversations note down under their envelopes and into the timeline, with what only the node knows: which engine did it and
 * where, and what the asked skill was allowed to do.
 */
import type { Effect, Ref } from '../actors/index.ts'
import type { Clock, PrivacyScope, Random } from '../host/index.ts'
import { newTraceId } from '../host/index.ts'
import type { Timeline, TimelineEvent, TimelineHead } from '../store/index.ts'

type Step = Omit<Extract<Effect, { type: 'timeline' }>, 'type'>

export interface Agreed {
  readonly scope: PrivacyScope
  readonly person?: string | undefined
}

export interface RecorderParts {
  readonly timeline: Pick<Timeline, 'begin' | 'append' | 'end' | 'left'>
  readonly clock: Clock
  readonly random: Random
  /** The quality tier in force. */
  readonly tier: string | (() => string)
  /** What may be kept now of what was agreed when the conversation began. */
  readonly allowed: (privacy: Agreed) => Agreed
  /** Of a skill, by name; undefined for one that is not here. */
  readonly permissions: (skill: string) => readonly string[] | undefined
  /** The steps of a turn that has ended. Absent: nobody wants to know. */
  readonly traced?: ((steps: readonly TimelineEvent[]) => void) | undefined
}

interface Engine {
  readonly model: string
  readonly node: string
}

/** Which engine's work a step tells of. */
const DONE_BY: Readonly<Record<string, string>> = {
  'stt.text': 'stt',
  'llm.answer': 'llm',
  'tts.began': 'tts',
}

interface Recorded {
  readonly agreed: Agreed
  head: TimelineHead
  trace: string
  readonly engines: Map<string, Engine>
  /** Of the turn so far, for whoever traces. */
  steps: TimelineEvent[]
}

/** A turn has a dozen; one with more is cut, and has no spans. */
const MOST_TRACED = 64

export class Recorder {
  readonly #parts: RecorderParts
  readonly #sessions = new Map<string, Recorded>()

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  step({ session, kind, body, at }: Step, actor: Ref): void {
    const { clock, random, timeline, tier } = this.#parts
    if (kind === 'session.began') this.#begin(session, body)
    const recorded = this.#sessions.get(session)
    if (recorded === undefined) return
    if (kind === 'turn.began') {
      recorded.trace = newTraceId(random)
      recorded.engines.clear()
      // A consent may have been given or withdrawn since the last turn.
      recorded.head = this.#headOf(recorded.head, recorded.agreed)
      timeline.begin(recorded.head)
    }
    const event: TimelineEvent = {
      trace_id: recorded.trace,
      session_id: session,
      actor_id: actor.address,
      capability_tier: typeof tier === 'string' ? tier : tier(),
      privacy_scope: recorded.head.scope,
      at: clock.wall(),
      at_ms: at ?? clock.monotonic(),
      kind,
      body: { ...body, ...this.#known(kind, body, recorded) },
    }
    timeline.append(event)
    this.#trace(event, recorded)
  }

  #trace(event: TimelineEvent, recorded: Recorded): void {
    const { traced } = this.#parts
    if (traced === undefined || recorded.head.scope === 'ephemeral') return
    if (event.kind === 'turn.began') recorded.steps = []
    if (recorded.steps.length < MOST_TRACED) recorded.steps.push(event)
    if (event.kind !== 'turn.ended') return
    traced(recorded.steps)
    recorded.steps = []
  }

  /** A run of an actor began on an engine. */
  engine(kind: string, engine: Engine, actor: Ref): void {
    const session = actor.address.slice(actor.address.lastIndexOf('/') + 1)
    this.#sessions.get(session)?.engines.set(kind, engine)
  }

  /** Under which terms its steps are noted down now, and since when; undefined: it is not had here. */
  termsOf(session: string): Pick<TimelineHead, 'scope' | 'person' | 'started_at'> | undefined {
    return this.#sessions.get(session)?.head
  }

  /** Steps that were noted down on another node, where it was had too or before. To be called under the same terms. */
  join(session: string, events: readonly TimelineEvent[]): void {
    if (!this.#sessions.has(session)) return
    for (const event of events) this.#parts.timeline.append({ ...event, session_id: session })
  }

  /** It goes on elsewhere, and so do its steps. */
  left(session: string): void {
    this.#sessions.delete(session)
    this.#parts.timeline.left(session)
  }

  ended(session: string): void {
    this.#sessions.delete(session)
    this.#parts.timeline.end(session)
  }

  /** Ends the timelines of conversations that are gone and did not say so: killed, or failed for good. */
  sweep(lives: (session: string) => boolean): void {
    for (const session of [...this.#sessions.keys()]) if (!lives(session)) this.ended(session)
  }

  #begin(session: string, body: Step['body']): void {
    const agreed = body as unknown as Agreed
    const { clock, random, timeline } = this.#parts
    const head = this.#headOf({ session, room: String(body.room), started_at: clock.wall() }, agreed)
    this.#sessions.set(session, { agreed, head, trace: newTraceId(random), engines: new Map(), steps: [] })
    timeline.begin(head)
  }

  #headOf(
    { session, room, started_at }: Omit<TimelineHead, 'scope' | 'person'>,
    agreed: Agreed,
  ): TimelineHead {
    const { scope, person } = this.#parts.allowed(agreed)
    return { session, room, started_at, scope, person }
  }

  #known(kind: string, body: Step['body'], { engines }: Recorded): Record<string, unknown> {
    if (kind === 'skill.result' && typeof body.skill === 'string') {
      const permissions = this.#parts.permissions(body.skill)
      return permissions === undefined ? {} : { permissions }
    }
    const done = DONE_BY[kind]
    const engine = done === undefined ? undefined : engines.get(done)
    return engine === undefined ? {} : { engine }
  }
}
