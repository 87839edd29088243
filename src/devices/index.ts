/**
 * Devices: the lights, switches, covers, thermostats, locks, scenes and sensors of the house, found by themselves and told what to do.
 *
 * What a device is and takes stands in `device.ts`. `registry.ts` makes devices from the messages of an MQTT broker: Home Assistant's
 * discovery (`discovery.ts`, `announced.ts` and a file for each kind) and Zigbee2MQTT's own topics (`zigbee2mqtt.ts`); templates in
 * announcements are followed as far as `template.ts` says. `assistant.ts` makes them of what Home Assistant
 * itself says. All of these are pure; `mqtt.ts` and `assistant-socket.ts` keep the connections, `home.ts` puts the sources together.
 *
 * Promises: any message is heard without harm; a command goes out once, now, or not at all; nothing is connected to that the
 * configuration does not name; credentials appear in no status, log or error.
 *
 * Imports host only: who asks for devices, and who may, is decided by skills and the composition root. Read `device.ts` first.
 */
export type { AssistantSettings } from './assistant-socket.ts'
export {
  COMMANDS,
  type CommandValue,
  DEVICE_KINDS,
  type Device,
  type DeviceKind,
  type DeviceState,
  MAX_DEVICES,
} from './device.ts'
export { DeviceError } from './errors.ts'
export { type DeviceHouse, openDevices } from './home.ts'
export type { MqttSettings } from './mqtt.ts'
export type { SourceStatus } from './source.ts'
