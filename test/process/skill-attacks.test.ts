import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import { type LoopWatch, watchEventLoop } from '../../src/observe/event-loop.ts'
import type { CallOutcome, SkillCall } from '../../src/skills/call.ts'
import { createHttpPort, loadCatalogue } from '../../src/skills/index.ts'
import { InvokePort } from '../../src/skills/port.ts'
import { MAX_OVERRUNS } from '../../src/skills/sandbox/charging.ts'
import { processStarter } from '../../src/skills/sandbox/process.ts'
import { watchSandboxes } from '../../src/skills/watching.ts'
import { Bystander } from '../bystander.ts'
import { callSkill, EMPTY_CALL, PATIENT_MS, SKILLS_FOLDER, silentLog } from '../skills/house-skills.ts'
import type { Written } from '../skills/write-attacks.ts'
import { Cable } from './cable.ts'
import { openHouse, type TestHouse } from './house.ts'

/**
 * Skills attack the node they run in, by all that WebAssembly and the host functions offer, and, as if they had broken out
 * of both, by all that a process of Node can do. Promised of each: it gets nothing, it fails with the right fault or is
 * refused, the audit log says so, and other skills answer meanwhile. Promised of all together: in 99 of 100 looks the node's
 * event loop is late by no more than 20 ms, beyond what a process that does nothing is late at the same time, and memory stays.
 */

const LAG_P99_MS = 20
const GROWTH_MB = 64

const root = mkdtempSync(join(tmpdir(), 'loqa-attacks-'))
const inside = join(root, 'inside')
const SECRET = 'the code of the safe is 4711'

// Zone 1, the node's own process: the attackers sit right beside the clock, which makes it hardest for it.
const WRITER = fileURLToPath(new URL('../skills/write-attacks.ts', import.meta.url))
const { attacks, refused, requests } = JSON.parse(
  execFileSync(process.execPath, [WRITER, inside, '1'], { encoding: 'utf8' }),
) as Written

let house: TestHouse
let cable: Cable
let prison: InvokePort
let server: Server
let lag: LoopWatch
/** This machine may be busy with more than this test. */
let bystander: Bystander
let visits = 0
let before_mb = 0

const rss_mb = (): number => process.memoryUsage().rss / 1024 / 1024

/** What an escaped process tries, and what must become of it: `refused`, answered so; or the fault it ends with. */
const ESCAPED: Readonly<Record<string, 'refused' | 'skill-escape' | 'skill-crashed' | 'skill-timeout'>> = {
  'compiles-text': 'refused',
  connects: 'refused',
  forks: 'refused',
  'lists-files': 'refused',
  listens: 'refused',
  'loads-machine-code': 'refused',
  'looks-for-secrets': 'refused',
  'opens-the-inspector': 'refused',
  'reads-the-environment-of-the-node': 'refused',
  'reads-the-house': 'refused',
  'reads-the-memory-of-the-node': 'refused',
  'reads-the-system': 'refused',
  'sends-to-the-lan': 'refused',
  'signals-everyone': 'refused',
  'signals-the-node': 'refused',
  'starts-a-shell': 'refused',
  'starts-a-thread': 'refused',
  'writes-a-file': 'refused',
  'writes-into-its-program': 'refused',
  'announces-four-gigabytes': 'skill-escape',
  'changes-without-end': 'skill-escape',
  'claims-to-be-ready-again': 'skill-escape',
  'claims-to-have-loaded': 'skill-escape',
  'invents-a-change': 'skill-escape',
  'lies-about-its-json': 'skill-escape',
  'outgrows-a-frame': 'skill-escape',
  'says-nothing-in-json': 'skill-escape',
  'says-what-is-no-word': 'skill-escape',
  'speaks-noise': 'skill-escape',
  'speaks-without-permission': 'skill-escape',
  'stores-without-measure': 'skill-escape',
  'writes-to-another-skill': 'skill-escape',
  aborts: 'skill-crashed',
  leaves: 'skill-crashed',
  'cries-for-ever': 'skill-timeout',
  'never-answers': 'skill-timeout',
  'says-one-byte-and-waits': 'skill-timeout',
}
/** Held by the system alone; elsewhere than behind bubblewrap these are known to get through (SECURITY.md). */
const NEEDS_A_FENCE = new Set([
  'connects',
  'listens',
  'sends-to-the-lan',
  'signals-the-node',
  'signals-everyone',
])
/** Give one good answer, and then more. */
const TWICE = ['answers-for-two', 'speaks-for-ever']
/** One process for all that is answered; those that end it have one each. */
const CELL = 'cell'
const shared = (attack: string): boolean => ESCAPED[attack] === 'refused'

