import { describe, expect, it } from 'vitest'
import type { EntryChange } from '../../src/actors/index.ts'
import { nodeId, requestId } from '../../src/host/index.ts'
import type { CallOutcome, Change, SkillCall } from '../../src/skills/call.ts'
import { skillError } from '../../src/skills/errors.ts'
import type { SkillArgs } from '../../src/skills/index.ts'
import { RING_STEP_MS } from '../../src/skills/ringing.ts'
import { MAX_WAITING_CALLS } from '../../src/skills/skill-calls.ts'
import { type Invoke, SATURDAY_AFTERNOON, SkillStage } from './stage.ts'

const ARGS: SkillArgs = {
  name: 'pet',
  node: nodeId('here'),
  confirm: { 'pet.release': 'Shall I really?' },
  intents: ['pet.feed', 'pet.release'],
  may_speak: true,
  zone: 'Europe/Berlin',
}
const FULL = { code: 'store-full', message: 'The disk is full', retryable: true }

const answering = (speech: string, ...changes: Change[]): CallOutcome => ({
  ok: true,
  result: { answer: { speech }, changes },
})
const failing: CallOutcome = { ok: false, error: skillError('skill-trapped', 'it trapped') }

/** A stage whose skill answers what the script says, call by call; the calls are kept. */
function scripted(...script: CallOutcome[]): { stage: SkillStage; calls: SkillCall[] } {
  const calls: SkillCall[] = []
  const invoke: Invoke = (call) => {
    calls.push(call)
    return script[calls.length - 1] ?? answering('again')
  }
  return { stage: new SkillStage(ARGS, invoke), calls }
}

const kinds = (stage: SkillStage): string[] =>
  stage.effects
    .map(({ type }) => type)
    .filter((type) => ['invoke', 'write', 'reply', 'publish'].includes(type))

