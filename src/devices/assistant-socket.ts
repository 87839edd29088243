/**
 * The connection to Home Assistant's WebSocket API: made again for ever, every answer checked, nothing decided here. A command is sent
 * once, now, or not at all.
 */
import { WebSocket } from 'ws'
import { z } from 'zod'
import type { Cancel, Clock } from '../host/index.ts'
import {
  areaSchema,
  deviceRowSchema,
  devicesFrom,
  type EntityState,
  entityRowSchema,
  isOurs,
  MAX_STATES,
  placesOf,
  serviceFor,
  stateSchema,
} from './assistant.ts'
import type { CommandValue, Device } from './device.ts'
import { DeviceError } from './errors.ts'
import { COMMAND_TIMEOUT_MS, type DeviceSource, type SourceStatus } from './source.ts'

export interface AssistantSettings {
  /** `http://` or `https://` address of Home Assistant. */
  readonly url: string
  /** A long-lived access token. */
  readonly token: string
}

export interface AssistantDoors {
  readonly clock: Clock
  changed(): void
  noted(what: string, values: Readonly<Record<string, unknown>>): void
}

const RECONNECT_MS = 5_000
const HANDSHAKE_MS = 5_000
/** All states of a large house have some MB. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024
/** Requests under way: the registries, and commands. */
const MAX_PENDING = 64
/** A connection that died without a word is noticed by a ping that is not answered until the next. */
const PING_MS = 20_000

const messageSchema = z.object({
  type: z.string().max(64),
  id: z.int().optional(),
  success: z.boolean().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string().max(1_000).optional() }).optional(),
  event: z.unknown().optional(),
})
const changeSchema = z.object({
  data: z.object({ entity_id: z.string().max(255), new_state: z.unknown().nullable() }),
})
const configSchema = z.object({ unit_system: z.object({ temperature: z.string() }) })

interface Pending {
  done(result: unknown): void
  fail(message: string): void
}

export function connectAssistant(settings: AssistantSettings, doors: AssistantDoors): DeviceSource {
  return new AssistantSource(settings, doors)
}

class AssistantSource implements DeviceSource {
  readonly #settings: AssistantSettings
  readonly #doors: AssistantDoors
  readonly #pending = new Map<number, Pending>()
  readonly #states = new Map<string, EntityState>()
  #places: ReadonlyMap<string, string | null> = new Map()
  #unit: 'C' | 'F' = 'C'
  #devices: readonly Device[] | undefined
  #socket: WebSocket | undefined
  #state: SourceStatus['state'] = 'connecting'
  #reason: string | null = null
  #next = 1
  #answered = true
  #timer: Cancel | undefined
  #stopped = false

  constructor(settings: AssistantSettings, doors: AssistantDoors) {
    this.#settings = settings
    this.#doors = doors
    this.#connect()
  }

  status(): SourceStatus {
    const devices = this.#known().length
    return { source: this.#settings.url, state: this.#state, reason: this.#reason, devices, problems: [] }
  }

  devices(): readonly Device[] {
    const devices = this.#known()
    if (this.#state === 'connected') return devices
    return devices.map((device) => ({ ...device, state: { ...device.state, available: false } }))
  }

  async command(device: string, command: string, value: CommandValue): Promise<void> {
    const known = this.devices().find(({ id }) => id === device)
    if (known === undefined)
      throw new DeviceError('device-unknown', `There is no device ${device.slice(0, 96)}`)
    if (this.#state !== 'connected') throw this.#away()
    if (known.state.available === false) {
      throw new DeviceError('device-unreachable', `${known.name} is out of reach`)
    }
    const call = serviceFor(known, command, value)
    if ('refused' in call) {
      throw new DeviceError(
        'device-refused',
        `${known.name} does not take ${command.slice(0, 32)}: ${call.refused}`,
      )
    }
    const { domain, service, data } = call
    try {
      await this.#ask({
        type: 'call_service',
        domain,
        service,
        service_data: data,
        target: { entity_id: device },
      })
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message.slice(0, 200) : ''
      throw new DeviceError('device-unreachable', `${known.name} was not told: ${why}`)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.()
    this.#socket?.terminate()
  }

  #known(): readonly Device[] {
    this.#devices ??= devicesFrom(this.#states.values(), this.#places, this.#unit)
    return this.#devices
  }

  #away(): DeviceError {
    return new DeviceError(
      'device-unreachable',
      `Home Assistant at ${this.#settings.url} is away`,
      this.#reason ?? undefined,
    )
  }

