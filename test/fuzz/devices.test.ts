/** Any topics and payloads: the registry stays whole, within its bounds, and the same messages give the same devices. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { COMMANDS, MAX_DEVICES } from '../../src/devices/device.ts'
import { MAX_ENTITIES, Registry } from '../../src/devices/registry.ts'
import { compileTemplate, payloadNames } from '../../src/devices/template.ts'

const SETTINGS = { discovery_prefix: 'ha', zigbee2mqtt_topic: 'z2m' }
const COMPONENTS = [
  'light',
  'switch',
  'cover',
  'climate',
  'lock',
  'scene',
  'sensor',
  'binary_sensor',
  'fan',
  'device',
  'camera',
]
const KEYS = [
  'name',
  'schema',
  'command_topic',
  'cmd_t',
  'state_topic',
  '~',
  'brightness',
  'supported_color_modes',
  'brightness_command_topic',
  'value_template',
  'availability',
  'availability_topic',
  'set_position_topic',
  'position_open',
  'position_closed',
  'temperature_command_topic',
  'modes',
  'min_temp',
  'payload_on',
  'device',
  'unique_id',
  'components',
  'cmps',
  'optimistic',
  '__proto__',
  'brightness_scale',
  'code_format',
]
const FEW = ['a', 'b', 'a/set', '~/set', 'json', 'ON', '{{ value }}', '{{ value_json.a | float / 2 }}', '']

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>(...FEW) },
  fc.constantFrom<unknown>(true, null, 0, 1, -5, 1e308, 255),
  fc.jsonValue(),
)
const config = fc
  .array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 10 })
  .map((pairs) => JSON.stringify(Object.fromEntries(pairs)))
const zigbee = fc
  .array(
    fc.record({
      ieee_address: fc.constantFrom('1', '2', '3'),
      friendly_name: fc.constantFrom('a', 'k/b', 'x#', '__proto__'),
      definition: fc.option(
        fc.record({
          exposes: fc.array(
            fc.record({
              type: fc.constantFrom('light', 'switch', 'cover', 'lock', 'climate', 'numeric', 'binary'),
              name: fc.constantFrom('temperature', 'contact', 'x'),
              features: fc.array(
                fc.record({
                  type: fc.constant('numeric'),
                  name: fc.constantFrom('state', 'brightness', 'position', 'color_temp'),
                  value_max: fc.constantFrom(254, 0, -1),
                }),
                { maxLength: 4 },
              ),
            }),
            { maxLength: 3 },
          ),
        }),
      ),
    }),
    { maxLength: 4 },
  )
  .map((list) => JSON.stringify(list))
const message = fc.oneof(
  fc.tuple(
    fc
      .tuple(fc.constantFrom(...COMPONENTS), fc.constantFrom('1', '2', '__proto__'))
      .map(([part, object]) => `ha/${part}/${object}/config`),
    fc.oneof({ weight: 8, arbitrary: config }, fc.string()),
  ),
  fc.tuple(fc.constant('z2m/bridge/devices'), fc.oneof(zigbee, fc.string())),
  fc.tuple(
    fc.constantFrom('a', 'b', 'z2m/a', 'z2m/k/b/availability'),
    fc.oneof(
      fc.constantFrom('ON', '12', '{"state":"ON","brightness":1e9}', '{"a":[]}', 'online'),
      fc.string(),
    ),
  ),
  fc.tuple(fc.string(), fc.string()),
)
const order = fc.tuple(
  fc.constantFrom(...new Set(Object.values(COMMANDS).flat()), 'x'),
  fc.oneof(fc.constant(undefined), fc.double(), fc.string(), fc.boolean()),
)

test('any messages and any commands', () => {
  let met = { devices: 0, told: 0 }
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.array(order, { maxLength: 4 }),
      (messages, orders) => {
        const [one, two] = [new Registry(SETTINGS), new Registry(SETTINGS)]
        for (const [topic, payload] of messages) {
          one.hear(topic, payload)
          two.hear(topic, payload)
        }
        const devices = one.devices()
        expect(two.devices()).toEqual(devices)
        expect(devices.length).toBeLessThanOrEqual(Math.min(MAX_DEVICES, MAX_ENTITIES))
        expect(new Set(devices.map(({ id }) => id)).size).toBe(devices.length)
        for (const { id, name, state } of devices) {
          met = { ...met, devices: met.devices + 1 }
          expect(name.length).toBeLessThanOrEqual(64)
          for (const part of Object.values(state))
            expect(['string', 'number', 'boolean']).toContain(typeof part)
          for (const [command, wish] of orders) {
            const told = one.command(id, command, wish)
            if ('refused' in told) continue
            met.told += 1
            for (const { topic, payload } of told.publish) {
              expect(topic).toMatch(/^[^#+]+$/)
              expect(payload).not.toMatch(/NaN|Infinity|undefined/)
            }
          }
        }
      },
    ),
    { numRuns: 4_000, seed: 7 },
  )
  // It would prove nothing about devices if there were none.
  expect(met.devices).toBeGreaterThan(500)
  expect(met.told).toBeGreaterThan(200)
})

test('any template', () => {
  const piece = fc.constantFrom(
    '{{',
    '}}',
    ' value',
    ' value_json.a',
    '[0]',
    '|',
    ' float',
    'round(1)',
    '(',
    ')',
    '*',
    '/ 0',
    "'x'",
    ' if ',
    ' == ',
    ' else ',
    '1',
    '.',
    '{%',
    'default(',
    ',',
  )
  let compiled = 0
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, piece, fc.string({ maxLength: 3 })), { maxLength: 24 }),
      fc.string(),
      (pieces, payload) => {
        const template = compileTemplate(pieces.join(''))
        if (typeof template !== 'function') return
        compiled += 1
        expect(['string', 'undefined']).toContain(typeof template(payloadNames(payload)))
      },
    ),
    { numRuns: 20_000, seed: 7 },
  )
  expect(compiled).toBeGreaterThan(500)
})
