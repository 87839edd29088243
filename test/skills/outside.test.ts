import { describe, expect, it } from 'vitest'
import { type Outcome, placedAddress } from '../../src/actors/index.ts'
import { LoqaError, requestId } from '../../src/host/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import type { Skill } from '../../src/skills/catalogue.ts'
import type { HostPorts, HttpPort, HttpRequest } from '../../src/skills/host-ports.ts'
import type { SkillManifest } from '../../src/skills/manifest/index.ts'
import { OutsideWork } from '../../src/skills/outside.ts'
import { EMPTY_CALL } from './house-skills.ts'

/** What skills have done outside is theirs to have: granted, within the allowance, in time; secrets go into requests and nowhere else. */

const MANIFEST: SkillManifest = {
  ...{
    name: 'pet',
    version: '1.0.0',
    publisher: 'p',
    licence: 'MIT',
    summary: 's',
    zone: 2,
    module: 'pet.wasm',
  },
  runtime: 'wasm',
  permissions: [],
  http: { hosts: ['api.example'], private: false },
  secrets: ['token'],
  config: {
    place: { type: 'string', default: 'here', summary: 's' },
    days: { type: 'number', summary: 's' },
  },
  budgets: {
    call_ms: 100,
    memory_kb: 64,
    host_calls: 9,
    storage_kb: 1,
    requests_hour: 3,
    network_kb_hour: 1,
    tokens_day: 100,
  },
  intents: {},
}

function outside(ports: HostPorts, permissions: Skill['permissions'] = ['devices', 'http', 'language']) {
  const host = simulatedHost(1)
  const work = new OutsideWork(host.clock, ports)
  const skill = { manifest: MANIFEST, permissions } as Skill
  work.install(skill)
  let number = 0
  const ask = (op: string, body: unknown, to = 'pet'): Promise<Outcome> =>
    new Promise((done) => {
      number += 1
      const effect = {
        type: 'invoke',
        id: requestId(String(number)),
        to,
        op,
        body,
        deadline_ms: 1_000,
      } as const
      work.request(effect, `${placedAddress('skill', to)} ${number}`, done)
    })
  const code = async (...about: Parameters<typeof ask>): Promise<string> => {
    const outcome = await ask(...about)
    return outcome.event === 'failed' ? outcome.error.code : outcome.event
  }
  return { host, work, skill, ask, code }
}

const GET: HttpRequest = { method: 'GET', url: 'https://api.example/', headers: {} }
const answering = (seen: HttpRequest[] = [], body = ''): HttpPort => ({
  async request(request) {
    seen.push(request)
    return { status: 200, headers: {}, body }
  },
})

describe('what a skill wants done outside', () => {
  it('is refused where it was not granted, is unknown, or is of a skill nobody installed', async () => {
    const { code } = outside({ http: answering() }, ['devices'])
    expect(await code('http', GET)).toBe('not-granted')
    expect(await code('shell', {})).toBe('not-granted')
    expect(await code('device', {}, 'other')).toBe('not-granted')
  })

  it('is refused in words where this node has no door for it', async () => {
    const { code } = outside({})
    expect([await code('http', GET), await code('language', { prompt: 'p', max_tokens: 1 })]).toEqual([
      'http-refused',
      'no-engine',
    ])
    expect(await code('device', { device: 'lamp', command: 'on' })).toBe('device-unknown')
  })

  it('brings a device’s own words about why not', async () => {
    const command = async () => {
      throw new LoqaError('device-unreachable', 'The lamp does not answer', { retryable: true })
    }
    const { ask } = outside({ devices: { list: () => [], command } })
    expect(await ask('device', { device: 'lamp', command: 'on' })).toMatchObject({
      event: 'failed',
      error: { code: 'device-unreachable', message: 'The lamp does not answer' },
    })
  })

  it('ends in time, and is heard of once', async () => {
    const signals: AbortSignal[] = []
    const { host, ask } = outside({
      http: { request: (_, __, signal) => new Promise(() => void signals.push(signal)) },
    })
    const late = ask('http', GET)
    host.clock.advance(1_001)
    expect(await late).toMatchObject({ error: { code: 'timeout' } })
    expect(signals[0]!.aborted).toBe(true)
  })

  it('that is cancelled is heard of no more', async () => {
    let answer: () => void = () => undefined
    const { work, skill } = outside({
      http: {
        request: () => new Promise((done) => (answer = () => done({ status: 200, headers: {}, body: '' }))),
      },
    })
    const heard: Outcome[] = []
    const effect = {
      type: 'invoke',
      id: requestId('x'),
      to: skill.manifest.name,
      op: 'http',
      body: GET,
      deadline_ms: 9,
    } as const
    work.request(effect, 'key', (outcome) => heard.push(outcome))
    expect([work.cancel('key'), work.cancel('key')]).toEqual([true, false])
    answer()
    await new Promise(setImmediate)
    expect(heard).toEqual([])
  })

  it('more than a few requests at once wait for nobody', async () => {
    const { code } = outside({
      http: { request: () => new Promise(() => undefined) },
      language: { complete: () => new Promise(() => undefined) },
    })
    const many = Array.from({ length: 5 }, () => code('language', { prompt: '', max_tokens: 1 }))
    expect(await many[4]).toBe('overloaded')
  })
})

