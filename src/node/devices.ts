/** The devices of the house where the parts meet: opened from the configuration, known to the grammar, offered to skills. */
import type { Config } from '../config.ts'
import {
  type AssistantSettings,
  type Device,
  type DeviceHouse,
  type MqttSettings,
  openDevices,
} from '../devices/index.ts'
import {
  type Cancel,
  type Clock,
  type Disk,
  DiskError,
  errorShape,
  type Host,
  LoqaError,
} from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import type { GrammarSource, Skills } from '../skills/index.ts'
import { withDeviceWords } from './device-words.ts'

/** Devices announce themselves all at once: their names are learned when they have been quiet for so long. */
const LEARN_AFTER_MS = 250

/** A house whose sentences grow with its devices. */
export interface Devices extends DeviceHouse {
  /** To be called when the skills are there: from now on, names are understood. */
  teach(skills: Pick<Skills, 'houseSays'>, house: readonly GrammarSource[]): void
}

/** Errors: `LoqaError` `config-invalid` when a file that is named cannot be read. */
export async function openHouseDevices(
  { clock, disk }: Pick<Host, 'clock' | 'disk'>,
  { devices }: Pick<Config, 'devices'>,
  log: Log,
): Promise<Devices> {
  const lessons = new Lessons(clock, log)
  const opened = await openDevices({
    clock,
    mqtt: await mqttSettings(disk, devices),
    assistant: await assistantSettings(disk, devices),
    changed: () => lessons.changed(),
    noted: (what, values) => log.info(what, values),
  })
  return {
    ...opened,
    teach: (skills, house) => lessons.begin(skills, house, () => opened.list()),
    stop: () => {
      lessons.stop()
      return opened.stop()
    },
  }
}

async function mqttSettings(disk: Disk, devices: Config['devices']): Promise<MqttSettings | undefined> {
  if (devices.mqtt_url === '') return undefined
  const password = await fileOf(disk, 'devices.mqtt_password_file', devices.mqtt_password_file)
  const ca = await fileOf(disk, 'devices.mqtt_ca_file', devices.mqtt_ca_file)
  return {
    url: devices.mqtt_url,
    user: devices.mqtt_user === '' ? undefined : devices.mqtt_user,
    password: password === undefined ? undefined : firstLine(password),
    ca,
    discovery_prefix: devices.discovery_prefix,
    zigbee2mqtt_topic: devices.zigbee2mqtt_topic,
  }
}

async function assistantSettings(
  disk: Disk,
  { home_assistant_url: url, home_assistant_token_file: file }: Config['devices'],
): Promise<AssistantSettings | undefined> {
  if (url === '') return undefined
  const token = await fileOf(disk, 'devices.home_assistant_token_file', file)
  if (token === undefined) {
    throw new LoqaError(
      'config-invalid',
      'devices.home_assistant_url needs devices.home_assistant_token_file',
      {
        hint: 'Make a long-lived access token in the profile of a user of Home Assistant, and put it into a file.',
      },
    )
  }
  return { url, token: firstLine(token) }
}

async function fileOf(disk: Disk, key: string, path: string): Promise<Uint8Array | undefined> {
  if (path === '') return undefined
  try {
    return await disk.read(path)
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown
    throw new LoqaError('config-invalid', `${key} cannot be read: ${thrown.message}`, { cause: thrown })
  }
}

const firstLine = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('utf8').split('\n', 1)[0]!.replace(/\r$/, '')

/** Has the grammar compiled anew when names changed, at most once in `LEARN_AFTER_MS`. */
class Lessons {
  readonly #clock: Clock
  readonly #log: Log
  #learn: (() => void) | undefined
  #waiting: Cancel | undefined

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  begin(
    skills: Pick<Skills, 'houseSays'>,
    house: readonly GrammarSource[],
    devices: () => readonly Device[],
  ): void {
    let known = ''
    this.#learn = () => {
      const named = devices()
      const names = JSON.stringify(named.map(({ kind, name, room }) => [kind, name, room]))
      if (names === known) return
      known = names
      try {
        skills.houseSays(withDeviceWords(house, named))
      } catch (thrown) {
        this.#log.warn('The names of the devices are not understood', { problem: errorShape(thrown).message })
      }
    }
    this.changed()
  }

  changed(): void {
    if (this.#learn === undefined || this.#waiting !== undefined) return
    this.#waiting = this.#clock.after(LEARN_AFTER_MS, () => {
      this.#waiting = undefined
      this.#learn?.()
    })
  }

  stop(): void {
    this.#waiting?.()
    this.#learn = undefined
  }
}

/**
 * Who carries out what the house's own sentences say. A skill that wants devices is asked only where there are any: without them the
 * honest answer is that nothing here can do that.
 */
export const handlerWith =
  (skills: Pick<Skills, 'handlerOf'>, devices: Pick<DeviceHouse, 'list'>) =>
  (intent: string): string | undefined => {
    const skill = skills.handlerOf(intent)
    if (skill === undefined) return undefined
    return skill.permissions.includes('devices') && devices.list().length === 0
      ? undefined
      : skill.manifest.name
  }
