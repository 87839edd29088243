/** From an announcement to an entity that can be used, by component. Pure. */

import { climateOf } from './climate.ts'
import type { DeviceKind } from './device.ts'
import { type Announced, type EntityConfig, readAnnouncement } from './discovery.ts'
import { type Entity, nameOf, type Parts, reachOf, roomOf, Templates } from './entity.ts'
import { lightOf } from './light.ts'
import { coverOf, lockOf } from './opening.ts'
import { sceneOf, sensorOf, switchOf } from './simple.ts'

type Make = (config: EntityConfig, templates: Templates) => Parts | undefined

const COMPONENTS: ReadonlyMap<string, readonly [DeviceKind, Make]> = new Map<
  string,
  readonly [DeviceKind, Make]
>([
  ['light', ['light', lightOf]],
  ['switch', ['switch', switchOf]],
  ['fan', ['switch', switchOf]],
  ['cover', ['cover', coverOf]],
  ['climate', ['climate', climateOf]],
  ['lock', ['lock', lockOf]],
  ['scene', ['scene', sceneOf]],
  ['sensor', ['sensor', (config, templates) => sensorOf(config, templates, false)]],
  ['binary_sensor', ['sensor', (config, templates) => sensorOf(config, templates, true)]],
])

/**
 * What Home Assistant has and we do not are buttons, cameras, text fields …: nothing a sentence of ours means, and no problem.
 * Undefined when it is nothing that can be used: `problems` says why. */
export function entityOf({ component, id, config }: Announced): {
  entity?: Entity
  problems: readonly string[]
} {
  const made = COMPONENTS.get(component)
  if (made === undefined || config.enabled_by_default === false) return { problems: [] }
  const [kind, make] = made
  const templates = new Templates()
  const parts = make(config, templates)
  const reach = reachOf(config, templates)
  const problems = templates.problems.map((problem) => `${id}: ${problem}`)
  if (parts === undefined) {
    return { problems: problems.length === 0 ? [`${id}: it names no topic to use it by`] : problems }
  }
  const entity: Entity = {
    id,
    kind,
    name: nameOf(config, id),
    room: roomOf(config),
    command_topic:
      config.command_topic ??
      config.temperature_command_topic ??
      config.set_position_topic ??
      config.state_topic ??
      '',
    initial: parts.initial,
    readings: parts.readings,
    reach,
    reach_mode: config.availability_mode ?? 'latest',
    command: parts.command,
    problems,
  }
  return { entity, problems }
}

/** All entities of one announcement; none when it is taken back or is nothing of ours. */
export function announcedEntities(
  topic: string,
  prefix: string,
  payload: string,
): { entities: readonly Entity[]; problems: readonly string[] } {
  const announcement = readAnnouncement(topic, prefix, payload)
  if (announcement === undefined) return { entities: [], problems: [] }
  const made = announcement.entities.map(entityOf)
  return {
    entities: made.flatMap(({ entity }) => entity ?? []),
    problems: [...announcement.problems, ...made.flatMap(({ problems }) => problems)],
  }
}