describe('the allowance of a skill', () => {
  it('of requests and bytes is for an hour, whatever version of it runs', async () => {
    const { host, work, skill, code } = outside({ http: answering([], 'x'.repeat(600)) })
    expect([await code('http', GET), await code('http', GET)]).toEqual(['done', 'done'])
    // 1,200 of 1,024 bytes.
    expect(await code('http', GET)).toBe('skill-budget')
    work.install(skill)
    expect(await code('http', GET)).toBe('skill-budget')
    host.clock.advance(3_600_000)
    expect(await code('http', GET)).toBe('done')
  })

  it('of tokens counts what was taken, and refuses what might be more than is left', async () => {
    const { host, code } = outside({ language: { complete: async () => ({ text: 'a', tokens: 30 }) } })
    const prompt = { prompt: 'x'.repeat(80), max_tokens: 50 }
    expect([await code('language', prompt), await code('language', prompt)]).toEqual(['done', 'done'])
    expect(await code('language', { ...prompt, max_tokens: 21 })).toBe('skill-budget')
    expect(await code('language', { ...prompt, max_tokens: 20 })).toBe('done')
    host.clock.advance(86_400_000)
    expect(await code('language', prompt)).toBe('done')
  })

  it('of tokens counts what a model that failed might have taken', async () => {
    const complete = async () => {
      throw new LoqaError('engine-crashed', 'gone', { retryable: true })
    }
    const { code } = outside({ language: { complete } })
    expect([
      await code('language', { prompt: '', max_tokens: 60 }),
      await code('language', { prompt: '', max_tokens: 60 }),
    ]).toEqual(['engine-crashed', 'skill-budget'])
  })
})

describe('settings and secrets', () => {
  const settings = {
    of: () => ({ config: { days: 3, place: 7, stray: 'x' }, secrets: { token: 's3cret', other: 'o' } }),
  }

  it('a secret is put where it is named, if the manifest names it', async () => {
    const seen: HttpRequest[] = []
    const { code } = outside({ http: answering(seen), settings })
    const request = {
      ...GET,
      url: 'https://api.example/?k={secret:token}',
      headers: { Authorization: 'Bearer {secret:token}' },
    }
    expect(await code('http', request)).toBe('done')
    expect(seen).toMatchObject([
      { url: 'https://api.example/?k=s3cret', headers: { Authorization: 'Bearer s3cret' } },
    ])
    expect(await code('http', { ...GET, headers: { A: '{secret:other}' } })).toBe('not-granted')
  })

  it('a secret nobody gave is said to be missing', async () => {
    const { code } = outside({ http: answering(), settings: { of: () => ({ config: {}, secrets: {} }) } })
    expect(await code('http', { ...GET, headers: { A: '{secret:token}' } })).toBe('secret-missing')
  })

  it('a call gets settings of the type the manifest declares, its defaults, and never a secret', () => {
    const { work } = outside({ settings })
    const call = work.completed('pet', EMPTY_CALL)
    expect(call.config).toEqual({ place: 'here', days: 3 })
    expect(JSON.stringify(call)).not.toContain('s3cret')
  })

  it('a call gets devices only where they were granted, and no more than travel with it', () => {
    const device = { id: 'd', name: 'lamp', room: '', kind: 'light', state: {} } as const
    const list = () => Array.from({ length: 300 }, () => device)
    const ports = { devices: { list, command: async () => undefined } }
    expect(outside(ports).work.completed('pet', EMPTY_CALL).devices).toHaveLength(256)
    expect(outside(ports, ['storage']).work.completed('pet', EMPTY_CALL).devices).toBeUndefined()
  })
})
