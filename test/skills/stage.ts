/**
 * A stage for one skill actor: its effects are carried out here, in virtual time, on a store in memory. The calls go
 * wherever `invoke` takes them: a scripted answer, or a real sandbox.
 */
import type { Context, Effect, EntryChange, Followed, Message, Ref } from '../../src/actors/index.ts'
import { placedAddress } from '../../src/actors/index.ts'
import { type ErrorShape, monotonic, type RequestId, type SessionId, wall } from '../../src/host/index.ts'
import type { CallOutcome, SkillCall } from '../../src/skills/call.ts'
import {
  type Announce,
  HOUSE_WANTED,
  type SkillArgs,
  type SkillMessage,
  type SkillResult,
  type SkillState,
  skill,
} from '../../src/skills/index.ts'

export type Invoke = (call: SkillCall) => CallOutcome | Promise<CallOutcome>

export const SATURDAY_AFTERNOON = Date.UTC(2026, 10, 21, 15, 10)

export class SkillStage {
  readonly args: SkillArgs
  readonly stored = new Map<string, unknown>()
  readonly announced: Announce[] = []
  readonly effects: Effect[] = []
  /** What was said on topics other than `announce`. */
  readonly published: Message[] = []
  /** What was begun outside and has not ended, by its id. */
  readonly outside = new Map<string, Extract<Effect, { type: 'invoke' }>>()
  /** Fails every write (or read) with this error while set. */
  storeFails: ErrorShape | undefined
  /** Of the skill's random numbers. */
  seed = 7
  /** Whose conversation asks are of. */
  person: string | undefined
  state!: SkillState
  #invoke: Invoke
  #now = 1_000
  #wall = SATURDAY_AFTERNOON
  #schedules = new Map<string, { at: number; message: SkillMessage }>()
  #answers = new Map<number, (result: SkillResult) => void>()
  #asks = 0
  #following: RequestId | undefined
  #held: (() => Promise<void>)[] | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(args: SkillArgs, invoke: Invoke) {
    this.args = args
    this.#invoke = invoke
    this.boot()
  }

  /** Starts the actor afresh on what is stored, `away_ms` after it was last alive. */
  boot(away_ms = 0): void {
    this.#now = 500
    this.#wall += away_ms
    this.#schedules.clear()
    const { state, effects } = skill.start(this.args, this.#context())
    this.state = state
    this.#carryOut(effects)
  }

  /** Waits until all that was begun is finished. */
  async settle(): Promise<void> {
    for (let work = this.#work; ; work = this.#work) {
      await work
      if (work === this.#work) return
    }
  }

  async ask(
    intent: string,
    slots: Readonly<Record<string, string | number | readonly string[]>> = {},
    confirmed = false,
  ): Promise<SkillResult> {
    await this.settle()
    const asked = this.tellAsk(intent, slots, confirmed)
    await this.settle()
    return asked
  }

  /** Asks without waiting for what came before. */
  tellAsk(
    intent: string,
    slots: Readonly<Record<string, string | number | readonly string[]>> = {},
    confirmed = false,
  ): Promise<SkillResult> {
    this.#asks += 1
    const id = this.#asks
    const result = new Promise<SkillResult>((done) => this.#answers.set(id, done))
    const session = 'session' as SessionId
    this.tell(
      {
        ...{ type: 'skill.invoke', intent: { name: intent, slots }, session, room: 'kitchen', confirmed },
        ...(this.person === undefined ? {} : { person: this.person }),
      },
      id,
    )
    return result
  }

  async say(...asked: Parameters<SkillStage['ask']>): Promise<string> {
    return (await this.ask(...asked)).speech
  }

  /** Moves time on, ringing what falls due. */
  async advance(ms: number): Promise<void> {
    await this.settle()
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#schedules].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0]
      if (due === undefined) break
      const [id, { at, message }] = due
      this.#schedules.delete(id)
      this.#passTo(Math.max(at, this.#now))
      this.tell(message)
      await this.settle()
    }
    this.#passTo(end)
  }

  /** Time passes and nothing rings. */
  pass(ms: number): void {
    this.#passTo(this.#now + ms)
  }

  tell(message: SkillMessage, askId?: number): void {
    const { state, effects } = skill.receive(this.state, message, this.#context(askId))
    this.state = state
    this.#carryOut(effects)
  }

  /** Another node wrote this, and it has arrived. */
  write(...changes: EntryChange[]): void {
    this.#apply(changes)
    this.told(false, changes)
  }

  /** The store tells what it holds. */
  told(whole: boolean, changes: readonly EntryChange[]): void {
    const body: Followed = { whole, changes }
    this.tell({ type: 'outcome', id: this.#following!, event: 'chunk', body })
  }

  /** The store cannot be followed any more. */
  lost(error: ErrorShape): void {
    this.#outcome(this.#following!, error, undefined)
  }

  /** The oldest thing begun outside ends so. */
  async ends(value: unknown, error?: ErrorShape): Promise<void> {
    await this.settle()
    const [id] = [...this.outside.keys()]
    this.outside.delete(id!)
    this.#outcome(id as RequestId, error, value)
    await this.settle()
  }

  /** Calls are not carried out until they are released. */
  hold(): void {
    this.#held = []
  }

  async release(): Promise<void> {
    for (const call of this.#held ?? []) this.#later(call)
    this.#held = undefined
    await this.settle()
  }

  #passTo(at: number): void {
    this.#wall += at - this.#now
    this.#now = at
  }

  #context(askId?: number): Context {
    return {
      self: SELF,
      now: monotonic(this.#now),
      wall: wall(this.#wall),
      entropy: this.seed,
      replyTo: askId === undefined ? undefined : { actor: undefined, id: askId },
      deadline_ms: undefined,
      sender: undefined,
    }
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'publish' && effect.topic !== 'announce') {
        if (effect.topic !== HOUSE_WANTED) this.published.push(effect.message)
        continue
      }
      this.effects.push(effect)
      switch (effect.type) {
        case 'schedule':
          this.#schedules.set(effect.id, {
            at: this.#now + effect.delay_ms,
            message: effect.message as SkillMessage,
          })
          break
        case 'cancel':
          this.#schedules.delete(effect.id)
          break
        case 'publish':
          this.announced.push(effect.message as Announce)
          break
        case 'reply': {
          const answer = this.#answers.get(effect.to.id)
          if (answer === undefined) throw new Error(`ask ${effect.to.id} was answered twice`)
          this.#answers.delete(effect.to.id)
          answer(effect.message as SkillResult)
          break
        }
        case 'read':
          this.#following = effect.id
          this.#later(() => {
            if (this.storeFails !== undefined) this.#outcome(effect.id, this.storeFails, undefined)
            else this.told(true, this.#entries())
          })
          break
        case 'write':
          this.#later(() => {
            const changes = effect.body as readonly EntryChange[]
            if (this.storeFails === undefined) this.#apply(changes)
            this.#outcome(effect.id, this.storeFails, undefined)
            if (this.storeFails === undefined) this.told(false, changes)
          })
          break
        case 'invoke': {
          if (effect.op !== 'call') {
            this.outside.set(effect.id, effect)
            break
          }
          const call = async (): Promise<void> => {
            const outcome = await this.#invoke(effect.body as SkillCall)
            if (outcome.ok) this.#outcome(effect.id, undefined, outcome.result)
            else this.#outcome(effect.id, outcome.error, undefined)
          }
          if (this.#held === undefined) this.#later(call)
          else this.#held.push(call)
          break
        }
      }
    }
  }

  #later(run: () => void | Promise<void>): void {
    this.#work = this.#work.then(run)
  }

  #outcome(id: Extract<Effect, { type: 'read' }>['id'], error: ErrorShape | undefined, body: unknown): void {
    if (error === undefined) this.tell({ type: 'outcome', id, event: 'done', body })
    else this.tell({ type: 'outcome', id, event: 'failed', error })
  }

  #entries(): EntryChange[] {
    return [...this.stored]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ change: 'put', key, value }))
  }

  #apply(changes: readonly EntryChange[]): void {
    for (const change of changes) {
      if (change.change === 'put') this.stored.set(change.key, change.value)
      else this.stored.delete(change.key)
    }
  }
}

const SELF: Ref = { address: placedAddress('skill', 'stage'), incarnation: 1 }
