/**
 * The `invoke` port of the actor runtime: takes a skill actor's calls to the sandbox the skill lives in. Skills of zone 1
 * ship with the node and share one process, kept warm; every other skill has a process of its own, taken from a spare when it
 * is called and ended when idle, at once when more than a few are. So any number of idle skills takes three processes at most.
 *
 * A new version is tried beside the one in use, in a process of its own; when it is taken into use, new calls go there, and
 * the old process ends with the last call that was under way in it.
 */
import type { Outcome, OutsidePort, Ref } from '../actors/index.ts'
import type { Clock, RequestId } from '../host/index.ts'
import type { CallOutcome, Change, SkillCall } from './call.ts'
import type { Skill } from './catalogue.ts'
import { SkillError, type SkillErrorShape, skillError } from './errors.ts'
import type { HostPorts } from './host-ports.ts'
import type { SkillRuntime } from './manifest/index.ts'
import { OutsideWork } from './outside.ts'
import type { Runner, RunnerOf } from './runners.ts'
import { NO_FENCE } from './sandbox/fence.ts'
import { processStarter, type StartProcess } from './sandbox/process.ts'
import { type Installed, Sandbox, type SandboxEvents } from './sandbox/sandbox.ts'
import { SparePool } from './sandbox/spare.ts'
import type { ScriptEngine } from './script.ts'
import { ANSWER_WITHIN_MS } from './skill-work.ts'

/** The next sentence to the same skill comes sooner, as a rule; from a spare process it starts again within 10 ms. */
const EVICT_AFTER_MS = 30_000
/**
 * Processes of single skills that stay while idle: the one that is spoken with. Each takes 50 MB as `ps` counts, 10 MB beside what all
 * share; with the shared one and the spare that makes three.
 */
const MOST_IDLE = 1
/** A container or a program of its own takes a second to start, and what it takes while idle is its own affair: kept longer. */
const EVICT_RUNNER_AFTER_MS = 600_000
const MOST_IDLE_RUNNERS = 2

/** A call of a trial: the process starts for it, as slowly as on a loaded single-board computer. */
const TRIAL_WITHIN_MS = 15_000

/** A version that passed its trial and is not in use yet. One of the two is called. */
export interface Trial {
  /** New calls of the skill go to it from now on; those under way end where they began. */
  use(): void
  drop(): void
}

export interface PortParts {
  /** Default: processes without a fence. */
  readonly start?: StartProcess
  /** Where what takes time is done; without one of them it is refused in words. */
  readonly ports?: HostPorts
  /** Without it no skill written in TypeScript runs. */
  readonly scripts?: ScriptEngine
  /** What runs skills that are no module; without it none of them runs. */
  readonly runnerOf?: RunnerOf
}

/** A call that ended: for whoever develops the skill. Holds what people said. */
export interface CallRecord {
  readonly skill: string
  readonly entry: string
  /** JSON, as the skill was given it. */
  readonly input: string
  /** From the order to the answer, waiting included. */
  readonly ms: number
  readonly speech: string
  readonly changes: readonly Change[]
  readonly error?: SkillErrorShape | undefined
}

interface Pending {
  readonly skill: string
  readonly sandbox: Sandbox
  /** Undefined while it is looked whether it can run here. */
  call: number | undefined
}

export class InvokePort {
  readonly #clock: Clock
  readonly #events: SandboxEvents
  readonly #start: StartProcess
  readonly #spare: SparePool
  readonly #scripts: ScriptEngine | undefined
  readonly #runnerOf: RunnerOf
  /** Of the sandboxes that have one. */
  readonly #runners = new Map<Sandbox, Runner>()
  readonly #sandboxes = new Map<string, Sandbox>()
  readonly #pending = new Map<string, Pending>()
  /** Versions that are no longer called and still have calls under way. */
  readonly #leaving = new Set<{ readonly skill: string; readonly sandbox: Sandbox }>()
  /** What takes time and is not a skill's own code. */
  readonly #outside: OutsideWork
  readonly #watchers = new Set<(record: CallRecord) => void>()
  #shared: Sandbox | undefined