beforeAll(async () => {
  for (const name of ['clock', 'list'])
    cpSync(join(SKILLS_FOLDER, name), join(inside, name), { recursive: true })
  const { skills } = await loadCatalogue(realHost().disk, ['', join(root, 'spare')])
  const harmless = skills[0]!
  writeFileSync(join(root, 'secret'), SECRET)
  mkdirSync(join(root, 'home'))
  server = createServer(() => {
    visits += 1
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))

  cable = await Cable.laid()
  const own = () => ({ ports: [80], addresses: ['10.9.9.9'] })
  house = await openHouse(join(root, 'data'), [inside], { http: createHttpPort({ door: cable.door, own }) })
  const { clock } = house.host
  const folder = fileURLToPath(new URL('./escaped/', import.meta.url))
  const start = processStarter(house.skills.fence, { file: `${folder}runner.js`, folder })
  prison = new InvokePort(clock, watchSandboxes(silentLog, house.watch), { start })
  for (const name of [CELL, ...TWICE, ...Object.keys(ESCAPED)]) {
    const call_ms = ESCAPED[name] === 'skill-timeout' ? 200 : 2_000
    const { manifest } = harmless
    prison.install({
      ...harmless,
      manifest: { ...manifest, name, budgets: { ...manifest.budgets, call_ms } },
    })
  }
  prison.warm()
  await clockIsRight()
  before_mb = rss_mb()
  bystander = await Bystander.start()
  lag = watchEventLoop()
})

afterAll(async () => {
  prison.stop()
  server.close()
  cable.cut()
  lag.stop()
  bystander.kill()
  await house.stop()
  rmSync(root, { recursive: true, force: true })
})

async function clockIsRight(): Promise<void> {
  const { speech } = await house.ask('clock.date', PATIENT_MS)
  expect(speech).toMatch(/^Today is \w+day, the /)
}

/** Records of the audit log about a skill, newest last. */
async function audited(what: string, object: string): Promise<readonly string[]> {
  const records = await house.audit.list({ what, limit: 10_000 })
  return records.filter((record) => record.object === object).map(({ outcome }) => outcome)
}

describe('a skill that', () => {
  it.each(Object.entries(attacks))('%s gets nothing', async (name, code) => {
    const attack = house.ask(`${name}.go`, PATIENT_MS)
    const beside = clockIsRight()
    expect((await attack).failed).toMatchObject({ code })
    await beside
    expect(await audited('skill.call', `${name}.go`)).toEqual([code])
    if (code === 'skill-timeout') return
    // Once more: nothing of the first try is left for the second.
    expect((await house.ask(`${name}.go`, PATIENT_MS)).failed).toMatchObject({ code })
  })

  it.each(Object.entries(refused))('%s is never loaded', async (name, why) => {
    const row = house.skills.list().find((skill) => skill.name === name)
    expect(row).toMatchObject({ state: 'unusable', problem: expect.stringContaining(why) })
    expect(await callSkill(house.skills, name, EMPTY_CALL)).toMatchObject({
      ok: false,
      error: { code: 'skill-refused' },
    })
    expect(await audited('skill.refused', name)).toEqual(['skill-refused'])
    await clockIsRight()
  })

  it.each(requests)('%s is not connected to anything inside, and learns no secret', async (name) => {
    const [asked] = await Promise.all([house.ask(`${name}.go`, PATIENT_MS), clockIsRight()])
    const outcomes = async (): Promise<readonly string[]> => [
      ...(await audited('skill.http', name)),
      ...(await audited('skill.call', `${name}.go`)).filter((outcome) => outcome !== 'ok'),
    ]
    await expect.poll(outcomes).toHaveLength(1)
    expect((await outcomes())[0]).toMatch(/^(http-refused|not-granted|skill-answer)$/)
    if (asked.failed === undefined) expect(await audited('skill.http', name)).toHaveLength(1)
    expect(cable.inside).toEqual([])
    // Only the redirected ones got as far as the server that sends them on.
    expect(cable.outside.filter((url) => !url.includes('/to?'))).toEqual([])
  })

  it('runs into its quota again and again is stopped, and the house is told', async () => {
    for (let time = 0; time < MAX_OVERRUNS; time += 1) {
      expect((await house.ask('storm.go', PATIENT_MS)).failed).toMatchObject({ code: 'skill-budget' })
    }
    expect((await house.ask('storm.go')).failed).toMatchObject({ code: 'skill-disabled' })
    expect(await audited('skill.stopped', 'storm')).toEqual(['storm: skill-budget'])
    expect(house.said.map(({ speech }) => speech)).toContain(
      'I switched the storm skill off: it ran into its limits again and again.',
    )
    await clockIsRight()
  })
})

