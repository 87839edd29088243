/** A house in memory for one skill: its store, its devices, the servers it asks. Nothing of it is real; everything is noted. */
import type { EntryChange, Followed, Outcome, OutsidePort } from '../../src/actors/index.ts'
import { LoqaError, type RequestId } from '../../src/host/index.ts'
import type { Device, DeviceValue, HostPorts, HttpRequest } from '../../src/skills/host-ports.ts'

/** What a server answers, or why it does not. */
export interface ScriptedServer {
  /** The address it is asked at; absent: whichever. */
  readonly url?: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Instead of an answer, e.g. `http-failed`. */
  readonly error?: string
}

export interface DeviceCommand {
  readonly device: string
  readonly command: string
  readonly value?: DeviceValue
}

export type Settings = Readonly<Record<string, string | number | boolean>>

/** Remembers what is written, tells who follows. */
export class MemoryStore {
  readonly #collections = new Map<string, Map<string, unknown>>()
  readonly #followers = new Map<string, { readonly id: RequestId; deliver(outcome: Outcome): void }[]>()

  read(effect: OutsidePort, deliver: (outcome: Outcome) => void): void {
    const { id, to, op } = effect
    const entries = this.#entries(to)
    if (op === 'follow') {
      this.#followers.set(to, [...(this.#followers.get(to) ?? []), { id, deliver }])
      const changes = entries.map(([key, value]): EntryChange => ({ change: 'put', key, value }))
      deliver({ type: 'outcome', id, event: 'chunk', body: { whole: true, changes } satisfies Followed })
      return
    }
    const { prefix = '', key } = (effect.body ?? {}) as { prefix?: string; key?: string }
    const found = entries.map(([name, value]) => ({ key: name, value }))
    const body =
      op === 'get'
        ? (found.find((entry) => entry.key === key) ?? null)
        : found.filter((entry) => entry.key.startsWith(prefix))
    deliver({ type: 'outcome', id, event: 'done', body })
  }

  write({ id, to, body }: OutsidePort, deliver: (outcome: Outcome) => void): void {
    const changes = body as readonly EntryChange[]
    const collection = this.#collections.get(to) ?? new Map<string, unknown>()
    this.#collections.set(to, collection)
    for (const change of changes) {
      if (change.change === 'put') collection.set(change.key, change.value)
      else collection.delete(change.key)
    }
    deliver({ type: 'outcome', id, event: 'done' })
    for (const follower of this.#followers.get(to) ?? []) {
      const told: Followed = { whole: false, changes }
      follower.deliver({ type: 'outcome', id: follower.id, event: 'chunk', body: told })
    }
  }

  #entries(collection: string): [string, unknown][] {
    return [...(this.#collections.get(collection) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}

/** The doors of the node, played. */
export class PlayedHouse {
  devices: readonly Device[] = []
  settings: Settings = {}
  secrets: Readonly<Record<string, string>> = {}
  /** The next answers of servers, in order. */
  readonly servers: ScriptedServer[] = []
  /** The next texts of the language model, in order. */
  readonly texts: string[] = []
  /** Since it was last looked at. */
  readonly asked: HttpRequest[] = []
  readonly commands: DeviceCommand[] = []

  readonly ports: HostPorts = {
    settings: { of: () => ({ config: this.settings, secrets: this.secrets }) },
    devices: {
      list: () => this.devices,
      command: async (device, command, value) => {
        if (!this.devices.some(({ id }) => id === device)) {
          throw new LoqaError('device-unknown', `There is no device ${device}`)
        }
        this.commands.push({ device, command, ...(value === undefined ? {} : { value }) })
      },
    },
    http: {
      request: async (request) => {
        this.asked.push(request)
        const { url, status = 200, headers = {}, body = '', error } = this.servers.shift() ?? NO_SERVER
        if (url !== undefined && url !== request.url) {
          throw new LoqaError(
            'http-failed',
            `The test has an answer for ${url}, and ${request.url} was asked`,
          )
        }
        if (error !== undefined) throw new LoqaError(error, 'The test says that it fails')
        return { status, headers, body }
      },
    },
    language: {
      complete: async () => {
        const text = this.texts.shift()
        if (text === undefined) throw new LoqaError('engine-unavailable', 'The test has no text of a model')
        return { text, tokens: text.length }
      },
    },
  }
}

const NO_SERVER: ScriptedServer = { error: 'http-failed' }
