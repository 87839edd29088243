/**
 * A skill belongs to the household: what it keeps on one node is there on another, what it was doing when its node died is done once
 * elsewhere if it says that it may be, and what it may not do alone is decided on any node.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApprovalRow, AuditRow, TurnView } from '../../src/api/index.ts'
import { writeCourier } from './courier.ts'
import { at, QUIET, twoPorts } from './ports.ts'
import { RunningNode } from './running-node.ts'

/** Tens of milliseconds on an idle machine. */
const SOON_MS = 20_000
const folder = mkdtempSync(join(tmpdir(), 'loqa-courier-'))
let server: Server
let asked: { readonly url: string; readonly authorization: string | undefined }[] = []
let answer: (request: IncomingMessage, response: ServerResponse) => void
let a: RunningNode
let b: RunningNode

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
    answer(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  await writeCourier(folder, (server.address() as AddressInfo).port)
  const port = await twoPorts()
  const skills = ['--set', `skills.extra_dir=${folder}`]
  a = await RunningNode.start([...at(port), ...QUIET, ...skills], 'says-so')
  b = await RunningNode.start([...at(0, port), ...QUIET, ...skills], 'says-so')
  await until(async () => (await alive(a)) === 2 && (await alive(b)) === 2)
  // On a busy machine the first call of a skill takes longer than a person would wait.
  for (const node of [a, b])
    await until(async () => (await ask(node, 'courier recall')) === 'Nothing is kept.')
}, 120_000)
afterAll(async () => {
  await Promise.all([a?.dispose(), b?.dispose()])
  server.close()
  server.closeAllConnections()
  rmSync(folder, { recursive: true })
})

const digestOf = async (node: RunningNode): Promise<string> =>
  (await node.json<{ digest: string }>('store')).digest

/** Polls: nobody tells when it is so. */
async function until(holds: () => Promise<boolean> | boolean, within_ms = 40_000): Promise<void> {
  const deadline = Date.now() + within_ms
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it never was so\n${a.output}\n${b.output}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}
const alive = async (node: RunningNode): Promise<number> =>
  (await node.json<{ state: string }[]>('nodes')).filter(({ state }) => state === 'alive').length
/** Over HTTP: a command takes a third of a second to start. */
const ask = async (node: RunningNode, text: string, more: object = {}): Promise<string> => {
  const response = await fetch(`${node.http}/api/v1/ask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text, ...more }),
  })
  return ((await response.json()) as TurnView).reply
}
const requests = (path: string): number => asked.filter(({ url }) => url === path).length

describe('a skill in a household of two', () => {
  it('reads on one node what was written on another', async () => {
    expect(await ask(a, 'courier keep bravo')).toBe('Kept bravo.')
    await until(async () => (await ask(b, 'courier recall')) === 'It was bravo.', SOON_MS)
  })

  it('keeps for each person apart, also on the other node', async () => {
    await a.json('persons', 'add', 'Anna')
    await a.json('persons', 'add', 'Ben')
    expect(await ask(a, 'courier mine is alpha', { person: 'Anna' })).toBe('You had none.')
    expect(await ask(a, 'courier mine is bravo', { person: 'Ben' })).toBe('You had none.')
    // To ask is to keep something: it is asked once, when both hold the same.
    await until(async () => (await digestOf(a)) === (await digestOf(b)), SOON_MS)
    expect(await ask(b, 'courier mine is charlie', { person: 'Anna' })).toBe('You had alpha.')
    expect(await ask(a, 'courier mine is alpha', { person: 'Ben' })).toBe('You had bravo.')
  })

  it('asks its server with a secret that it never sees, and tells what came', async () => {
    expect(await ask(a, 'courier fetch')).toBe('On my way.')
    await until(async () => (await ask(a, 'courier recall')) === 'It was secret-missing.', SOON_MS)
    expect(asked).toEqual([])
    await a.json('skill', 'secret', 'courier', 'token', '--value', 's3cret')
    answer = (_, response) => response.end('alpha')
    // The other node has it too.
    await until(async () => {
      await ask(b, 'courier fetch')
      return requests('/fetch') > 0
    }, SOON_MS)
    await until(async () => (await ask(b, 'courier recall')) === 'It was alpha.', SOON_MS)
    expect(asked[0]).toEqual({ url: '/fetch', authorization: 'Bearer s3cret' })
  })

  it('does what is critical only when it was allowed by hand, on whichever node', async () => {
    await ask(a, 'courier keep bravo')
    const session = { session: 'burning' }
    expect(await ask(a, 'courier burn', session)).toMatch(/Shall I do it\?$/)
    expect(await ask(a, 'no', session)).not.toMatch(/allowed by hand/)
    expect(await ask(a, 'courier burn', session)).toMatch(/Shall I do it\?$/)
    expect(await ask(a, 'yes', session)).toMatch(/must be allowed by hand/)
    const waiting = (): Promise<ApprovalRow[]> => b.json<ApprovalRow[]>('approvals', 'ls')
    await until(async () => (await waiting()).length === 1, SOON_MS)
    const [{ id, wants }] = (await waiting()) as [ApprovalRow]
    expect(wants).toBe('do what courier.burn does')
    expect(await ask(a, 'courier recall')).toBe('It was bravo.')
    expect((await b.loqa('approvals', 'allow', id)).stdout).toContain('allowed by cli')
    await until(async () => (await ask(a, 'courier recall')) === 'It was ashes.', SOON_MS)
    const again = await b.loqa('approvals', 'deny', id)
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('it was allowed by cli')])
    const audited = await a.json<AuditRow[]>('audit', 'ls', '--what', 'approval')
    expect(audited.map(({ outcome }) => outcome).toSorted()).toEqual(['allowed by cli', 'asked'])
  })

  it('does again elsewhere, once, what it was doing when its node died, if that is idempotent and not otherwise', async () => {
    asked = []
    // The server takes its time; the node dies meanwhile.
    answer = () => undefined
    expect([await ask(a, 'courier fetch'), await ask(a, 'courier order')]).toEqual([
      'On my way.',
      'On my way.',
    ])
    await until(() => requests('/fetch') === 1 && requests('/order') === 1, SOON_MS)
    // What is written after the notes is there, so they are.
    await ask(a, 'courier keep charlie')
    await until(async () => (await ask(b, 'courier recall')) === 'It was charlie.', SOON_MS)
    answer = (_, response) => response.end('alpha')
    await a.end('SIGKILL')
    await until(() => requests('/fetch') === 2, SOON_MS)
    await until(async () => (await ask(b, 'courier recall')) === 'It was alpha.', SOON_MS)
    // A later word of this node's actor: whatever it still had to do was before it.
    expect(await ask(b, 'courier keep bravo')).toBe('Kept bravo.')
    expect([requests('/fetch'), requests('/order')]).toEqual([2, 1])
    const audited = await b.json<AuditRow[]>('audit', 'ls', '--what', 'skill.again')
    expect(audited).toMatchObject([{ object: 'courier.fetch' }])
  })
}, 120_000)
