/**
 * Home Assistant's MQTT discovery: `<prefix>/<component>/[<node>/]<object>/config` carries one entity, `<prefix>/device/<object>/config`
 * several of one device, and an empty payload takes them back. Keys may be shortened, `~` stands for a base topic.
 * Source: home-assistant.io/integrations/mqtt, "MQTT discovery" and the page of each component. Pure.
 */
import { z } from 'zod'
import { LONG_KEYS } from './abbreviations.ts'

/** One announcement. A device with thirty entities takes about 20 KB. */
export const MAX_CONFIG_BYTES = 64 * 1024
/** Entities of one device-based announcement. */
const MAX_COMPONENTS = 64
export const MAX_TOPIC_CHARS = 512

const text = z.string().max(1_024)
const topic = z
  .string()
  .min(1)
  .max(MAX_TOPIC_CHARS)
  // Wildcards and control characters have no place in the name of one topic.
  .refine((name) => !/[#+\p{Cc}]/u.test(name), 'not the name of a topic')
const scalar = z.union([z.string().max(1_024), z.number(), z.boolean()])

/** Everything any component of ours reads; other keys are left unread. */
const entitySchema = z.object({
  name: z.string().max(128).nullish(),
  object_id: text.optional(),
  default_entity_id: text.optional(),
  unique_id: text.optional(),
  platform: text.optional(),
  enabled_by_default: z.boolean().optional(),
  device: z
    .object({ name: z.string().max(128).nullish(), suggested_area: z.string().max(64).nullish() })
    .optional(),
  availability_topic: topic.optional(),
  availability_template: text.optional(),
  availability: z
    .array(
      z.object({
        topic,
        payload_available: scalar.optional(),
        payload_not_available: scalar.optional(),
        value_template: text.optional(),
      }),
    )
    .max(16)
    .optional(),
  availability_mode: z.enum(['all', 'any', 'latest']).optional(),
  payload_available: scalar.optional(),
  payload_not_available: scalar.optional(),
  schema: text.optional(),
  optimistic: z.boolean().optional(),
  retain: z.boolean().optional(),
  device_class: text.nullish(),
  unit_of_measurement: text.nullish(),
  command_topic: topic.optional(),
  command_template: text.optional(),
  state_topic: topic.optional(),
  state_value_template: text.optional(),
  value_template: text.optional(),
  payload_on: scalar.optional(),
  payload_off: scalar.optional(),
  state_on: scalar.optional(),
  state_off: scalar.optional(),
  on_command_type: z.enum(['last', 'first', 'brightness']).optional(),
  brightness: z.boolean().optional(),
  brightness_scale: z.number().min(1).max(65_535).optional(),
  brightness_command_topic: topic.optional(),
  brightness_command_template: text.optional(),
  brightness_state_topic: topic.optional(),
  brightness_value_template: text.optional(),
  supported_color_modes: z.array(text).max(16).optional(),
  color_temp: z.boolean().optional(),
  color_temp_kelvin: z.boolean().optional(),
  color_temp_command_topic: topic.optional(),
  color_temp_command_template: text.optional(),
  color_temp_state_topic: topic.optional(),
  color_temp_value_template: text.optional(),
  min_mireds: z.number().positive().optional(),
  max_mireds: z.number().positive().optional(),
  min_kelvin: z.number().positive().optional(),
  max_kelvin: z.number().positive().optional(),
  payload_open: scalar.nullish(),
  payload_close: scalar.nullish(),
  payload_stop: scalar.nullish(),
  state_open: scalar.optional(),
  state_closed: scalar.optional(),
  state_opening: scalar.optional(),
  state_closing: scalar.optional(),
  state_stopped: scalar.optional(),
  position_topic: topic.optional(),
  position_template: text.optional(),
  position_open: z.number().optional(),
  position_closed: z.number().optional(),
  set_position_topic: topic.optional(),
  set_position_template: text.optional(),
  temperature_command_topic: topic.optional(),
  temperature_command_template: text.optional(),
  temperature_state_topic: topic.optional(),
  temperature_state_template: text.optional(),
  current_temperature_topic: topic.optional(),
  current_temperature_template: text.optional(),
  mode_command_topic: topic.optional(),
  mode_command_template: text.optional(),
  mode_state_topic: topic.optional(),
  mode_state_template: text.optional(),
  modes: z.array(text).max(16).optional(),
  min_temp: z.number().optional(),
  max_temp: z.number().optional(),
  temperature_unit: z.enum(['C', 'F']).optional(),
  payload_lock: scalar.optional(),
  payload_unlock: scalar.optional(),
  state_locked: scalar.optional(),
  state_unlocked: scalar.optional(),
  state_locking: scalar.optional(),
  state_unlocking: scalar.optional(),
  state_jammed: scalar.optional(),
  code_format: text.optional(),
})
export type EntityConfig = z.infer<typeof entitySchema>

/** One entity as it was announced. */
export interface Announced {
  /** `light`, `switch` … as Home Assistant names them. */
  readonly component: string
  /** Tells it from all others. */
  readonly id: string
  readonly config: EntityConfig
}

/** What an announcement says: entities now, none (taken back), or why it cannot be used. */
export type Announcement =
  | { readonly entities: readonly Announced[]; readonly problems: readonly string[] }
  | undefined

/** The parts of a discovery topic; undefined when it is none. */
export function discoveryTopic(
  topicName: string,
  prefix: string,
): { component: string; object: string } | undefined {
  if (!topicName.startsWith(`${prefix}/`) || topicName.length > MAX_TOPIC_CHARS) return undefined
  const parts = topicName.slice(prefix.length + 1).split('/')
  const [component, ...rest] = parts
  if (component === undefined || parts.at(-1) !== 'config' || parts.length < 3 || parts.length > 4)
    return undefined
  return { component, object: rest.slice(0, -1).join('.') }
}

/** Reads an announcement. Entities that do not fit are left out and named. */
export function readAnnouncement(topicName: string, prefix: string, payload: string): Announcement {
  const place = discoveryTopic(topicName, prefix)
  if (place === undefined || payload === '') return undefined
  const none = (problem: string): Announcement => ({ entities: [], problems: [`${topicName}: ${problem}`] })
  if (payload.length > MAX_CONFIG_BYTES) return none('longer than 64 KiB')
  const source = parseObject(payload)
  if (source === undefined) return none('not a JSON object')
  const whole = inFull(source)
  if (place.component !== 'device') return one(place.component, place.object, whole, topicName)
  const components = whole.components
  if (typeof components !== 'object' || components === null) return none('a device without components')
  const named = Object.entries(components as Record<string, unknown>)
  if (named.length > MAX_COMPONENTS) return none(`more than ${MAX_COMPONENTS} components`)
  const read = named.map(([key, part]) => {
    const own = typeof part === 'object' && part !== null ? inFull(part as Record<string, unknown>) : {}
    const merged = withBase({ ...shared(whole), ...own }, whole['~'])
    const component = typeof merged.platform === 'string' ? merged.platform : ''
    return one(component, `${place.object}.${key}`, merged, topicName)
  })
  return {
    entities: read.flatMap((part) => part?.entities ?? []),
    problems: read.flatMap((part) => part?.problems ?? []),
  }
}

/** What the entities of a device share. */
const shared = ({ device, availability, ...whole }: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ device, availability, ...whole }).filter(
      ([key, value]) =>
        value !== undefined && (key === 'device' || key.includes('availab') || key === 'encoding'),
    ),
  )

