/** The promises of `registry.ts`, by number, and how announcements come and go. */
import { describe, expect, it } from 'vitest'
import { MAX_ENTITIES, Registry } from '../../src/devices/registry.ts'

const SETTINGS = { discovery_prefix: 'homeassistant', zigbee2mqtt_topic: 'zigbee2mqtt' }
const LAMP = { name: 'Lamp', unique_id: 'a', command_topic: 'a/set', state_topic: 'a' }
const at = (object: string, component = 'light') => `homeassistant/${component}/${object}/config`

describe('the registry', () => {
  it('1: hears anything without an error, and says what it could not use', () => {
    const registry = new Registry(SETTINGS)
    for (const payload of [
      '',
      'x',
      '[]',
      'null',
      '{}',
      '{"command_topic":7}',
      '{"command_topic":"a/#"}',
      '\u0000',
      'x'.repeat(70_000),
    ]) {
      registry.hear(at('b'), payload)
      registry.hear('zigbee2mqtt/bridge/devices', payload)
    }
    expect(registry.devices()).toEqual([])
    registry.hear(at('b'), '{"command_topic":"a/#"}')
    expect(registry.problems.join()).toMatch(
      /homeassistant\/light\/b\/config: command_topic not the name of a topic/,
    )
  })

  it('2: a state survives the same announcement and one with another name', () => {
    const registry = new Registry(SETTINGS)
    expect(registry.hear(at('a'), JSON.stringify(LAMP))).toEqual({
      subscribe: ['a'],
      unsubscribe: [],
      changed: true,
    })
    registry.hear('a', 'ON')
    expect(registry.hear(at('a'), JSON.stringify(LAMP))).toEqual({
      subscribe: ['a'],
      unsubscribe: [],
      changed: false,
    })
    expect(registry.hear(at('a'), JSON.stringify({ ...LAMP, name: 'Reading lamp' })).changed).toBe(true)
    expect(registry.devices()).toMatchObject([{ id: 'light.a', name: 'Reading lamp', state: { on: true } }])
  })

  it('3: what is taken back is gone, with its topics', () => {
    const registry = new Registry(SETTINGS)
    registry.hear(at('a'), JSON.stringify(LAMP))
    registry.hear(at('b'), JSON.stringify({ ...LAMP, unique_id: 'b', command_topic: 'b/set' }))
    expect(registry.hear(at('a'), '')).toEqual({ subscribe: [], unsubscribe: [], changed: true })
    expect(registry.hear(at('b'), '')).toEqual({ subscribe: [], unsubscribe: ['a'], changed: true })
    expect(registry.devices()).toEqual([])
  })

  it('4: what both protocols tell is one device', () => {
    const registry = new Registry(SETTINGS)
    const exposes = [{ type: 'light', features: [{ type: 'binary', name: 'state' }] }]
    registry.hear(
      'zigbee2mqtt/bridge/devices',
      JSON.stringify([{ ieee_address: '0x1', friendly_name: 'lamp', definition: { exposes } }]),
    )
    expect(registry.devices().map(({ id }) => id)).toEqual(['light.0x1'])
    const config = {
      schema: 'json',
      unique_id: '0x1_light',
      name: 'Lamp',
      command_topic: 'zigbee2mqtt/lamp/set',
      state_topic: 'zigbee2mqtt/lamp',
    }
    registry.hear(at('0x1'), JSON.stringify(config))
    expect(registry.devices().map(({ id }) => id)).toEqual(['light.0x1_light'])
  })

  it('several entities of one device, with what they share', () => {
    const registry = new Registry(SETTINGS)
    const device = {
      dev: { ids: ['d'], name: 'Heater', sa: 'Living Room' },
      o: { name: 'test' },
      avty: [{ t: 'd/online' }],
      cmps: {
        relay: { p: 'switch', name: null, cmd_t: 'd/set', uniq_id: 'd1' },
        probe: { p: 'sensor', name: 'Temperature', stat_t: 'd/t', uniq_id: 'd2', dev_cla: 'temperature' },
        odd: { p: 'camera', topic: 'd/picture' },
      },
    }
    registry.hear('homeassistant/device/d/config', JSON.stringify(device))
    expect(registry.devices()).toMatchObject([
      { id: 'switch.d1', name: 'Heater', room: 'living room', kind: 'switch' },
      { id: 'sensor.d2', name: 'Heater Temperature', room: 'living room', kind: 'sensor' },
    ])
    registry.hear('d/online', 'offline')
    expect(registry.devices().map(({ state }) => state.available)).toEqual([false, false])
    registry.hear('d/online', 'online')
    expect(registry.devices()[0]?.state.available).toBeUndefined()
    expect(registry.problems).toEqual([])
  })

  it.each([
    ['all', [false, true], false],
    ['any', [false, true], undefined],
    ['latest', [true, false], false],
  ])('is within reach by the rule %s', (availability_mode, said, available) => {
    const registry = new Registry(SETTINGS)
    registry.hear(
      at('a'),
      JSON.stringify({ ...LAMP, availability_mode, availability: [{ topic: 'r0' }, { topic: 'r1' }] }),
    )
    for (const [index, here] of said.entries()) registry.hear(`r${index}`, here ? 'online' : 'offline')
    expect(registry.devices()[0]?.state.available).toBe(available)
  })

  it('keeps what was announced first when there is too much of it, and lists sensors last', () => {
    const registry = new Registry(SETTINGS)
    for (let i = 0; i < MAX_ENTITIES + 5; i += 1) {
      registry.hear(at(`s${i}`, 'sensor'), JSON.stringify({ state_topic: `s/${i}`, unique_id: `s${i}` }))
      if (i === 10) registry.hear(at('a'), JSON.stringify(LAMP))
    }
    expect(registry.devices()).toHaveLength(256)
    expect(registry.devices()[0]).toMatchObject({ id: 'light.a' })
    expect(registry.topics.length).toBeLessThanOrEqual(MAX_ENTITIES + 3)
  })

  it('does not follow what it cannot: the device stays, the rest is named', () => {
    const registry = new Registry(SETTINGS)
    registry.hear(at('a'), JSON.stringify({ ...LAMP, state_value_template: '{% if value %}x{% endif %}' }))
    expect(registry.devices()).toMatchObject([{ id: 'light.a', state: {} }])
    expect(registry.problems).toEqual([
      'light.a: state_value_template uses what is not supported: statements',
    ])
  })
})
