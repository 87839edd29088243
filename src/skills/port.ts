/**
 * The `invoke` port of the actor runtime: takes a skill actor's calls to the sandbox the skill lives in. Skills of zone 1
 * ship with the node and share one process, kept warm; every other skill has a process of its own, started when it is
 * called and ended when idle.
 */
import type { Outcome, OutsidePort, Ref } from '../actors/index.ts'
import type { Clock, RequestId } from '../host/index.ts'
import type { SkillCall } from './call.ts'
import type { Skill } from './catalogue.ts'
import { type SkillErrorShape, skillError } from './errors.ts'
import type { HostPorts } from './host-ports.ts'
import { OutsideWork } from './outside.ts'
import { Sandbox, type SandboxEvents } from './sandbox/sandbox.ts'
import { ANSWER_WITHIN_MS } from './skill-work.ts'

/** A process of an own takes 40 MB: ended after ten idle minutes, started again within about 150 ms. */
const EVICT_AFTER_MS = 600_000

interface Pending {
  readonly sandbox: Sandbox
  readonly call: number
}

export class InvokePort {
  readonly #clock: Clock
  readonly #events: SandboxEvents
  readonly #sandboxes = new Map<string, Sandbox>()
  readonly #pending = new Map<string, Pending>()
  /** What takes time and is not a skill's own code. */
  readonly #outside: OutsideWork
  #shared: Sandbox | undefined

  constructor(clock: Clock, events: SandboxEvents, ports: HostPorts = {}) {
    this.#clock = clock
    this.#outside = new OutsideWork(clock, ports)
    this.#events = events
  }

  install(skill: Skill): void {
    const { name, zone, budgets } = skill.manifest
    const sandbox = this.#sandboxes.get(name) ?? this.#sandboxFor(zone)
    this.#sandboxes.set(name, sandbox)
    const publishes = skill.manifest.topics?.publish ?? []
    sandbox.install({
      name,
      permissions: skill.permissions,
      budget: budgets,
      publishes,
      module: skill.module,
    })
    this.#outside.install(skill)
  }

  /** Starts the process of the skills that ship with the node. */
  warm(): void {
    this.#shared?.warm()
  }

  sandboxOf(skill: string): Sandbox | undefined {
    return this.#sandboxes.get(skill)
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
    const call = sandbox.call(effect.to, completed, deadline_ms, (outcome) => {
      this.#pending.delete(key)
      if (outcome.ok) deliver({ type: 'outcome', id, event: 'done', body: outcome.result })
      else fail(outcome.error)
    })
    this.#pending.set(key, { sandbox, call })
  }

  cancel(id: RequestId, actor: Ref): void {
    const key = keyOf(id, actor)
    if (this.#outside.cancel(key)) return
    const pending = this.#pending.get(key)
    this.#pending.delete(key)
    pending?.sandbox.cancel(pending.call)
  }

  /** The actor ended: nobody hears its calls any more. */
  actorGone(actor: Ref): void {
    const prefix = keyOf('' as RequestId, actor)
    this.#outside.cancelAll(prefix)
    for (const [key, { sandbox, call }] of this.#pending) {
      if (!key.startsWith(prefix)) continue
      this.#pending.delete(key)
      sandbox.cancel(call)
    }
  }

  stop(): void {
    for (const sandbox of new Set(this.#sandboxes.values())) sandbox.stop()
  }

  #sandboxFor(zone: 1 | 2 | 3): Sandbox {
    if (zone !== 1) return new Sandbox(this.#clock, this.#events, { evict_after_ms: EVICT_AFTER_MS })
    this.#shared ??= new Sandbox(this.#clock, this.#events, { preload: true })
    return this.#shared
  }
}

const keyOf = (id: RequestId, actor: Ref): string => `${actor.address} ${actor.incarnation} ${id}`
