/**
 * The certificate with which a node vouches for itself over https: self-signed, ECDSA on P-256 with SHA-256, for TLS servers
 * only. Written as RFC 5280 has it, in DER (X.690); this one shape is all the project needs of either.
 */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { Wall } from './host.ts'

export interface CertificateFor {
  /** What a person who looks into it reads as its name. */
  readonly common_name: string
  /** Host names (ASCII) and IPv4 addresses it is for. */
  readonly names: readonly string[]
  /** Whole seconds count; years from 1950 to 2049. */
  readonly from: Wall
  readonly until: Wall
}

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  extKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
} as const

/** Those above 0x80 belong to the structure they stand in. */
const TAG = {
  ...{ boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, utc: 0x17 },
  ...{ sequence: 0x30, set: 0x31, dnsName: 0x82, address: 0x87, version: 0xa0, extensions: 0xa3 },
} as const

/** A certificate for `key`, a private key on P-256, that it signed itself; PEM. */
export function selfSigned(wanted: CertificateFor, key: KeyObject): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const name = sequence(
    der(TAG.set, sequence(oid(OID.commonName), der(TAG.utf8, Buffer.from(wanted.common_name)))),
  )
  const content = sequence(
    der(TAG.version, der(TAG.integer, Buffer.from([2]))),
    serialOf(publicKey, wanted),
    algorithm,
    name,
    sequence(time(wanted.from), time(wanted.until)),
    name,
    publicKey,
    der(
      TAG.extensions,
      sequence(
        // It is no authority: whoever comes to trust it trusts this node, and no other site for it.
        extension(OID.basicConstraints, sequence(), 'critical'),
        // The first bit: digitalSignature.
        extension(OID.keyUsage, der(TAG.bits, Buffer.from([7, 0x80])), 'critical'),
        extension(OID.extKeyUsage, sequence(oid(OID.serverAuth))),
        extension(OID.subjectAltName, sequence(...wanted.names.map(alternative))),
      ),
    ),
  )
  const certificate = sequence(content, algorithm, bits(sign('sha256', content, key)))
  const lines = certificate.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

/** DER of one value: tag, length in as few bytes as it takes, content. Content of up to 65,535 bytes. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}

const sequence = (...items: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...items)
const oid = (hex: string): Buffer => der(TAG.oid, Buffer.from(hex, 'hex'))
/** Whole bytes: none of the last one's bits are unused. */
const bits = (bytes: Uint8Array): Buffer => der(TAG.bits, Buffer.from([0]), bytes)

/** UTCTime, `YYMMDDHHMMSSZ`. */
const time = (at: Wall): Buffer =>
  der(TAG.utc, Buffer.from(`${new Date(at).toISOString().slice(2, 19).replace(/\D/g, '')}Z`))

/** Another key or another day is another number; positive, and not longer than 20 bytes. */
function serialOf(publicKey: Uint8Array, { from }: CertificateFor): Buffer {
  const digest = createHash('sha256').update(publicKey).update(String(from)).digest()
  return der(TAG.integer, Buffer.from([0x40 | (digest[0]! & 0x3f)]), digest.subarray(1, 16))
}

const extension = (id: string, value: Uint8Array, weight?: 'critical'): Buffer =>
  sequence(
    oid(id),
    ...(weight === undefined ? [] : [der(TAG.boolean, Buffer.from([0xff]))]),
    der(TAG.octets, value),
  )

function alternative(name: string): Buffer {
  const numbers = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(name)?.slice(1).map(Number)
  return numbers === undefined
    ? der(TAG.dnsName, Buffer.from(name, 'ascii'))
    : der(TAG.address, Buffer.from(numbers))
}
