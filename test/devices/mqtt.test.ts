/** The connection to a real Mosquitto: with a password, through TLS, and never a command later than it was given. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type DeviceHouse, type MqttSettings, openDevices } from '../../src/devices/index.ts'
import { realHost } from '../../src/host/real.ts'
import { Broker, mosquitto, SimulatedHouse } from '../system/broker.ts'

const openssl = spawnSync('openssl', ['version']).error === undefined
const SETTINGS = {
  user: undefined,
  password: undefined,
  ca: undefined,
  discovery_prefix: 'homeassistant',
  zigbee2mqtt_topic: 'zigbee2mqtt',
}

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

interface Opened {
  readonly house: DeviceHouse
  readonly notes: readonly string[]
  until(holds: () => boolean): Promise<void>
}

async function opened(settings: Pick<MqttSettings, 'url'> & Partial<MqttSettings>): Promise<Opened> {
  const notes: string[] = []
  const house = await openDevices({
    clock: realHost().clock,
    assistant: undefined,
    mqtt: { ...SETTINGS, ...settings },
    changed: () => undefined,
    noted: (what, values) => notes.push(`${what} ${JSON.stringify(values)}`),
  })
  undo.push(() => house.stop())
  const until = async (holds: () => boolean): Promise<void> => {
    const deadline = Date.now() + 20_000
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`it did not come to that: ${notes.join('\n')}`)
      await new Promise((done) => setTimeout(done, 10))
    }
  }
  return { house, notes, until }
}

async function brokerWith(settings?: string, files?: Readonly<Record<string, string>>): Promise<Broker> {
  const broker = await Broker.start(settings, files)
  undo.push(() => broker.dispose())
  return broker
}

/** A wire that can be cut without either end being told. */
class Wire {
  readonly #server: Server
  readonly #sockets: Socket[] = []
  cut = false

  constructor(to: number) {
    this.#server = createServer((near) => {
      const far = connect(to, '127.0.0.1')
      this.#sockets.push(near, far)
      near.on('data', (bytes) => void (this.cut || far.write(bytes)))
      far.on('data', (bytes) => void (this.cut || near.write(bytes)))
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('close', () => other.destroy())
        one.on('error', () => other.destroy())
      }
    })
  }

  async open(): Promise<number> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    return (this.#server.address() as { port: number }).port
  }

  /** Ends the connections there are; new ones pass again. */
  mend(): void {
    this.cut = false
    for (const socket of this.#sockets.splice(0)) socket.destroy()
  }

  async close(): Promise<void> {
    this.mend()
    await new Promise((done) => this.#server.close(done))
  }
}

describe.skipIf(mosquitto === undefined)(
  'the connection to a broker (skipped where no mosquitto is installed)',
  () => {
    it('sends a command once, when it is given, or not at all', async () => {
      const broker = await brokerWith()
      const devices = await SimulatedHouse.connect(broker)
      undo.push(() => devices.close())
      const wire = new Wire(broker.port)
      const port = await wire.open()
      undo.push(() => wire.close())
      const { house, until } = await opened({ url: `mqtt://127.0.0.1:${port}` })
      await until(() => house.list().length === 14)
      await house.command('lock.front_door', 'lock', undefined)
      wire.cut = true
      // The broker does not answer: whoever waits is told so, and is right.
      await expect(house.command('lock.front_door', 'unlock', undefined)).rejects.toMatchObject({
        code: 'device-unreachable',
        retryable: true,
      })
      wire.mend()
      await until(() => house.status()[0]?.state === 'away')
      await expect(house.command('lock.front_door', 'unlock', undefined)).rejects.toMatchObject({
        code: 'device-unreachable',
      })
      await until(() => house.status()[0]?.state === 'connected')
      await house.command('switch.heater', 'on', undefined)
      expect(await devices.since(0, 2)).toEqual(['front_door LOCK', 'heater ON'])
    })

    it('with a password, which nobody is told; a wrong one is said to be', async () => {
      // The hash of "open sesame", as mosquitto_passwd makes it.
      const hashed = `loqa:${spawnHash('open sesame')}\n`
      const broker = await brokerWith('allow_anonymous false\npassword_file $FOLDER/users', { users: hashed })
      const right = await opened({ url: broker.url, user: 'loqa', password: 'open sesame' })
      await right.until(() => right.house.status()[0]?.state === 'connected')
      const wrong = await opened({ url: broker.url, user: 'loqa', password: 'open barley' })
      await wrong.until(
        () => wrong.house.status()[0]?.reason !== null && wrong.house.status()[0]?.state !== 'connecting',
      )
      expect(wrong.house.status()[0]?.state).toBe('away')
      expect(JSON.stringify([right.notes, wrong.notes, wrong.house.status()])).not.toMatch(/sesame|barley/)
    })

    it.skipIf(!openssl)(
      'through TLS to a broker whose certificate is vouched for, and to no other',
      async () => {
        const folder = mkdtempSync(join(tmpdir(), 'loqa-tls-'))
        undo.push(() => rmSync(folder, { recursive: true, force: true }))
        const made = spawnSync('openssl', [
          ...[
            'req',
            '-x509',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-nodes',
            '-days',
            '2',
            '-subj',
            '/CN=broker',
          ],
          ...[
            '-addext',
            'subjectAltName=IP:127.0.0.1',
            '-keyout',
            join(folder, 'key'),
            '-out',
            join(folder, 'cert'),
          ],
        ])
        expect(made.status).toBe(0)
        const [key, cert] = ['key', 'cert'].map((file) => readFileSync(join(folder, file), 'utf8'))
        const broker = await brokerWith(
          'allow_anonymous true\ncertfile $FOLDER/cert.pem\nkeyfile $FOLDER/key.pem',
          { 'cert.pem': cert!, 'key.pem': key! },
        )
        const url = broker.url.replace('mqtt:', 'mqtts:')
        const known = await opened({ url, ca: Buffer.from(cert!) })
        await known.until(() => known.house.status()[0]?.state === 'connected')
        const stranger = await opened({ url })
        await stranger.until(() => stranger.house.status()[0]?.state === 'away')
        expect(stranger.house.status()[0]?.reason).toMatch(/CERT|certificate/i)
      },
    )
  },
)

/** As mosquitto stores one: PBKDF2 with SHA-512, `$7$iterations$salt$hash`. */
function spawnHash(password: string): string {
  const { pbkdf2Sync } = process.getBuiltinModule('node:crypto')
  const salt = Buffer.from('0123456789ab')
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512')
  return `$7$101$${salt.toString('base64')}$${hash.toString('base64')}`
}
