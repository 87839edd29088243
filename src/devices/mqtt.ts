/**
 * The thin shell around the registry: a connection to an MQTT broker that is made again for ever, and nothing decided here.
 *
 * A command is sent once, now, or not at all: what could not be delivered is withdrawn and not sent when the broker is back, because a
 * door that unlocks ten minutes late is worse than one that does not. Messages beyond a rate are dropped and counted.
 */
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Clock } from '../host/index.ts'
import type { CommandValue, Device, Publish } from './device.ts'
import { DeviceError } from './errors.ts'
import { Registry, type RegistrySettings } from './registry.ts'
import { COMMAND_TIMEOUT_MS, type DeviceSource, type SourceStatus } from './source.ts'
import { MAX_LIST_BYTES } from './zigbee2mqtt.ts'

export interface MqttSettings extends RegistrySettings {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, without credentials. */
  readonly url: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** PEM of the authority that signed the broker's certificate; the system's when absent. */
  readonly ca: Uint8Array | undefined
}

export interface MqttDoors {
  readonly clock: Clock
  /** Other devices, names or rooms than before. */
  changed(): void
  noted(what: string, values: Readonly<Record<string, unknown>>): void
}

/** Between two tries to connect. A broker that restarts is back within a few. */
const RECONNECT_MS = 2_000
const CONNECT_TIMEOUT_MS = 5_000
/** Notices a connection that died without a word after one and a half of it. */
const KEEPALIVE_S = 15
/** Messages taken in a second. A house of 200 devices sends about 20, and some 1,000 at once when it is connected. */
const MAX_MESSAGES_PER_S = 5_000
/** Subscriptions asked for in one packet. */
const SUBSCRIBE_AT_ONCE = 64

export function connectMqtt(settings: MqttSettings, doors: MqttDoors): DeviceSource {
  return new MqttSource(settings, doors)
}

class MqttSource implements DeviceSource {
  readonly #doors: MqttDoors
  readonly #registry: Registry
  readonly #client: MqttClient
  readonly #url: string
  /** Messages under way: withdrawn when the connection goes. */
  readonly #flying = new Set<number>()
  #state: SourceStatus['state'] = 'connecting'
  #reason: string | null = null
  #second = { began: 0, messages: 0, dropped: 0 }

  constructor(settings: MqttSettings, doors: MqttDoors) {
    this.#doors = doors
    this.#url = settings.url
    this.#registry = new Registry(settings)
    this.#client = connect(settings.url, optionsOf(settings))
    this.#client.on('connect', () => this.#connected())
    this.#client.on('close', () => this.#closed())
    this.#client.on('error', (error) => this.#failed(error))
    this.#client.on('message', (topic, payload) => this.#heard(topic, payload))
  }

  status(): SourceStatus {
    const { problems } = this.#registry
    const devices = this.#registry.devices().length
    return { source: this.#url, state: this.#state, reason: this.#reason, devices, problems }
  }

  devices(): readonly Device[] {
    const devices = this.#registry.devices()
    if (this.#state === 'connected') return devices
    return devices.map((device) => ({ ...device, state: { ...device.state, available: false } }))
  }

  async command(device: string, command: string, value: CommandValue): Promise<void> {
    const known = this.devices().find(({ id }) => id === device)
    if (known === undefined)
      throw new DeviceError('device-unknown', `There is no device ${device.slice(0, 96)}`)
    if (this.#state !== 'connected') {
      throw new DeviceError(
        'device-unreachable',
        `The broker ${this.#url} is away`,
        this.#reason ?? undefined,
      )
    }
    if (known.state.available === false)
      throw new DeviceError('device-unreachable', `${known.name} is out of reach`)
    const told = this.#registry.command(device, command, value)
    if ('refused' in told) {
      throw new DeviceError(
        'device-refused',
        `${known.name} does not take ${command.slice(0, 32)}: ${told.refused}`,
      )
    }
    for (const message of told.publish) await this.#send(message)
    if (told.after !== undefined) this.#registry.assume(device, told.after)
  }

  async stop(): Promise<void> {
    // Forced: a broker that does not answer must not hold up the end of the node.
    await this.#client.endAsync(true)
  }

  #send({ topic, payload }: Publish): Promise<void> {
    return new Promise((done, fail) => {
      let message = 0
      const giveUp = this.#doors.clock.after(COMMAND_TIMEOUT_MS, () => this.#withdraw(message))
      this.#client.publish(topic, payload, { qos: 1 }, (error) => {
        giveUp()
        this.#flying.delete(message)
        if (error === undefined || error === null) done()
        else fail(new DeviceError('device-unreachable', `The broker ${this.#url} did not take it in time`))
      })
      message = this.#client.getLastMessageId()
      this.#flying.add(message)
    })
  }

  #withdraw(message: number): void {
    if (this.#flying.delete(message)) this.#client.removeOutgoingMessage(message)
  }

  #connected(): void {
    this.#state = 'connected'
    this.#reason = null
    this.#subscribe(this.#registry.topics)
    this.#doors.noted('Connected to the broker of the devices', { broker: this.#url })
    this.#doors.changed()
  }

  #closed(): void {
    for (const message of [...this.#flying]) this.#withdraw(message)
    if (this.#state === 'connected') {
      this.#reason = 'the connection was closed'
      this.#doors.noted('The broker of the devices is away', { broker: this.#url })
    }
    this.#state = 'away'
  }

  #failed(error: Error): void {
    const { code } = error as Error & { code?: unknown }
    const reason = typeof code === 'string' && code !== '' ? code : error.message.slice(0, 120)
    if (reason !== this.#reason) {
      this.#doors.noted('The broker of the devices cannot be used', { broker: this.#url, reason })
    }
    this.#reason = reason
  }

  #heard(topic: string, payload: Uint8Array): void {
    if (!this.#admitted() || payload.length > MAX_LIST_BYTES) return
    const { subscribe, unsubscribe, changed } = this.#registry.hear(
      topic,
      Buffer.from(payload).toString('utf8'),
    )
    this.#subscribe(subscribe)
    if (unsubscribe.length > 0) this.#client.unsubscribe([...unsubscribe], ignored)
    if (changed) this.#doors.changed()
  }

  #subscribe(topics: readonly string[]): void {
    for (let at = 0; at < topics.length; at += SUBSCRIBE_AT_ONCE) {
      this.#client.subscribe([...topics.slice(at, at + SUBSCRIBE_AT_ONCE)], { qos: 0 }, ignored)
    }
  }

  /** Whether one more message may be looked at in this second. */
  #admitted(): boolean {
    const now = this.#doors.clock.monotonic()
    if (now - this.#second.began >= 1_000) {
      const { dropped } = this.#second
      if (dropped > 0) this.#doors.noted('The broker sent more than is looked at', { dropped })
      this.#second = { began: now, messages: 0, dropped: 0 }
    }
    this.#second.messages += 1
    if (this.#second.messages <= MAX_MESSAGES_PER_S) return true
    this.#second.dropped += 1
    return false
  }
}

/** What a subscription comes to is seen by what arrives; a refusal of the broker closes the connection or says nothing. */
const ignored = (): void => undefined

function optionsOf({ user, password, ca }: MqttSettings): IClientOptions {
  return {
    // 3.1.1 is what every broker in a house speaks.
    protocolVersion: 4,
    clean: true,
    keepalive: KEEPALIVE_S,
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A name or password that is wrong today may be right tomorrow: the file can be mended while the node runs.
    reconnectOnConnackError: true,
    queueQoSZero: false,
    resubscribe: false,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
  }
}
