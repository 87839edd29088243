/**
 * Carries out what skills want done outside: commands to devices, requests, prompts. The skill's actor asks, by the name of its skill;
 * what that skill was granted, and how much of it, is known here from its manifest, never from the sandbox.
 */
import type { Outcome, OutsidePort } from '../actors/index.ts'
import { type Clock, type ErrorShape, errorShape, LoqaError } from '../host/index.ts'
import type { SkillCall } from './call.ts'
import type { Skill } from './catalogue.ts'
import {
  type DeviceValue,
  type HostPorts,
  type HttpAnswer,
  type HttpGrant,
  type HttpRequest,
  type LanguageRequest,
  MAX_DEVICES,
} from './host-ports.ts'
import type { Permission } from './permissions.ts'
import { type Allowance, DEFAULT_ALLOWANCE, left, newUsage, type Usage, type Used, used } from './usage.ts'

/** One at a time would let a slow server keep the others waiting; more than this at once is a storm. */
const MAX_AT_ONCE = 4
/** A token is four letters or so; what is asked counts before it is known how the model counts. */
const CHARS_PER_TOKEN = 4
const SECRET = /\{secret:([a-z][a-z0-9_]{0,39})\}/g

interface Known {
  readonly name: string
  readonly permissions: readonly Permission[]
  readonly http: HttpGrant
  readonly secrets: readonly string[]
  /** Its settings by default. */
  readonly config: Readonly<Record<string, DeviceValue>>
  /** And the type of each. */
  readonly types: Readonly<Record<string, string>>
  readonly allowance: Allowance
  usage: Usage
  running: number
}

type Job = (known: Known, body: unknown, signal: AbortSignal) => Promise<unknown>

export class OutsideWork {
  readonly #clock: Clock
  readonly #ports: HostPorts
  readonly #known = new Map<string, Known>()
  readonly #running = new Map<string, AbortController>()

  constructor(clock: Clock, ports: HostPorts) {
    this.#clock = clock
    this.#ports = ports
  }

