/** Home Assistant as the source of devices: what its states mean, what it is told; and the connection, to a stand-in that speaks its protocol. */
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  devicesFrom,
  type EntityState,
  placesOf,
  serviceFor,
  stateSchema,
} from '../../src/devices/assistant.ts'
import { openDevices } from '../../src/devices/index.ts'
import { realHost } from '../../src/host/real.ts'

const entity = (entity_id: string, state: string, attributes: object = {}): EntityState =>
  stateSchema.parse({ entity_id, state, attributes })
const STATES: readonly EntityState[] = [
  entity('sensor.outside', '3.5', {
    unit_of_measurement: '°C',
    device_class: 'temperature',
    friendly_name: 'Outside',
  }),
  entity('light.lamp', 'on', {
    friendly_name: 'Reading lamp',
    brightness: 128,
    supported_color_modes: ['color_temp'],
    color_temp_kelvin: 2700,
  }),
  entity('switch.plug', 'unavailable'),
  entity('cover.blinds', 'closed', { current_position: 0, supported_features: 15 }),
  entity('climate.valve', 'heat', {
    temperature: 21,
    current_temperature: 19.5,
    min_temp: 5,
    max_temp: 30,
    hvac_modes: ['off', 'heat'],
  }),
  entity('lock.door', 'locked'),
  entity('lock.safe', 'locked', { code_format: '^\\d+$' }),
  entity('scene.movie', 'unknown'),
  entity('light.hidden', 'on'),
  entity('camera.door', 'idle'),
]
const REGISTRIES = {
  areas: [{ area_id: 'lr', name: 'Living Room' }],
  devices: [{ id: 'd', area_id: 'lr' }],
  entities: [
    { entity_id: 'light.lamp', device_id: 'd' },
    { entity_id: 'cover.blinds', area_id: 'lr' },
    { entity_id: 'light.hidden', hidden_by: 'user' },
  ],
}

describe('what Home Assistant says', () => {
  const devices = devicesFrom(STATES, placesOf(REGISTRIES), 'C')
  const device = (id: string) => devices.find((one) => one.id === id)!

  it('are devices with their rooms, without what is hidden, coded or nothing of ours', () => {
    expect(devices.map(({ id }) => id)).toEqual([
      'light.lamp',
      'switch.plug',
      'cover.blinds',
      'climate.valve',
      'lock.door',
      'scene.movie',
      'sensor.outside',
    ])
    expect(device('light.lamp')).toEqual({
      id: 'light.lamp',
      name: 'Reading lamp',
      room: 'living room',
      kind: 'light',
      state: { on: true, brightness: 50, kelvin: 2700, can_dim: true, can_tune: true },
    })
    expect(device('cover.blinds')).toMatchObject({
      room: 'living room',
      state: { state: 'closed', position: 0, can_position: true },
    })
    expect(device('switch.plug').state).toEqual({ available: false })
    expect(device('climate.valve').state).toEqual({
      unit: 'C',
      target: 21,
      current: 19.5,
      min: 5,
      max: 30,
      mode: 'heat',
    })
    expect(device('sensor.outside').state).toMatchObject({ value: 3.5, unit: '°C' })
  })

  it.each<[string, string, number | string | undefined, object]>([
    ['light.lamp', 'on', undefined, { domain: 'light', service: 'turn_on', data: {} }],
    [
      'light.lamp',
      'set_brightness',
      30,
      { domain: 'light', service: 'turn_on', data: { brightness_pct: 30 } },
    ],
    ['light.lamp', 'set_brightness', 0, { domain: 'light', service: 'turn_off', data: {} }],
    [
      'light.lamp',
      'set_kelvin',
      4_000,
      { domain: 'light', service: 'turn_on', data: { color_temp_kelvin: 4_000 } },
    ],
    ['cover.blinds', 'open', undefined, { domain: 'cover', service: 'open_cover', data: {} }],
    [
      'cover.blinds',
      'set_position',
      30,
      { domain: 'cover', service: 'set_cover_position', data: { position: 30 } },
    ],
    [
      'climate.valve',
      'set_temperature',
      22,
      { domain: 'climate', service: 'set_temperature', data: { temperature: 22 } },
    ],
    ['climate.valve', 'set_temperature', 40, { refused: 'it takes 5 to 30 degrees' }],
    ['lock.door', 'unlock', undefined, { domain: 'lock', service: 'unlock', data: {} }],
    ['scene.movie', 'start', undefined, { domain: 'scene', service: 'turn_on', data: {} }],
    ['sensor.outside', 'on', undefined, { refused: 'a sensor has no command on' }],
  ])('%s %s %s', (id, command, value, call) => {
    expect(serviceFor(device(id), command, value)).toEqual(call)
  })
})

/** Answers as Home Assistant does; keeps what services were called. */
class StandIn {
  readonly server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/api/websocket' })
  readonly called: unknown[] = []
  #sockets: WebSocket[] = []

