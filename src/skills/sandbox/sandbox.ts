/**
 * One sandbox: the machine's decisions carried out on a real process. Calls go in, checked outcomes come out; whatever
 * a skill does in between ends with its process. The node's own memory holds a frame of it at most.
 */
import { assertNever, type Cancel, type Clock, type Monotonic } from '../../host/index.ts'
import type { CallOutcome, SkillCall } from '../call.ts'
import { type SkillErrorShape, skillError } from '../errors.ts'
import { readyModule } from '../wasm.ts'
import { encodeFrame, FrameJoiner, MAX_ANSWER_BYTES } from './frames.ts'
import { newSandbox, nextAlarm, stepSandbox } from './machine.ts'
import type { SandboxEffect, SandboxHabits, SandboxInput, SandboxState, StopReason } from './machine-state.ts'
import type { SandboxProcess, StartProcess } from './process.ts'
import type { Order } from './protocol.ts'
import { packScript, type ScriptSource } from './script-source.ts'
import { type Grant, verifyAnswer } from './verify.ts'

/** A module ready to run: checked, its memory limited to the budget. */
export interface Installed extends Grant {
  readonly name: string
  /** Of a script its text. */
  readonly module: Uint8Array
  /** What a script runs on; absent: it is a module of WebAssembly. */
  readonly script?: Omit<ScriptSource, 'skill'> | undefined
  /** It is no module: its process is the skill, and is told of the grant alone. */
  readonly runner?: 'container' | 'native' | undefined
}

/** Looking in vain costs a tenth of a millisecond: only one call in four of a skill that is slow pays it. */
const UNLOOKED_CALLS = 3
/** What is told of why a module cannot be loaded. */
const MAX_REASON_CHARS = 300

export interface SandboxEvents {
  /** A skill failed; `stopped` when it was switched off for it. */
  charged(skill: string, error: SkillErrorShape, stopped: StopReason | undefined): void
  /** A process ended: for the log. */
  ended(detail: string): void
}

export class Sandbox {
  readonly #clock: Clock
  readonly #events: SandboxEvents
  readonly #startProcess: StartProcess
  readonly #installed = new Map<string, Installed>()
  readonly #callers = new Map<number, (outcome: CallOutcome) => void>()
  #state: SandboxState
  #process: SandboxProcess | undefined
  #alarm: { readonly at: Monotonic; readonly cancel: Cancel } | undefined
  #nextId = 1
  #looking = false
  /** Calls until it is looked for an answer again. */
  #unlooked = 0

  constructor(clock: Clock, events: SandboxEvents, start: StartProcess, habits: SandboxHabits = {}) {
    this.#clock = clock
    this.#events = events
    this.#startProcess = start
    this.#state = newSandbox(habits)
  }

