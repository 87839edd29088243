/**
 * What a node shows who asks for https: a certificate of its owner's, or one of its own making. Browsers let a page hear over
 * https only, so a phone needs it; who reaches the node on loopback alone does not, and there is none.
 */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { RunningNode } from '../cli/index.ts'
import { type Config, isLoopback } from '../config.ts'
import { selfSigned } from '../host/certificate.ts'
import { authority, DiskError, type Host, LoqaError, type Wall, wall } from '../host/index.ts'

export interface HttpsIdentity {
  /** The private key and its certificate, with the chain if it has one. */
  readonly pem: string
  /** SHA-256 of the certificate in pairs of hex digits, as browsers show it. */
  readonly fingerprint: string
  readonly until: Wall
}

const DAY_MS = 24 * 3_600_000
/** Apple's systems take none that is valid for more than 825 days. */
const VALID_MS = 820 * DAY_MS
/** A phone's clock may be behind. */
const BACKDATED_MS = DAY_MS
/** A new one is warned of anew: as seldom as can be, and while a person who is asked is in no hurry. */
const RENEWED_BEFORE_MS = 30 * DAY_MS

/** Undefined: nobody but this machine reaches the API. Errors: `config-invalid`, `DiskError`. */
export async function openHttps(
  { disk, clock }: { readonly disk: Host['disk']; readonly clock: Pick<Host['clock'], 'wall'> },
  { api, node }: Pick<Config, 'api' | 'node'>,
  addresses: readonly string[],
): Promise<HttpsIdentity | undefined> {
  if (api.certificate_file !== '') return read(disk, api.certificate_file)
  if (isLoopback(api.host)) return undefined
  const path = join(node.data_dir, 'https.pem')
  const kept = await read(disk, path).catch((thrown: unknown) => {
    // Missing or damaged: nothing depends on it but what browsers have been told to accept.
    if (thrown instanceof LoqaError) return undefined
    throw thrown
  })
  if (kept !== undefined && kept.until - clock.wall() > RENEWED_BEFORE_MS) return kept
  const machine = hostname()
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const certificate = selfSigned(
    {
      // RFC 5280, appendix A.1: at most 64 characters.
      common_name: `loqa-node ${node.name}`.slice(0, 64),
      names: [
        ...new Set([machine, `${machine}.local`, 'localhost', ...api.allowed_hosts, ...addresses]),
      ].filter((name) => /^[\w.-]+$/.test(name)),
      from: wall(clock.wall() - BACKDATED_MS),
      until: wall(clock.wall() + VALID_MS - BACKDATED_MS),
    },
    key,
  )
  const pem = `${key.export({ type: 'pkcs8', format: 'pem' }) as string}${certificate}`
  await disk.write(path, Buffer.from(pem), { mode: 0o600 })
  return identityOf(pem)
}

/** Where others find it, for a person who reads it off this machine's screen; nothing where nobody else reaches it. */
export function elsewhere(
  https: HttpsIdentity | undefined,
  host: string,
  port: number,
  addresses: readonly string[],
): Pick<RunningNode, 'elsewhere'> {
  if (https === undefined || isLoopback(host)) return {}
  const isAny = host === '0.0.0.0' || host === '::'
  const address = isAny
    ? (addresses.find((each) => /^[\d.]+$/.test(each) && !isLoopback(each)) ?? hostname())
    : host
  return { elsewhere: { url: `https://${authority(address, port)}`, fingerprint: https.fingerprint } }
}

/** Errors: `config-invalid` where there is no such file, or it is not a key with its certificate. */
async function read(disk: Host['disk'], path: string): Promise<HttpsIdentity> {
  try {
    return identityOf(Buffer.from(await disk.read(path)).toString('utf8'))
  } catch (thrown) {
    if (thrown instanceof DiskError && thrown.reason !== 'missing') throw thrown
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new LoqaError('config-invalid', `api.certificate_file cannot be used (${path}): ${why}`, {
      hint: 'One PEM file: the certificate, those that vouch for it, and its private key without a passphrase.',
      cause: thrown,
    })
  }
}

function identityOf(pem: string): HttpsIdentity {
  const certificate = orElse('there is no certificate in it', () => new X509Certificate(pem))
  const key = orElse('there is no private key without a passphrase in it', () => createPrivateKey(pem))
  if (!certificate.checkPrivateKey(key)) throw new Error('the key is not the certificate’s')
  createSecureContext({ key: pem, cert: pem })
  return { pem, fingerprint: certificate.fingerprint256, until: wall(Date.parse(certificate.validTo)) }
}

/** The library of cryptography names the line of its own code. */
function orElse<T>(why: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new Error(why, { cause })
  }
}
