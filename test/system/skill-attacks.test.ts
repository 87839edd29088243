import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { TurnView } from '../../src/api/index.ts'
import { readPackage, withSignature } from '../../src/skills/package/index.ts'
import { Bystander } from '../bystander.ts'
import {
  type PetOptions,
  PUBLISHER,
  petPackage,
  STRANGER,
  signedPet,
  vettedPublisher,
} from '../skills/package/pets.ts'
import { fixture, ROOT, RunningNode } from './running-node.ts'

/**
 * A node among whose skills are attackers, which are called one after another while somebody speaks: the spoken turn is
 * what it would be without them, the node is on time, each attack stands in the audit log, and those who go on are stopped.
 */

/** Each loops, bombs, storms or traps in its own way. */
const ATTACKERS: Readonly<Record<string, string>> = {
  traps: 'skill-trapped',
  recurses: 'skill-trapped',
  'grows-its-memory': 'skill-trapped',
  'allocates-for-ever': 'skill-budget',
  'storms-its-host': 'skill-budget',
  'says-too-much': 'skill-budget',
  'loops-for-ever': 'skill-timeout',
  'catches-its-stops-for-ever': 'skill-timeout',
}
const ROUNDS = 3
/** Beyond what a process that does nothing is late at the same time. */
const LAG_P99_MS = 20

let node: RunningNode
beforeAll(async () => {
  node = await RunningNode.start((data) => {
    const skills = join(data, 'attackers')
    execFileSync(process.execPath, [join(ROOT, 'test/skills/write-attacks.ts'), skills, '2'])
    const config = join(data, 'loqa.toml')
    writeFileSync(config, `[skills]\nextra_dir = ${JSON.stringify(skills)}\n`)
    return ['--config', config]
  })
})
afterAll(() => node.dispose())

const ask = async (text: string): Promise<TurnView> => {
  const body = JSON.stringify({ text, session: 'attacker' })
  const headers = { 'content-type': 'application/json' }
  return (await (
    await fetch(`${node.http}/api/v1/ask`, { method: 'POST', headers, body })
  ).json()) as TurnView
}

const lag_p99_ms = async (): Promise<number> => {
  const metrics = await (await fetch(`${node.http}/metrics`)).text()
  return Number(/loqa_event_loop_lag_ms\{quantile="0.99"\} ([\d.e+-]+)/.exec(metrics)![1])
}

it('hears, answers and stays on time while skills attack it', async () => {
  const speak = (): Promise<TurnView> => node.json<TurnView>('listen', fixture('what-time-is-it.wav'))
  const alone = await speak()
  const bystander = await Bystander.start()
  await lag_p99_ms()
  let faults: Record<string, (string | undefined)[]> = {}
  const attack = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const name of Object.keys(ATTACKERS)) {
        const { error } = await ask(`${name} go`)
        faults = { ...faults, [name]: [...(faults[name] ?? []), error?.code] }
      }
    }
  }
  const [beside] = await Promise.all([speak(), attack()])
  const late_ms = await lag_p99_ms()
  const idle_ms = await bystander.late_p99_ms()
  console.log(
    `alone ${alone.latency_ms.total?.toFixed(0)} ms, beside attacks ${beside.latency_ms.total?.toFixed(0)} ms, late p99 ${late_ms.toFixed(1)} ms, a bystander ${idle_ms.toFixed(1)} ms`,
  )
  expect(beside).toMatchObject({ transcript: alone.transcript, intent: 'clock.time', cut_off: alone.cut_off })
  expect(beside.reply).toMatch(/^It is /)
  expect(beside.error).toBeUndefined()
  for (const [name, fault] of Object.entries(ATTACKERS))
    expect(faults[name]).toEqual(Array(ROUNDS).fill(fault))
  // Two processes of a busy machine are not late alike: up to twice as much is its doing.
  expect(late_ms).toBeLessThanOrEqual(LAG_P99_MS + 2 * idle_ms)
})

it('has stopped those who stormed it, has noted all, and goes on', async () => {
  for (const [name, fault] of Object.entries(ATTACKERS)) {
    if (fault === 'skill-budget') expect((await ask(`${name} go`)).error?.code).toBe('skill-disabled')
  }
  const { stdout } = await node.loqa('audit', 'ls', '--limit', '200')
  for (const [name, fault] of Object.entries(ATTACKERS)) {
    expect(stdout).toMatch(new RegExp(`skill\\.call +${name}\\.go +${fault}`))
    if (fault === 'skill-budget')
      expect(stdout).toMatch(new RegExp(`skill\\.stopped +${name} +storm: ${fault}`))
  }
  expect(stdout).toMatch(/skill\.refused +wants-the-web +skill-refused/)
  expect((await ask('what time is it')).reply).toMatch(/^It is /)
})

