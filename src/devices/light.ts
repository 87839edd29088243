/** Lights, in Home Assistant's default schema (a topic for each thing) and its JSON schema (one object). */
import {
  type CommandValue,
  type DeviceState,
  numberIn,
  type Publish,
  type Refusal,
  refused,
  type Told,
} from './device.ts'
import type { EntityConfig } from './discovery.ts'
import { type Parts, payload, reading, type Templates } from './entity.ts'
import { numberOf } from './template.ts'

/** What Home Assistant assumes where a light does not say; whole steps of white light stay within. */
const LEAST_KELVIN = 2_000
const MOST_KELVIN = 6_535
const MIREDS = 1_000_000

/** What a light can do beside on and off, and in which numbers. */
interface Range {
  readonly scale: number
  readonly kelvin: boolean
  readonly least_kelvin: number
  readonly most_kelvin: number
}

export function lightOf(config: EntityConfig, templates: Templates): Parts | undefined {
  if (config.schema === 'template') {
    templates.problems.push('schema: template is not supported')
    return undefined
  }
  return config.schema === 'json' ? jsonLight(config) : plainLight(config, templates)
}

function rangeOf(config: EntityConfig): Range {
  return {
    scale: config.brightness_scale ?? 255,
    kelvin: config.color_temp_kelvin === true,
    least_kelvin:
      config.min_kelvin ?? (config.max_mireds === undefined ? LEAST_KELVIN : MIREDS / config.max_mireds),
    most_kelvin:
      config.max_kelvin ?? (config.min_mireds === undefined ? MOST_KELVIN : MIREDS / config.min_mireds),
  }
}

/** 1 … 100 from 1 … scale: what is on is never at zero percent. */
const percentOf = (value: number, { scale }: Range): number =>
  Math.max(1, Math.min(100, Math.round((value / scale) * 100)))
const scaled = (percent: number, { scale }: Range): number => Math.max(1, Math.round((percent / 100) * scale))
const kelvinOf = (value: number, { kelvin }: Range): number => Math.round(kelvin ? value : MIREDS / value)

/** The nearest the light has, in its own unit. */
function white(wanted: number, { kelvin, least_kelvin, most_kelvin }: Range): number {
  const within = Math.max(least_kelvin, Math.min(most_kelvin, wanted))
  return Math.round(kelvin ? within : MIREDS / within)
}

function jsonLight(config: EntityConfig): Parts | undefined {
  const { command_topic, state_topic, supported_color_modes: modes } = config
  if (command_topic === undefined) return undefined
  const range = rangeOf(config)
  const can_dim = config.brightness === true || (modes ?? []).some((mode) => mode !== 'onoff')
  const can_tune = config.color_temp === true || (modes ?? []).includes('color_temp')
  return {
    initial: { can_dim, can_tune },
    readings: reading(
      state_topic,
      (text) => text,
      (text) => jsonState(text, range),
    ),
    command: (command, value) =>
      told(command, value, { can_dim, can_tune, reports: state_topic !== undefined }, (change) => [
        {
          topic: command_topic,
          payload: JSON.stringify({
            state: change.on ? 'ON' : 'OFF',
            ...(change.brightness === undefined ? {} : { brightness: scaled(change.brightness, range) }),
            ...(change.kelvin === undefined ? {} : { color_temp: white(change.kelvin, range) }),
          }),
        },
      ]),
  }
}

function jsonState(text: string, range: Range): DeviceState | undefined {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof said !== 'object' || said === null) return undefined
  const { state, brightness, color_temp } = said as Record<string, unknown>
  const changed: Record<string, boolean | number> = {}
  if (state === 'ON' || state === 'OFF') changed.on = state === 'ON'
  const level = numberOf(brightness)
  if (level !== undefined && level > 0) changed.brightness = percentOf(level, range)
  const shade = numberOf(color_temp)
  if (shade !== undefined && shade > 0) changed.kelvin = kelvinOf(shade, range)
  return changed
}

