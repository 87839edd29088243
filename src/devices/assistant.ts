/**
 * Devices as Home Assistant itself tells them, and what they are told in its words: states to devices, commands to services. Pure.
 * Source: developers.home-assistant.io/docs/api/websocket and the page of each integration's services.
 */
import { z } from 'zod'
import {
  type CommandValue,
  type Device,
  type DeviceKind,
  type DeviceState,
  MAX_DEVICES,
  numberIn,
  type Refusal,
  refused,
} from './device.ts'
import { numberOf } from './template.ts'

/** Entities kept. A large house has some thousand, most of them figures nobody asks for. */
export const MAX_STATES = 8_192
const MAX_TEXT = 64

const name = z.string().max(255)
const attributesSchema = z.object({
  friendly_name: name.optional(),
  device_class: name.nullish(),
  unit_of_measurement: name.nullish(),
  brightness: z.number().nullish(),
  color_temp_kelvin: z.number().nullish(),
  supported_color_modes: z.array(name).max(16).nullish(),
  supported_features: z.number().nullish(),
  current_position: z.number().nullish(),
  temperature: z.number().nullish(),
  current_temperature: z.number().nullish(),
  min_temp: z.number().nullish(),
  max_temp: z.number().nullish(),
  hvac_modes: z.array(name).max(16).nullish(),
  code_format: name.nullish(),
})

export const stateSchema = z.object({
  entity_id: z
    .string()
    .max(255)
    .regex(/^[a-z0-9_]+\.[a-z0-9_]+$/),
  state: z.string().max(255),
  attributes: attributesSchema.catch({}),
})
export type EntityState = z.infer<typeof stateSchema>

export const areaSchema = z.object({ area_id: name, name })
export const deviceRowSchema = z.object({ id: name, area_id: name.nullish() })
export const entityRowSchema = z.object({
  entity_id: name,
  area_id: name.nullish(),
  device_id: name.nullish(),
  hidden_by: name.nullish(),
  disabled_by: name.nullish(),
  entity_category: name.nullish(),
})

/** What the registries of Home Assistant say: where things stand, and what its owner hides. */
export interface Registries {
  readonly areas: readonly z.infer<typeof areaSchema>[]
  readonly devices: readonly z.infer<typeof deviceRowSchema>[]
  readonly entities: readonly z.infer<typeof entityRowSchema>[]
}

/** Entity → its room; null for one that is not shown. */
export function placesOf({ areas, devices, entities }: Registries): ReadonlyMap<string, string | null> {
  const named = new Map(
    areas.map((area) => [area.area_id, area.name.trim().toLowerCase().slice(0, MAX_TEXT)]),
  )
  const standing = new Map(devices.map((device) => [device.id, device.area_id ?? '']))
  return new Map(
    entities.map((entity) => {
      const shown = !entity.hidden_by && !entity.disabled_by && !entity.entity_category
      const area = entity.area_id ?? standing.get(entity.device_id ?? '') ?? ''
      return [entity.entity_id, shown ? (named.get(area) ?? '') : null]
    }),
  )
}

const KINDS: ReadonlyMap<string, DeviceKind> = new Map([
  ['light', 'light'],
  ['switch', 'switch'],
  ['fan', 'switch'],
  ['input_boolean', 'switch'],
  ['cover', 'cover'],
  ['climate', 'climate'],
  ['lock', 'lock'],
  ['scene', 'scene'],
  ['sensor', 'sensor'],
  ['binary_sensor', 'sensor'],
])

const domainOf = (entity: string): string => entity.slice(0, entity.indexOf('.'))
export const isOurs = (entity: string): boolean => KINDS.has(domainOf(entity))

/** Sensors last, as everywhere; at most `MAX_DEVICES`. `unit`: of all temperatures, C or F. */
export function devicesFrom(
  states: Iterable<EntityState>,
  places: ReadonlyMap<string, string | null>,
  unit: 'C' | 'F',
): readonly Device[] {
  const found = [...states].flatMap((state): Device[] => {
    const kind = KINDS.get(domainOf(state.entity_id))
    const room = places.get(state.entity_id)
    if (kind === undefined || room === null || isCoded(state)) return []
    const named = state.attributes.friendly_name ?? state.entity_id.slice(state.entity_id.indexOf('.') + 1)
    return [
      {
        id: state.entity_id,
        name: named.replaceAll('_', ' ').slice(0, MAX_TEXT),
        room: room ?? '',
        kind,
        state: stateOf(kind, state, unit),
      },
    ]
  })
  return [
    ...found.filter(({ kind }) => kind !== 'sensor'),
    ...found.filter(({ kind }) => kind === 'sensor'),
  ].slice(0, MAX_DEVICES)
}

/** A lock that wants a code cannot be used by voice. */
const isCoded = ({ entity_id, attributes }: EntityState): boolean =>
  domainOf(entity_id) === 'lock' &&
  typeof attributes.code_format === 'string' &&
  attributes.code_format !== ''

