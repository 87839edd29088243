/** Two real nodes: each lists the conversations of the other, and a text for one is carried out on the node where it lives. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SessionView, TurnView } from '../../src/api/index.ts'
import { at, QUIET, twoPorts } from './ports.ts'
import { RunningNode } from './running-node.ts'

interface Row {
  readonly id: string
  readonly self: boolean
  readonly state: string
}

let one: RunningNode
let two: RunningNode
let ids: { readonly one: string; readonly two: string }

beforeAll(async () => {
  const port = await twoPorts()
  one = await RunningNode.start([...at(port), ...QUIET], 'says-so')
  two = await RunningNode.start([...at(0, port), ...QUIET], 'says-so')
  await until(async () => (await alive(two)) === 2 && (await alive(one)) === 2)
  ids = { one: await idOf(one), two: await idOf(two) }
}, 180_000)

afterAll(async () => {
  for (const node of [one, two]) await node?.dispose()
})

const alive = async (node: RunningNode): Promise<number> =>
  (await node.json<Row[]>('nodes')).filter(({ state }) => state === 'alive').length
const idOf = async (node: RunningNode): Promise<string> =>
  (await node.json<Row[]>('nodes')).find(({ self }) => self)!.id
const sessions = async (node: RunningNode): Promise<Record<string, string>> =>
  Object.fromEntries((await node.json<SessionView[]>('sessions')).map(({ id, node: where }) => [id, where]))

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to that in time')
    await new Promise((done) => setTimeout(done, 100))
  }
}

test('a conversation of one node is listed by both, with the node it lives on', async () => {
  await one.json<TurnView>('ask', '--session', 'dinner', 'set a timer for five minutes')
  await two.json<TurnView>('ask', 'what time is it')
  const [here, there] = [await sessions(one), await sessions(two)]
  expect(here).toEqual(there)
  expect(here.dinner).toBe(ids.one)
  expect(Object.values(here).sort()).toEqual([ids.one, ids.two].sort())
  // People read names, not keys.
  expect((await two.loqa('sessions')).stdout).toMatch(/dinner +kitchen +idle .* tester\n/)
})

test('a text for it asked on the other node is carried out where it lives: its timers are there', async () => {
  const turn = await two.json<TurnView>('ask', '--session', 'dinner', 'how long is left')
  expect(turn).toMatchObject({ session: 'dinner' })
  expect(turn.error).toBeUndefined()
  expect(turn.reply).toMatch(/minute/)
  expect((await sessions(two)).dinner).toBe(ids.one)
})

test('over HTTP too', async () => {
  const answer = await fetch(`${two.http}/api/v1/ask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'what time is it', session: 'dinner' }),
  })
  expect(answer.status).toBe(200)
  expect(((await answer.json()) as TurnView).intent).toBe('clock.time')
  const listed = (await (await fetch(`${two.http}/api/v1/sessions`)).json()) as SessionView[]
  expect(listed.find(({ id }) => id === 'dinner')).toMatchObject({
    node: ids.one,
    room: 'kitchen',
    phase: 'idle',
  })
})

test('when its node dies it is gone from the list, and an ask to it begins a new one', async () => {
  await one.end('SIGKILL')
  await until(async () => (await sessions(two)).dinner === undefined)
  const turn = await two.json<TurnView>('ask', '--session', 'dinner', 'what time is it')
  expect(turn).toMatchObject({ session: 'dinner', intent: 'clock.time' })
  expect((await sessions(two)).dinner).toBe(ids.two)
})
