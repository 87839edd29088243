import { describe, expect, it } from 'vitest'
import { nodeId } from '../../src/host/index.ts'
import type { CallOutcome, Change, Heard, SkillCall } from '../../src/skills/call.ts'
import type { SkillArgs } from '../../src/skills/index.ts'
import { personPrefix } from '../../src/skills/index.ts'
import { MAX_HOPS, MAX_REACHING, QUESTION_WITHIN_MS } from '../../src/skills/skill-reach.ts'
import { SkillStage } from './stage.ts'

/** What a skill wants done outside is done once the rest is durable, and what came of it is a call of its own. */

const ARGS: SkillArgs = {
  name: 'pet',
  node: nodeId('here'),
  confirm: {},
  intents: ['pet.feed'],
  may_speak: true,
  zone: 'UTC',
  hears: true,
  subscribes: ['pets.hungry'],
}
const saying = (speech: string, ...changes: Change[]): CallOutcome => ({
  ok: true,
  result: { answer: { speech }, changes },
})
const LAMP: Change = { change: 'device', device: 'lamp', command: 'on' }
const FETCH: Change = { change: 'http', id: 'food', method: 'GET', url: 'https://food.example/', headers: {} }
const AWAY = { code: 'device-unreachable', message: 'The lamp does not answer', retryable: true }

function scripted(
  args: Partial<SkillArgs>,
  ...script: CallOutcome[]
): { stage: SkillStage; calls: SkillCall[] } {
  const calls: SkillCall[] = []
  const stage = new SkillStage({ ...ARGS, ...args }, (call) => {
    calls.push(call)
    return script[calls.length - 1] ?? saying('')
  })
  return { stage, calls }
}
const heardIn = (call: SkillCall | undefined): Heard => JSON.parse(call!.input) as Heard

describe('a device', () => {
  it('is told after the rest is durable; the answer waits until it has done it', async () => {
    const { stage } = scripted({}, saying('The light is on.', { change: 'put', key: 'a', value: 'b' }, LAMP))
    const said = stage.tellAsk('pet.feed')
    await stage.settle()
    expect(
      stage.effects.filter(({ type }) => ['write', 'invoke', 'reply'].includes(type)).map(({ type }) => type),
    ).toEqual(['invoke', 'write', 'invoke'])
    expect([...stage.outside.values()][0]).toMatchObject({
      to: 'pet',
      op: 'device',
      body: { device: 'lamp', command: 'on' },
    })
    await stage.ends(undefined)
    expect((await said).speech).toBe('The light is on.')
  })

  it('that does not do it is not said to have done it', async () => {
    const { stage } = scripted({}, saying('Both are on.', LAMP, { ...LAMP, device: 'other' }))
    const said = stage.tellAsk('pet.feed')
    await stage.settle()
    await stage.ends(undefined)
    await stage.ends(undefined, AWAY)
    expect(await said).toMatchObject({
      speech: 'Sorry. The lamp does not answer.',
      failed: { code: AWAY.code },
    })
    expect(stage.effects).toContainEqual({
      type: 'audit',
      what: 'skill.device',
      object: 'pet: other',
      outcome: AWAY.code,
    })
  })

  it('is told nothing when the store refuses', async () => {
    const { stage } = scripted({}, saying('on', { change: 'put', key: 'a', value: 'b' }, LAMP))
    await stage.settle()
    stage.storeFails = { code: 'store-full', message: 'The disk is full', retryable: true }
    await stage.ask('pet.feed')
    expect(stage.outside.size).toBe(0)
  })

  it('that is slow keeps no other call waiting', async () => {
    const { stage } = scripted({}, saying('slow', LAMP), saying('quick'))
    void stage.tellAsk('pet.feed')
    expect((await stage.ask('pet.feed')).speech).toBe('quick')
  })
})

describe('a request', () => {
  it('is answered later, as a call of its own, with where it was asked for', async () => {
    const answer = { status: 200, headers: {}, body: 'fish' }
    const { stage, calls } = scripted(
      {},
      saying('Looking.', FETCH),
      saying('', { change: 'announce', speech: 'Fish!', room: 'kitchen', session: '' }),
    )
    expect((await stage.ask('pet.feed')).speech).toBe('Looking.')
    await stage.ends(answer)
    expect(calls[1]).toMatchObject({ entry: 'heard' })
    expect(heardIn(calls[1])).toEqual({
      id: 'food',
      of: 'http',
      ok: true,
      value: answer,
      room: 'kitchen',
      session: 'session',
    })
    expect(stage.announced).toMatchObject([{ speech: 'Fish!' }])
  })

  it('that failed is heard too', async () => {
    const { stage, calls } = scripted({}, saying('Looking.', FETCH))
    await stage.ask('pet.feed')
    await stage.ends(undefined, { code: 'http-refused', message: 'no', retryable: false })
    expect(heardIn(calls[1])).toMatchObject({ ok: false, error: { code: 'http-refused', message: 'no' } })
  })

  it('too many at once are refused at once', async () => {
    const many = Array.from({ length: 8 }, (_, i): Change => ({ ...FETCH, id: `r${i}` }) as Change)
    const { stage, calls } = scripted({}, ...Array.from({ length: 5 }, () => saying('', ...many)))
    for (let i = 0; i < 5; i += 1) await stage.ask('pet.feed')
    expect(stage.outside.size).toBe(MAX_REACHING)
    const refused = calls.filter(({ entry }) => entry === 'heard').map(heardIn)
    expect(refused).toHaveLength(8)
    expect(refused.every(({ error }) => error?.code === 'overloaded')).toBe(true)
  })

  it('of one that cannot hear ends in the log alone', async () => {
    const { stage, calls } = scripted({ hears: false }, saying('Looking.', FETCH))
    await stage.ask('pet.feed')
    await stage.ends({ status: 200 })
    expect(calls).toHaveLength(1)
  })
})