  constructor(clock: Clock, events: SandboxEvents, parts: PortParts = {}) {
    const { start = processStarter(NO_FENCE), ports = {}, scripts, runnerOf = () => undefined } = parts
    this.#runnerOf = runnerOf
    this.#scripts = scripts
    this.#clock = clock
    this.#outside = new OutsideWork(clock, ports)
    this.#events = events
    this.#start = start
    this.#spare = new SparePool(clock, start)
  }

  install(skill: Skill): void {
    const { name } = skill.manifest
    const sandbox = this.#sandboxes.get(name) ?? this.#sandboxFor(skill)
    this.#sandboxes.set(name, sandbox)
    sandbox.install(installed(skill, this.#scripts))
    this.#outside.install(skill)
    void this.#runners.get(sandbox)?.look()
  }

  /**
   * Starts a version in a process of its own and makes these calls of it, whose changes count for nothing. The one in use is
   * not touched. Errors: `SkillError` of the first call that fails.
   */
  async try(skill: Skill, calls: readonly SkillCall[]): Promise<Trial> {
    const { name } = skill.manifest
    let inUse = false
    const sandbox = this.#ownSandbox(skill, {
      ...this.#events,
      // What fails in a trial is told to whoever wanted it tried.
      charged: (...about) => void (inUse && this.#events.charged(...about)),
    })
    const missing = await this.#runners.get(sandbox)?.look()
    if (missing !== undefined) {
      this.#stop(sandbox)
      throw new SkillError(missing.code, missing.message, missing.hint)
    }
    sandbox.install(installed(skill, this.#scripts))
    sandbox.warm()
    for (const call of calls) {
      const outcome = await new Promise<CallOutcome>((done) => {
        sandbox.call(name, call, TRIAL_WITHIN_MS, done)
      })
      if (outcome.ok) continue
      this.#stop(sandbox)
      const { code, message, hint } = outcome.error
      throw new SkillError(code, message, hint)
    }
    return {
      use: () => {
        inUse = true
        this.remove(name)
        this.#sandboxes.set(name, sandbox)
        this.#outside.install(skill)
        if (!this.#runners.has(sandbox)) this.#spare.keep()
        this.#trim()
      },
      drop: () => this.#stop(sandbox),
    }
  }

  /** The skill is called no more; what is under way ends. */
  remove(skill: string): void {
    const sandbox = this.#sandboxes.get(skill)
    if (sandbox === undefined) return
    this.#sandboxes.delete(skill)
    this.#leaving.add({ skill, sandbox })
    this.#letGo()
  }

  /** The skill may not run any more: its process ends, whatever it is doing. Those that ship with the node share one and only end their calls. */
  kill(skill: string): void {
    this.remove(skill)
    for (const leaving of this.#leaving) {
      if (leaving.skill !== skill || leaving.sandbox === this.#shared) continue
      this.#leaving.delete(leaving)
      this.#stop(leaving.sandbox)
    }
  }

  /** Starts the process of the skills that ship with the node, and a spare one where others are installed. */
  warm(): void {
    this.#shared?.warm()
    if (this.#own.some((sandbox) => !this.#runners.has(sandbox))) this.#spare.keep()
  }

  /** Of the processes that live, each with whose it is. */
  get pids(): readonly { readonly of: string; readonly pid: number }[] {
    const all = [
      { of: 'skills that ship with the node', pid: this.#shared?.pid },
      { of: 'nobody yet', pid: this.#spare.pid },
      ...[...this.#sandboxes]
        .filter(([, sandbox]) => sandbox !== this.#shared)
        .map(([of, { pid }]) => ({ of, pid })),
    ]
    return all.flatMap(({ of, pid }) => (pid === undefined ? [] : [{ of, pid }]))
  }

  sandboxOf(skill: string): Sandbox | undefined {
    return this.#sandboxes.get(skill)
  }

  /** Why a skill cannot run on this machine, as far as is known. */
  problemOf(skill: string): SkillErrorShape | undefined {
    const sandbox = this.#sandboxes.get(skill)
    return sandbox === undefined ? undefined : this.#runners.get(sandbox)?.problem
  }

  /**
   * Carries out one `invoke` effect: `op` is `call`, `to` the skill, `body` a `SkillCall`; `done` brings a `CallResult`. Any other
   * `op` is something the skill wants done outside.
   */
  request(effect: OutsidePort, deliver: (outcome: Outcome) => void, actor: Ref): void {
    const { id } = effect
    const fail = (error: SkillErrorShape): void => deliver({ type: 'outcome', id, event: 'failed', error })
    const sandbox = this.#sandboxes.get(effect.to)
    if (sandbox === undefined) {
      fail(skillError('skill-refused', `There is no skill ${effect.to}`))
      return
    }
    const key = keyOf(id, actor)
    if (effect.op !== 'call') {
      this.#outside.request(effect, key, deliver)
      return
    }
    const completed = this.#outside.completed(effect.to, effect.body as SkillCall)
    const deadline_ms = effect.deadline_ms ?? ANSWER_WITHIN_MS
    const began = this.#clock.monotonic()
    const pending: Pending = { skill: effect.to, sandbox, call: undefined }
    const end = (outcome: CallOutcome): void => {
      this.#settled(key)
      this.#record(effect.to, completed, outcome, this.#clock.monotonic() - began)
      // Only then another process has become idle.
      if (sandbox !== this.#shared) this.#trim()
      if (outcome.ok) deliver({ type: 'outcome', id, event: 'done', body: outcome.result })
      else fail(outcome.error)
    }
    this.#pending.set(key, pending)
    const runner = this.#runners.get(sandbox)
    if (runner === undefined || isUp(sandbox)) {
      pending.call = sandbox.call(effect.to, completed, deadline_ms, end)
      return
    }
    void runner.look().then((missing) => {
      // Nobody waits any more.
      if (this.#pending.get(key) !== pending) return
      if (missing !== undefined) {
        end({ ok: false, error: missing })
        return
      }
      const left_ms = Math.max(0, deadline_ms - (this.#clock.monotonic() - began))
      pending.call = sandbox.call(effect.to, completed, left_ms, end)
    })
  }

  cancel(id: RequestId, actor: Ref): void {
    const key = keyOf(id, actor)
    if (this.#outside.cancel(key)) return
    const pending = this.#pending.get(key)
    if (pending?.call !== undefined) pending.sandbox.cancel(pending.call)
    this.#settled(key)
  }

  /** The actor ended: nobody hears its calls any more. */
  actorGone(actor: Ref): void {
    const prefix = keyOf('' as RequestId, actor)
    this.#outside.cancelAll(prefix)
    for (const [key, { sandbox, call }] of this.#pending) {
      if (!key.startsWith(prefix)) continue
      if (call !== undefined) sandbox.cancel(call)
      this.#settled(key)
    }
  }

  /** Every call of a skill that ends from now on. Returns how to stop being told. */
  watch(watcher: (record: CallRecord) => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  #record(skill: string, { entry, input }: SkillCall, outcome: CallOutcome, ms: number): void {
    if (this.#watchers.size === 0) return
    const about = { skill, entry, input, ms }
    const record: CallRecord = outcome.ok
      ? { ...about, speech: outcome.result.answer.speech, changes: outcome.result.changes }
      : { ...about, speech: '', changes: [], error: outcome.error }
    for (const watcher of this.#watchers) watcher(record)
  }

  stop(): void {
    this.#spare.stop()
    const leaving = [...this.#leaving].map(({ sandbox }) => sandbox)
    this.#leaving.clear()
    for (const sandbox of new Set([...this.#sandboxes.values(), ...leaving])) sandbox.stop()
  }

  #settled(key: string): void {
    if (this.#pending.delete(key) && this.#leaving.size > 0) this.#letGo()
  }

  /** Ends what leaves and has nothing under way. Every call is answered by its deadline, so nothing stays for long. */
  #letGo(): void {
    const busy = (skill: string, sandbox: Sandbox): boolean =>
      [...this.#pending.values()].some((call) => call.skill === skill && call.sandbox === sandbox)
    for (const leaving of this.#leaving) {
      const { skill, sandbox } = leaving
      if (busy(skill, sandbox)) continue
      this.#leaving.delete(leaving)
      if (sandbox === this.#shared) sandbox.forget(skill)
      else this.#stop(sandbox)
    }
  }

  #stop(sandbox: Sandbox): void {
    sandbox.stop()
    this.#runners.delete(sandbox)
  }

  #sandboxFor(skill: Skill): Sandbox {
    const { zone, runtime } = skill.manifest
    if (zone !== 1 || isRunners(runtime)) return this.#ownSandbox(skill, this.#events)
    this.#shared ??= new Sandbox(this.#clock, this.#events, this.#start, { preload: true })
    return this.#shared
  }

  #ownSandbox(skill: Skill, events: SandboxEvents): Sandbox {
    const runner = this.#runnerOf(skill) ?? (isRunners(skill.manifest.runtime) ? NO_RUNNER : undefined)
    const evict_after_ms = runner === undefined ? EVICT_AFTER_MS : EVICT_RUNNER_AFTER_MS
    const start = runner?.start ?? this.#spare.take
    const sandbox = new Sandbox(this.#clock, events, start, { evict_after_ms })
    if (runner !== undefined) this.#runners.set(sandbox, runner)
    return sandbox
  }

  get #own(): Sandbox[] {
    return [...new Set(this.#sandboxes.values())].filter((sandbox) => sandbox !== this.#shared)
  }

  /** Ends what has been idle longest. */
  #trim(): void {
    const [runners, others] = [true, false].map((is) =>
      this.#own.filter((one) => this.#runners.has(one) === is),
    )
    for (const sandbox of [
      ...longestIdle(others ?? [], MOST_IDLE),
      ...longestIdle(runners ?? [], MOST_IDLE_RUNNERS),
    ])
      sandbox.evict()
  }
}

/** All that are idle but for so many. */
function longestIdle(sandboxes: readonly Sandbox[], but: number): readonly Sandbox[] {
  return sandboxes
    .map((sandbox) => ({ sandbox, process: sandbox.state.process }))
    .flatMap(({ sandbox, process }) => (process.phase === 'idle' ? [{ sandbox, since: process.since }] : []))
    .sort((a, b) => b.since - a.since)
    .slice(but)
    .map(({ sandbox }) => sandbox)
}

/** Whether a call finds a process that runs, or is on its way. */
function isUp(sandbox: Sandbox): boolean {
  const { phase } = sandbox.state.process
  return phase !== 'down' && phase !== 'resting'
}

const isRunners = (runtime: SkillRuntime): runtime is 'container' | 'native' =>
  runtime === 'container' || runtime === 'native'

const NOTHING_RUNS_IT = skillError('skill-runtime', 'Nothing here runs skills of this kind')
const NO_RUNNER: Runner = {
  start: ({ exit }) => {
    queueMicrotask(() => exit('nothing runs it'))
    return { pid: undefined, send: () => undefined, listen: () => false, kill: () => undefined }
  },
  look: async () => NOTHING_RUNS_IT,
  problem: NOTHING_RUNS_IT,
}

function installed({ manifest, permissions, module }: Skill, scripts: ScriptEngine | undefined): Installed {
  const { name, runtime, budgets: budget, topics } = manifest
  const script = runtime === 'typescript' ? scripts : undefined
  const runner = isRunners(runtime) ? runtime : undefined
  return { name, permissions, module, budget, script, runner, publishes: topics?.publish ?? [] }
}

const keyOf = (id: RequestId, actor: Ref): string => `${actor.address} ${actor.incarnation} ${id}`
