import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { selfSigned } from '../../src/host/certificate.ts'
import { wall } from '../../src/host/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { elsewhere, openHttps } from '../../src/node/https.ts'

const DATA = '/data'
const DAY_MS = 86_400_000
const START = Date.UTC(2026, 10, 27)

async function house(api: Record<string, unknown> = { host: '0.0.0.0' }) {
  const { disk } = simulatedHost(1)
  await disk.makeDirectory(DATA)
  const config = {
    node: configSchema.shape.node.parse({ name: 'kitchen', data_dir: DATA }),
    api: configSchema.shape.api.parse(api),
  }
  let now = START
  const clock = { wall: () => wall(now) }
  return {
    disk,
    open: (addresses: readonly string[] = ['127.0.0.1', '192.168.1.20', 'fe80::1']) =>
      openHttps({ disk, clock }, config, addresses),
    later: (days: number) => {
      now += days * DAY_MS
    },
  }
}

describe('what a node shows over https', () => {
  it('is nothing where only this machine reaches it', async () => {
    const { disk, open } = await house({})
    expect(await open()).toBeUndefined()
    expect(await disk.list(DATA)).toEqual([])
  })

  it('is its own certificate, kept where nobody else reads it, the same at the next start', async () => {
    const { disk, open, later } = await house({ host: '0.0.0.0', allowed_hosts: ['loqa.lan'] })
    const first = await open()
    const read = new X509Certificate(first!.pem)
    expect(read.subject).toBe('CN=loqa-node kitchen')
    expect(read.checkHost('loqa.lan')).toBe('loqa.lan')
    expect(read.checkIP('192.168.1.20')).toBe('192.168.1.20')
    expect(first!.fingerprint).toBe(read.fingerprint256)
    expect((await disk.info(`${DATA}/https.pem`))?.mode).toBe(0o600)
    // Apple's systems refuse more than 825 days.
    expect(Date.parse(read.validTo) - Date.parse(read.validFrom)).toBeLessThan(825 * DAY_MS)
    later(700)
    expect((await open(['10.0.0.9']))!.fingerprint).toBe(first!.fingerprint)
  })

  it('is made anew before it ends, and when the file was damaged', async () => {
    const { disk, open, later } = await house()
    const first = await open()
    await disk.write(`${DATA}/https.pem`, Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n'))
    const second = await open()
    expect(second!.fingerprint).not.toBe(first!.fingerprint)
    later(800)
    const third = await open()
    expect(third!.fingerprint).not.toBe(second!.fingerprint)
    expect(third!.until - START).toBeGreaterThan(1_500 * DAY_MS)
  })

  it('is the one of its owner, also on loopback; a file that cannot be used stops the start, with why', async () => {
    const { disk, open } = await house({ certificate_file: '/own.pem' })
    await expect(open()).rejects.toMatchObject({ code: 'config-invalid' })
    const [key, other] = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const pem = key!.export({ type: 'pkcs8', format: 'pem' }) as string
    const times = { from: wall(START), until: wall(START + DAY_MS) }
    const certificate = selfSigned({ common_name: 'hall.example', names: ['hall.example'], ...times }, key!)
    await disk.write('/own.pem', Buffer.from(certificate + pem))
    expect(new X509Certificate((await open())!.pem).subject).toBe('CN=hall.example')
    await disk.write('/own.pem', Buffer.from(certificate))
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining('no private key') })
    await disk.write(
      '/own.pem',
      Buffer.from(certificate + (other!.export({ type: 'pkcs8', format: 'pem' }) as string)),
    )
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining('not the certificate’s') })
    await disk.write('/own.pem', Buffer.from('hello'))
    await expect(open()).rejects.toMatchObject({
      message: 'api.certificate_file cannot be used (/own.pem): there is no certificate in it',
      hint: expect.stringContaining('PEM'),
    })
  })

  it('is found at an address that others reach', async () => {
    const https = (await (await house()).open())!
    const at = (host: string, ...addresses: string[]) =>
      elsewhere(https, host, 7420, addresses).elsewhere?.url
    expect(at('0.0.0.0', '127.0.0.1', '::1', 'fe80::1', '192.168.1.20')).toBe('https://192.168.1.20:7420')
    expect(at('::', '127.0.0.1', '10.0.0.2')).toBe('https://10.0.0.2:7420')
    expect(at('127.0.0.1', '192.168.1.20')).toBeUndefined()
    expect(at('192.168.1.7')).toBe('https://192.168.1.7:7420')
    expect(at('fd00::7')).toBe('https://[fd00::7]:7420')
  })
})
