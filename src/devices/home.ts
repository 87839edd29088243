/** All devices of the house from all its sources, as one. */
import type { Clock } from '../host/index.ts'
import type { AssistantSettings } from './assistant-socket.ts'
import { type CommandValue, type Device, MAX_DEVICES } from './device.ts'
import { DeviceError } from './errors.ts'
import type { MqttSettings } from './mqtt.ts'
import type { DeviceSource, SourceStatus } from './source.ts'

export interface DeviceHouse {
  list(): readonly Device[]
  /** Errors: `DeviceError`. */
  command(device: string, command: string, value: CommandValue): Promise<void>
  status(): readonly SourceStatus[]
  stop(): Promise<void>
}

export interface DeviceHouseOptions {
  readonly clock: Clock
  /** Absent: no broker. */
  readonly mqtt: MqttSettings | undefined
  /** Absent: no Home Assistant. */
  readonly assistant: AssistantSettings | undefined
  /** Other devices, names or rooms than before. */
  changed(): void
  noted(what: string, values: Readonly<Record<string, unknown>>): void
}

/** Connects to what is named, and to nothing else; returns at once, whether anybody answers or not. */
export async function openDevices({
  clock,
  mqtt,
  assistant,
  changed,
  noted,
}: DeviceHouseOptions): Promise<DeviceHouse> {
  const sources: DeviceSource[] = []
  if (mqtt !== undefined) {
    // Loaded only by those who use it: 60 ms of a start.
    const { connectMqtt } = await import('./mqtt.ts')
    sources.push(connectMqtt(mqtt, { clock, changed, noted }))
  }
  if (assistant !== undefined) {
    const { connectAssistant } = await import('./assistant-socket.ts')
    sources.push(connectAssistant(assistant, { clock, changed, noted }))
  }
  return {
    list: () => sources.flatMap((source) => source.devices()).slice(0, MAX_DEVICES),
    async command(device, command, value) {
      const source = sources.find((one) => one.devices().some(({ id }) => id === device))
      if (source === undefined)
        throw new DeviceError('device-unknown', `There is no device ${device.slice(0, 96)}`)
      await source.command(device, command, value)
    },
    status: () => sources.map((source) => source.status()),
    stop: async () => {
      await Promise.all(sources.map((source) => source.stop()))
    },
  }
}