// — packages —

const post = async (action: string, body: object): Promise<Record<string, unknown>> => {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${node.http}/api/v1/skills/${action}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  return (await answer.json()) as Record<string, unknown>
}
const add = (bytes: Uint8Array): Promise<Record<string, unknown>> =>
  post('add', { package: Buffer.from(bytes).toString('base64'), grant: true })

/** The files of one package under the signature of another. */
const swapped = async (files: PetOptions, signed: PetOptions): Promise<Uint8Array> => {
  const { signature } = await readPackage(await signedPet(PUBLISHER, signed))
  return withSignature(await readPackage(await petPackage(files)), signature!)
}

const flipped = async (at: number): Promise<Uint8Array> => {
  const bytes = (await signedPet(PUBLISHER, { version: '1.3.0' })).slice()
  bytes[Math.floor(bytes.length * at)]! ^= 1
  return bytes
}

const FORGED: Readonly<Record<string, { readonly make: () => Promise<Uint8Array>; readonly code: RegExp }>> =
  {
    'with a changed byte in its middle': {
      make: () => flipped(0.5),
      code: /^(package-invalid|skill-tampered)$/,
    },
    'with a changed byte near its end': {
      make: () => flipped(0.9),
      code: /^(package-invalid|skill-tampered)$/,
    },
    'with another module': {
      make: () => swapped({ version: '1.3.0', says: 'Evil.' }, { version: '1.3.0' }),
      code: /^skill-tampered$/,
    },
    'with another manifest': {
      make: () => swapped({ version: '1.3.0', uses: ['speak', 'http'] }, { version: '1.3.0' }),
      code: /^skill-tampered$/,
    },
    'with the signature of an older version': {
      make: () => swapped({ version: '1.4.0' }, { version: '1.2.3' }),
      code: /^skill-tampered$/,
    },
    'signed by a stranger': {
      make: () => signedPet(STRANGER, { version: '1.3.0' }),
      code: /^skill-untrusted$/,
    },
    'signed by a stranger for itself': {
      make: () => signedPet(STRANGER, { version: '1.3.0' }, vettedPublisher({ key: STRANGER.key }, STRANGER)),
      code: /^skill-untrusted$/,
    },
    'signed by nobody': { make: () => petPackage({ version: '1.3.0' }), code: /^skill-unsigned$/ },
    'older than what is here': {
      make: () => signedPet(PUBLISHER, { version: '1.0.0' }),
      code: /^skill-downgrade$/,
    },
  }

it('takes no package that is not what a trusted publisher signed', async () => {
  await post('trust', { publisher: 'somebody', key: PUBLISHER.key })
  expect(await add(await signedPet(PUBLISHER))).toMatchObject({ outcome: 'installed' })
  expect((await ask('feed the pet')).reply).toBe('Fed.')
  for (const [name, { make, code }] of Object.entries(FORGED)) {
    const answer = (await add(await make())) as { error?: { code: string }; code?: string }
    expect([name, answer.error?.code ?? answer.code]).toEqual([name, expect.stringMatching(code)])
  }
  expect((await ask('feed the pet')).reply).toBe('Fed.')
  const { stdout } = await node.loqa('audit', 'ls', '--limit', '200')
  const noted = [...stdout.matchAll(/skill\.refused +a package that was to be added +(\S+)/g)].map(
    ([, code]) => code,
  )
  expect(noted).toHaveLength(Object.keys(FORGED).length)
})

it('stops what a revoked key signed, and takes nothing more of it', async () => {
  await post('revoke', { kind: 'key', what: PUBLISHER.key, why: 'stolen' })
  await expect.poll(async () => (await ask('feed the pet')).reply, { timeout: 10_000 }).not.toBe('Fed.')
  const answer = (await add(await signedPet(PUBLISHER, { version: '2.0.0' }))) as {
    error?: { code: string }
    code?: string
  }
  expect(answer.error?.code ?? answer.code).toBe('skill-revoked')
  expect((await ask('what time is it')).reply).toMatch(/^It is /)
})
