/** What each kind of device takes and tells, in the words of its announcement: command → topic and payload, payload → state. */
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/devices/device.ts'
import { Registry } from '../../src/devices/registry.ts'

const SETTINGS = { discovery_prefix: 'homeassistant', zigbee2mqtt_topic: 'zigbee2mqtt' }

/** A house with one announced device. */
function house(component: string, config: object): Registry {
  const registry = new Registry(SETTINGS)
  registry.hear(`homeassistant/${component}/x/config`, JSON.stringify(config))
  return registry
}

function tell(
  registry: Registry,
  command: string,
  value?: string | number,
): readonly [string, string][] | string {
  const told = registry.command(registry.devices()[0]!.id, command, value)
  return 'refused' in told ? told.refused : told.publish.map(({ topic, payload }) => [topic, payload])
}

const stateOf = (registry: Registry, ...messages: [string, string][]) => {
  for (const [topic, payload] of messages) registry.hear(topic, payload)
  return registry.devices()[0]!.state
}

describe('a light that speaks JSON', () => {
  const light = () =>
    house('light', {
      schema: 'json',
      name: 'Ceiling',
      '~': 'lamps/1',
      cmd_t: '~/set',
      stat_t: '~',
      supported_color_modes: ['color_temp'],
      brightness_scale: 254,
      min_mireds: 153,
      max_mireds: 370,
    })

  it.each([
    ['on', undefined, { state: 'ON' }],
    ['off', undefined, { state: 'OFF' }],
    ['set_brightness', 50, { state: 'ON', brightness: 127 }],
    ['set_brightness', 1, { state: 'ON', brightness: 3 }],
    ['set_brightness', 0, { state: 'OFF' }],
    ['set_kelvin', 4_000, { state: 'ON', color_temp: 250 }],
    ['set_kelvin', 2_000, { state: 'ON', color_temp: 370 }],
  ])('%s %s', (command, value, payload) => {
    expect(tell(light(), command, value)).toEqual([['lamps/1/set', JSON.stringify(payload)]])
  })

  it('tells how bright and how warm it is', () => {
    expect(stateOf(light(), ['lamps/1', '{"state":"ON","brightness":127,"color_temp":250}'])).toMatchObject({
      on: true,
      brightness: 50,
      kelvin: 4_000,
    })
  })

  it.each([
    ['set_brightness', 101],
    ['set_brightness', Number.NaN],
    ['set_brightness', 'much'],
    ['set_kelvin', 10],
    ['explode', undefined],
  ])('does not take %s %s', (command, value) => {
    expect(typeof tell(light(), command, value)).toBe('string')
  })
})

describe('a light with a topic for each thing', () => {
  const config = {
    name: 'Lamp',
    command_topic: 'l/set',
    state_topic: 'l/state',
    payload_on: '1',
    payload_off: '0',
    brightness_command_topic: 'l/bri/set',
    brightness_state_topic: 'l/bri',
    brightness_scale: 100,
    color_temp_command_topic: 'l/ct/set',
    color_temp_kelvin: true,
  }
  it('goes on, to a level and to a white', () => {
    expect(tell(house('light', config), 'on')).toEqual([['l/set', '1']])
    expect(tell(house('light', config), 'set_brightness', 30)).toEqual([
      ['l/bri/set', '30'],
      ['l/set', '1'],
    ])
    expect(tell(house('light', config), 'set_kelvin', 3_000)).toEqual([
      ['l/ct/set', '3000'],
      ['l/set', '1'],
    ])
    expect(stateOf(house('light', config), ['l/state', '1'], ['l/bri', '40'])).toMatchObject({
      on: true,
      brightness: 40,
    })
  })
  it('goes on by its level alone where it says so', () => {
    const by = house('light', { ...config, on_command_type: 'brightness' })
    expect(tell(by, 'on')).toEqual([['l/bri/set', '100']])
    expect(tell(by, 'set_brightness', 20)).toEqual([['l/bri/set', '20']])
    expect(tell(by, 'off')).toEqual([['l/set', '0']])
  })
  it('that only goes on and off cannot be dimmed', () => {
    expect(tell(house('light', { command_topic: 'l' }), 'set_brightness', 20)).toBe('it cannot be dimmed')
  })
})

