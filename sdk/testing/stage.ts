/**
 * A stage for one skill: a conversation in which sentences are read, questions asked and answers given by the node's own rules,
 * on a clock that stands still between the steps. Only the skill itself runs for real, in its sandbox; recognition, voices,
 * the store, the devices and the servers around it are played (`house.ts`).
 */
import { type Message, type OutsideEffect, placedAddress, type Runtime } from '../../src/actors/index.ts'
import { createRuntime } from '../../src/actors/runtime.ts'
import { monotonic, nodeId, requestId, sessionId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { SimulatedClock, SimulatedRandom } from '../../src/host/simulated/index.ts'
import type { Change } from '../../src/skills/call.ts'
import type { HostPorts } from '../../src/skills/host-ports.ts'
import {
  type Announce,
  type Grammar,
  type Intent,
  type Skill,
  type SkillInvoke,
  type SkillResult,
  type SlotValue,
  skill as skillBehavior,
} from '../../src/skills/index.ts'
import { InvokePort } from '../../src/skills/port.ts'
import { openScriptEngine, type ScriptEngine } from '../../src/skills/script.ts'
import { CARDS } from '../../src/skills/skill-reach.ts'
import { argsOf } from '../../src/skills/skills.ts'
import { type Decision, decide, openQuestion, readingContext } from '../../src/voice/decide.ts'
import type { Conversation } from '../../src/voice/turn-state.ts'
import type { Understanding } from '../../src/voice/understanding.ts'
import { MemoryStore, PlayedHouse } from './house.ts'
import { understandingWith } from './words.ts'

/** A Saturday afternoon: tests of the time of day begin here unless they say otherwise. */
export const BEGINS = Date.UTC(2026, 10, 21, 15, 10)
/** As a person is given to answer a question. */
const ANSWER_WITHIN_MS = 30_000
/** Voice of this length is a sentence, not a cough. */
const SPOKEN_MS = 1_000
/** On a machine that is busy with something else. */
const CALL_WITHIN_MS = 30_000

/** What came of one step. */
export interface Happened {
  readonly intent: string
  readonly slots: Readonly<Record<string, SlotValue>>
  /** What was said to it; empty for nothing. */
  readonly reply: string
  /** What it now waits for: a slot, or `yes or no`. */
  readonly asks: string | undefined
  /** What was said unasked, in order. */
  readonly announced: readonly string[]
  readonly cards: readonly Readonly<Record<string, unknown>>[]
  /** What the skill changed or wanted done, in order, also in calls that followed. */
  readonly calls: readonly Change[]
  /** Errors of its calls. */
  readonly errors: readonly string[]
}

export interface StageOptions {
  readonly room?: string
  /** ISO 8601, UTC. */
  readonly at?: string
  /** Which of the skill's languages is spoken. Default: English. */
  readonly language?: string
}

/** The process a skill runs in, for one stage after another: starting it takes longer than most conversations. */
export class StageSandbox {
  /** Of the stage that plays now. */
  house = new PlayedHouse()
  readonly port: InvokePort

  private constructor(skill: Skill, scripts: ScriptEngine) {
    const now = (): HostPorts => this.house.ports
    const ports: HostPorts = {
      settings: { of: (name) => now().settings!.of(name) },
      devices: {
        list: () => now().devices!.list(),
        command: (...order) => now().devices!.command(...order),
      },
      http: { request: (...asked) => now().http!.request(...asked) },
      language: { complete: (...asked) => now().language!.complete(...asked) },
    }
    const nothing = { charged: () => undefined, ended: () => undefined }
    this.port = new InvokePort(realHost().clock, nothing, { ports, scripts })
    this.port.install(skill)
  }

  static async open(skill: Skill): Promise<StageSandbox> {
    return new StageSandbox(skill, await openScriptEngine(realHost().disk))
  }

  end(): void {
    this.port.stop()
  }
}

export class Stage {
  readonly house = new PlayedHouse()
  readonly #skill: Skill
  readonly #understanding: Understanding
  readonly #clock: SimulatedClock
  readonly #store = new MemoryStore()
  readonly #sandbox: StageSandbox
  readonly #unwatch: () => void
  #ends: () => void = () => undefined
  readonly #runtime: Runtime
  #conversation: Conversation
  #busy = 0
  #moved = Promise.withResolvers<void>()
  #question: Intent | undefined
  // Of the step under way.
  #announced: string[] = []
  #cards: Readonly<Record<string, unknown>>[] = []
  #calls: Change[] = []
  #errors: string[] = []

  private constructor(
    skill: Skill,
    understanding: Understanding,
    sandbox: StageSandbox,
    options: StageOptions,
  ) {
    const { room = 'kitchen', at } = options
    this.#skill = skill
    this.#understanding = understanding
    this.#conversation = { room, last: undefined, lastReply: undefined, expecting: undefined }
    this.#clock = new SimulatedClock(at === undefined ? BEGINS : Date.parse(at))
    this.#sandbox = sandbox
    sandbox.house = this.house
    this.#unwatch = sandbox.port.watch(({ changes, error }) => {
      this.#calls.push(...changes)
      if (error !== undefined) this.#errors.push(error.message)
    })
    this.#runtime = this.#newRuntime()
    this.#runtime.subscribe('announce', (message) => this.#heard(message as unknown as Announce))
    this.#runtime.subscribe(CARDS, (message) => {
      this.#cards.push((message as unknown as { card: Readonly<Record<string, unknown>> }).card)
    })
    this.#runtime.spawn({
      kind: 'skill',
      key: skill.manifest.name,
      args: argsOf(skill, { node: NODE, zone: 'UTC', language: options.language ?? 'en' }),
      restart: 'permanent',
    })
  }

  /** `grammar` has the sentences of the skill. Call `end` when done. */
  static async open(
    skill: Skill,
    grammar: Grammar,
    options: StageOptions = {},
    sandbox?: StageSandbox,
  ): Promise<Stage> {
    const { name, handles } = skill.manifest
    const understanding = understandingWith(grammar, name, handles)
    const own = sandbox ?? (await StageSandbox.open(skill))
    const stage = new Stage(skill, understanding, own, options)
    if (sandbox === undefined) stage.#ends = () => own.end()
    stage.house.settings = defaultsOf(skill)
    await stage.#settle()
    return stage
  }

  /** Somebody says this. */
  async say(text: string): Promise<Happened> {
    this.#begin()
    const now = monotonic(this.#clock.monotonic())
    const question = openQuestion(this.#conversation, now)
    const reading = this.#understanding.read(text, readingContext(this.#conversation, now))
    const answered = this.#answerTo(reading.intent)
    if (answered !== undefined) return this.#act(answered, true)
    const decision = decide(text, reading, SPOKEN_MS, {
      understanding: this.#understanding,
      conversation: { ...this.#conversation, expecting: question },
      now,
      answer_ms: ANSWER_WITHIN_MS,
      interrupting: false,
      aloud: false,
    })
    return this.#carryOut(decision)
  }

  /** The clock goes on; what falls due rings. */
  async wait(ms: number): Promise<Happened> {
    this.#begin()
    const end = this.#clock.monotonic() + ms
    for (;;) {
      await this.#settle()
      if (!this.#clock.step(end)) break
    }
    this.#clock.advance(end - this.#clock.monotonic())
    await this.#settle()
    return this.#happened({ name: 'none', slots: {} }, '')
  }

  end(): void {
    this.#unwatch()
    this.#ends()
  }

  async #carryOut(decision: Decision): Promise<Happened> {
    switch (decision.kind) {
      case 'act':
        return this.#act(decision.intent, decision.confirmed)
      case 'say': {
        const { intent, speech, expecting, aside } = decision
        const said = aside === true ? {} : { last: intent, lastReply: speech }
        this.#conversation = { ...this.#conversation, ...said, expecting }
        await this.#settle()
        return this.#happened(intent, speech)
      }
      case 'hush':
        return this.#happened(decision.intent, '')
      case 'move':
      case 'interpret':
      case 'ignore':
        // What no template fits goes to the language model in a house; here it is not understood.
        return this.#happened({ name: 'none', slots: {} }, '')
    }
  }

  async #act(intent: Intent, confirmed: boolean): Promise<Happened> {
    const { name } = this.#skill.manifest
    const invoke: SkillInvoke = {
      type: 'skill.invoke',
      intent,
      session: SESSION,
      room: this.#conversation.room,
      confirmed,
    }
    let result: SkillResult | undefined
    const asked = this.#runtime
      .ask(placedAddress('skill', name), invoke as unknown as Message, { deadline_ms: CALL_WITHIN_MS })
      .then(
        (answer) => {
          result = answer as unknown as SkillResult
        },
        (thrown: unknown) => void this.#errors.push(String(thrown)),
      )
    this.#track(asked)
    await this.#settle()
    const until = monotonic(this.#clock.monotonic() + ANSWER_WITHIN_MS)
    const { speech = '', follow_up, card, failed } = result ?? {}
    if (failed !== undefined && this.#errors.length === 0) this.#errors.push(failed.message)
    if (card !== undefined) this.#cards.push(card)
    const expecting =
      follow_up === undefined
        ? undefined
        : 'slot' in follow_up
          ? ({ kind: 'slot', intent, slot: follow_up.slot, until } as const)
          : ({ kind: 'confirm', intent, until } as const)
    this.#conversation = { ...this.#conversation, last: intent, lastReply: speech, expecting }
    return this.#happened(intent, speech)
  }

  /** A yes or no to what the skill asked unasked. */
  #answerTo(intent: Intent): Intent | undefined {
    const question = this.#question
    if (question === undefined || (intent.name !== 'session.yes' && intent.name !== 'session.no'))
      return undefined
    this.#question = undefined
    return { ...question, slots: { ...question.slots, yes: intent.name === 'session.yes' ? 1 : 0 } }
  }

  #heard({ speech, asks }: Announce): void {
    this.#announced.push(speech)
    if (asks !== undefined) this.#question = asks
  }

  #begin(): void {
    this.#announced = []
    this.#cards = []
    this.#calls = []
    this.#errors = []
    this.house.asked.length = 0
    this.house.commands.length = 0
  }

  #happened(intent: Intent, reply: string): Happened {
    const { expecting } = this.#conversation
    return {
      ...{ intent: intent.name, slots: intent.slots, reply },
      asks: expecting === undefined ? undefined : expecting.kind === 'slot' ? expecting.slot : 'yes or no',
      announced: this.#announced,
      cards: this.#cards,
      calls: this.#calls,
      errors: this.#errors,
    }
  }

  #newRuntime(): Runtime {
    return createRuntime({
      node: NODE,
      host: { clock: this.#clock, random: new SimulatedRandom(7) },
      hosting: { attach: () => undefined, detach: () => undefined, close: () => undefined },
      behaviors: { skill: skillBehavior },
      outside: {
        read: (effect, deliver) => this.#store.read(effect, deliver),
        write: (effect, deliver) => this.#store.write(effect, deliver),
        invoke: (effect, deliver, actor) => {
          const ended = Promise.withResolvers<void>()
          this.#track(ended.promise)
          this.#sandbox.port.request(
            // What the node's clock would allow in virtual time, a busy machine may need in real time.
            { ...(effect as OutsideEffect<'invoke'>), deadline_ms: CALL_WITHIN_MS },
            (outcome) => {
              deliver(outcome)
              if (outcome.event !== 'chunk') ended.resolve()
            },
            actor,
          )
        },
        cancel: (id, actor, port) => {
          if (port === 'invoke') this.#sandbox.port.cancel(requestId(id), actor)
        },
      },
      observe: { log: () => undefined, metric: () => undefined, audit: () => undefined },
    })
  }

  #track(work: Promise<unknown>): void {
    this.#busy += 1
    void work.finally(() => {
      this.#busy -= 1
      this.#moved.resolve()
    })
  }

  /** Until nothing moves any more at this moment of virtual time. */
  async #settle(): Promise<void> {
    for (;;) {
      this.#clock.advance(0)
      if (this.#busy === 0) return
      await this.#moved.promise
      this.#moved = Promise.withResolvers<void>()
    }
  }
}

const NODE = nodeId('stage')
const SESSION = sessionId('stage')

function defaultsOf({ manifest }: Skill): Record<string, string | number | boolean> {
  const settings: Record<string, string | number | boolean> = {}
  for (const [name, { default: value }] of Object.entries(manifest.config ?? {})) {
    if (value !== undefined) settings[name] = value
  }
  return settings
}
