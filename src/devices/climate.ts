/** Thermostats: what it is, what it should be, and how they are set. */
import { type CommandValue, numberIn, type Refusal, refused, type Told } from './device.ts'
import type { EntityConfig } from './discovery.ts'
import { type Parts, reading, type Templates } from './entity.ts'
import { numberOf } from './template.ts'

/** What Home Assistant assumes where a thermostat does not say. */
const LIMITS = { C: [7, 35], F: [44, 95] } as const
const MODES = ['auto', 'off', 'cool', 'heat', 'dry', 'fan_only'] as const

export function climateOf(config: EntityConfig, templates: Templates): Parts | undefined {
  const { temperature_command_topic, mode_command_topic } = config
  if (temperature_command_topic === undefined && mode_command_topic === undefined) return undefined
  const unit = config.temperature_unit ?? 'C'
  const [least, most] = [config.min_temp ?? LIMITS[unit][0], config.max_temp ?? LIMITS[unit][1]]
  const modes: readonly string[] = config.modes ?? MODES
  const warm = templates.writer('temperature_command_template', config.temperature_command_template)
  const turn = templates.writer('mode_command_template', config.mode_command_template)
  const target = templates.reader('temperature_state_template', config.temperature_state_template)
  const current = templates.reader('current_temperature_template', config.current_temperature_template)
  const mode = templates.reader('mode_state_template', config.mode_state_template)

  function command(command: string, value: CommandValue): Told | Refusal {
    if (command === 'set_temperature') {
      const degrees = numberIn(value, least, most)
      if (temperature_command_topic === undefined || warm === undefined)
        return refused('it takes no temperature')
      if (degrees === undefined) return refused(`it takes ${least} to ${most} degrees`)
      return {
        publish: [{ topic: temperature_command_topic, payload: warm(degrees) }],
        ...(config.temperature_state_topic === undefined ? { after: { target: degrees } } : {}),
      }
    }
    if (command !== 'set_mode') return refused('a thermostat takes a temperature or a mode')
    if (mode_command_topic === undefined || turn === undefined) return refused('it has no modes')
    if (typeof value !== 'string' || !modes.includes(value))
      return refused(`its modes are ${modes.join(', ')}`)
    return {
      publish: [{ topic: mode_command_topic, payload: turn(value) }],
      ...(config.mode_state_topic === undefined ? { after: { mode: value } } : {}),
    }
  }

  return {
    initial: { unit, min: least, max: most },
    readings: [
      ...reading(config.temperature_state_topic, target, (said) => {
        const degrees = numberOf(said)
        return degrees === undefined ? undefined : { target: degrees }
      }),
      ...reading(config.current_temperature_topic, current, (said) => {
        const degrees = numberOf(said)
        return degrees === undefined ? undefined : { current: degrees }
      }),
      ...reading(config.mode_state_topic, mode, (said) =>
        modes.includes(said) ? { mode: said } : undefined,
      ),
    ],
    command,
  }
}
