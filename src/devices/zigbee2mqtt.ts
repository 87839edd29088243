/**
 * Zigbee2MQTT without Home Assistant: `<base>/bridge/devices` lists all devices with what they expose, `<base>/<name>` carries the
 * state of one as JSON, `<base>/<name>/set` takes changes of it, `<base>/<name>/availability` says whether it is within reach.
 * A device is the first of the things it exposes that we know: of a switch with two gangs the first; Home Assistant's discovery has both.
 * Source: zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html and exposes.html. Pure.
 */
import { z } from 'zod'
import {
  type CommandValue,
  type DeviceKind,
  type DeviceState,
  MAX_DEVICES,
  numberIn,
  type Refusal,
  refused,
  type Told,
} from './device.ts'
import { MAX_TOPIC_CHARS, plainId } from './discovery.ts'
import type { Entity, Parts } from './entity.ts'
import { numberOf } from './template.ts'

/** The list of a house with 100 devices has about 1 MB. */
export const MAX_LIST_BYTES = 4 * 1024 * 1024
/** Depth of what a device exposes: a list of things with features. */
const MAX_FEATURES = 64

const featureSchema = z.object({
  type: z.string().max(64),
  name: z.string().max(128).optional(),
  property: z.string().max(128).optional(),
  value_on: z.unknown().optional(),
  value_off: z.unknown().optional(),
  value_min: z.number().optional(),
  value_max: z.number().optional(),
  unit: z.string().max(32).optional(),
  access: z.int().optional(),
  values: z.array(z.unknown()).max(256).optional(),
})
type Feature = z.infer<typeof featureSchema>

const exposeSchema = featureSchema.extend({ features: z.array(featureSchema).max(MAX_FEATURES).optional() })
type Expose = z.infer<typeof exposeSchema>

const deviceSchema = z.object({
  ieee_address: z.string().max(64),
  friendly_name: z.string().min(1).max(128),
  type: z.string().max(64).optional(),
  disabled: z.boolean().optional(),
  description: z.string().max(256).nullish(),
  definition: z.object({ exposes: z.array(z.unknown()).max(256) }).nullish(),
})

/** All devices of a list; those that do not fit are left out and named. Undefined when it is no list. */
export function readBridge(
  base: string,
  payload: string,
): { entities: readonly Entity[]; problems: readonly string[] } | undefined {
  if (payload.length > MAX_LIST_BYTES) return undefined
  let list: unknown
  try {
    list = JSON.parse(payload)
  } catch {
    return undefined
  }
  if (!Array.isArray(list)) return undefined
  const problems: string[] = []
  const entities = list.slice(0, MAX_DEVICES).flatMap((entry: unknown): Entity[] => {
    const read = deviceSchema.safeParse(entry)
    if (!read.success) {
      problems.push(
        `${base}/bridge/devices: ${read.error.issues[0]?.path.map(String).join('.') ?? ''} does not fit`,
      )
      return []
    }
    const { friendly_name: name, disabled, definition, type } = read.data
    if (disabled === true || type === 'Coordinator' || !isTopicPart(base, name)) return []
    const exposes = (definition?.exposes ?? []).flatMap(
      (part: unknown) => exposeSchema.safeParse(part).data ?? [],
    )
    const found = partsOf(exposes, `${base}/${name}`)
    return found === undefined ? [] : [entityOf(read.data.ieee_address, name, base, found)]
  })
  return { entities, problems }
}

