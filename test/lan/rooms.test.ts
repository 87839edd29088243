/** A household of two rooms, each on a node of its own: what is said in one goes on in the other. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionMoved, SessionView, TurnView } from '../../src/api/index.ts'
import { readRecording } from '../../src/cli/recording.ts'
import { bytesOf } from '../../src/voice/index.ts'
import { agreed, Lan, type LanNode, together, whyNoLan } from './rig.ts'
import { type Heard, joined, Satellite } from './satellite.ts'

/** What is promised is 300 ms; a machine that runs all tests at once gets more. `bench/cluster/rooms.ts` measures it. */
const GAP_MS = 1_500
const SAMPLES_OFF = 20 * 16

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
    ;[a, b] = (await lan.start(['a', 'b'], { args })) as [LanNode, LanNode]
    await together([a, b], 20_000)
    kitchen = new Satellite(a, 'kitchen')
    living = new Satellite(b, 'living room')
    await Promise.all([kitchen.ready(), living.ready()])
  }, 90_000)
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
  }, 60_000)

  it('an answer goes on in the living room, where that is said, at the sample at which it was', async () => {
    const reference = await longAnswer(kitchen)
    const went = await moved(kitchen, living, async () => {
      living.say(await recording('continue in the living room'))
    })
    const view = await living.until('the turn there', () =>
      living.turns.find(({ intent }) => intent === 'session.move'),
    )
    expect(view).toMatchObject({ session: went.session, room: 'living room' })
    exact(went, reference)
  }, 120_000)

  it('goes on in the kitchen, when that is said to the loudspeaker that speaks', async () => {
    const reference = await longAnswer(living)
    const went = await moved(living, kitchen, async () => {
      living.say(await recording('continue in the kitchen'))
    })
    // It fell silent for what was said, which takes a second and a half.
    exact(went, reference, 1_500)
  }, 120_000)

  it('goes on where a person orders it, and says why it does not', async () => {
    const reference = await longAnswer(kitchen)
    const went = await moved(kitchen, living, async (session) => {
      const order = await b.json<SessionMoved>('session', 'move', session, '--room', 'living room')
      expect(order).toMatchObject({ session, room: 'living room', to: b.id })
    })
    exact(went, reference)
    const order = async (...to: string[]) => (await a.loqa('session', 'move', went.session, ...to)).stderr
    expect(await order('--room', 'garage')).toMatch(/no speaker in the garage/)
    expect(await order('--room', 'living room')).toMatch(/speaks in that room already/)
    expect(await order()).toMatch(/--room, or --node/)
  }, 120_000)

  it('what is to be said in a room is said there, whatever node that is on', async () => {
    const announced = (where: Satellite) => where.events.filter(({ text }) => text === 'Dinner is ready.')
    const asked = await a.json<TurnView>('ask', 'tell the living room that dinner is ready')
    expect(asked.reply).toBe('I said it in the living room.')
    await living.until('the announcement', () => announced(living).length > 0)
    expect([announced(kitchen).length, announced(living).length]).toEqual([0, 1])
  }, 60_000)

  const QUESTION = 'what is on the shopping list'
  const wholes = new Map<Satellite, Int16Array>()
  /** The shopping list as it sounds when it is heard in one room. The voice makes other samples each time; a node keeps what it said. */
  const longAnswer = async (where: Satellite): Promise<Int16Array> => {
    const known = wholes.get(where)
    if (known !== undefined) return known
    if (wholes.size === 0) {
      for (const pair of [
        'milk and eggs',
        'bread and butter',
        'cheese and apples',
        'bananas and tomatoes',
        'potatoes and onions',
        'carrots and milk',
        'rice and coffee',
      ]) {
        await a.json('ask', `add ${pair}`)
      }
      await agreed([a, b], 20_000)
    }
    const before = where.replies.length
    await said(where, QUESTION)
    const { samples } = await reply(where, before)
    expect(samples.length).toBeGreaterThan(4_000 * 16)
    wholes.set(where, samples)
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

  /** Both parts are the answer as it is said in one room, cut at one sample. */
  const exact = ({ first, second }: Went, reference: Int16Array, spoken_ms = 0): void => {
    expect(first.samples.length).toBeGreaterThan(1_000 * 16)
    expect(second.samples.length).toBeGreaterThan(1_000 * 16)
    const both = joined([first.samples, second.samples])
    expect(Math.abs(both.length - reference.length)).toBeLessThanOrEqual(SAMPLES_OFF)
    expect(reference.findIndex((sample, i) => i < both.length && sample !== both[i])).toBe(-1)
    expect(second.began - first.ended).toBeLessThan(spoken_ms + GAP_MS)
  }
})
