/** A machine without engines answers with those of the household, and goes on with others when theirs are lost in mid-sentence. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TurnView } from '../../src/api/index.ts'
import { at, twoPorts, without } from './ports.ts'
import { fixture, RunningNode } from './running-node.ts'

const COMMAND = fixture('set-a-timer-for-five-minutes.wav')
const HEARD = { transcript: 'set a timer for five minutes', intent: 'timer.set', cut_off: false }

interface Row {
  readonly id: string
  readonly self: boolean
  readonly state: string
  readonly capabilities: readonly string[]
}

let microphone: RunningNode
let helpers: RunningNode[]

beforeAll(async () => {
  const [one, two] = [await twoPorts(), await twoPorts()]
  helpers = [await RunningNode.start(at(one)), await RunningNode.start(at(two, one))]
  microphone = await RunningNode.start([...at(0, one, two), ...without('stt', 'llm', 'tts')])
  await until(async () => {
    const rows = await microphone.json<Row[]>('nodes')
    return (
      rows.filter(({ self, state, capabilities }) => !self && state === 'alive' && capabilities.length >= 3)
        .length === 2
    )
  })
}, 180_000)

afterAll(async () => {
  for (const node of [microphone, ...helpers]) await node.dispose()
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to that in time')
    await new Promise((done) => setTimeout(done, 100))
  }
}

const idOf = async (node: RunningNode): Promise<string> =>
  (await node.json<Row[]>('nodes')).find(({ self }) => self)!.id

/** Recognitions begun so far, by the node that does them. */
async function recognitions(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${microphone.http}/metrics`)).text()
  const rows = text.matchAll(/^loqa_work_begun_total\{capability="stt",node="(.*?)"\} (\S+)/gm)
  return new Map([...rows].map(([, id, count]) => [id!, Number(count)]))
}

test('a spoken command is heard, understood and answered aloud', async () => {
  const turn = await microphone.json<TurnView & { reply_wav: string | null }>('listen', COMMAND)
  expect(turn).toMatchObject(HEARD)
  expect(turn.latency_ms.tts).toBeGreaterThan(0)
})

test('speech too comes from elsewhere', async () => {
  const said = await microphone.loqa('say', 'hello', '-o', `${microphone.data}/hello.wav`)
  expect(said.code, said.stderr).toBe(0)
})

test('the node that recognises is killed in mid-sentence, and nothing of the sentence is lost', async () => {
  const before = await recognitions()
  // Asked for now: a sentence is over sooner than a busy machine runs two commands.
  const ids = await Promise.all(helpers.map(idOf))
  const listening = microphone.json<TurnView>('listen', COMMAND)
  let at_work: string | undefined
  await until(async () => {
    at_work = [...(await recognitions())].find(([id, count]) => count > (before.get(id) ?? 0))?.[0]
    return at_work !== undefined
  })
  await helpers[ids.indexOf(at_work!)]?.end('SIGKILL')
  expect(await listening).toMatchObject(HEARD)
  const text = await (await fetch(`${microphone.http}/metrics`)).text()
  expect(text).toMatch(/^loqa_work_moved_total\{capability="stt",why="\w+"\} 1$/m)
})