function plainLight(config: EntityConfig, templates: Templates): Parts | undefined {
  const { command_topic, brightness_command_topic, color_temp_command_topic } = config
  if (command_topic === undefined) return undefined
  const range = rangeOf(config)
  const [on, off] = [payload(config.payload_on, 'ON'), payload(config.payload_off, 'OFF')]
  const dim = templates.writer('brightness_command_template', config.brightness_command_template)
  const tune = templates.writer('color_temp_command_template', config.color_temp_command_template)
  const can_dim = brightness_command_topic !== undefined && dim !== undefined
  const can_tune = color_temp_command_topic !== undefined && tune !== undefined
  const state = templates.reader('state_value_template', config.state_value_template ?? config.value_template)
  const level = templates.reader('brightness_value_template', config.brightness_value_template)
  const shade = templates.reader('color_temp_value_template', config.color_temp_value_template)
  return {
    initial: { can_dim, can_tune },
    readings: [
      ...reading(config.state_topic, state, (said) =>
        said === on ? { on: true } : said === off ? { on: false } : undefined,
      ),
      ...reading(config.brightness_state_topic, level, (said) => {
        const value = numberOf(said)
        return value === undefined || value <= 0 ? undefined : { brightness: percentOf(value, range) }
      }),
      ...reading(config.color_temp_state_topic, shade, (said) => {
        const value = numberOf(said)
        return value === undefined || value <= 0 ? undefined : { kelvin: kelvinOf(value, range) }
      }),
    ],
    command: (command, value) =>
      told(command, value, { can_dim, can_tune, reports: config.state_topic !== undefined }, (change) => {
        if (!change.on) return [{ topic: command_topic, payload: off }]
        const switching: Publish = { topic: command_topic, payload: on }
        const rest: Publish[] = [
          ...(change.brightness === undefined || dim === undefined
            ? []
            : [{ topic: brightness_command_topic!, payload: dim(scaled(change.brightness, range)) }]),
          ...(change.kelvin === undefined || tune === undefined
            ? []
            : [{ topic: color_temp_command_topic!, payload: tune(white(change.kelvin, range)) }]),
        ]
        // Some lights go on by a level alone and would flash at the old one first.
        if (config.on_command_type === 'brightness' && can_dim) {
          const full = { topic: brightness_command_topic!, payload: dim(scaled(100, range)) }
          return change.brightness === undefined ? [full, ...rest] : rest
        }
        return config.on_command_type === 'first' ? [switching, ...rest] : [...rest, switching]
      }),
  }
}

interface Change {
  readonly on: boolean
  readonly brightness?: number
  readonly kelvin?: number
}

interface Abilities {
  readonly can_dim: boolean
  readonly can_tune: boolean
  readonly reports: boolean
}

function told(
  command: string,
  value: CommandValue,
  { can_dim, can_tune, reports }: Abilities,
  publish: (change: Change) => readonly Publish[],
): Told | Refusal {
  const change = changeOf(command, value, can_dim, can_tune)
  if ('refused' in change) return change
  return { publish: publish(change), ...(reports ? {} : { after: { ...change } }) }
}

function changeOf(
  command: string,
  value: CommandValue,
  can_dim: boolean,
  can_tune: boolean,
): Change | Refusal {
  if (command === 'on') return { on: true }
  if (command === 'off') return { on: false }
  if (command === 'set_brightness') {
    const percent = numberIn(value, 0, 100)
    if (!can_dim) return refused('it cannot be dimmed')
    if (percent === undefined) return refused('brightness is 0 to 100 percent')
    return percent === 0 ? { on: false } : { on: true, brightness: percent }
  }
  if (command === 'set_kelvin') {
    const kelvin = numberIn(value, 1_000, 12_000)
    if (!can_tune) return refused('its white cannot be changed')
    return kelvin === undefined ? refused('kelvin is 1000 to 12000') : { on: true, kelvin }
  }
  return refused('a light goes on, off, to a brightness or to a colour temperature')
}