  constructor(token: string) {
    this.server.on('connection', (socket) => {
      this.#sockets.push(socket)
      const say = (message: object): void => socket.send(JSON.stringify(message))
      say({ type: 'auth_required', ha_version: '2026.11' })
      socket.on('message', (data) => {
        const { id, type, access_token, ...rest } = JSON.parse(String(data)) as Record<string, unknown>
        if (type === 'auth')
          say(access_token === token ? { type: 'auth_ok' } : { type: 'auth_invalid', message: 'no' })
        else if (type === 'call_service') {
          this.called.push(rest)
          const ok = rest.domain !== 'climate'
          say({
            id,
            type: 'result',
            success: ok,
            ...(ok ? { result: {} } : { error: { message: 'the valve is stuck' } }),
          })
        } else say({ id, type: 'result', success: true, result: ANSWERS[String(type)] ?? null })
      })
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  tell(new_state: EntityState | null, entity_id: string): void {
    for (const socket of this.#sockets) {
      socket.send(
        JSON.stringify({
          id: 1,
          type: 'event',
          event: { event_type: 'state_changed', data: { entity_id, new_state } },
        }),
      )
    }
  }

  drop(): void {
    for (const socket of this.#sockets.splice(0)) socket.terminate()
  }
}
const ANSWERS: Readonly<Record<string, unknown>> = {
  get_config: { unit_system: { temperature: '°C' } },
  'config/area_registry/list': REGISTRIES.areas,
  'config/device_registry/list': REGISTRIES.devices,
  'config/entity_registry/list': [...REGISTRIES.entities, { nonsense: true }],
  get_states: [...STATES, { entity_id: 'NOT ONE' }],
}

describe('the connection', () => {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  /** `until`: resolves when that holds, looked at whenever something was noted or changed. */
  async function opened(token: string) {
    const stand = new StandIn('secret')
    await new Promise((done) => stand.server.once('listening', done))
    undo.push(
      () => new Promise((done) => stand.server.close(done)),
      () => stand.drop(),
    )
    const watchers = new Set<() => void>()
    const look = (): void => {
      for (const watcher of watchers) watcher()
    }
    const notes: string[] = []
    const house = await openDevices({
      clock: realHost().clock,
      mqtt: undefined,
      assistant: { url: stand.url, token },
      changed: look,
      noted: (what, values) => {
        notes.push(`${what} ${JSON.stringify(values)}`)
        queueMicrotask(look)
      },
    })
    undo.push(() => house.stop())
    const until = (holds: () => boolean): Promise<void> =>
      new Promise((done) => {
        const watcher = (): void => {
          if (!holds()) return
          watchers.delete(watcher)
          done()
        }
        watchers.add(watcher)
        watcher()
      })
    return { stand, house, notes, until }
  }
  const stateOf = (house: Awaited<ReturnType<typeof opened>>['house']) => house.status()[0]?.state

  it('finds the devices, follows them, and calls their services', async () => {
    const { stand, house, notes, until } = await opened('secret')
    await until(() => stateOf(house) === 'connected')
    expect(house.list()).toHaveLength(7)
    await house.command('light.lamp', 'set_brightness', 20)
    expect(stand.called).toEqual([
      {
        domain: 'light',
        service: 'turn_on',
        service_data: { brightness_pct: 20 },
        target: { entity_id: 'light.lamp' },
      },
    ])
    await expect(house.command('climate.valve', 'set_temperature', 20)).rejects.toMatchObject({
      code: 'device-unreachable',
      message: expect.stringContaining('the valve is stuck'),
    })
    await expect(house.command('light.lamp', 'unlock', undefined)).rejects.toMatchObject({
      code: 'device-refused',
    })
    await expect(house.command('light.none', 'on', undefined)).rejects.toMatchObject({
      code: 'device-unknown',
    })
    stand.tell(entity('light.new', 'off', { friendly_name: 'New' }), 'light.new')
    await until(() => house.list().some(({ id }) => id === 'light.new'))
    stand.tell(null, 'light.new')
    await until(() => !house.list().some(({ id }) => id === 'light.new'))
    expect(notes.join()).not.toContain('secret')
  })

  it('is told when the token is wrong, and what is away cannot be told anything', async () => {
    const { house, notes, until } = await opened('wrong')
    await until(() => notes.some((note) => note.includes('the token is not accepted')))
    expect(house.list()).toEqual([])
    expect(notes.join()).not.toContain('wrong')
  })

  it('that breaks leaves the devices known and out of reach', async () => {
    const { stand, house, notes, until } = await opened('secret')
    await until(() => stateOf(house) === 'connected')
    stand.drop()
    await until(() => notes.some((note) => note.includes('the connection was closed')))
    expect(stateOf(house)).toBe('away')
    expect(house.list().every(({ state }) => state.available === false)).toBe(true)
    await expect(house.command('lock.door', 'unlock', undefined)).rejects.toMatchObject({
      code: 'device-unreachable',
    })
    expect(stand.called).toEqual([])
  })
})