describe('covers', () => {
  const blinds = {
    name: 'Blinds',
    command_topic: 'b/set',
    state_topic: 'b/state',
    position_topic: 'b/pos',
    set_position_topic: 'b/pos/set',
  }
  it('open, close, stop and take a position', () => {
    const whole = { ...blinds, set_position_topic: undefined }
    expect(tell(house('cover', whole), 'open')).toEqual([['b/set', 'OPEN']])
    expect(tell(house('cover', whole), 'stop')).toEqual([['b/set', 'STOP']])
    expect(tell(house('cover', whole), 'set_position', 10)).toBe('it opens and closes only as a whole')
    expect(tell(house('cover', blinds), 'set_position', 30)).toEqual([['b/pos/set', '30']])
  })
  it('count as the device counts, also from the other end and in a template', () => {
    const turned = {
      ...blinds,
      position_open: 0,
      position_closed: 255,
      set_position_template: '{"p":{{ position }}}',
    }
    expect(tell(house('cover', turned), 'set_position', 100)).toEqual([['b/pos/set', '{"p":0}']])
    expect(stateOf(house('cover', { ...turned, state_topic: undefined }), ['b/pos', '255'])).toMatchObject({
      position: 0,
      state: 'closed',
    })
  })
  it('without a topic for words move by their position', () => {
    expect(tell(house('cover', { set_position_topic: 'p' }), 'close')).toEqual([['p', '0']])
  })
  it('that cannot stop say so', () => {
    expect(tell(house('cover', { command_topic: 'c', payload_stop: null }), 'stop')).toBe('it cannot stop')
  })
})

describe('thermostats', () => {
  const config = {
    temperature_command_topic: 't/set',
    temperature_state_topic: 't',
    current_temperature_topic: 't/now',
    current_temperature_template: '{{ value_json.now }}',
    mode_command_topic: 'm/set',
    mode_state_topic: 'm',
    modes: ['off', 'heat'],
    min_temp: 5,
    max_temp: 28,
  }
  it('take degrees within their range, and their modes', () => {
    expect(tell(house('climate', config), 'set_temperature', 21.5)).toEqual([['t/set', '21.5']])
    expect(tell(house('climate', config), 'set_temperature', 40)).toBe('it takes 5 to 28 degrees')
    expect(tell(house('climate', config), 'set_mode', 'heat')).toEqual([['m/set', 'heat']])
    expect(tell(house('climate', config), 'set_mode', 'party')).toBe('its modes are off, heat')
  })
  it('tell what is and what should be', () => {
    expect(
      stateOf(house('climate', config), ['t', '21'], ['t/now', '{"now":19.5}'], ['m', 'heat']),
    ).toMatchObject({ target: 21, current: 19.5, mode: 'heat', unit: 'C' })
  })
})

describe('locks, switches, scenes, sensors', () => {
  it('a lock is locked and unlocked in its own words', () => {
    const lock = house('lock', {
      command_topic: 'k/set',
      state_topic: 'k',
      payload_unlock: 'open',
      value_template: '{{ value_json.s }}',
      state_locked: 'L',
      state_unlocked: 'U',
    })
    expect(tell(lock, 'lock')).toEqual([['k/set', 'LOCK']])
    expect(tell(lock, 'unlock')).toEqual([['k/set', 'open']])
    expect(stateOf(lock, ['k', '{"s":"U"}'])).toMatchObject({ state: 'unlocked' })
  })
  it('a lock that wants a code is left out, and said to be', () => {
    const lock = house('lock', { command_topic: 'k', code_format: '^\\d{4}$' })
    expect(lock.devices()).toEqual([])
    expect(lock.problems[0]).toMatch(/code_format/)
  })
  it('a switch and a fan go on and off; what does not report is believed', () => {
    const plug = house('switch', { command_topic: 'p/set', command_template: '{"state":"{{ value }}"}' })
    expect(tell(plug, 'on')).toEqual([['p/set', '{"state":"ON"}']])
    const told = plug.command(plug.devices()[0]!.id, 'on', undefined)
    if ('refused' in told) throw new Error(told.refused)
    plug.assume(plug.devices()[0]!.id, told.after!)
    expect(plug.devices()[0]!.state).toMatchObject({ on: true })
    expect(tell(house('fan', { command_topic: 'f' }), 'off')).toEqual([['f', 'OFF']])
  })
  it('a scene starts', () => {
    expect(tell(house('scene', { command_topic: 's', payload_on: 'movie' }), 'start')).toEqual([
      ['s', 'movie'],
    ])
  })
  it('sensors tell a number, a word, or whether', () => {
    expect(
      stateOf(house('sensor', { state_topic: 's', unit_of_measurement: '°C', device_class: 'temperature' }), [
        's',
        '20.5',
      ]),
    ).toEqual({ value: 20.5, unit: '°C', device_class: 'temperature' })
    expect(
      stateOf(house('binary_sensor', { state_topic: 's', device_class: 'door' }), ['s', 'ON']),
    ).toMatchObject({ on: true })
    expect(tell(house('sensor', { state_topic: 's' }), 'on')).toBe('a sensor only tells')
  })
  it('every kind has its commands', () => {
    expect(Object.keys(COMMANDS).sort()).toEqual([
      'climate',
      'cover',
      'light',
      'lock',
      'scene',
      'sensor',
      'switch',
    ])
  })
})