/** `SET_POSITION` among what a cover supports. */
const SET_POSITION = 4

function stateOf(kind: DeviceKind, { state, attributes }: EntityState, unit: 'C' | 'F'): DeviceState {
  const away: DeviceState = state === 'unavailable' ? { available: false } : {}
  const device_class: DeviceState = attributes.device_class ? { device_class: attributes.device_class } : {}
  const on: DeviceState = state === 'on' || state === 'off' ? { on: state === 'on' } : {}
  switch (kind) {
    case 'light': {
      const modes = attributes.supported_color_modes ?? []
      return {
        ...{ ...away, ...on },
        ...part('brightness', percentOf(attributes.brightness)),
        ...part('kelvin', attributes.color_temp_kelvin),
        can_dim: modes.some((mode) => mode !== 'onoff'),
        can_tune: modes.includes('color_temp'),
      }
    }
    case 'switch':
      return { ...away, ...on, ...device_class }
    case 'cover':
      return {
        ...{ ...away, ...device_class },
        ...(['open', 'closed', 'opening', 'closing'].includes(state) ? { state } : {}),
        ...part('position', attributes.current_position),
        can_position: ((attributes.supported_features ?? 0) & SET_POSITION) !== 0,
      }
    case 'climate':
      return {
        ...{ ...away, unit },
        ...part('target', attributes.temperature),
        ...part('current', attributes.current_temperature),
        ...part('min', attributes.min_temp),
        ...part('max', attributes.max_temp),
        ...(attributes.hvac_modes?.includes(state) ? { mode: state } : {}),
      }
    case 'lock':
      return {
        ...away,
        ...(['locked', 'unlocked', 'locking', 'unlocking', 'jammed'].includes(state) ? { state } : {}),
      }
    case 'scene':
      return away
    case 'sensor': {
      const value = numberOf(state) ?? (state.length <= MAX_TEXT ? state : undefined)
      const told =
        'on' in on ? on : state === 'unknown' || state === 'unavailable' ? {} : part('value', value)
      return { ...away, ...told, ...device_class, ...part('unit', attributes.unit_of_measurement) }
    }
  }
}

const part = (key: string, value: string | number | null | undefined): DeviceState =>
  value === null || value === undefined ? {} : { [key]: value }

const percentOf = (level: number | null | undefined): number | undefined =>
  level === null || level === undefined || level <= 0
    ? undefined
    : Math.max(1, Math.min(100, Math.round((level / 255) * 100)))

/** One call of a service. */
export interface ServiceCall {
  readonly domain: string
  readonly service: string
  readonly data: Readonly<Record<string, string | number>>
}

export function serviceFor(
  { id, kind, state }: Device,
  command: string,
  value: CommandValue,
): ServiceCall | Refusal {
  const domain = domainOf(id)
  const call = (service: string, data: ServiceCall['data'] = {}): ServiceCall => ({ domain, service, data })
  const key = `${kind} ${command}`
  const plain = PLAIN.get(key)
  if (plain !== undefined) return call(plain)
  switch (key) {
    case 'light set_brightness': {
      const percent = numberIn(value, 0, 100)
      if (state.can_dim !== true) return refused('it cannot be dimmed')
      if (percent === undefined) return refused('brightness is 0 to 100 percent')
      return percent === 0 ? call('turn_off') : call('turn_on', { brightness_pct: percent })
    }
    case 'light set_kelvin': {
      const kelvin = numberIn(value, 1_000, 12_000)
      if (state.can_tune !== true) return refused('its white cannot be changed')
      return kelvin === undefined
        ? refused('kelvin is 1000 to 12000')
        : call('turn_on', { color_temp_kelvin: kelvin })
    }
    case 'cover set_position': {
      const position = numberIn(value, 0, 100)
      if (state.can_position !== true) return refused('it opens and closes only as a whole')
      return position === undefined
        ? refused('a position is 0 to 100 percent')
        : call('set_cover_position', { position })
    }
    case 'climate set_temperature': {
      const temperature = numberIn(value, Number(state.min ?? 5), Number(state.max ?? 95))
      return temperature === undefined
        ? refused(`it takes ${state.min ?? 5} to ${state.max ?? 95} degrees`)
        : call('set_temperature', { temperature })
    }
    case 'climate set_mode':
      return typeof value === 'string' && /^[a-z_]{1,32}$/.test(value)
        ? call('set_hvac_mode', { hvac_mode: value })
        : refused('a mode is a word')
    default:
      return refused(`a ${kind} has no command ${command.slice(0, 32)}`)
  }
}

/** Commands without a value. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ['light on', 'turn_on'],
  ['light off', 'turn_off'],
  ['switch on', 'turn_on'],
  ['switch off', 'turn_off'],
  ['cover open', 'open_cover'],
  ['cover close', 'close_cover'],
  ['cover stop', 'stop_cover'],
  ['lock lock', 'lock'],
  ['lock unlock', 'unlock'],
  ['scene start', 'turn_on'],
])