  #connect(): void {
    const address = `${this.#settings.url.replace(/^http/, 'ws').replace(/\/+$/, '')}/api/websocket`
    const socket = new WebSocket(address, { handshakeTimeout: HANDSHAKE_MS, maxPayload: MAX_MESSAGE_BYTES })
    this.#socket = socket
    this.#answered = true
    socket.on('message', (data: Buffer) => this.#heard(data.toString('utf8')))
    socket.on('pong', () => {
      this.#answered = true
    })
    socket.on('error', (error) => this.#because(error.message.slice(0, 120)))
    socket.on('close', () => this.#closed(socket))
  }

  #because(reason: string): void {
    if (reason !== this.#reason) {
      this.#doors.noted('Home Assistant cannot be used', { address: this.#settings.url, reason })
    }
    this.#reason = reason
  }

  #closed(socket: WebSocket): void {
    if (socket !== this.#socket) return
    this.#timer?.()
    for (const { fail } of this.#pending.values()) fail('the connection was closed')
    this.#pending.clear()
    if (this.#state === 'connected') this.#because('the connection was closed')
    this.#state = 'away'
    if (!this.#stopped) this.#timer = this.#doors.clock.after(RECONNECT_MS, () => this.#connect())
  }

  #heard(text: string): void {
    const message = messageSchema.safeParse(parsed(text)).data
    if (message === undefined) return
    const { type, id, success, result, error, event } = message
    if (type === 'auth_required') this.#send({ type: 'auth', access_token: this.#settings.token })
    else if (type === 'auth_ok') this.#enter()
    else if (type === 'auth_invalid') {
      this.#because('the token is not accepted')
      this.#socket?.close()
    } else if (type === 'result' && id !== undefined) {
      const pending = this.#pending.get(id)
      this.#pending.delete(id)
      if (success === true) pending?.done(result)
      else pending?.fail(error?.message ?? 'it was refused')
    } else if (type === 'event') this.#changed(event)
  }

  /** Asks for what there is and where it stands; states are asked for last, so that rooms are known by then. */
  async #enter(): Promise<void> {
    const socket = this.#socket
    try {
      await this.#ask({ type: 'subscribe_events', event_type: 'state_changed' })
      const [config, areas, devices, entities] = await Promise.all([
        this.#ask({ type: 'get_config' }),
        this.#ask({ type: 'config/area_registry/list' }),
        this.#ask({ type: 'config/device_registry/list' }),
        this.#ask({ type: 'config/entity_registry/list' }),
      ])
      this.#unit =
        configSchema.safeParse(config).data?.unit_system.temperature.endsWith('F') === true ? 'F' : 'C'
      this.#places = placesOf({
        areas: rows(areaSchema, areas),
        devices: rows(deviceRowSchema, devices),
        entities: rows(entityRowSchema, entities),
      })
      const states = rows(stateSchema, await this.#ask({ type: 'get_states' }))
      this.#states.clear()
      for (const state of states) if (isOurs(state.entity_id)) this.#states.set(state.entity_id, state)
    } catch (thrown) {
      this.#because(thrown instanceof Error ? thrown.message.slice(0, 120) : 'it does not answer')
      socket?.terminate()
      return
    }
    if (socket !== this.#socket) return
    this.#devices = undefined
    this.#state = 'connected'
    this.#reason = null
    this.#doors.noted('Connected to Home Assistant', {
      address: this.#settings.url,
      devices: this.#known().length,
    })
    this.#doors.changed()
    this.#watch()
  }

  #watch(): void {
    this.#timer = this.#doors.clock.after(PING_MS, () => {
      if (!this.#answered) {
        this.#socket?.terminate()
        return
      }
      this.#answered = false
      this.#socket?.ping()
      this.#watch()
    })
  }

  #changed(event: unknown): void {
    const change = changeSchema.safeParse(event).data
    if (change === undefined || !isOurs(change.data.entity_id)) return
    const { entity_id, new_state } = change.data
    const before = this.#states.get(entity_id)
    const state = stateSchema.safeParse(new_state).data
    if (state === undefined) this.#states.delete(entity_id)
    else if (before !== undefined || this.#states.size < MAX_STATES) this.#states.set(entity_id, state)
    this.#devices = undefined
    if ((before === undefined) !== (state === undefined)) this.#doors.changed()
    else if (before?.attributes.friendly_name !== state?.attributes.friendly_name) this.#doors.changed()
  }

  #ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#pending.size >= MAX_PENDING) return Promise.reject(new Error('too much is under way'))
    const id = this.#next
    this.#next += 1
    return new Promise((done, fail) => {
      const giveUp = this.#doors.clock.after(COMMAND_TIMEOUT_MS, () => {
        this.#pending.delete(id)
        fail(new Error('it did not answer in time'))
      })
      this.#pending.set(id, {
        done: (result) => {
          giveUp()
          done(result)
        },
        fail: (message) => {
          giveUp()
          fail(new Error(message))
        },
      })
      this.#send({ id, ...request })
    })
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }
}

/** Those of a list that fit, as many as are kept. */
const rows = <T>(schema: z.ZodType<T>, list: unknown): T[] =>
  Array.isArray(list)
    ? list.slice(0, MAX_STATES).flatMap((row: unknown) => schema.safeParse(row).data ?? [])
    : []

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
