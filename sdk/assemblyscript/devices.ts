/** The devices of the house: what there is, and commands to them. A risky one (unlocking) is asked back before it is carried out. */
import { device_command, device_list } from './imports'
import { Json, Kind, parse, quote } from './json'
import { give, take } from './text'

export class Device {
  id: string = ''
  /** As people call it. */
  name: string = ''
  room: string = ''
  /** light, switch, cover, climate, lock, scene or sensor. */
  kind: string = ''
  private values: Map<string, Json> = new Map<string, Json>()

  static from(json: Json): Device {
    const device = new Device()
    device.id = textOf(json.field('id'))
    device.name = textOf(json.field('name'))
    device.room = textOf(json.field('room'))
    device.kind = textOf(json.field('kind'))
    const state = json.field('state')
    if (state !== null) device.values = state.fields
    return device
  }

  has(property: string): bool {
    return this.values.has(property)
  }

  /** A property of its state as text; `true` and `false` for switches. Empty when it has none of that name. */
  text(property: string): string {
    if (!this.has(property)) return ''
    const json = this.values.get(property)
    if (json.kind == Kind.Boolean) return json.boolean ? 'true' : 'false'
    return json.kind == Kind.Number ? json.number.toString() : json.text
  }

  number(property: string, otherwise: f64 = 0): f64 {
    if (!this.has(property)) return otherwise
    const json = this.values.get(property)
    return json.kind == Kind.Number ? json.number : otherwise
  }

  is(property: string): bool {
    return this.has(property) && this.values.get(property).boolean
  }
}

/** At most 256. */
export function list(): Device[] {
  const json = parse(take(device_list()))
  const devices: Device[] = []
  for (let i = 0; i < json.items.length; i++) devices.push(Device.from(json.items[i]))
  return devices
}

/** Carried out when the call has ended well. False: too many in one call. */
export function command(device: string, command: string): bool {
  return order(device, command, '')
}

export function commandText(device: string, command: string, value: string): bool {
  return order(device, command, ',"value":' + quote(value))
}

export function commandNumber(device: string, command: string, value: f64): bool {
  return order(device, command, ',"value":' + value.toString())
}

export function commandFlag(device: string, command: string, value: bool): bool {
  return order(device, command, value ? ',"value":true' : ',"value":false')
}

function order(device: string, command: string, value: string): bool {
  return device_command(give('{"device":' + quote(device) + ',"command":' + quote(command) + value + '}')) == 0
}

function textOf(json: Json | null): string {
  return json === null ? '' : json.text
}
