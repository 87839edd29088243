import { describe, expect, it } from 'vitest'
import { nodeId } from '../../src/host/index.ts'
import type { CallOutcome, Change, SkillCall } from '../../src/skills/call.ts'
import type { SkillArgs, SkillMessage } from '../../src/skills/index.ts'
import { SkillStage } from './stage.ts'

/** F1–F4 of `skill-flight.ts`: two nodes' actors of one skill, with what one stores told to the other. */

const ARGS: SkillArgs = {
  name: 'post',
  node: nodeId('a'),
  confirm: {},
  intents: ['post.send', 'post.look'],
  idempotent: ['post.look'],
  may_speak: true,
  hears: true,
  zone: 'UTC',
}
const saying = (speech: string, ...changes: Change[]): CallOutcome => ({
  ok: true,
  result: { answer: { speech }, changes },
})
const FETCH: Change = { change: 'http', id: 'r', method: 'GET', url: 'https://a.example/', headers: {} }

function stageOn(
  node: string,
  answer: (call: SkillCall) => CallOutcome,
): { stage: SkillStage; calls: SkillCall[] } {
  const calls: SkillCall[] = []
  const stage = new SkillStage({ ...ARGS, node: nodeId(node) }, (call) => {
    calls.push(call)
    return answer(call)
  })
  return { stage, calls }
}
const house = (...nodes: string[]): SkillMessage => ({
  type: 'house',
  nodes: nodes.map((node) => ({ node: nodeId(node), speakers: [], steady: true })),
  caught_up: true,
})
const notes = (stage: SkillStage): [string, unknown][] =>
  [...stage.stored].filter(([key]) => key.startsWith('flight/'))

/** What a node that died had noted reaches the other. */
function handOver(from: SkillStage, to: SkillStage): void {
  for (const [key, value] of notes(from)) to.write({ change: 'put', key, value })
}

async function couple(answer: (call: SkillCall) => CallOutcome = () => saying('done')) {
  const a = stageOn('a', answer)
  const b = stageOn('b', answer)
  for (const { stage } of [a, b]) {
    await stage.settle()
    stage.tell(house('a', 'b'))
  }
  return { a, b }
}

describe('a call in flight when its node dies', () => {
  it('F1 is done elsewhere when it is idempotent; F4 what it says is said aloud where it was asked for', async () => {
    const { a, b } = await couple()
    a.stage.hold()
    void a.stage.tellAsk('post.look', { what: 'mail' })
    await a.stage.settle()
    expect(notes(a.stage)).toHaveLength(1)
    handOver(a.stage, b.stage)
    await b.stage.advance(10_000)
    expect(b.calls).toHaveLength(0)
    b.stage.tell(house('b'))
    await b.stage.advance(1)
    await b.stage.settle()
    expect(b.calls.map(({ input }) => JSON.parse(input))).toMatchObject([
      { intent: 'post.look', slots: { what: 'mail' } },
    ])
    expect(b.stage.announced).toMatchObject([{ speech: 'done', room: 'kitchen', session: 'session' }])
    expect(notes(b.stage)).toEqual([])
  })

  it('F1 is never done elsewhere when it is not', async () => {
    const { a, b } = await couple()
    a.stage.hold()
    void a.stage.tellAsk('post.send')
    await a.stage.settle()
    handOver(a.stage, b.stage)
    b.stage.tell(house('b'))
    await b.stage.advance(60_000)
    expect([notes(a.stage), b.calls]).toEqual([[], []])
  })

  it('F2 is tried once: a third node leaves it when the second dies too', async () => {
    const { a, b } = await couple()
    const c = stageOn('c', () => saying('done'))
    await c.stage.settle()
    c.stage.tell(house('a', 'b', 'c'))
    a.stage.hold()
    void a.stage.tellAsk('post.look')
    await a.stage.settle()
    handOver(a.stage, b.stage)
    b.stage.hold()
    b.stage.tell(house('b', 'c'))
    await b.stage.advance(2_000)
    expect(notes(b.stage)).toMatchObject([[expect.any(String), { by: 'b', again: true }]])
    handOver(b.stage, c.stage)
    c.stage.tell(house('c'))
    await c.stage.advance(50_000)
    expect(c.calls).toEqual([])
  })

  it('F2 is left to the other who is first', async () => {
    const { a, b } = await couple()
    const c = stageOn('c', () => saying('done'))
    await c.stage.settle()
    c.stage.tell(house('a', 'b', 'c'))
    a.stage.hold()
    void a.stage.tellAsk('post.look')
    await a.stage.settle()
    for (const { stage } of [b, c]) {
      handOver(a.stage, stage)
      stage.hold()
      stage.tell(house('b', 'c'))
    }
    await b.stage.advance(1)
    await c.stage.advance(1)
    const [first, second] = notes(b.stage).some(([, note]) => (note as { again: boolean }).again)
      ? [b.stage, c.stage]
      : [c.stage, b.stage]
    handOver(first, second)
    await second.advance(5_000)
    await second.release()
    expect(b.calls.length + c.calls.length).toBe(0)
    await first.release()
    expect(b.calls.length + c.calls.length).toBe(1)
  })

  it('F3 is forgotten when nobody can want it any more', async () => {
    const { a, b } = await couple()
    a.stage.hold()
    void a.stage.tellAsk('post.look')
    await a.stage.settle()
    b.stage.pass(120_000)
    handOver(a.stage, b.stage)
    b.stage.tell(house('b'))
    await b.stage.advance(5_000)
    expect([b.calls, notes(b.stage)]).toEqual([[], []])
  })

  it('lasts until what it asked a server for was heard', async () => {
    const { a } = await couple((call) => (call.entry === 'handle' ? saying('Looking.', FETCH) : saying('')))
    expect(await a.stage.say('post.look')).toBe('Looking.')
    expect(notes(a.stage)).toHaveLength(1)
    await a.stage.ends({ status: 200, headers: {}, body: '' })
    expect(a.calls.at(-1)!.entry).toBe('heard')
    expect(notes(a.stage)).toEqual([])
  })

  it.each(['alone', 'failing'])('leaves no note behind when the node is %s', async (how) => {
    const failing: CallOutcome = {
      ok: false,
      error: { code: 'skill-trapped', message: 'it trapped', retryable: false },
    }
    const { a } = await couple(() => (how === 'failing' ? failing : saying('done')))
    if (how === 'alone') a.stage.tell(house('a'))
    await a.stage.ask('post.look')
    expect(notes(a.stage)).toEqual([])
  })

  it('goes on when the note cannot be written', async () => {
    const { a } = await couple()
    a.stage.storeFails = { code: 'store-full', message: 'The disk is full', retryable: true }
    expect(await a.stage.say('post.look')).not.toBe('')
    expect(a.calls).toHaveLength(1)
  })

  it('of an earlier life of this node is dropped', async () => {
    const { a } = await couple()
    a.stage.hold()
    void a.stage.tellAsk('post.look')
    await a.stage.settle()
    a.stage.boot(3_000)
    await a.stage.settle()
    a.stage.tell(house('a', 'b'))
    await a.stage.settle()
    expect([notes(a.stage), a.calls]).toEqual([[], []])
  })
})
