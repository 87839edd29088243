/**
 * A machine without engines answers with those of the household, goes on with others when theirs are lost in mid-sentence, and with better
 * ones from the moment they are there.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { NodeRow, TurnView } from '../../src/api/index.ts'
import { at, twoPorts, without } from './ports.ts'
import { enginesOf, ProcessorShare, whyNoShare } from './processor-share.ts'
import { fixture, RunningNode } from './running-node.ts'

const COMMAND = fixture('set-a-timer-for-five-minutes.wav')
const HEARD = { transcript: 'set a timer for five minutes', intent: 'timer.set', cut_off: false }

/** An engine that is made slow is not taken for hung while it works. */
const PATIENT = ['cancel_timeout_ms=10000', 'ping_timeout_ms=60000'].flatMap((key) => [
  '--set',
  `inference.${key}`,
])

let microphone: RunningNode
let helpers: RunningNode[]

beforeAll(async () => {
  const [one, two] = [await twoPorts(), await twoPorts()]
  helpers = [
    await RunningNode.start([...at(one), ...PATIENT]),
    await RunningNode.start([...at(two, one), ...PATIENT]),
  ]
  microphone = await RunningNode.start([...at(0, one, two), ...without('stt', 'llm', 'tts')])
  await until(async () => {
    const rows = await microphone.json<NodeRow[]>('nodes')
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
  (await node.json<NodeRow[]>('nodes')).find(({ self }) => self)!.id

/** Runs begun so far, by the node that does them. */
async function begun(capability: 'stt' | 'tts'): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${microphone.http}/metrics`)).text()
  const rows = text.matchAll(/^loqa_work_begun_total\{capability="(.*?)",node="(.*?)"\} (\S+)/gm)
  return new Map(
    [...rows].filter(([, of]) => of === capability).map(([, , id, count]) => [id!, Number(count)]),
  )
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
  const before = await begun('stt')
  // Asked for now: a sentence is over sooner than a busy machine runs two commands.
  const ids = await Promise.all(helpers.map(idOf))
  const listening = microphone.json<TurnView>('listen', COMMAND)
  let at_work: string | undefined
  await until(async () => {
    at_work = [...(await begun('stt'))].find(([id, count]) => count > (before.get(id) ?? 0))?.[0]
    return at_work !== undefined
  })
  await helpers[ids.indexOf(at_work!)]?.end('SIGKILL')
  expect(await listening).toMatchObject(HEARD)
  const text = await (await fetch(`${microphone.http}/metrics`)).text()
  expect(text).toMatch(/^loqa_work_moved_total\{capability="stt",why="\w+"\} 1$/m)
})

/** Of one processor: an engine twenty-five times as slow. */
const SLOW = 0.04
const WORDS = 'The washing machine is done, and the door of the garage is open since a quarter past seven.'

test.skipIf(whyNoShare !== undefined)(
  'turns use a faster machine as soon as it is there, it is said what it adds, and they go back when it is stopped',
  async () => {
    const rows = await microphone.json<NodeRow[]>('nodes')
    const alive = new Set(rows.flatMap(({ id, state }) => (state === 'alive' ? [id] : [])))
    const ids = await Promise.all(helpers.map((node) => idOf(node).catch(() => 'dead')))
    const slow = helpers[ids.findIndex((id) => alive.has(id))]!
    const fast = helpers.find((node) => node !== slow)!
    const slow_id = await idOf(slow)
    const say = async (): Promise<void> => {
      const said = await microphone.loqa('say', WORDS, '-o', `${microphone.data}/words.wav`)
      expect(said.code, said.stderr).toBe(0)
    }
    const share = new ProcessorShare(SLOW)
    try {
      for (const pid of enginesOf(slow.pid)) share.hold(pid)
      for (let i = 0; i < 6; i += 1) await say()

      const heard = microphone.output.length
      await fast.start()
      const fast_id = await idOf(fast)
      const said = (message: string): string | undefined =>
        microphone.output
          .slice(heard)
          .split('\n')
          .find((line) => line.includes(message) && line.includes(fast_id))
      await until(async () => said('A node adds capacity') !== undefined)
      // It is said once, of the engines that were ready and had measured themselves by then; the row tells of each.
      expect(said('A node adds capacity')).toMatch(/"adds":"\+\d+ concurrent session/)
      const addedNow = async () =>
        (await microphone.json<NodeRow[]>('nodes')).find(({ id }) => id === fast_id)?.adds
      await until(async () => (await addedNow())?.faster.some(({ kind }) => kind === 'tts') === true)
      const before = await begun('tts')
      await say()
      const after = await begun('tts')
      expect(after.get(fast_id) ?? 0).toBeGreaterThan(before.get(fast_id) ?? 0)
      expect(after.get(slow_id)).toBe(before.get(slow_id))
      const added = await addedNow()
      expect(added?.sessions).toBeGreaterThan(0)
      expect((await microphone.loqa('nodes')).stdout).toMatch(
        /\+\d+ concurrent sessions?, .*p95 \d+ → \d+ ms/,
      )

      expect(await fast.end('SIGTERM')).toBe(0)
      await until(async () => said('What a node added is gone') !== undefined)
      expect(await microphone.json<TurnView>('listen', COMMAND)).toMatchObject(HEARD)
      await say()
      expect((await begun('tts')).get(slow_id)).toBeGreaterThan(after.get(slow_id) ?? 0)
    } finally {
      await slow.end('SIGKILL')
      await share.close()
    }
  },
  180_000,
)