describe('the actor of a skill', () => {
  it('1: answers only after what the call changed is durable', async () => {
    const { stage } = scripted(answering('fed', { change: 'put', key: 'meals', value: '1' }))
    expect(await stage.say('pet.feed')).toBe('fed')
    expect(kinds(stage)).toEqual(['invoke', 'write', 'reply'])
    expect(stage.stored).toEqual(new Map([['storage/meals', '1']]))
  })

  it('1: changes nothing when the store refuses, and says so', async () => {
    const { stage, calls } = scripted(answering('fed', { change: 'put', key: 'meals', value: '1' }))
    await stage.settle()
    stage.storeFails = FULL
    expect(await stage.ask('pet.feed')).toMatchObject({
      speech: 'Sorry, I cannot save that. The disk is full.',
      failed: { code: 'store-full' },
    })
    stage.storeFails = undefined
    await stage.ask('pet.feed')
    expect(calls[1]!.storage).toEqual({})
  })

  it('1: sets no timer and announces nothing when the store refuses', async () => {
    const { stage } = scripted(
      answering(
        'soon',
        { change: 'timer-set', timer: 'meal', delay_ms: 1_000 },
        { change: 'announce', speech: 'hear', room: '', session: '' },
      ),
    )
    await stage.settle()
    stage.storeFails = FULL
    await stage.ask('pet.feed')
    await stage.advance(5_000)
    expect(stage.announced).toEqual([])
  })

  it('1: writes nothing when nothing changed', async () => {
    const { stage } = scripted(answering('full already'))
    expect(await stage.say('pet.feed')).toBe('full already')
    expect(kinds(stage)).toEqual(['invoke', 'reply'])
  })

  it('2: gives each call what the ones before it left', async () => {
    const { stage, calls } = scripted(
      answering('one', { change: 'put', key: 'a', value: '1' }, { change: 'put', key: 'b', value: '1' }),
      answering('two', { change: 'delete', key: 'a' }, { change: 'timer-set', timer: 't', delay_ms: 9_000 }),
      answering('three', { change: 'timer-cancel', timer: 't' }),
    )
    const all = await Promise.all(['one', 'two', 'three', 'four'].map(() => stage.tellAsk('pet.feed')))
    expect(all.map(({ speech }) => speech)).toEqual(['one', 'two', 'three', 'again'])
    expect(calls.map(({ storage }) => storage)).toEqual([{}, { a: '1', b: '1' }, { b: '1' }, { b: '1' }])
    expect(calls.map(({ timers }) => timers)).toEqual([{}, {}, { t: 9_000 }, {}])
  })

  it.each([
    ['skill-trapped', 'Sorry, the pet skill is not working right now.'],
    ['skill-timeout', 'Sorry, the pet skill took too long.'],
    ['skill-disabled', 'The pet skill misbehaved, so I switched it off.'],
    ['skill-busy', 'Sorry, the pet skill has too much to do. Please try again in a moment.'],
  ] as const)('3: answers honestly when its call ends with %s', async (code, speech) => {
    const { stage } = scripted({ ok: false, error: skillError(code, 'why') })
    expect(await stage.ask('pet.feed')).toMatchObject({ speech, failed: { code } })
    expect(await stage.say('pet.feed')).toBe('again')
  })

  it('3: refuses more than can wait, and an intent it does not have', async () => {
    const { stage } = scripted()
    const all = Array.from({ length: MAX_WAITING_CALLS + 2 }, () => stage.tellAsk('pet.feed'))
    await stage.settle()
    const results = await Promise.all(all)
    expect(results.filter(({ failed }) => failed?.code === 'skill-busy')).toHaveLength(2)
    expect(results.filter(({ failed }) => failed === undefined)).toHaveLength(MAX_WAITING_CALLS)
    expect(await stage.ask('pet.train')).toMatchObject({ failed: { code: 'not-found' } })
  })

  it('3: answers while its state cannot be read, and works when it can be again', async () => {
    const { stage } = scripted(answering('fed'))
    await stage.settle()
    stage.storeFails = { code: 'store-io', message: 'disk', retryable: true }
    stage.boot()
    expect((await stage.tellAsk('pet.feed')).failed).toMatchObject({ code: 'store-io' })
    stage.storeFails = undefined
    await stage.advance(1_000)
    expect(await stage.say('pet.feed')).toBe('fed')
  })

  it('4: announces before it forgets the timer', async () => {
    const { stage, calls } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
      answering('', { change: 'announce', speech: 'Hungry!', room: 'kitchen', session: '' }),
    )
    await stage.ask('pet.feed')
    await stage.advance(999)
    expect(stage.announced).toEqual([])
    await stage.advance(1)
    // With the conversation in which it was set: it is said where its person is.
    expect(stage.announced).toEqual([
      { type: 'announce', skill: 'pet', speech: 'Hungry!', room: 'kitchen', whose: 'session' },
    ])
    expect(kinds(stage)).toEqual(['invoke', 'write', 'reply', 'invoke', 'publish', 'write'])
    expect(JSON.parse(calls[1]!.input)).toEqual({ timer: 'meal', late_ms: 0, missed: false })
    expect(stage.stored.size).toBe(0)
  })

  it('4: rings a timer that fell due while it was down, as missed and late', async () => {
    const { stage, calls } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
    )
    await stage.ask('pet.feed')
    stage.boot(61_000)
    await stage.settle()
    expect(JSON.parse(calls[1]!.input)).toEqual({ timer: 'meal', late_ms: 60_000, missed: true })
  })

  it('4: rings again after a restart when forgetting failed, but not before', async () => {
    const { stage, calls } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
      answering('', { change: 'announce', speech: 'Hungry!', room: '', session: '' }),
    )
    await stage.ask('pet.feed')
    stage.storeFails = FULL
    await stage.advance(60_000)
    expect(stage.announced).toHaveLength(1)
    expect(calls).toHaveLength(2)
    stage.storeFails = undefined
    stage.boot()
    await stage.settle()
    expect(calls).toHaveLength(3)
  })

  it('4: says that something is due when the skill cannot', async () => {
    const { stage } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
      failing,
    )
    await stage.ask('pet.feed')
    await stage.advance(1_000)
    expect(stage.announced).toMatchObject([
      { speech: 'Something is due that the pet skill should tell you. Sorry, I lost what it was.' },
    ])
    expect(stage.stored.size).toBe(0)
  })

  it('4: rings again when the sandbox had no chance, also a missed one', async () => {
    const { stage, calls } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
      { ok: false, error: skillError('skill-stopped', 'The node is going down') },
      { ok: false, error: skillError('skill-timeout', 'It had no chance') },
      answering('', { change: 'announce', speech: 'Hungry!', room: '', session: '' }),
    )
    await stage.ask('pet.feed')
    stage.boot(5_000)
    await stage.settle()
    expect(stage.announced).toEqual([])
    expect(stage.stored.size).toBe(1)
    await stage.advance(2_000)
    expect(stage.announced.map(({ speech }) => speech)).toEqual(['Hungry!'])
    expect(JSON.parse(calls[3]!.input)).toEqual({ timer: 'meal', late_ms: 6_000, missed: true })
    expect(stage.stored.size).toBe(0)
  })

  it('4: a timer set again while it rings rings again', async () => {
    const again: Change = { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }
    const { stage, calls } = scripted(answering('soon', again), answering('', again), answering('', again))
    await stage.ask('pet.feed')
    await stage.advance(2_000)
    expect(calls.map(({ entry }) => entry)).toEqual(['handle', 'due', 'due'])
  })

  it('4: a timer moved later does not ring at its old time', async () => {
    const { stage, calls } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
      answering('later', { change: 'timer-set', timer: 'meal', delay_ms: 5_000 }),
    )
    await stage.ask('pet.feed')
    await stage.ask('pet.feed')
    await stage.advance(4_999)
    expect(calls).toHaveLength(2)
    await stage.advance(1)
    expect(calls).toHaveLength(3)
  })

  it('4: a timer cancelled while its ring waits does not ring', async () => {
    const { stage, calls } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
      answering('stopped', { change: 'timer-cancel', timer: 'meal' }),
    )
    await stage.ask('pet.feed')
    await stage.advance(999)
    const stopped = stage.tellAsk('pet.feed')
    await stage.advance(1)
    expect((await stopped).speech).toBe('stopped')
    expect(calls).toHaveLength(2)
  })

  it('4: a timer woken too early still rings', async () => {
    const { stage, calls } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
    )
    await stage.ask('pet.feed')
    stage.tell({ type: 'timer.due', timer: 'meal' })
    await stage.advance(1_000)
    expect(calls.map(({ entry }) => entry)).toEqual(['handle', 'due'])
  })

  it('does not do what nobody waits for any more', async () => {
    let open = (): void => undefined
    const gate = new Promise<void>((done) => {
      open = done
    })
    const calls: SkillCall[] = []
    const stage = new SkillStage(ARGS, async (call) => {
      calls.push(call)
      await gate
      return answering('done')
    })
    const first = stage.tellAsk('pet.feed')
    await Promise.resolve()
    const second = stage.tellAsk('pet.feed')
    stage.pass(3_000)
    open()
    expect((await first).speech).toBe('done')
    expect(await second).toMatchObject({ failed: { code: 'timeout' } })
    expect(calls).toHaveLength(1)
  })

  it('5: asks before it does what must be confirmed', async () => {
    const { stage, calls } = scripted(answering('gone'))
    expect(await stage.ask('pet.release')).toMatchObject({
      speech: 'Shall I really?',
      follow_up: { confirm: true },
    })
    expect(calls).toEqual([])
    expect(await stage.say('pet.release', {}, true)).toBe('gone')
  })

  const MEAL = 'timer/meal'
  const stored = (delay_ms: number, by = 'there', at = SATURDAY_AFTERNOON): EntryChange => ({
    ...{ change: 'put', key: MEAL, value: { due_wall: at + delay_ms, delay_ms, by } },
  })
  const gone: EntryChange = { change: 'delete', key: MEAL }
  const house = (...nodes: string[]) => ({
    type: 'house' as const,
    nodes: nodes.map((name) => ({ node: nodeId(name), speakers: [], steady: true })),
    caught_up: true,
  })
  const rung = answering('', { change: 'announce', speech: 'Hungry!', room: '', session: '' })

  it('2: gives each call what other nodes wrote and told by then', async () => {
    const { stage, calls } = scripted()
    await stage.settle()
    stage.write({ change: 'put', key: 'storage/meals', value: '3' }, stored(9_000))
    await stage.ask('pet.feed')
    stage.write({ change: 'delete', key: 'storage/meals' }, gone)
    await stage.ask('pet.feed')
    expect(calls.map(({ storage }) => storage)).toEqual([{ meals: '3' }, {}])
    expect(calls.map(({ timers }) => timers)).toEqual([{ meal: 9_000 }, {}])
  })

  it('2: keeps what others wrote while a call was under way', async () => {
    const { stage, calls } = scripted(answering('fed', { change: 'put', key: 'mine', value: '1' }))
    await stage.settle()
    const fed = stage.tellAsk('pet.feed')
    stage.write({ change: 'put', key: 'storage/theirs', value: '1' })
    await fed
    await stage.ask('pet.feed')
    expect(calls[1]!.storage).toEqual({ mine: '1', theirs: '1' })
  })

  it('2: holds what the store holds when two wrote the same', async () => {
    const { stage, calls } = scripted(answering('fed', { change: 'put', key: 'meals', value: 'mine' }))
    await stage.ask('pet.feed')
    stage.write({ change: 'put', key: 'storage/meals', value: 'theirs' })
    await stage.ask('pet.feed')
    expect(calls[1]!.storage).toEqual({ meals: 'theirs' })
  })

  it.each([
    ['no timer', { due_wall: 'soon', delay_ms: 1 }],
    ['a timer of no time', { due_wall: Number.NaN, delay_ms: 1 }],
    ['a timer for ever', { due_wall: 1, delay_ms: 1e12 }],
    ['nothing', null],
  ])('2: takes %s of another node for none', async (_, value) => {
    const { stage, calls } = scripted()
    await stage.settle()
    stage.write({ change: 'put', key: MEAL, value }, { change: 'put', key: 'storage/meals', value: 7 })
    await stage.advance(5_000)
    await stage.ask('pet.feed')
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({ timers: {}, storage: {} })
  })

  it('3: goes on with what it knows while the store cannot be followed, and catches up', async () => {
    const { stage, calls } = scripted()
    await stage.settle()
    stage.lost(FULL)
    expect(await stage.say('pet.feed')).toBe('again')
    stage.stored.set('storage/meals', '3')
    await stage.advance(1_000)
    await stage.ask('pet.feed')
    expect(calls[1]!.storage).toEqual({ meals: '3' })
  })

  it('6: says in what it stores who set a timer, and where it was asked for', async () => {
    const { stage } = scripted(answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }))
    await stage.ask('pet.feed')
    expect(stage.stored.get(MEAL)).toEqual({
      due_wall: SATURDAY_AFTERNOON + 1_000,
      delay_ms: 1_000,
      by: 'here',
      room: 'kitchen',
      session: 'session',
    })
  })

  it('6: rings a timer of an earlier version, and one of a node that is gone', async () => {
    const { stage } = scripted(rung, rung)
    await stage.settle()
    stage.write({
      ...{ change: 'put', key: MEAL, value: { due_wall: SATURDAY_AFTERNOON + 1_000, delay_ms: 1_000 } },
    })
    await stage.advance(1_000)
    expect(stage.announced).toHaveLength(1)
    stage.tell(house('here'))
    stage.write(stored(2_000))
    await stage.advance(1_000)
    expect(stage.announced).toHaveLength(2)
  })

  it('6: leaves a timer to the node that set it, and does not ring what that one rang', async () => {
    const { stage } = scripted()
    stage.tell(house('here', 'there'))
    await stage.settle()
    stage.write(stored(1_000))
    await stage.advance(1_100)
    stage.write(gone)
    await stage.advance(60_000)
    expect(stage.announced).toEqual([])
  })

  it('6: rings it a step later when that one does not, at once when it is gone', async () => {
    const late = scripted(rung)
    late.stage.tell(house('here', 'there'))
    await late.stage.settle()
    late.stage.write(stored(1_000))
    await late.stage.advance(1_000 + RING_STEP_MS - 1)
    expect(late.stage.announced).toEqual([])
    await late.stage.advance(1)
    expect(late.stage.announced).toHaveLength(1)

    const soon = scripted(rung)
    soon.stage.tell(house('here', 'there'))
    await soon.stage.settle()
    soon.stage.write(stored(1_000))
    await soon.stage.advance(1_200)
    soon.stage.tell(house('here'))
    await soon.stage.settle()
    expect(soon.stage.announced).toHaveLength(1)
  })

  it('6: does not ring what another node cancelled or rang while its own call was under way', async () => {
    const { stage, calls } = scripted(rung)
    await stage.settle()
    stage.write(stored(1_000))
    await stage.advance(999)
    stage.hold()
    await stage.advance(1)
    stage.write(gone)
    await stage.release()
    expect(calls).toHaveLength(1)
    expect(stage.announced).toEqual([])
  })

  it('6: rings at the new time what another node moved', async () => {
    const { stage, calls } = scripted(rung)
    await stage.settle()
    stage.write(stored(1_000))
    await stage.advance(500)
    stage.write(stored(5_000))
    await stage.advance(4_499)
    expect(calls).toEqual([])
    await stage.advance(1)
    expect(stage.announced).toHaveLength(1)
  })

  it('6: takes what a steady node tells for set just now, whatever its clock says', async () => {
    const { stage, calls } = scripted()
    stage.tell(house('here', 'there'))
    await stage.settle()
    stage.write(stored(60_000, 'there', SATURDAY_AFTERNOON - 3_600_000))
    await stage.ask('pet.feed')
    stage.write(stored(60_000, 'there', SATURDAY_AFTERNOON + 3_600_000))
    await stage.ask('pet.feed')
    expect(calls.map(({ timers }) => timers.meal)).toEqual([60_000, 60_000])
  })

  it('7: a node that starts waits until it has heard what happened meanwhile', async () => {
    const { stage } = scripted(
      answering('soon', { change: 'timer-set', timer: 'meal', delay_ms: 1_000 }),
      rung,
    )
    await stage.ask('pet.feed')
    stage.boot(60_000)
    stage.tell({ ...house('here'), caught_up: false })
    await stage.advance(9_000)
    expect(stage.announced).toEqual([])
    stage.tell(house('here', 'there'))
    await stage.settle()
    expect(stage.announced).toHaveLength(1)
  })

  it('7: a node that leaves rings nothing more', async () => {
    const { stage } = scripted(rung)
    await stage.settle()
    stage.write(stored(1_000, 'here'))
    stage.tell({ ...house('here'), caught_up: false })
    await stage.advance(60_000)
    expect(stage.announced).toEqual([])
    stage.tell(house('here'))
    await stage.settle()
    expect(stage.announced).toHaveLength(1)
  })

  it('7: a node that was asleep when its turn came waits for a word of the others', async () => {
    const { stage } = scripted(rung, rung)
    stage.tell(house('here', 'there'))
    await stage.settle()
    stage.write(stored(1_000, 'here'))
    stage.pass(30_000)
    await stage.advance(0)
    expect(stage.announced).toEqual([])
    stage.write(gone)
    await stage.advance(60_000)
    expect(stage.announced).toEqual([])
  })

  it('7: and rings when none comes', async () => {
    const { stage } = scripted(rung)
    stage.tell(house('here', 'there'))
    await stage.settle()
    stage.write(stored(1_000, 'here'))
    stage.pass(2_000)
    await stage.advance(3_000)
    expect(stage.announced).toHaveLength(1)
  })

  it('gives a skill local time, the room and the slots, and nothing it cannot use twice', async () => {
    const { stage, calls } = scripted()
    await stage.ask('pet.feed', { item: ['fish'] })
    expect(calls[0]).toMatchObject({ entry: 'handle', time: { offset_min: 60 } })
    expect(JSON.parse(calls[0]!.input)).toEqual({
      intent: 'pet.feed',
      slots: { item: ['fish'] },
      room: 'kitchen',
      session: 'session',
      confirmed: false,
    })
  })

  it('ignores outcomes of work it does not wait for', async () => {
    const { stage } = scripted()
    await stage.settle()
    const { state } = stage
    stage.tell({ type: 'outcome', id: requestId('call'), event: 'done', body: {} })
    stage.tell({ type: 'outcome', id: requestId('changes'), event: 'done' })
    stage.tell({ type: 'outcome', id: requestId('other'), event: 'done' })
    stage.tell({ type: 'timer.due', timer: 'never' })
    expect(stage.state).toEqual(state)
  })
})
