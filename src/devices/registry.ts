/**
 * What is known of the devices of a broker, from its messages alone: no sockets, no clock. `hear` takes every message; `devices` is
 * what the house is told; `command` turns a wish into messages.
 *
 * 1. Any bytes are heard without an error; what does not fit is left out and counted, with words in `problems`.
 * 2. The same messages in the same order give the same devices; a state survives an announcement that is made again.
 * 3. An announcement that is taken back takes its devices along.
 * 4. What Zigbee2MQTT tells and Home Assistant's discovery tells too is one device, the latter's.
 */
import { announcedEntities } from './announced.ts'
import {
  type CommandValue,
  type Device,
  type DeviceState,
  MAX_DEVICES,
  type Refusal,
  refused,
  type Told,
} from './device.ts'
import { discoveryTopic, MAX_CONFIG_BYTES } from './discovery.ts'
import type { Entity } from './entity.ts'
import { readBridge } from './zigbee2mqtt.ts'

/** Entities kept; beyond these, what is announced last is left out. A large Home Assistant has about so many lights, switches and sensors. */
export const MAX_ENTITIES = 1_024
/** A state. Zigbee2MQTT's have up to 2 KB; pictures that stand beside them are not ours. */
export const MAX_STATE_BYTES = 16 * 1024
/** Words about what cannot be used that are kept. */
const MAX_PROBLEMS = 64
/** Rooms and words of names as they are spoken: the same as everywhere else in a skill's state. */
const MAX_TEXT = 64

export interface RegistrySettings {
  readonly discovery_prefix: string
  readonly zigbee2mqtt_topic: string
}

/** What a message led to. */
export interface Heard {
  /** Topics to listen to from now on; asked for again where somebody listens already, so that what is retained comes once more. */
  readonly subscribe: readonly string[]
  readonly unsubscribe: readonly string[]
  /** Other devices, names or rooms than before. */
  readonly changed: boolean
}

const NOTHING: Heard = { subscribe: [], unsubscribe: [], changed: false }

interface Live {
  readonly entity: Entity
  state: DeviceState
  /** As its topics said last, in their order. */
  readonly reach: (boolean | undefined)[]
  latest: boolean | undefined
}

export class Registry {
  readonly #settings: RegistrySettings
  readonly #announced = new Map<string, { readonly payload: string; readonly entities: readonly Entity[] }>()
  readonly #problems = new Map<string, readonly string[]>()
  #bridge: readonly Entity[] = []
  #live = new Map<string, Live>()
  #byTopic = new Map<string, Live[]>()

  constructor(settings: RegistrySettings) {
    this.#settings = settings
  }

  /** What to listen to from the start. */
  get announcements(): readonly string[] {
    const { discovery_prefix: prefix, zigbee2mqtt_topic: base } = this.#settings
    return [
      ...(prefix === '' ? [] : [`${prefix}/+/+/config`, `${prefix}/+/+/+/config`]),
      ...(base === '' ? [] : [`${base}/bridge/devices`]),
    ]
  }

