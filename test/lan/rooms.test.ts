/** A household of two rooms, each on a node of its own: what is said in one goes on in the other. The rest is in `bench/cluster/rooms.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionView, TurnView } from '../../src/api/index.ts'
import { readRecording } from '../../src/cli/recording.ts'
import { bytesOf } from '../../src/voice/index.ts'
import { agreed, Lan, type LanNode, together, whyNoLan } from './rig.ts'
import { type Heard, joined, Satellite } from './room-satellite.ts'

/** What was said takes a second and a half; for a machine that runs all tests at once. `bench/cluster/rooms.ts` measures it. */
const GAP_MS = 10_000
/** Two with engines start at once, on a machine that may be busy. */
const UP_MS = 90_000
const SECOND = 16_000
/** 20 ms. */
const SAMPLES_OFF = SECOND / 50
const ITEMS = ['milk and eggs', 'bread and butter', 'cheese and apples', 'bananas and tomatoes']

describe.skipIf(whyNoLan !== undefined)('a house of two rooms', () => {
  let lan: Lan
  let a: LanNode
  let b: LanNode
  let kitchen: Satellite
  let living: Satellite
  const recordings = new Map<string, string>()
  beforeAll(async () => {
    lan = new Lan()
    const args = ['--set', 'inference.stt=auto', '--set', 'inference.tts=auto']
    ;[a, b] = ['a', 'b'].map((name) => lan.host().spawn(name, { args })) as [LanNode, LanNode]
    await Promise.all(
      [a, b].map((node) => node.until(() => node.output.includes(' is ready'), UP_MS, 'the ready line')),
    )
    await together([a, b], 60_000)
    kitchen = new Satellite(a, 'kitchen')
    living = new Satellite(b, 'living room')
    await Promise.all([kitchen.ready(), living.ready()])
  }, 180_000)
  afterAll(async () => {
    kitchen?.close()
    living?.close()
    await lan.close()
  })

  /** What a person says, as a recording. */
  const recording = async (text: string): Promise<string> => {
    const known = recordings.get(text)
    if (known !== undefined) return known
    const file = join(a.data, `${text.replaceAll(' ', '-')}.wav`)
    expect((await a.loqa('say', text, '-o', file)).code).toBe(0)
    const raw = `${file}.raw`
    writeFileSync(raw, bytesOf(readRecording(file, readFileSync(file)).samples))
    recordings.set(text, raw)
    return raw
  }
  const said = async (where: Satellite, text: string): Promise<TurnView> => {
    const before = where.turns.length
    where.say(await recording(text))
    return where.until(`a turn about ${text}`, () => where.turns[before])
  }
  const reply = async (where: Satellite, before: number): Promise<Heard> =>
    where.until('the end of a reply', () => where.replies[before])
  const sessions = (node: LanNode) => node.json<SessionView[]>('sessions')

  it('a timer that was set in the kitchen is changed in the living room', async () => {
    const set = await said(kitchen, 'set a timer for five minutes')
    expect(set.reply).toBe('Timer set for five minutes.')
    const changed = await said(living, 'make it ten')
    expect(changed).toMatchObject({
      ...{ transcript: 'make it ten', intent: 'timer.change', room: 'living room' },
      // It is the same conversation, which lives there now.
      ...{ session: set.session, reply: 'Timer set to ten minutes.' },
    })
    expect(living.session).toBe(set.session)
    const rows = await sessions(a)
    expect(rows.find(({ id }) => id === set.session)).toMatchObject({ room: 'living room' })
    expect((await a.json<TurnView>('ask', 'which timers are set')).reply).toMatch(
      /^Your ten minute timer has (ten|nine) minutes/,
    )
  }, 120_000)

  it('an answer goes on in the living room, when that is said in the kitchen, at the sample at which it was', async () => {
    const reference = await longAnswer(kitchen)
    const { session, first, second } = await moved(kitchen, living, async () => {
      kitchen.say(await recording('continue in the living room'))
    })
    const rows = await sessions(a)
    expect(rows.find(({ id }) => id === session)).toMatchObject({ room: 'living room', node: b.id })
    // Both parts are the answer as it is said in one room, cut at one sample.
    expect(first.samples.length).toBeGreaterThan(SECOND)
    expect(second.samples.length).toBeGreaterThan(SECOND)
    const both = joined([first.samples, second.samples])
    expect(Math.abs(both.length - reference.length)).toBeLessThanOrEqual(SAMPLES_OFF)
    expect(reference.findIndex((sample, i) => i < both.length && sample !== both[i])).toBe(-1)
    expect(second.began - first.ended).toBeLessThan(GAP_MS)
  }, 180_000)

  const QUESTION = 'what is on the shopping list'
  /** The shopping list as it sounds when it is heard in one room. */
  const longAnswer = async (where: Satellite): Promise<Int16Array> => {
    for (const pair of ITEMS) await a.json('ask', `add ${pair}`)
    await agreed([a, b], 60_000)
    const before = where.replies.length
    await said(where, QUESTION)
    const { samples } = await reply(where, before)
    expect(samples.length).toBeGreaterThan(4 * SECOND)
    return samples
  }

  interface Went {
    readonly session: string
    readonly first: Heard
    readonly second: Heard
  }

  /** Asked in one room; after a second `order` has it go on in the other. */
  const moved = async (
    from: Satellite,
    to: Satellite,
    order: (session: string) => Promise<unknown>,
  ): Promise<Went> => {
    const before = { here: from.replies.length, there: to.replies.length }
    from.say(await recording(QUESTION))
    await from.until(
      'some of the answer',
      () => from.replies.length === before.here && from.played_ms > 1_200,
    )
    const { session } = from
    await order(session)
    const first = await reply(from, before.here)
    const second = await reply(to, before.there)
    expect(to.session).toBe(session)
    await from.until('another conversation', () => from.session !== session)
    return { session, first, second }
  }
})