describe('a message on a topic', () => {
  it('goes to who subscribes, not to who said it, and not on for ever', async () => {
    const publish: Change = { change: 'publish', topic: 'pets.fed', data: 'cat' }
    const { stage, calls } = scripted({}, saying('', publish), saying('', publish), saying('', publish))
    const hear = async (topic: string, from: string, hops: number): Promise<void> => {
      stage.tell({ type: 'topic.said', topic, data: 'cat', from, hops })
      await stage.settle()
    }
    await stage.settle()
    await hear('pets.asleep', 'vet', 1)
    await hear('pets.hungry', 'pet', 1)
    expect(calls).toHaveLength(0)
    await hear('pets.hungry', 'vet', 1)
    expect(heardIn(calls[0])).toMatchObject({
      id: 'pets.hungry',
      of: 'topic',
      value: { data: 'cat', from: 'vet' },
    })
    expect(stage.published).toEqual([
      { type: 'topic.said', topic: 'pets.fed', data: 'cat', from: 'pet', hops: 2 },
    ])
    await hear('pets.hungry', 'vet', MAX_HOPS)
    expect(calls).toHaveLength(2)
    expect(stage.published).toHaveLength(1)
  })
})

describe('a question put unasked', () => {
  const ASK: Change = {
    change: 'question',
    id: 'feed?',
    speech: 'Shall I feed the cat?',
    room: 'kitchen',
    session: '',
  }
  const answers = (stage: SkillStage, yes: number) => stage.ask('pet.-question', { id: 'feed?', yes }, true)

  it('is announced; the answer is heard, and what the skill says to it is the reply', async () => {
    const { stage, calls } = scripted({}, saying('', ASK), saying('Fed.'))
    await stage.ask('pet.feed')
    expect(stage.announced).toEqual([
      {
        type: 'announce',
        skill: 'pet',
        speech: 'Shall I feed the cat?',
        room: 'kitchen',
        asks: { name: 'pet.-question', slots: { id: 'feed?', yes: 1 } },
      },
    ])
    expect((await answers(stage, 1)).speech).toBe('Fed.')
    expect(heardIn(calls[1])).toMatchObject({ of: 'question', id: 'feed?', ok: true, value: { yes: true } })
    expect((await answers(stage, 1)).speech).toBe('That was too long ago.')
    expect(calls).toHaveLength(2)
  })

  it('that nobody answers is heard to be over, once', async () => {
    const { stage, calls } = scripted({}, saying('', ASK))
    await stage.ask('pet.feed')
    await stage.advance(QUESTION_WITHIN_MS + 10)
    expect(heardIn(calls[1])).toMatchObject({ of: 'question', ok: false, error: { code: 'timeout' } })
    await stage.advance(QUESTION_WITHIN_MS)
    expect(calls).toHaveLength(2)
  })
})

describe('a card', () => {
  it('is shown without having been asked for', async () => {
    const { stage } = scripted({}, saying('', { change: 'card', card: { title: 'Cat' }, room: '' }))
    await stage.ask('pet.feed')
    expect(stage.published).toEqual([{ type: 'visual.card.update', skill: 'pet', card: { title: 'Cat' } }])
  })
})

describe('what is kept of a person', () => {
  it('is seen in their own conversations only, on every node, and goes when they are erased', async () => {
    const put: Change = { change: 'personal-put', key: 'cat', value: 'Minka' }
    const { stage, calls } = scripted({}, saying('', put))
    stage.person = 'anna'
    await stage.ask('pet.feed')
    expect(calls[0]!.personal).toEqual({})
    expect(stage.stored).toEqual(new Map([['person/anna/cat', 'Minka']]))
    await stage.ask('pet.feed')
    expect(calls[1]!.personal).toEqual({ cat: 'Minka' })
    stage.person = 'ben'
    await stage.ask('pet.feed')
    expect(calls[2]!.personal).toEqual({})
    stage.person = undefined
    await stage.ask('pet.feed')
    expect(calls[3]!.personal).toBeUndefined()
    stage.write({ change: 'put', key: 'person/ben/dog', value: 'Rex' })
    stage.person = 'ben'
    await stage.ask('pet.feed')
    expect(calls[4]!.personal).toEqual({ dog: 'Rex' })
    // Erased: the node deletes what lies under their prefix.
    stage.write({ change: 'delete', key: `${personPrefix('anna')}cat` })
    stage.person = 'anna'
    await stage.ask('pet.feed')
    expect(calls[5]!.personal).toEqual({})
  })
})