  /** Everything that is listened to: for a connection that is made again. */
  get topics(): readonly string[] {
    return [...this.announcements, ...this.#byTopic.keys()]
  }

  get problems(): readonly string[] {
    return [...this.#problems.values()].flat().slice(0, MAX_PROBLEMS)
  }

  hear(topic: string, payload: string): Heard {
    const { discovery_prefix: prefix, zigbee2mqtt_topic: base } = this.#settings
    if (prefix !== '' && discoveryTopic(topic, prefix) !== undefined) return this.#announce(topic, payload)
    if (base !== '' && topic === `${base}/bridge/devices`) return this.#list(topic, payload)
    if (payload.length <= MAX_STATE_BYTES) this.#read(topic, payload)
    return NOTHING
  }

  /** At most `MAX_DEVICES`, sensors last. */
  devices(): readonly Device[] {
    const all = [...this.#live.values()].map(deviceOf)
    const useful = [
      ...all.filter(({ kind }) => kind !== 'sensor'),
      ...all.filter(({ kind }) => kind === 'sensor'),
    ]
    return useful.slice(0, MAX_DEVICES)
  }

  command(device: string, command: string, value: CommandValue): Told | Refusal {
    const live = this.#live.get(device)
    if (live === undefined) return refused('there is no such device')
    return live.entity.command(command, value)
  }

  /** A command went out to a device that does not report its state: what is true of it then. */
  assume(device: string, state: DeviceState): void {
    const live = this.#live.get(device)
    if (live !== undefined) live.state = { ...live.state, ...state }
  }

  #announce(topic: string, payload: string): Heard {
    const known = this.#announced.get(topic)
    if (known?.payload === payload) return this.#again(known.entities)
    if (known === undefined && this.#announced.size >= MAX_ENTITIES) return NOTHING
    const { entities, problems } = announcedEntities(topic, this.#settings.discovery_prefix, payload)
    note(this.#problems, topic, problems)
    if (entities.length === 0) this.#announced.delete(topic)
    else this.#announced.set(topic, { payload: payload.slice(0, MAX_CONFIG_BYTES), entities })
    if (entities.length === 0 && known === undefined) return NOTHING
    return known === undefined && this.#areNew(entities) ? this.#add(entities) : this.#rebuild(entities)
  }

  /** Nothing that is known has to give way to them. */
  #areNew(entities: readonly Entity[]): boolean {
    const topics = new Set(entities.flatMap((entity) => [entity.command_topic, ...topicsOf(entity)]))
    return (
      this.#live.size + entities.length <= MAX_ENTITIES &&
      !entities.some(({ id }) => this.#live.has(id)) &&
      new Set(entities.map(({ id }) => id)).size === entities.length &&
      !this.#bridge.some(
        ({ command_topic, readings }) => topics.has(command_topic) || topics.has(readings[0]?.topic ?? ''),
      )
    )
  }

  /** A broker that is connected to announces all devices at once: each for itself, and not all anew for each. */
  #add(entities: readonly Entity[]): Heard {
    for (const entity of entities) {
      const live = kept(undefined, entity)
      this.#live.set(entity.id, live)
      enter(this.#byTopic, live)
    }
    return { subscribe: [...new Set(entities.flatMap(topicsOf))], unsubscribe: [], changed: true }
  }

  #list(topic: string, payload: string): Heard {
    const read = readBridge(this.#settings.zigbee2mqtt_topic, payload)
    note(this.#problems, topic, read === undefined ? [`${topic}: not a list of devices`] : read.problems)
    if (read === undefined) return NOTHING
    this.#bridge = read.entities
    return this.#rebuild(read.entities)
  }

  /** The same announcement once more: the device came back, and its states may be told again. */
  #again(entities: readonly Entity[]): Heard {
    return { ...NOTHING, subscribe: entities.flatMap(topicsOf) }
  }

  #rebuild(fresh: readonly Entity[]): Heard {
    const before = { live: this.#live, topics: this.#byTopic }
    const live = new Map<string, Live>()
    for (const entity of this.#entities()) {
      if (live.size >= MAX_ENTITIES) break
      live.set(entity.id, kept(before.live.get(entity.id), entity))
    }
    const byTopic = new Map<string, Live[]>()
    for (const one of live.values()) enter(byTopic, one)
    this.#live = live
    this.#byTopic = byTopic
    const wanted = new Set(fresh.flatMap(topicsOf))
    return {
      subscribe: [...byTopic.keys()].filter((topic) => wanted.has(topic) || !before.topics.has(topic)),
      unsubscribe: [...before.topics.keys()].filter((topic) => !byTopic.has(topic)),
      changed: signature(before.live) !== signature(live),
    }
  }

  *#entities(): Generator<Entity> {
    const taken = new Set<string>()
    for (const { entities } of this.#announced.values()) {
      for (const entity of entities) {
        taken.add(entity.command_topic)
        for (const { topic } of entity.readings) taken.add(topic)
        yield entity
      }
    }
    for (const entity of this.#bridge) {
      const told = entity.readings[0]?.topic
      if (!taken.has(entity.command_topic) && (told === undefined || !taken.has(told))) yield entity
    }
  }

  #read(topic: string, payload: string): void {
    for (const live of this.#byTopic.get(topic) ?? []) {
      for (const { topic: own, read } of live.entity.readings) {
        const change = own === topic ? read(payload, live.state) : undefined
        if (change !== undefined) live.state = { ...live.state, ...change }
      }
      live.entity.reach.forEach(({ topic: own, reached }, index) => {
        const here = own === topic ? reached(payload) : undefined
        if (here === undefined) return
        live.reach[index] = here
        live.latest = here
      })
    }
  }
}

const topicsOf = ({ readings, reach }: Entity): string[] => [
  ...readings.map(({ topic }) => topic),
  ...reach.map(({ topic }) => topic),
]

function enter(byTopic: Map<string, Live[]>, live: Live): void {
  for (const topic of new Set(topicsOf(live.entity))) {
    const others = byTopic.get(topic)
    if (others === undefined) byTopic.set(topic, [live])
    else others.push(live)
  }
}

/** What it said before counts on while it is told on the same topics. */
function kept(before: Live | undefined, entity: Entity): Live {
  const same = before !== undefined && topicsOf(before.entity).join() === topicsOf(entity).join()
  return {
    entity,
    state: { ...(same ? before.state : {}), ...entity.initial },
    reach: same ? [...before.reach] : entity.reach.map(() => undefined),
    latest: same ? before.latest : undefined,
  }
}

/** Nobody said that it is away: then it is taken to be there. */
function isAway({ entity, reach, latest }: Live): boolean {
  if (reach.length === 0) return false
  if (entity.reach_mode === 'all') return reach.includes(false)
  if (entity.reach_mode === 'any') return reach.every((here) => here === false)
  return latest === false
}

function deviceOf(live: Live): Device {
  const { id, name, room, kind } = live.entity
  const state = isAway(live) ? { ...live.state, available: false } : live.state
  return { id, name: name.slice(0, MAX_TEXT), room: room.slice(0, MAX_TEXT), kind, state }
}

const signature = (live: ReadonlyMap<string, Live>): string =>
  JSON.stringify([...live.values()].map(({ entity: { id, name, room } }) => [id, name, room]))

function note(problems: Map<string, readonly string[]>, topic: string, found: readonly string[]): void {
  problems.delete(topic)
  if (found.length > 0 && problems.size < MAX_PROBLEMS) problems.set(topic, found.slice(0, MAX_PROBLEMS))
}