  install({ manifest, permissions }: Skill): void {
    const { http, secrets, budgets } = manifest
    const given = Object.fromEntries(
      Object.entries(budgets).filter(([name, value]) => name in DEFAULT_ALLOWANCE && value !== undefined),
    )
    this.#known.set(manifest.name, {
      name: manifest.name,
      permissions,
      http: { hosts: http?.hosts ?? [], private: http?.private ?? false },
      secrets: secrets ?? [],
      config: Object.fromEntries(
        Object.entries(manifest.config ?? {}).flatMap(([key, one]) =>
          one.default === undefined ? [] : [[key, one.default]],
        ),
      ),
      types: Object.fromEntries(Object.entries(manifest.config ?? {}).map(([key, { type }]) => [key, type])),
      allowance: { ...DEFAULT_ALLOWANCE, ...given },
      // A new version does not begin anew.
      usage: this.#known.get(manifest.name)?.usage ?? newUsage(this.#clock.monotonic()),
      running: 0,
    })
  }

  /** The call with what only the node knows: devices and settings, where the skill was granted them. */
  completed(skill: string, call: SkillCall): SkillCall {
    const known = this.#known.get(skill)
    if (known === undefined) return call
    const config = { ...known.config, ...chosenOf(known, this.#ports.settings?.of(skill).config) }
    return {
      ...call,
      ...(known.permissions.includes('devices')
        ? { devices: (this.#ports.devices?.list() ?? []).slice(0, MAX_DEVICES) }
        : {}),
      ...(Object.keys(config).length === 0 ? {} : { config }),
    }
  }

  /** `op` is `device`, `http` or `language`; `key` names this work among all. Exactly one outcome, unless it is cancelled. */
  request(effect: OutsidePort, key: string, deliver: (outcome: Outcome) => void): void {
    const { id, op, to, body, deadline_ms = 0 } = effect
    const controller = new AbortController()
    this.#running.set(key, controller)
    const late = this.#clock.after(deadline_ms, () => controller.abort())
    const end = (outcome: Outcome): void => {
      late()
      if (this.#running.get(key) !== controller) return
      this.#running.delete(key)
      deliver(outcome)
    }
    const fail = (error: ErrorShape): void => end({ type: 'outcome', id, event: 'failed', error })
    this.#run(op, to, body, controller.signal).then(
      (value) => end({ type: 'outcome', id, event: 'done', ...(value === undefined ? {} : { body: value }) }),
      (thrown: unknown) => fail(controller.signal.aborted ? LATE : errorShape(thrown)),
    )
  }

  cancel(key: string): boolean {
    const controller = this.#running.get(key)
    this.#running.delete(key)
    controller?.abort()
    return controller !== undefined
  }

  /** All whose key begins so. */
  cancelAll(prefix: string): void {
    for (const key of [...this.#running.keys()]) if (key.startsWith(prefix)) this.cancel(key)
  }

  async #run(op: string, skill: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    const job = this.#jobs[op]
    const known = this.#known.get(skill)
    if (job === undefined || known === undefined || !known.permissions.includes(job.needs)) {
      throw new LoqaError('not-granted', `The skill ${skill} was not granted that`)
    }
    if (known.running >= MAX_AT_ONCE && op !== 'device') {
      throw new LoqaError('overloaded', `${MAX_AT_ONCE} of its requests are under way`, { retryable: true })
    }
    known.running += 1
    try {
      return await Promise.race([job.run(known, body, signal), aborted(signal)])
    } finally {
      known.running -= 1
    }
  }

  readonly #jobs: Readonly<Record<string, { readonly needs: Permission; readonly run: Job }>> = {
    device: {
      needs: 'devices',
      run: async (_, body) => {
        const { device, command, value } = body as { device: string; command: string; value?: DeviceValue }
        if (this.#ports.devices === undefined) throw NO_DEVICES
        await this.#ports.devices.command(device, command, value)
      },
    },
    http: {
      needs: 'http',
      run: (known, body, signal) => this.#http(known, body as HttpRequest, signal),
    },
    language: {
      needs: 'language',
      run: (known, body, signal) => this.#language(known, body as LanguageRequest, signal),
    },
  }

  async #http(known: Known, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { http } = this.#ports
    if (http === undefined) throw new LoqaError('http-refused', 'This node lets no skill out of the house')
    this.#spend(known, 'requests', 1, 'requests in an hour')
    this.#spend(known, 'bytes', (request.body?.length ?? 0) + request.url.length, 'bytes in an hour')
    const answer = await http.request(this.#withSecrets(known, request), known.http, signal)
    known.usage = used(known.usage, 'bytes', answer.body.length, this.#clock.monotonic())
    return answer
  }

  #withSecrets(known: Known, request: HttpRequest): HttpRequest {
    const secrets = this.#ports.settings?.of(known.name).secrets ?? {}
    const filled = (text: string): string =>
      text.replace(SECRET, (_, name: string) => {
        if (!known.secrets.includes(name))
          throw new LoqaError('not-granted', `The secret ${name} is not in its manifest`)
        const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined
        if (value === undefined)
          throw new LoqaError('secret-missing', `Nobody has given it the secret ${name} yet`)
        return value
      })
    const headers = Object.entries(request.headers).map(([name, value]) => [name, filled(value)])
    return { ...request, url: filled(request.url), headers: Object.fromEntries(headers) }
  }

  async #language(known: Known, request: LanguageRequest, signal: AbortSignal) {
    const { language } = this.#ports
    if (language === undefined) throw new LoqaError('no-engine', 'This node has no language model')
    const now = this.#clock.monotonic()
    const asked = Math.ceil(request.prompt.length / CHARS_PER_TOKEN) + request.max_tokens
    if (left(known.usage, 'tokens', known.allowance, now) < asked) throw usedUp('tokens in a day')
    // What it may take counts while it runs, what it took afterwards.
    known.usage = used(known.usage, 'tokens', asked, now)
    let tokens = asked
    try {
      const answer = await language.complete(request, signal)
      tokens = answer.tokens
      return { text: answer.text }
    } finally {
      known.usage = used(known.usage, 'tokens', tokens - asked, this.#clock.monotonic())
    }
  }

  #spend(known: Known, what: Used, amount: number, words: string): void {
    const now = this.#clock.monotonic()
    if (left(known.usage, what, known.allowance, now) < amount) throw usedUp(words)
    known.usage = used(known.usage, what, amount, now)
  }
}

/** Another version may have had another type under that name. */
const chosenOf = ({ types }: Known, chosen: Known['config'] = {}): Known['config'] =>
  Object.fromEntries(Object.entries(chosen).filter(([key, value]) => types[key] === typeof value))

const usedUp = (words: string): LoqaError =>
  new LoqaError('skill-budget', `It has used up its ${words}`, { retryable: true })

const NO_DEVICES = new LoqaError('device-unknown', 'This house has no devices that I know of')
const LATE = new LoqaError('timeout', 'It took too long', { retryable: true }).toJSON()

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener(
    'abort',
    () => reject(new LoqaError('timeout', 'It took too long', { retryable: true })),
    {
      once: true,
    },
  )
  return promise
}
