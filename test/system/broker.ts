/** A real Mosquitto on a free port, and a house of devices behind it that announce themselves and do as they are told. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'

/** Debian puts it where only root looks. */
const PLACES = [
  'mosquitto',
  '/usr/sbin/mosquitto',
  '/usr/local/sbin/mosquitto',
  '/opt/homebrew/sbin/mosquitto',
]

/** Undefined where none is installed: then there is nothing to test against. */
export const mosquitto = PLACES.find((place) => spawnSync(place, ['-h']).error === undefined)

export class Broker {
  readonly port: number
  readonly folder: string
  readonly #settings: string
  #process: ChildProcess | undefined

  private constructor(port: number, settings: string) {
    this.port = port
    this.#settings = settings
    this.folder = mkdtempSync(join(tmpdir(), 'loqa-broker-'))
  }

  /** `settings`: more lines of its configuration; `$FOLDER` stands for its folder. */
  static async start(
    settings = 'allow_anonymous true',
    files: Readonly<Record<string, string>> = {},
  ): Promise<Broker> {
    const broker = new Broker(await freePort(), settings)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(broker.folder, name), text)
    await broker.start()
    return broker
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  /** Starts it (again) on the same port. */
  async start(): Promise<void> {
    const file = join(this.folder, 'mosquitto.conf')
    const lines = [
      `listener ${this.port} 127.0.0.1`,
      'persistence false',
      // Started by root it would become somebody who may not read the folder.
      'user root',
      this.#settings.replaceAll('$FOLDER', this.folder),
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const child = spawn(mosquitto!, ['-c', file, '-v'], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    await new Promise<void>((done, fail) => {
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (said.includes(' running')) done()
      })
      child.once('exit', (code) => fail(new Error(`mosquitto ended (${code}): ${said}`)))
    })
  }

  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    await ended
  }

  async dispose(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** Component and configuration of each device of the house, as Home Assistant's discovery has them. */
const LAMP = {
  schema: 'json',
  brightness: true,
  supported_color_modes: ['color_temp'],
  brightness_scale: 100,
  color_temp_kelvin: true,
}
const HOUSE: Readonly<Record<string, readonly [component: string, room: string, config: object]>> = {
  'kitchen ceiling light': ['light', 'Kitchen', LAMP],
  'kitchen counter light': ['light', 'Kitchen', LAMP],
  'reading lamp': ['light', 'Living Room', LAMP],
  'bedroom light': ['light', 'Bedroom', {}],
  fan: ['fan', 'Bedroom', {}],
  heater: ['switch', 'Bathroom', {}],
  'coffee machine': ['switch', 'Kitchen', {}],
  blinds: ['cover', 'Living Room', { position: true }],
  'garage door': ['cover', 'Garage', { device_class: 'garage' }],
  thermostat: ['climate', 'Living Room', { modes: ['off', 'heat'], min_temp: 5, max_temp: 28 }],
  'front door': ['lock', 'Hallway', {}],
  'back door': ['lock', 'Hallway', {}],
  movie: ['scene', '', {}],
  marker: ['sensor', '', {}],
}

/** Simulated devices: they keep what they are told under their command topic, and report as their kind does. */
export class SimulatedHouse {
  readonly #client: MqttClient
  /** Everything sent to a command topic, oldest first: `name payload`. */
  readonly commands: string[] = []
  #heard: (() => void) | undefined

  private constructor(client: MqttClient) {
    this.#client = client
    client.on('message', (topic, payload) => this.#told(topic, payload.toString()))
  }

  static async connect(broker: Broker): Promise<SimulatedHouse> {
    const house = new SimulatedHouse(await connectAsync(broker.url, { clientId: 'house' }))
    await house.#move()
    return house
  }

  /** After a broker without a memory came back: everything is announced anew. */
  async again(): Promise<void> {
    if (!this.#client.connected) {
      await new Promise<void>((done) => {
        this.#client.once('connect', () => done())
        this.#client.reconnect()
      })
    }
    await this.#move()
  }

  async #move(): Promise<void> {
    await this.#client.subscribeAsync(['house/+/set', 'house/+/position/set', 'house/+/mode/set'])
    for (const [name, [component, room, config]] of Object.entries(HOUSE)) {
      await this.announce(name, component, room, config)
    }
  }

  async announce(name: string, component: string, room: string, config: object): Promise<void> {
    const id = name.replaceAll(' ', '_')
    const topic = `house/${id}`
    const { position, ...rest } = config as { position?: boolean }
    const climate = {
      temp_cmd_t: '~/set',
      temp_stat_t: '~',
      mode_cmd_t: '~/mode/set',
      mode_stat_t: '~/mode',
      curr_temp_t: '~/now',
    }
    const announced = {
      '~': topic,
      name: null,
      uniq_id: id,
      dev: { ids: [id], name: capitals(name), ...(room === '' ? {} : { sa: room }) },
      ...(component === 'climate' ? climate : component === 'sensor' ? {} : { cmd_t: '~/set' }),
      ...(component === 'climate' || component === 'scene' ? {} : { stat_t: '~', avty_t: '~/online' }),
      ...(position === true ? { pos_t: '~/position', set_pos_t: '~/position/set' } : {}),
      ...rest,
    }
    await this.#client.publishAsync(`homeassistant/${component}/${id}/config`, JSON.stringify(announced), {
      retain: true,
      qos: 1,
    })
    await this.say(`${id}/online`, 'online')
    if (component === 'climate') {
      await this.say(`${id}/now`, '19.5')
      await this.say(id, '20')
    } else if (component === 'lock') await this.say(id, 'LOCKED')
    else if (component === 'cover') await this.say(id, 'closed')
    else if (component === 'light' && 'schema' in rest) await this.say(id, '{"state":"OFF"}')
    else if (component !== 'scene') await this.say(id, 'OFF')
  }

  #marks = 0

  /** Says something after all that was said so far, and what: who knows it knows the rest. */
  async mark(): Promise<number> {
    this.#marks += 1
    await this.say('marker', String(this.#marks))
    return this.#marks
  }

  async takeBack(name: string, component: string): Promise<void> {
    await this.#client.publishAsync(`homeassistant/${component}/${name.replaceAll(' ', '_')}/config`, '', {
      retain: true,
      qos: 1,
    })
  }

  /** Retained, as devices do. */
  async say(topic: string, payload: string): Promise<void> {
    await this.#client.publishAsync(`house/${topic}`, payload, { retain: true, qos: 1 })
  }

  /** What was commanded since `from`, once there is as much as expected. */
  async since(from: number, expected: number): Promise<readonly string[]> {
    while (this.commands.length < from + expected) {
      await new Promise<void>((done) => {
        this.#heard = done
      })
    }
    return this.commands.slice(from).sort()
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true)
  }

  #told(topic: string, payload: string): void {
    const [, id = '', ...rest] = topic.split('/')
    const what = rest.slice(0, -1).join('/')
    this.commands.push(`${id}${what === '' ? '' : `/${what}`} ${payload}`)
    const states: Readonly<Record<string, string>> = {
      LOCK: 'LOCKED',
      UNLOCK: 'UNLOCKED',
      OPEN: 'open',
      CLOSE: 'closed',
    }
    void this.say(what === '' ? id : `${id}/${what}`, states[payload] ?? payload)
    this.#heard?.()
  }
}

const capitals = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
