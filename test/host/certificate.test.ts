import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { selfSigned } from '../../src/host/certificate.ts'
import { wall } from '../../src/host/index.ts'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const from = wall(Date.UTC(2026, 10, 26, 9, 5, 7))
const until = wall(Date.UTC(2029, 1, 23, 23, 59, 59))

describe('a certificate of its own', () => {
  it('reads as what was asked for, and is signed with its key', () => {
    const names = ['hall', 'hall.local', '192.168.1.20', '10.0.0.7']
    const read = new X509Certificate(selfSigned({ common_name: 'loqa-node Küche', names, from, until }, key))
    expect(read.subject).toBe('CN=loqa-node Küche')
    expect(read.issuer).toBe(read.subject)
    expect(read.subjectAltName).toBe('DNS:hall, DNS:hall.local, IP Address:192.168.1.20, IP Address:10.0.0.7')
    expect([Date.parse(read.validFrom), Date.parse(read.validTo)]).toEqual([from, until])
    expect(read.verify(createPublicKey(key))).toBe(true)
    expect(read.checkPrivateKey(createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })))).toBe(true)
    expect(read.checkHost('hall.local')).toBe('hall.local')
    expect(read.checkIP('192.168.1.20')).toBe('192.168.1.20')
    expect(read.checkHost('elsewhere.local')).toBeUndefined()
  })

  it('vouches for nothing but a TLS server', () => {
    const read = new X509Certificate(selfSigned({ common_name: 'n', names: ['n'], from, until }, key))
    expect(read.ca).toBe(false)
    expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  })

  it('has another number with another day', () => {
    const one = new X509Certificate(selfSigned({ common_name: 'n', names: [], from, until }, key))
    const other = new X509Certificate(
      selfSigned({ common_name: 'n', names: [], from: wall(from + 86_400_000), until }, key),
    )
    expect(one.serialNumber).not.toBe(other.serialNumber)
  })

  it('is whole with names of any length, and any number of them', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,63}$/)
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 64 }),
        fc.uniqueArray(label, { maxLength: 200 }),
        (common_name, names) => {
          const read = new X509Certificate(selfSigned({ common_name, names, from, until }, key))
          expect(read.verify(createPublicKey(key))).toBe(true)
          for (const name of names) expect(read.checkHost(name, { subject: 'never' })).toBe(name)
        },
      ),
      { numRuns: 100 },
    )
  })
})