  get state(): SandboxState {
    return this.#state
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  install(skill: Installed): void {
    this.#installed.set(skill.name, skill)
    this.#input({ type: 'register', skill: skill.name, call_ms: skill.budget.call_ms })
  }

  /** The skill runs elsewhere from now on, or nowhere. Only when none of its calls is under way here. */
  forget(skill: string): void {
    this.#input({ type: 'forget', skill })
    this.#installed.delete(skill)
  }

  /** Starts the process now, so that the first call finds it running. */
  warm(): void {
    this.#input({ type: 'warm' })
  }

  /** Others need the room: ends its process if it is idle. */
  evict(): void {
    this.#input({ type: 'evict' })
  }

  enable(skill: string): void {
    this.#input({ type: 'enable', skill })
  }

  /** `done` is called exactly once, never synchronously before `call` returned an id, unless the call is cancelled. */
  call(skill: string, call: SkillCall, deadline_ms: number, done: (outcome: CallOutcome) => void): number {
    const id = this.#nextId
    this.#nextId += 1
    this.#callers.set(id, done)
    const deadline = (this.#clock.monotonic() + deadline_ms) as Monotonic
    this.#input({ type: 'call', job: { id, skill, call, deadline } })
    return id
  }

  /** Nobody waits any more: a call that has not begun never does, one that runs ends unheard. */
  cancel(id: number): void {
    this.#callers.delete(id)
    this.#input({ type: 'cancel', id })
  }

  stop(): void {
    this.#input({ type: 'stop' })
    this.#alarm?.cancel()
    this.#alarm = undefined
  }

  #input(input: SandboxInput): void {
    const step = stepSandbox(this.#state, input, this.#clock.monotonic())
    this.#state = step.state
    for (const effect of step.effects) this.#carryOut(effect)
    this.#rearm()
    if (step.effects.some(({ type }) => type === 'run')) this.#look()
  }

  /** Most skills answer at once. Whoever does not is left alone for some calls, and of calls in a row only the first is looked after. */
  #look(): void {
    if (this.#looking) return
    if (this.#unlooked > 0) {
      this.#unlooked -= 1
      return
    }
    this.#looking = true
    if (this.#process?.listen() === false) this.#unlooked = UNLOOKED_CALLS
    this.#looking = false
  }

  #carryOut(effect: SandboxEffect): void {
    switch (effect.type) {
      case 'start':
        this.#start()
        break
      case 'load':
        this.#load(this.#installed.get(effect.skill)!)
        break
      case 'run':
        this.#send({ order: 'call', skill: effect.job.skill, call: effect.job.call })
        break
      case 'kill':
        this.#process?.kill()
        break
      case 'answer':
        this.#answer(effect.id, effect.outcome)
        break
      case 'charged':
        this.#events.charged(effect.skill, effect.error, effect.stopped)
        break
      default:
        assertNever(effect)
    }
  }

  #load({ name, permissions, budget, module, script, runner }: Installed): void {
    const about = { order: 'load', skill: name, permissions, budget } as const
    if (runner !== undefined) {
      this.#send({ ...about, runtime: runner, ahead: false })
      return
    }
    if (script !== undefined) {
      const order = { ...about, runtime: 'typescript', ahead: true } as const
      this.#send(order, packScript({ ...script, skill: module }))
      return
    }
    const { bytes, starts, memory } = readyModule(module)
    const order = { ...about, runtime: 'wasm', ahead: !starts } as const
    this.#send(memory === undefined ? order : { ...order, memory }, bytes)
  }

  #answer(id: number, outcome: CallOutcome): void {
    const done = this.#callers.get(id)
    this.#callers.delete(id)
    // Later, so that a caller who calls again from `done` finds the machine between two steps.
    if (done !== undefined) queueMicrotask(() => done(outcome))
  }

  #start(): void {
    const joiner = new FrameJoiner(MAX_ANSWER_BYTES)
    const process = this.#startProcess({
      bytes: (chunk) => {
        // The last words of a process that was killed are nobody's answer.
        if (process !== this.#process) return
        try {
          for (const frame of joiner.push(chunk)) this.#hear(frame.body)
        } catch {
          this.#input({ type: 'babble' })
        }
      },
      exit: (detail) => {
        if (process !== this.#process) return
        this.#process = undefined
        this.#events.ended(detail)
        this.#input({ type: 'exit' })
      },
    })
    this.#process = process
  }

  #send(order: Order, payload?: Uint8Array): void {
    this.#process?.send(encodeFrame(order, payload))
  }

  #hear(body: unknown): void {
    this.#input(this.#meaning(body))
  }

  /** What a sandbox says, in the light of what it was last told. */
  #meaning(body: unknown): SandboxInput {
    const { process } = this.#state
    if (process.phase === 'running') {
      const { skill, call } = process.job
      return { type: 'answered', outcome: verifyAnswer(body, skill, call, this.#installed.get(skill)!) }
    }
    const word = typeof body === 'object' && body !== null && 'answer' in body ? body.answer : undefined
    if (word === 'ready') return { type: 'ready' }
    if (word === 'loaded') return { type: 'loaded' }
    if (word === 'failed' && process.phase === 'loading') {
      const message = `The module of the skill ${process.skill} cannot be loaded${reasonOf(body)}`
      return { type: 'load-failed', error: skillError('skill-refused', message) }
    }
    return { type: 'babble' }
  }

  /** An alarm that comes too early changes nothing, so one is set anew only for what is due sooner: most calls set none. */
  #rearm(): void {
    const at = nextAlarm(this.#state)
    if (at === undefined || (this.#alarm !== undefined && this.#alarm.at <= at)) return
    this.#alarm?.cancel()
    const delay_ms = Math.max(0, at - this.#clock.monotonic())
    const cancel = this.#clock.after(delay_ms, () => {
      this.#alarm = undefined
      // When this process itself was late, the answer may be waiting in the pipe: it is read first.
      this.#clock.soon(() => this.#input({ type: 'alarm' }))
    })
    this.#alarm = { at, cancel }
  }
}

/** A sandbox's words about what it could not load. A stranger's: short, and without control characters. */
function reasonOf(body: unknown): string {
  const { message } = body as { message?: unknown }
  const said = typeof message === 'string' ? message : ''
  const printable = said.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_CHARS)
  return printable === '' ? '' : `: ${printable}`
}