const isTopicPart = (base: string, name: string): boolean =>
  !/[#+\p{Cc}]/u.test(name) && base.length + name.length + 16 < MAX_TOPIC_CHARS

function entityOf(address: string, name: string, base: string, { kind, parts }: Found): Entity {
  const topic = `${base}/${name}`
  // People write rooms in front: "kitchen/ceiling lamp".
  const [room, ...rest] = name.split('/')
  return {
    ...parts,
    id: `${kind}.${plainId(address)}`,
    kind,
    name: (rest.length === 0 ? name : rest.join(' ')).replaceAll(/[_]+/g, ' ').trim().slice(0, 80),
    room: rest.length === 0 ? '' : (room ?? '').replaceAll('_', ' ').trim().toLowerCase(),
    command_topic: `${topic}/set`,
    reach: [{ topic: `${topic}/availability`, reached: availability }],
    reach_mode: 'latest',
    problems: [],
  }
}

/** `online`, or since version 1.17 `{"state":"online"}`. */
function availability(payload: string): boolean | undefined {
  if (payload.includes('online')) return true
  return payload.includes('offline') ? false : undefined
}

interface Found {
  readonly kind: DeviceKind
  readonly parts: Parts
}

/** What the device is first of all: Zigbee2MQTT names lights, switches, covers, locks and climates; what is left is a sensor. */
function partsOf(exposes: readonly Expose[], topic: string): Found | undefined {
  for (const expose of exposes) {
    const features = new Map((expose.features ?? []).map((feature) => [feature.name ?? '', feature]))
    if (expose.type === 'light') return { kind: 'light', parts: light(features, topic) }
    if (expose.type === 'switch' || expose.type === 'fan')
      return { kind: 'switch', parts: onOff(features, topic) }
    if (expose.type === 'cover') return { kind: 'cover', parts: cover(features, topic) }
    if (expose.type === 'lock') return { kind: 'lock', parts: lock(features, topic) }
    if (expose.type === 'climate') return { kind: 'climate', parts: climate(features, topic) }
  }
  const told = exposes.find(
    ({ type, name }) => SENSED.includes(name ?? '') && (type === 'numeric' || type === 'binary'),
  )
  return told === undefined ? undefined : { kind: 'sensor', parts: sensor(told, topic) }
}

/** In the order a person asks for them. */
const SENSED = [
  'temperature',
  'humidity',
  'contact',
  'occupancy',
  'water_leak',
  'smoke',
  'illuminance',
  'power',
]

type Features = ReadonlyMap<string, Feature>

/** Reads the properties of one JSON state. */
function states(
  topic: string,
  read: (said: Readonly<Record<string, unknown>>) => DeviceState,
): Parts['readings'] {
  return [
    {
      topic,
      read(payload) {
        try {
          const said: unknown = JSON.parse(payload)
          return typeof said === 'object' && said !== null ? read(said as Record<string, unknown>) : undefined
        } catch {
          return undefined
        }
      },
    },
  ]
}

const set = (topic: string, change: Readonly<Record<string, unknown>>): Told => ({
  publish: [{ topic: `${topic}/set`, payload: JSON.stringify(change) }],
})

/** Whether `value` is what the feature calls on; undefined when it is neither. */
function isOn(feature: Feature | undefined, value: unknown): boolean | undefined {
  if (value === (feature?.value_on ?? 'ON')) return true
  return value === (feature?.value_off ?? 'OFF') ? false : undefined
}

function light(features: Features, topic: string): Parts {
  const state = features.get('state')
  const level = features.get('brightness')
  const shade = features.get('color_temp')
  const most = level?.value_max ?? 254
  const mireds = (kelvin: number): number =>
    Math.round(Math.max(shade?.value_min ?? 153, Math.min(shade?.value_max ?? 500, 1_000_000 / kelvin)))
  const turn = (on: boolean): unknown => (on ? (state?.value_on ?? 'ON') : (state?.value_off ?? 'OFF'))
  return {
    initial: { can_dim: level !== undefined, can_tune: shade !== undefined },
    readings: states(topic, (said) => {
      const on = isOn(state, said[state?.property ?? 'state'])
      const brightness = numberOf(said[level?.property ?? 'brightness'])
      const white = numberOf(said[shade?.property ?? 'color_temp'])
      return {
        ...(on === undefined ? {} : { on }),
        ...(brightness === undefined || brightness <= 0
          ? {}
          : { brightness: Math.max(1, Math.min(100, Math.round((brightness / most) * 100))) }),
        ...(white === undefined || white <= 0 ? {} : { kelvin: Math.round(1_000_000 / white) }),
      }
    }),
    command(command, value): Told | Refusal {
      if (command === 'on' || command === 'off') return set(topic, { state: turn(command === 'on') })
      if (command === 'set_brightness') {
        const percent = numberIn(value, 0, 100)
        if (level === undefined) return refused('it cannot be dimmed')
        if (percent === undefined) return refused('brightness is 0 to 100 percent')
        if (percent === 0) return set(topic, { state: turn(false) })
        return set(topic, { state: turn(true), brightness: Math.max(1, Math.round((percent / 100) * most)) })
      }
      const kelvin = numberIn(value, 1_000, 12_000)
      if (command !== 'set_kelvin' || shade === undefined) return refused('its white cannot be changed')
      return kelvin === undefined
        ? refused('kelvin is 1000 to 12000')
        : set(topic, { state: turn(true), color_temp: mireds(kelvin) })
    },
  }
}

function onOff(features: Features, topic: string): Parts {
  const state = features.get('state')
  const property = state?.property ?? 'state'
  return {
    initial: {},
    readings: states(topic, (said) => {
      const on = isOn(state, said[property])
      return on === undefined ? {} : { on }
    }),
    command: (command) =>
      command === 'on' || command === 'off'
        ? set(topic, {
            [property]: command === 'on' ? (state?.value_on ?? 'ON') : (state?.value_off ?? 'OFF'),
          })
        : refused('it goes on or off'),
  }
}

function cover(features: Features, topic: string): Parts {
  const can_position = features.has('position')
  const payloads: Readonly<Record<string, string>> = { open: 'OPEN', close: 'CLOSE', stop: 'STOP' }
  return {
    initial: { can_position },
    readings: states(topic, (said) => {
      const position = numberOf(said.position)
      const state = said.state === 'OPEN' ? 'open' : said.state === 'CLOSE' ? 'closed' : undefined
      return {
        ...(position === undefined ? {} : { position: Math.max(0, Math.min(100, Math.round(position))) }),
        ...(state === undefined ? {} : { state }),
      }
    }),
    command(command, value): Told | Refusal {
      if (command === 'set_position') {
        const position = numberIn(value, 0, 100)
        if (!can_position) return refused('it opens and closes only as a whole')
        return position === undefined ? refused('a position is 0 to 100 percent') : set(topic, { position })
      }
      const state = Object.hasOwn(payloads, command) ? payloads[command] : undefined
      return state === undefined
        ? refused('it opens, closes, stops or takes a position')
        : set(topic, { state })
    },
  }
}

function lock(features: Features, topic: string): Parts {
  const state = features.get('state')
  return {
    initial: {},
    readings: states(topic, (said) => {
      const told = typeof said.lock_state === 'string' ? said.lock_state : undefined
      if (told === 'locked' || told === 'unlocked') return { state: told }
      if (told === 'not_fully_locked') return { state: 'jammed' }
      if (said.state === (state?.value_on ?? 'LOCK')) return { state: 'locked' }
      return said.state === (state?.value_off ?? 'UNLOCK') ? { state: 'unlocked' } : {}
    }),
    command: (command) =>
      command === 'lock' || command === 'unlock'
        ? set(topic, {
            [state?.property ?? 'state']:
              command === 'lock' ? (state?.value_on ?? 'LOCK') : (state?.value_off ?? 'UNLOCK'),
          })
        : refused('a lock is locked or unlocked'),
  }
}

function climate(features: Features, topic: string): Parts {
  const wish = ['occupied_heating_setpoint', 'current_heating_setpoint', 'occupied_cooling_setpoint']
    .map((name) => features.get(name))
    .find((feature) => feature !== undefined)
  const [least, most] = [wish?.value_min ?? 5, wish?.value_max ?? 30]
  const mode = features.get('system_mode')
  const modes = (mode?.values ?? []).filter((value): value is string => typeof value === 'string')
  return {
    initial: { unit: 'C', min: least, max: most },
    readings: states(topic, (said) => {
      const target = wish?.name === undefined ? undefined : numberOf(said[wish.property ?? wish.name])
      const current = numberOf(said.local_temperature)
      return {
        ...(target === undefined ? {} : { target }),
        ...(current === undefined ? {} : { current }),
        ...(typeof said.system_mode === 'string' && modes.includes(said.system_mode)
          ? { mode: said.system_mode }
          : {}),
      }
    }),
    command(command, value: CommandValue): Told | Refusal {
      if (command === 'set_temperature') {
        const degrees = numberIn(value, least, most)
        if (wish?.name === undefined) return refused('it takes no temperature')
        if (degrees === undefined) return refused(`it takes ${least} to ${most} degrees`)
        return set(topic, { [wish.property ?? wish.name]: degrees })
      }
      if (command !== 'set_mode' || typeof value !== 'string' || !modes.includes(value)) {
        return refused(modes.length === 0 ? 'it has no modes' : `its modes are ${modes.join(', ')}`)
      }
      return set(topic, { system_mode: value })
    },
  }
}

function sensor(expose: Expose, topic: string): Parts {
  const property = expose.property ?? expose.name ?? ''
  return {
    initial: {
      ...(expose.name === undefined ? {} : { device_class: expose.name }),
      ...(expose.unit === undefined ? {} : { unit: expose.unit }),
    },
    readings: states(topic, (said) => {
      if (!Object.hasOwn(said, property)) return {}
      if (expose.type === 'binary') {
        const on = isOn(
          { ...expose, value_on: expose.value_on ?? true, value_off: expose.value_off ?? false },
          said[property],
        )
        return on === undefined ? {} : { on }
      }
      const value = numberOf(said[property])
      return value === undefined ? {} : { value }
    }),
    command: () => refused('a sensor only tells'),
  }
}
