/**
 * An entity ready for use: which topics tell of it and what their payloads mean, what a command comes to, when it is within
 * reach. The files of each kind make one from its announcement. Functions here are pure.
 */
import type { CommandValue, DeviceKind, DeviceState, Refusal, Told } from './device.ts'
import type { EntityConfig } from './discovery.ts'
import { compileTemplate, payloadNames, type Template } from './template.ts'

/** A topic and what its payloads change in the state; undefined for a payload that says nothing. */
export interface Reading {
  readonly topic: string
  read(payload: string, state: DeviceState): DeviceState | undefined
}

/** A topic that says whether it is within reach; undefined for a payload that says neither. */
export interface Reach {
  readonly topic: string
  reached(payload: string): boolean | undefined
}

/** What the file of a kind knows how to make. */
export interface Parts {
  /** What is true of it before it said anything. */
  readonly initial: DeviceState
  readonly readings: readonly Reading[]
  command(command: string, value: CommandValue): Told | Refusal
}

export interface Entity extends Parts {
  readonly id: string
  readonly kind: DeviceKind
  readonly name: string
  readonly room: string
  /** Where commands go first: two protocols that announce the same thing share it. */
  readonly command_topic: string
  readonly reach: readonly Reach[]
  readonly reach_mode: 'all' | 'any' | 'latest'
  /** What of it cannot be used, in words. */
  readonly problems: readonly string[]
}

/** Collects what templates of one entity cannot be followed. */
export class Templates {
  readonly problems: string[] = []

  /** A reader of payloads; without a template the payload itself. Undefined when its template cannot be followed. */
  reader(key: string, text: string | undefined): ((payload: string) => string | undefined) | undefined {
    if (text === undefined || text === '') return (payload) => payload
    const template = this.#compiled(key, text)
    return template === undefined ? undefined : (payload) => template(payloadNames(payload))
  }

  /** A writer of payloads; without a template the value as it is. */
  writer(
    key: string,
    text: string | undefined,
    name = 'value',
  ): ((value: string | number) => string) | undefined {
    if (text === undefined || text === '') return String
    const template = this.#compiled(key, text)
    if (template === undefined) return undefined
    return (value) => template({ value, [name]: value }) ?? String(value)
  }

  #compiled(key: string, text: string): Template | undefined {
    const compiled = compileTemplate(text)
    if (typeof compiled === 'function') return compiled
    this.problems.push(`${key} uses what is not supported: ${compiled.unsupported}`)
    return undefined
  }
}

/** A reading of one topic, if both the topic and a way to read it are there. */
export function reading(
  topic: string | undefined,
  read: ((payload: string) => string | undefined) | undefined,
  to: (value: string, state: DeviceState) => DeviceState | undefined,
): readonly Reading[] {
  if (topic === undefined || read === undefined) return []
  return [
    {
      topic,
      read: (payload, state) => {
        const value = read(payload)
        return value === undefined ? undefined : to(value, state)
      },
    },
  ]
}

/** What an announcement says of reach, in both of its forms. */
export function reachOf(config: EntityConfig, templates: Templates): readonly Reach[] {
  const { payload_available, payload_not_available } = config
  const listed =
    config.availability ??
    (config.availability_topic === undefined
      ? []
      : [
          {
            topic: config.availability_topic,
            value_template: config.availability_template,
            payload_available,
            payload_not_available,
          },
        ])
  return listed.flatMap(({ topic, value_template, ...payloads }) => {
    const read = templates.reader('availability', value_template)
    const here = String(payloads.payload_available ?? 'online')
    const away = String(payloads.payload_not_available ?? 'offline')
    if (read === undefined) return []
    const reached = (payload: string): boolean | undefined => {
      const said = read(payload)
      return said === here ? true : said === away ? false : undefined
    }
    return [{ topic, reached }]
  })
}

/** Home Assistant's rule: the device's name, and behind it the entity's, which the main one does not have. */
export function nameOf({ name, device, object_id }: EntityConfig, otherwise: string): string {
  const [own, of] = [name?.trim() ?? '', device?.name?.trim() ?? '']
  const said =
    own === '' ? of : of === '' || own.toLowerCase().startsWith(of.toLowerCase()) ? own : `${of} ${own}`
  return (said === '' ? (object_id ?? otherwise).replaceAll(/[_.-]+/g, ' ') : said).slice(0, 80)
}

export const roomOf = ({ device }: EntityConfig): string =>
  (device?.suggested_area ?? '').trim().toLowerCase()

/** The payload a scalar of an announcement stands for. */
export const payload = (value: string | number | boolean | undefined | null, otherwise: string): string =>
  value === undefined || value === null ? otherwise : String(value)
