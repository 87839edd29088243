/** What opens and closes: covers (blinds, curtains, garage doors) and locks. */
import { type CommandValue, type DeviceState, numberIn, type Refusal, refused, type Told } from './device.ts'
import type { EntityConfig } from './discovery.ts'
import { type Parts, payload, reading, type Templates } from './entity.ts'
import { numberOf } from './template.ts'

export function coverOf(config: EntityConfig, templates: Templates): Parts | undefined {
  const { command_topic, set_position_topic, position_topic } = config
  if (command_topic === undefined && set_position_topic === undefined) return undefined
  const [open, closed] = [config.position_open ?? 100, config.position_closed ?? 0]
  const place = templates.writer('set_position_template', config.set_position_template, 'position')
  const can_position = set_position_topic !== undefined && place !== undefined && open !== closed
  const state = templates.reader('value_template', config.value_template)
  const position = templates.reader('position_template', config.position_template ?? config.value_template)
  const words = new Map([
    [payload(config.state_open, 'open'), 'open'],
    [payload(config.state_closed, 'closed'), 'closed'],
    [payload(config.state_opening, 'opening'), 'opening'],
    [payload(config.state_closing, 'closing'), 'closing'],
    [payload(config.state_stopped, 'stopped'), 'stopped'],
  ])
  const reports = config.state_topic !== undefined || position_topic !== undefined
  const payloads: Readonly<Record<string, string | null>> = {
    open: config.payload_open === null ? null : payload(config.payload_open, 'OPEN'),
    close: config.payload_close === null ? null : payload(config.payload_close, 'CLOSE'),
    stop: config.payload_stop === null ? null : payload(config.payload_stop, 'STOP'),
  }

  function command(command: string, value: CommandValue): Told | Refusal {
    const wanted = command === 'set_position' ? numberIn(value, 0, 100) : ends(command, command_topic)
    if (command === 'set_position' && !can_position) return refused('it opens and closes only as a whole')
    if (command === 'set_position' && wanted === undefined) return refused('a position is 0 to 100 percent')
    if (wanted !== undefined && set_position_topic !== undefined && place !== undefined) {
      const own = Math.round(closed + ((open - closed) * wanted) / 100)
      return {
        publish: [{ topic: set_position_topic, payload: place(own) }],
        ...(reports ? {} : { after: { position: wanted, state: wanted === 0 ? 'closed' : 'open' } }),
      }
    }
    const text = Object.hasOwn(payloads, command) ? payloads[command] : undefined
    if (text === undefined || command_topic === undefined)
      return refused('it opens, closes, stops or takes a position')
    if (text === null) return refused(`it cannot ${command}`)
    const after: DeviceState = command === 'stop' ? {} : { state: command === 'open' ? 'open' : 'closed' }
    return { publish: [{ topic: command_topic, payload: text }], ...(reports ? {} : { after }) }
  }

  return {
    initial: {
      can_position,
      ...(config.device_class === undefined || config.device_class === null
        ? {}
        : { device_class: config.device_class }),
    },
    readings: [
      ...reading(config.state_topic, state, (said) => {
        const word = words.get(said)
        return word === undefined ? undefined : { state: word }
      }),
      ...reading(position_topic, position, (said, before) => {
        const own = numberOf(said)
        if (own === undefined || open === closed) return undefined
        const percent = Math.max(0, Math.min(100, Math.round(((own - closed) / (open - closed)) * 100)))
        // Who tells its state tells more than whether it is at an end.
        return config.state_topic === undefined || before.state === undefined
          ? { position: percent, state: percent === 0 ? 'closed' : 'open' }
          : { position: percent }
      }),
    ],
    command,
  }
}

/** A cover without a topic for words is opened and closed by its position. */
const ends = (command: string, topic: string | undefined): number | undefined =>
  topic !== undefined ? undefined : command === 'open' ? 100 : command === 'close' ? 0 : undefined

export function lockOf(config: EntityConfig, templates: Templates): Parts | undefined {
  const { command_topic } = config
  if (command_topic === undefined) return undefined
  if (config.code_format !== undefined && config.code_format !== '') {
    templates.problems.push('code_format: a lock that wants a code is not supported')
    return undefined
  }
  const write = templates.writer('command_template', config.command_template)
  const read = templates.reader('value_template', config.value_template)
  if (write === undefined) return undefined
  const words = new Map([
    [payload(config.state_locked, 'LOCKED'), 'locked'],
    [payload(config.state_unlocked, 'UNLOCKED'), 'unlocked'],
    [payload(config.state_locking, 'LOCKING'), 'locking'],
    [payload(config.state_unlocking, 'UNLOCKING'), 'unlocking'],
    [payload(config.state_jammed, 'JAMMED'), 'jammed'],
  ])
  const reports = config.state_topic !== undefined
  return {
    initial: {},
    readings: reading(config.state_topic, read, (said) => {
      const word = words.get(said)
      return word === undefined ? undefined : { state: word }
    }),
    command(command) {
      if (command !== 'lock' && command !== 'unlock') return refused('a lock is locked or unlocked')
      const text =
        command === 'lock' ? payload(config.payload_lock, 'LOCK') : payload(config.payload_unlock, 'UNLOCK')
      return {
        publish: [{ topic: command_topic, payload: write(text) }],
        ...(reports ? {} : { after: { state: command === 'lock' ? 'locked' : 'unlocked' } }),
      }
    },
  }
}
