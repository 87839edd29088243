/** What is only on or off, only started, or only read: switches and fans, scenes, sensors. */
import { type DeviceState, refused } from './device.ts'
import type { EntityConfig } from './discovery.ts'
import { type Parts, payload, reading, type Templates } from './entity.ts'
import { numberOf } from './template.ts'

/** A text a sensor says, e.g. "raining". */
const MAX_VALUE_CHARS = 64

const classOf = ({ device_class }: EntityConfig): DeviceState =>
  device_class === undefined || device_class === null ? {} : { device_class }

export function switchOf(config: EntityConfig, templates: Templates): Parts | undefined {
  const { command_topic, state_topic } = config
  if (command_topic === undefined) return undefined
  const [on, off] = [payload(config.payload_on, 'ON'), payload(config.payload_off, 'OFF')]
  const write = templates.writer('command_template', config.command_template)
  const read = templates.reader('value_template', config.value_template ?? config.state_value_template)
  if (write === undefined) return undefined
  const [isOn, isOff] = [payload(config.state_on, on), payload(config.state_off, off)]
  return {
    initial: classOf(config),
    readings: reading(state_topic, read, (said) =>
      said === isOn ? { on: true } : said === isOff ? { on: false } : undefined,
    ),
    command(command) {
      if (command !== 'on' && command !== 'off') return refused('it goes on or off')
      return {
        publish: [{ topic: command_topic, payload: write(command === 'on' ? on : off) }],
        ...(state_topic === undefined ? { after: { on: command === 'on' } } : {}),
      }
    },
  }
}

export function sceneOf(config: EntityConfig): Parts | undefined {
  const { command_topic } = config
  if (command_topic === undefined) return undefined
  return {
    initial: {},
    readings: [],
    command: (command) =>
      command === 'start'
        ? { publish: [{ topic: command_topic, payload: payload(config.payload_on, 'ON') }] }
        : refused('a scene is started'),
  }
}

/** A measured value, or whether something is so (`binary_sensor`). */
export function sensorOf(config: EntityConfig, templates: Templates, binary: boolean): Parts | undefined {
  const { state_topic } = config
  if (state_topic === undefined) return undefined
  const read = templates.reader('value_template', config.value_template)
  if (read === undefined) return undefined
  const [on, off] = [payload(config.payload_on, 'ON'), payload(config.payload_off, 'OFF')]
  const unit = config.unit_of_measurement
  return {
    initial: { ...classOf(config), ...(unit === undefined || unit === null ? {} : { unit }) },
    readings: reading(state_topic, read, (said) => {
      if (binary) return said === on ? { on: true } : said === off ? { on: false } : undefined
      const number = numberOf(said)
      if (number !== undefined) return { value: number }
      return said === '' || said.length > MAX_VALUE_CHARS ? undefined : { value: said }
    }),
    command: () => refused('a sensor only tells'),
  }
}