describe('Zigbee2MQTT without Home Assistant', () => {
  const bridge = (...devices: object[]) => {
    const registry = new Registry(SETTINGS)
    const heard = registry.hear('zigbee2mqtt/bridge/devices', JSON.stringify(devices))
    return { registry, heard }
  }
  const lamp = {
    ieee_address: '0x01',
    friendly_name: 'kitchen/ceiling_lamp',
    type: 'Router',
    definition: {
      exposes: [
        {
          type: 'light',
          features: [
            { type: 'binary', name: 'state', property: 'state', value_on: 'ON', value_off: 'OFF' },
            { type: 'numeric', name: 'brightness', property: 'brightness', value_min: 0, value_max: 254 },
            { type: 'numeric', name: 'color_temp', property: 'color_temp', value_min: 250, value_max: 454 },
          ],
        },
        { type: 'numeric', name: 'linkquality', property: 'linkquality' },
      ],
    },
  }
  it('a lamp with its room in front of its name', () => {
    const { registry, heard } = bridge(lamp, {
      ieee_address: '0x00',
      friendly_name: 'Coordinator',
      type: 'Coordinator',
    })
    expect(registry.devices()).toMatchObject([
      { id: 'light.0x01', name: 'ceiling lamp', room: 'kitchen', kind: 'light' },
    ])
    expect(heard.subscribe).toEqual([
      'zigbee2mqtt/kitchen/ceiling_lamp',
      'zigbee2mqtt/kitchen/ceiling_lamp/availability',
    ])
    expect(tell(registry, 'set_brightness', 50)).toEqual([
      ['zigbee2mqtt/kitchen/ceiling_lamp/set', '{"state":"ON","brightness":127}'],
    ])
    expect(tell(registry, 'set_kelvin', 9_000)).toEqual([
      ['zigbee2mqtt/kitchen/ceiling_lamp/set', '{"state":"ON","color_temp":250}'],
    ])
    expect(
      stateOf(registry, ['zigbee2mqtt/kitchen/ceiling_lamp', '{"state":"ON","brightness":254}']),
    ).toMatchObject({ on: true, brightness: 100 })
    expect(
      stateOf(registry, ['zigbee2mqtt/kitchen/ceiling_lamp/availability', '{"state":"offline"}']),
    ).toMatchObject({ available: false })
  })
  it('covers, locks, sockets, valves and sensors', () => {
    const { registry } = bridge(
      {
        ieee_address: '1',
        friendly_name: 'blind',
        definition: { exposes: [{ type: 'cover', features: [{ type: 'numeric', name: 'position' }] }] },
      },
      {
        ieee_address: '2',
        friendly_name: 'front door',
        definition: {
          exposes: [
            {
              type: 'lock',
              features: [{ type: 'binary', name: 'state', value_on: 'LOCK', value_off: 'UNLOCK' }],
            },
          ],
        },
      },
      {
        ieee_address: '3',
        friendly_name: 'plug',
        definition: { exposes: [{ type: 'switch', features: [{ type: 'binary', name: 'state' }] }] },
      },
      {
        ieee_address: '4',
        friendly_name: 'valve',
        definition: {
          exposes: [
            {
              type: 'climate',
              features: [
                { type: 'numeric', name: 'occupied_heating_setpoint', value_min: 5, value_max: 30 },
                { type: 'numeric', name: 'local_temperature' },
              ],
            },
          ],
        },
      },
      {
        ieee_address: '5',
        friendly_name: 'weather',
        definition: {
          exposes: [{ type: 'numeric', name: 'temperature', property: 'temperature', unit: '°C' }],
        },
      },
    )
    const publish = (id: string, command: string, value?: number) => {
      const told = registry.command(id, command, value)
      return 'refused' in told
        ? told.refused
        : told.publish.map(({ topic, payload }) => `${topic} ${payload}`).join()
    }
    expect(publish('cover.1', 'set_position', 20)).toBe('zigbee2mqtt/blind/set {"position":20}')
    expect(publish('cover.1', 'close')).toBe('zigbee2mqtt/blind/set {"state":"CLOSE"}')
    expect(publish('lock.2', 'unlock')).toBe('zigbee2mqtt/front door/set {"state":"UNLOCK"}')
    expect(publish('switch.3', 'on')).toBe('zigbee2mqtt/plug/set {"state":"ON"}')
    expect(publish('climate.4', 'set_temperature', 21)).toBe(
      'zigbee2mqtt/valve/set {"occupied_heating_setpoint":21}',
    )
    registry.hear('zigbee2mqtt/weather', '{"temperature":12.5}')
    expect(registry.devices().find(({ id }) => id === 'sensor.5')?.state).toEqual({
      device_class: 'temperature',
      unit: '°C',
      value: 12.5,
    })
  })
})