const imprisoned = (attack: string, skill: string): Promise<CallOutcome> => {
  const slots = {
    port: (server.address() as { port: number }).port,
    secret: join(root, 'secret'),
    folder: join(root, 'home'),
    pid: process.pid,
  }
  const call: SkillCall = { ...EMPTY_CALL, input: JSON.stringify({ intent: attack, slots }) }
  return callSkill({ port: prison } as never, skill, call, PATIENT_MS)
}

describe('a process that broke out and', () => {
  it.each(Object.keys(ESCAPED).filter(shared))('%s reaches nothing', async (attack) => {
    const [outcome] = await Promise.all([imprisoned(attack, CELL), clockIsRight()])
    const speech = outcome.ok ? outcome.result.answer.speech : JSON.stringify(outcome.error)
    const held = house.skills.fence.name === 'bubblewrap' || !NEEDS_A_FENCE.has(attack)
    expect(speech).toMatch(held ? /^refused / : /^(refused|reached) /)
    expect(speech).not.toContain(SECRET)
    if (held) expect(visits).toBe(0)
    expect(readFileSync(join(root, 'secret'), 'utf8')).toBe(SECRET)
  })

  it.each(Object.entries(ESCAPED).filter(([attack]) => !shared(attack)))(
    '%s ends with %s',
    async (attack, fault) => {
      const [outcome] = await Promise.all([imprisoned(attack, attack), clockIsRight()])
      expect(outcome).toMatchObject({ ok: false, error: { code: fault } })
      if (fault !== 'skill-escape') return
      expect(await audited('skill.stopped', attack)).toEqual(['escape: skill-escape'])
      expect(await imprisoned(attack, attack)).toMatchObject({ error: { code: 'skill-disabled' } })
      expect(house.said.map(({ speech }) => speech)).toContain(
        `I switched the ${attack} skill off: it tried to leave its sandbox.`,
      )
    },
  )

  it.each(TWICE)('%s is heard once and stopped', async (attack) => {
    expect(await imprisoned(attack, attack)).toMatchObject({ ok: true, result: { changes: [] } })
    await expect.poll(() => prison.sandboxOf(attack)?.state.skills[attack]?.stopped).toBe('escape')
    expect(await audited('skill.stopped', attack)).toEqual(['escape: skill-escape'])
    await clockIsRight()
  })
})

describe('after all of it', () => {
  it('the node was on time, its memory is what it was, and its audit log is whole', async () => {
    const { p99_ms } = lag.read()
    const idle_ms = await bystander.late_p99_ms()
    const all = Object.keys({ ...attacks, ...refused, ...ESCAPED }).length + requests.length + TWICE.length
    console.log(`${all} attacks; late p99 ${p99_ms.toFixed(1)} ms, a bystander ${idle_ms.toFixed(1)} ms`)
    expect(p99_ms).toBeLessThanOrEqual(LAG_P99_MS + idle_ms)
    expect(rss_mb() - before_mb).toBeLessThan(GROWTH_MB)
    expect(await house.audit.verify()).toMatchObject({ ok: true })
  })
})