function one(
  component: string,
  object: string,
  source: Record<string, unknown>,
  topicName: string,
): Announcement {
  const read = entitySchema.safeParse(withBase(source, source['~']))
  if (!read.success) {
    const issue = read.error.issues[0]
    const key = issue?.path.map(String).join('.').slice(0, 80) ?? ''
    return { entities: [], problems: [`${topicName}: ${key} ${issue?.message ?? ''}`.slice(0, 300)] }
  }
  const own = read.data.unique_id ?? read.data.object_id ?? object
  return { entities: [{ component, id: `${component}.${plainId(own)}`, config: read.data }], problems: [] }
}

/** Letters, digits and a few marks: ids go into URLs, logs and a skill's texts. */
export const plainId = (id: string): string => id.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 96)

function parseObject(payload: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Short keys spelled out, one level deep and in what stands below. */
function inFull(source: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(source).map(([key, value]) => {
      const long = LONG_KEYS.get(key) ?? key
      if (long === 'device' && isObject(value)) return [long, inFull(value)]
      if (long === 'availability' && Array.isArray(value)) {
        return [long, value.map((part: unknown) => (isObject(part) ? inFull(part) : part))]
      }
      return [long, value]
    }),
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `~` at either end of a topic is the base. */
function withBase(source: Record<string, unknown>, base: unknown): Record<string, unknown> {
  if (typeof base !== 'string') return source
  const full = (value: unknown): unknown => {
    if (typeof value !== 'string' || value === '') return value
    if (value.startsWith('~')) return base + value.slice(1)
    return value.endsWith('~') ? value.slice(0, -1) + base : value
  }
  return Object.fromEntries(
    Object.entries(source).map(([key, value]) => {
      if (key.endsWith('topic')) return [key, full(value)]
      if (key === 'availability' && Array.isArray(value)) {
        return [
          key,
          value.map((part: unknown) => (isObject(part) ? { ...part, topic: full(part.topic) } : part)),
        ]
      }
      return [key, value]
    }),
  )
}
