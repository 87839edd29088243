/** The audit log of a real node, changed behind its back: found at the next start, and named by `loqa audit verify`. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuditRow, AuditVerification, StatusView, TurnView } from '../../src/api/index.ts'
import { QUIET } from './ports.ts'
import { RunningNode } from './running-node.ts'

let node: RunningNode | undefined
afterEach(async () => {
  await node?.dispose()
  node = undefined
})

const pathOf = (running: RunningNode): string => join(running.data, 'audit.log')
const linesOf = (running: RunningNode): string[] =>
  readFileSync(pathOf(running), 'utf8').split('\n').slice(0, -1)
const put = (running: RunningNode, lines: readonly string[]): void =>
  writeFileSync(pathOf(running), lines.map((line) => `${line}\n`).join(''))
const troublesOf = async (running: RunningNode): Promise<readonly string[]> =>
  (await running.json<StatusView>('status')).health.reasons.filter((reason) => /audit/.test(reason))

/** Exit code and what was found. */
async function verify(running: RunningNode): Promise<[number, AuditVerification]> {
  const { code, stdout } = await running.loqa('audit', 'verify', '--json')
  return [code, JSON.parse(stdout) as AuditVerification]
}

describe('the audit log of a node', () => {
  it('killed and edited, is found out; once a person has seen it, it is no trouble any more', async () => {
    node = await RunningNode.start(QUIET, 'says-so')
    for (const text of ['set a pasta timer for ten minutes', 'how long is left', 'cancel the pasta timer'])
      await node.json<TurnView>('ask', text)
    expect(await verify(node)).toMatchObject([0, { ok: true, records: 3 }])
    expect(await node.end('SIGKILL')).toBe('SIGKILL')

    const lines = linesOf(node)
    put(node, lines.with(1, lines[1]!.replace('"ok"', '"denied"')))
    await node.start()
    const { code, stdout } = await node.loqa('audit', 'verify')
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^line 2 .* was changed$/m)])
    expect(await troublesOf(node)).toEqual([expect.stringMatching(/line 2 was changed.*loqa audit verify/)])
    expect(node.output).toMatch(/audit log was changed/)
    expect((await node.loqa('doctor')).stdout).toMatch(/^audit log .*✗ line 2 was changed/m)
    // It goes on working, and its log goes on.
    await node.json<TurnView>('ask', 'set a tea timer for ten minutes')

    expect((await node.loqa('audit', 'acknowledge')).code).toBe(2)
    expect((await node.loqa('audit', 'acknowledge', '--yes')).code).toBe(0)
    expect(await troublesOf(node)).toEqual([])
    expect(await verify(node)).toMatchObject([0, { ok: false, faults: [{ line: 2, acknowledged: true }] }])
    const [newest] = await node.json<AuditRow[]>('audit', 'ls', '--limit', '1')
    expect(newest).toMatchObject({ what: 'audit.acknowledged', object: 'line 2' })
  }, 120_000)

  it('whose tail was cut while it was off names who holds the checkpoint', async () => {
    node = await RunningNode.start(QUIET, 'says-so')
    for (const text of ['set a pasta timer for ten minutes', 'how long is left'])
      await node.json<TurnView>('ask', text)
    expect(await node.end('SIGTERM')).toBe(0)
    const lines = linesOf(node)
    expect(lines).toHaveLength(2)
    put(node, lines.slice(0, 1))
    rmSync(join(node.data, 'audit.checkpoint'))
    await node.start()
    const { code, stdout } = await node.loqa('audit', 'verify')
    expect(code).toBe(1)
    expect(stdout).toMatch(/is missing: the log ends\s+with record 1, and record 2 was signed on/)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/\(held by (.*, )?tester\)/)
  }, 120_000)

  it('is listed, filtered and exported', async () => {
    node = await RunningNode.start(QUIET, 'says-so')
    await node.json<TurnView>('ask', 'set a pasta timer for ten minutes')
    await node.json<TurnView>('ask', 'how long is left')
    const rows = await node.json<AuditRow[]>('audit', 'ls', '--since', '1h')
    expect(rows.map(({ seq, what }) => [seq, what])).toEqual([
      [1, 'skill.call'],
      [2, 'skill.call'],
    ])
    expect((await node.loqa('audit', 'ls')).stdout).toMatch(/skill\.call +timer\.set +ok/)
    expect(await node.json<AuditRow[]>('audit', 'ls', '--what', 'household')).toEqual([])
    expect((await node.loqa('audit', 'ls', '--since', 'tuesday')).code).toBe(2)
    const file = join(node.data, 'out.jsonl')
    expect((await node.loqa('audit', 'export', '-o', file)).code).toBe(0)
    expect(readFileSync(file, 'utf8').split('\n').slice(0, 2)).toEqual(linesOf(node))
    expect((await node.loqa('audit', 'export')).stdout).toContain('"seq":2')
  }, 120_000)
})
