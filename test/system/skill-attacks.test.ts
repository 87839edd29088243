import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { TurnView } from '../../src/api/index.ts'
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
  console.log(
    `alone ${alone.latency_ms.total?.toFixed(0)} ms, beside attacks ${beside.latency_ms.total?.toFixed(0)} ms, late p99 ${late_ms.toFixed(1)} ms`,
  )
  expect(beside).toMatchObject({ transcript: alone.transcript, intent: 'clock.time', cut_off: alone.cut_off })
  expect(beside.reply).toMatch(/^It is /)
  expect(beside.error).toBeUndefined()
  for (const [name, fault] of Object.entries(ATTACKERS))
    expect(faults[name]).toEqual(Array(ROUNDS).fill(fault))
  expect(late_ms).toBeLessThanOrEqual(LAG_P99_MS)
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
