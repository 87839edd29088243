/**
 * A real node whose preferred language model and voice are slowed on purpose: a server on this machine that takes its time. Within two
 * turns the tier falls, turns keep the new budget with what the node has of its own, and when the server is quick again so is the tier.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AuditRow, StatusView, TurnView } from '../../src/api/index.ts'
import { Chromium, findChromium } from './chromium.ts'
import { fixture, RunningNode } from './running-node.ts'

/** What the server takes before it says anything, ms. */
let slow_ms = 0
let asked = 0
let server: Server
let node: RunningNode
/** Somebody looks at the page all the while; where there is no browser, nobody does. */
let browser: Chromium | undefined

const SPOKEN = Buffer.alloc(24_000 * 2)
const written = [
  { choices: [{ delta: { content: '{"intent":"none"}' }, finish_reason: 'stop' }] },
  '[DONE]',
].map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)

beforeAll(async () => {
  for (let at = 0; at < SPOKEN.length; at += 2) SPOKEN.writeInt16LE(at % 400 < 200 ? 8_000 : -8_000, at)
  server = createServer((request, response) => {
    request.resume()
    response.on('error', () => undefined)
    setTimeout(() => {
      const speaks = request.url?.endsWith('/audio/speech') === true
      response.writeHead(200, { 'content-type': speaks ? 'audio/pcm' : 'text/event-stream' })
      response.end(speaks ? SPOKEN : written.join(''))
    }, slow_ms)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const settings = {
    ...{ 'openai.url': `http://127.0.0.1:${port}/v1`, 'openai.llm_model': 'big', 'openai.tts_model': 'fine' },
    // Wide enough for the node's own engines on a busy machine.
    ...{ 'qos.tier': 'auto', 'qos.fast_ms': 1_400, 'qos.balanced_ms': 1_400, 'qos.rich_ms': 1_400 },
    ...{ 'qos.recover_after_s': 1, 'qos.answers_kept': 16 },
  }
  const program = findChromium()
  ;[node, browser] = await Promise.all([
    RunningNode.start(Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])),
    program === undefined ? undefined : Chromium.start(program, fixture('what-time-is-it.wav')),
  ])
}, 120_000)
afterAll(async () => {
  await browser?.dispose()
  await node?.dispose()
  server?.closeAllConnections()
  server?.close()
})

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`${node.http}${path}`)).json()) as T
}
const quality = async (): Promise<StatusView['quality']> => (await get<StatusView>('/api/v1/status')).quality

const NUMBERS = ['five', 'two', 'three', 'four', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven']
const FIRST = NUMBERS[0]!
/** Nothing the sentence templates understand, and something else each time. */
async function ask(number = NUMBERS[asked++ % NUMBERS.length]!): Promise<TurnView> {
  const response = await fetch(`${node.http}/api/v1/ask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: `could you perhaps begin counting down from ${number} minutes` }),
  })
  return (await response.json()) as TurnView
}

it('falls within two slow turns, keeps the budget of the lower tier, and rises when the engine is quick again', async () => {
  await browser?.open(node.http)
  await browser?.until(shown('#health', /^ready$/))
  expect((await browser?.value(`document.querySelector('#tier').hidden`)) ?? true).toBe(true)
  expect(await quality()).toMatchObject({
    tier: 'rich',
    fixed: false,
    engines: { llm: 'llm' },
    last_step: null,
  })
  await ask()
  expect((await quality()).tier).toBe('rich')

  slow_ms = 1_450
  const slow = [await ask(), await ask()]
  expect(slow.map(({ latency_ms }) => latency_ms.nlu! > 1_300)).toEqual([true, true])
  expect(await quality()).toMatchObject({
    ...{ tier: 'balanced', budget_ms: 1_400 },
    engines: { llm: 'llm.llama:intent-starter' },
    last_step: { from: 'rich', to: 'balanced', why: 'slow-turns' },
  })

  await browser?.until(shown('#tier', /^Balanced answers for now: the last ones took too long\.$/))
  await browser?.until(shown('#health', /^ready · balanced$/))
  await browser?.click('#house')
  await browser?.until(shown('#tiers [aria-current]', /^balanced$/))
  await browser?.until(
    shown('#quality', /^Balanced answers begin within 1\.4 s .*before that rich: the last/),
  )

  for (let turn = 0; turn < 6; turn += 1) await ask()
  const below = await quality()
  expect(below).toMatchObject({ tier: 'balanced', turns: 6 })
  expect(below.p95_ms).toBeLessThanOrEqual(below.budget_ms)
  const { stdout } = await node.loqa('status')
  expect(stdout).toMatch(/answers +balanced, within 1400 ms, p95 \d+ ms, was rich: turns were slow/)

  // A trial meets the slow engine first, unheard.
  await until(async () => (await metric(/loqa_qos_trials_total\{engine="llm",kept="false"\} (\d+)/)) >= 1)
  expect((await quality()).tier).toBe('balanced')
  slow_ms = 0
  await until(async () => (await quality()).tier === 'rich')
  await browser?.until(shown('#tier', /^Rich answers again: they come in time\.$/))
  await browser?.until(shown('#health', /^ready$/))
  await browser?.until(shown('#tiers [aria-current]', /^rich$/))

  expect(await metric(/loqa_qos_steps_total\{from="rich",to="balanced",why="slow-turns"\} (\d+)/)).toBe(1)
  expect(await metric(/loqa_qos_steps_total\{from="balanced",to="rich",why="recovered"\} (\d+)/)).toBe(1)
  expect(await metric(/loqa_qos_tier\{tier="rich"\} (\d+)/)).toBe(1)
  const rows = (await node.json<AuditRow[]>('audit', 'ls')).filter(({ what }) => what === 'quality.stepped')
  expect(rows.map(({ object, outcome }) => [object, outcome])).toEqual([
    ['from rich to balanced', 'slow-turns'],
    ['from balanced to rich', 'recovered'],
  ])
})

it('tells again what it was told a moment ago, without asking', async () => {
  slow_ms = 5_000
  const before = await metric(/loqa_llm_answers_again_total (\d+)/)
  expect((await ask(FIRST)).latency_ms.nlu).toBeLessThan(1_400)
  expect(await metric(/loqa_llm_answers_again_total (\d+)/)).toBe(before + 1)
})

it('says in the plain voice what the chosen one is late with', async () => {
  slow_ms = 5_000
  const turn = await node.json<TurnView>('listen', fixture('set-a-timer-for-five-minutes.wav'))
  slow_ms = 0
  expect(turn.error).toBeUndefined()
  expect(turn.latency_ms.tts).toBeLessThan(4_000)
  expect(await metric(/loqa_qos_plain_voice_total (\d+)/)).toBeGreaterThan(0)
})

/** In the page, where it can be seen. */
const shown = (selector: string, words: RegExp): string =>
  `(() => { const one = document.querySelector('${selector}'); return one !== null && one.checkVisibility() && ${words}.test(one.innerText) })()`

async function metric(pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${node.http}/metrics`)).text()
  return Number(pattern.exec(text)?.[1] ?? 0)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 45_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to that in time')
    await new Promise((again) => setTimeout(again, 100))
  }
}
