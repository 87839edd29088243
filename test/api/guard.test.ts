import { describe, expect, it } from 'vitest'
import { refusal } from '../../src/api/guard.ts'
import { RateLimiter } from '../../src/api/rate.ts'

const rules = { allowed_hosts: ['pantry.lan'], allowed_origins: ['http://panel.lan:8080'], token: undefined }
const request = {
  path: '/api/v1/status',
  host: '127.0.0.1:7420',
  origin: undefined,
  authorization: undefined,
  protocols: undefined,
}

describe('the Host header', () => {
  it.each([
    '127.0.0.1:7420',
    '127.0.0.1',
    'localhost:7420',
    'LOCALHOST',
    '[::1]:7420',
    '192.168.1.7:7420',
    'pantry.lan',
    'Pantry.LAN:7420',
    'a.localhost',
  ])('%s passes', (host) => expect(refusal({ ...request, host }, rules)).toBeUndefined())
  it.each([
    undefined,
    '',
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil@127.0.0.1',
    '127.0.0.1:x',
    'a b',
    'pantry.lan.',
    '127.0.0.1/x',
    '[::1',
    '1.2.3.4.5',
    'notlocalhost',
  ])('%s is refused', (host) => expect(refusal({ ...request, host }, rules)?.error.code).toBe('host-refused'))
})

describe('the Origin header', () => {
  it.each(['http://127.0.0.1:7420', 'https://127.0.0.1:7420', 'http://panel.lan:8080'])(
    '%s passes',
    (origin) => expect(refusal({ ...request, origin }, rules)).toBeUndefined(),
  )
  it.each([
    'null',
    '',
    'http://evil.example',
    'http://127.0.0.1:9999',
    'http://127.0.0.1:7420.evil.example',
    'file://',
    'http://panel.lan',
  ])('%s is refused', (origin) =>
    expect(refusal({ ...request, origin }, rules)?.error.code).toBe('origin-refused'),
  )
  it('of a known host does not excuse an unknown one', () => {
    const rebound = { ...request, host: 'evil.example', origin: 'http://evil.example' }
    expect(refusal(rebound, rules)?.error.code).toBe('host-refused')
  })
})

describe('the token', () => {
  const guarded = { ...rules, token: 'abc123' }
  it.each([
    ['Bearer abc123', undefined, true],
    ['bearer  abc123', undefined, true],
    [undefined, 'loqa.v1, loqa.bearer.abc123', true],
    [undefined, 'loqa.bearer.abc123', true],
    [undefined, undefined, false],
    ['Bearer abc12', undefined, false],
    ['Bearer abc1234', undefined, false],
    ['Basic abc123', undefined, false],
    ['Bearer ', undefined, false],
    [undefined, 'xloqa.bearer.abc123', false],
  ])('%s / %s', (authorization, protocols, passes) => {
    expect(refusal({ ...request, authorization, protocols }, guarded) === undefined).toBe(passes)
  })
  it('is not asked of the health probes', () => {
    expect(refusal({ ...request, path: '/healthz' }, guarded)).toBeUndefined()
    expect(refusal({ ...request, path: '/healthz/../api/v1/status' }, guarded)).toBeDefined()
  })
})

describe('the rate limit', () => {
  it('R1 gives a burst, then a steady rate', () => {
    const rate = new RateLimiter(60, 3)
    expect([0, 0, 0, 0].map(() => rate.take('a', 0))).toEqual([0, 0, 0, 1_000])
    expect(rate.take('a', 999)).toBeCloseTo(1)
    expect(rate.take('a', 1_000)).toBe(0)
    expect(rate.take('a', 1_001)).toBeGreaterThan(900)
  })
  it('R2 keeps sources apart', () => {
    const rate = new RateLimiter(60, 1)
    rate.take('a', 0)
    expect(rate.take('b', 0)).toBe(0)
  })
  it('R3 forgets the longest idle source', () => {
    const rate = new RateLimiter(60, 1)
    for (let index = 0; index < 10_000; index++) rate.take(`s${index}`, 0)
    expect(rate.take('s0', 0)).toBe(0)
    expect(rate.take('s9999', 0)).toBeGreaterThan(0)
  })
})
