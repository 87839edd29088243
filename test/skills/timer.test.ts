import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EntryChange } from '../../src/actors/index.ts'
import type { Skills } from '../../src/skills/index.ts'
import { stageOf, startedSkills } from './house-skills.ts'
import { SATURDAY_AFTERNOON, type SkillStage } from './stage.ts'

/** The timer skill through its actor and a real sandbox, in virtual time. */
let skills: Skills
let timer: SkillStage

const MINUTE = 60
const second_ms = 1_000

beforeAll(async () => {
  skills = await startedSkills()
})
afterAll(() => skills.stop())
beforeEach(() => {
  timer = stageOf(skills, 'timer')
})

describe('a timer', () => {
  it('is set, tells what is left and rings in the room it was set in', async () => {
    expect(await timer.say('timer.set', { duration: 5 * MINUTE })).toBe('Timer set for five minutes.')
    await timer.advance(110 * second_ms)
    expect(await timer.say('timer.left')).toBe(
      'Your five minute timer has three minutes and ten seconds left.',
    )
    await timer.advance(190 * second_ms)
    // To whoever set it, where they are, else in that room.
    expect(timer.announced).toEqual([
      {
        ...{ type: 'announce', skill: 'timer', speech: 'Your five minute timer is done.' },
        ...{ room: 'kitchen', whose: 'session' },
      },
    ])
    expect(await timer.say('timer.left')).toBe('There is no timer running.')
    expect(timer.stored.size).toBe(0)
  })

  it('has a name', async () => {
    expect(await timer.say('timer.set', { duration: 10 * MINUTE, name: 'pasta' })).toBe(
      'Pasta timer set for ten minutes.',
    )
    expect(await timer.say('timer.left', { name: 'pasta' })).toBe('Your pasta timer has ten minutes left.')
    expect(await timer.say('timer.left', { name: 'egg' })).toBe('There is no egg timer.')
    await timer.advance(10 * MINUTE * second_ms)
    expect(timer.announced.map(({ speech }) => speech)).toEqual(['Your pasta timer is done.'])
  })

  it('of a name that is running starts again', async () => {
    await timer.say('timer.set', { duration: 60, name: 'tea' })
    expect(await timer.say('timer.set', { duration: 180, name: 'tea' })).toBe(
      'Tea timer set again for three minutes.',
    )
    await timer.advance(179 * second_ms)
    expect(timer.announced).toEqual([])
    await timer.advance(1 * second_ms)
    expect(timer.announced).toHaveLength(1)
  })

  it('asks for how long', async () => {
    const result = await timer.ask('timer.set', { name: 'tea' })
    expect(result).toMatchObject({ speech: 'For how long?', follow_up: { slot: 'duration' } })
  })

  it.each([0, 0.4, -5, 86_401, 1e12])('of %d seconds is refused with the limits', async (duration) => {
    expect(await timer.say('timer.set', { duration })).toBe(
      'I can set timers from one second to twenty four hours.',
    )
    expect(timer.stored.size).toBe(0)
  })

  it('of one second and of a whole day is set', async () => {
    expect(await timer.say('timer.set', { duration: 1 })).toBe('Timer set for one second.')
    expect(await timer.say('timer.set', { duration: 86_400 })).toBe('Timer set for twenty four hours.')
  })

  it('number thirty three is refused', async () => {
    for (let index = 0; index < 32; index += 1) await timer.say('timer.set', { duration: 60 + index })
    expect(await timer.say('timer.set', { duration: 60 })).toBe(
      'You already have thirty two timers. Cancel one first.',
    )
    expect(await timer.say('timer.list')).toMatch(
      /^You have thirty two timers\. (Your .{10,90} left\. ){8}Twenty four more ring later\.$/,
    )
    expect(await timer.say('timer.cancel_all')).toBe('All thirty two timers cancelled.')
    expect(timer.stored.size).toBe(0)
  })
})

describe('cancelling', () => {
  it('takes the only timer', async () => {
    await timer.say('timer.set', { duration: 300 })
    expect(await timer.say('timer.cancel')).toBe('Five minute timer cancelled.')
    await timer.advance(400 * second_ms)
    expect(timer.announced).toEqual([])
  })

  it('asks which one when several are running, and takes the one named', async () => {
    await timer.say('timer.set', { duration: 300, name: 'pasta' })
    await timer.say('timer.set', { duration: 60, name: 'egg' })
    await timer.say('timer.set', { duration: 7_200 })
    expect(await timer.ask('timer.cancel')).toMatchObject({
      speech: 'Which timer should I cancel: the egg timer, the pasta timer or the two hour timer?',
      follow_up: { slot: 'name' },
    })
    expect(await timer.say('timer.cancel', { name: 'egg' })).toBe('Egg timer cancelled.')
    expect(await timer.say('timer.cancel', { duration: 7_200 })).toBe('Two hour timer cancelled.')
    expect(await timer.say('timer.left')).toBe('Your pasta timer has five minutes left.')
  })

  it('asks for the length when none has a name', async () => {
    await timer.say('timer.set', { duration: 300 })
    await timer.say('timer.set', { duration: 60 })
    expect(await timer.ask('timer.cancel')).toMatchObject({ follow_up: { slot: 'duration' } })
  })

  it('takes the first to ring of two that sound the same', async () => {
    await timer.say('timer.set', { duration: 60 })
    await timer.advance(10 * second_ms)
    await timer.say('timer.set', { duration: 60 })
    expect(await timer.say('timer.cancel')).toBe('One minute timer cancelled.')
    expect(await timer.say('timer.left')).toBe('Your one minute timer has one minute left.')
  })

  it('says so when there is nothing to cancel', async () => {
    expect(await timer.say('timer.cancel')).toBe('There is no timer running.')
    expect(await timer.say('timer.cancel_all')).toBe('There is no timer running.')
    expect(await timer.say('timer.cancel', { name: 'egg' })).toBe('There is no timer running.')
  })
})

describe('several timers', () => {
  it('are listed in the order they ring', async () => {
    await timer.say('timer.set', { duration: 300, name: 'pasta' })
    await timer.say('timer.set', { duration: 61 })
    expect(await timer.say('timer.list')).toBe(
      'You have two timers. Your one minute and one second timer has one minute and one second left. ' +
        'Your pasta timer has five minutes left.',
    )
    expect(await timer.say('timer.cancel_all')).toBe('Both timers cancelled.')
  })

  it('are given more time one by one', async () => {
    await timer.say('timer.set', { duration: 300, name: 'pasta' })
    await timer.say('timer.set', { duration: 60, name: 'egg' })
    expect(await timer.say('timer.extend', { duration: 120, name: 'egg' })).toBe(
      'Egg timer extended. It now has three minutes left.',
    )
    expect(await timer.ask('timer.extend', { duration: 120 })).toMatchObject({ follow_up: { slot: 'name' } })
    await timer.advance(179 * second_ms)
    expect(timer.announced).toEqual([])
    await timer.advance(121 * second_ms)
    expect(timer.announced.map(({ speech }) => speech)).toEqual([
      'Your egg timer is done.',
      'Your pasta timer is done.',
    ])
  })

  it('that would run longer than a day are left as they are', async () => {
    await timer.say('timer.set', { duration: 86_000 })
    expect(await timer.say('timer.extend', { duration: 3_600 })).toBe(
      'A timer can run for twenty four hours at most.',
    )
  })
})

describe('a reminder', () => {
  it('is kept apart from timers and says its task', async () => {
    expect(await timer.say('timer.remind', { task: 'call mom', duration: 600 })).toBe(
      'I will remind you to call mom in ten minutes.',
    )
    expect(await timer.say('timer.list')).toBe('There is no timer running.')
    await timer.advance(60 * second_ms)
    expect(await timer.say('timer.reminders')).toBe('You have one reminder: call mom in nine minutes.')
    await timer.advance(540 * second_ms)
    expect(timer.announced.map(({ speech }) => speech)).toEqual(['This is your reminder to call mom.'])
    expect(await timer.say('timer.reminders')).toBe('You have no reminders.')
  })

  it('may be as long as a text can be: what is spoken of it is cut, nothing is lost', async () => {
    const task = 'tell everybody who asks '.repeat(60).trim()
    const said = []
    for (let index = 0; index < 32; index += 1) {
      said.push(await timer.say('timer.remind', { task, duration: 60 + index }))
    }
    expect(said[0]).toMatch(/^I will remind you to tell everybody .* and so on\.$/)
    expect(said.at(-1)).toBe('I have no room for another reminder.')
    expect(await timer.say('timer.reminders')).toMatch(/^You have \w+ reminders: .* and so on\.$/)
    await timer.advance(60 * second_ms)
    expect(timer.announced.map(({ speech }) => speech)).toEqual([
      expect.stringMatching(/^This is your reminder to tell everybody .* and so on\.$/),
    ])
  })

  it('asks for what is missing', async () => {
    expect(await timer.ask('timer.remind', { duration: 60 })).toMatchObject({ follow_up: { slot: 'task' } })
    expect(await timer.ask('timer.remind', { task: 'call mom' })).toMatchObject({
      speech: 'In how long?',
      follow_up: { slot: 'duration' },
    })
  })
})

describe('a restart', () => {
  it('changes nothing for a timer that is still running', async () => {
    await timer.say('timer.set', { duration: 300, name: 'pasta' })
    timer.boot(100 * second_ms)
    expect(await timer.say('timer.left')).toBe('Your pasta timer has three minutes and twenty seconds left.')
    await timer.advance(200 * second_ms)
    expect(timer.announced.map(({ speech }) => speech)).toEqual(['Your pasta timer is done.'])
  })

  it('announces what fell due while the node was away, once', async () => {
    await timer.say('timer.set', { duration: 300, name: 'pasta' })
    await timer.say('timer.remind', { task: 'call mom', duration: 30 })
    timer.boot(900 * second_ms)
    await timer.settle()
    expect(timer.announced.map(({ speech }) => speech)).toEqual([
      'While I was away, I should have reminded you to call mom, fourteen minutes ago.',
      'While I was away, your pasta timer ended, ten minutes ago.',
    ])
    timer.boot()
    await timer.settle()
    expect(timer.announced).toHaveLength(2)
  })

  it('with a clock set back never makes a timer longer than it was', async () => {
    await timer.say('timer.set', { duration: 300 })
    timer.boot(-365 * 86_400 * second_ms)
    expect(await timer.say('timer.left')).toBe('Your five minute timer has five minutes left.')
  })
})

describe('timers of two nodes', () => {
  const entriesOf = ({ stored }: SkillStage): EntryChange[] =>
    [...stored].map(([key, value]) => ({ change: 'put', key, value }))

  it('that were set while they could not talk are all there afterwards', async () => {
    const other = stageOf(skills, 'timer')
    other.seed = 8
    await timer.say('timer.set', { duration: 300 })
    await other.say('timer.set', { duration: 300, name: 'tea' })
    timer.write(...entriesOf(other))
    other.write(...entriesOf(timer))
    for (const node of [timer, other]) {
      expect(await node.say('timer.list')).toMatch(/^You have two timers\./)
      expect(await node.say('timer.left', { name: 'tea' })).toBe('Your tea timer has five minutes left.')
    }
  })

  it('are cancelled, asked about and extended on either', async () => {
    const other = stageOf(skills, 'timer')
    await other.settle()
    await timer.say('timer.set', { duration: 300, name: 'tea' })
    other.write(...entriesOf(timer))
    expect(await other.say('timer.left')).toBe('Your tea timer has five minutes left.')
    expect(await other.say('timer.extend', { duration: 60 })).toBe(
      'Tea timer extended. It now has six minutes left.',
    )
    timer.write(...entriesOf(other))
    expect(await timer.say('timer.left')).toBe('Your tea timer has six minutes left.')
    expect(await timer.say('timer.cancel')).toBe('Tea timer cancelled.')
    expect(timer.stored.size).toBe(0)
  })

  it('of which one node kept the words only are none, and are forgotten with all others', async () => {
    await timer.say('timer.set', { duration: 300, name: 'tea' })
    await timer.say('timer.set', { duration: 300, name: 'egg' })
    const tea = [...timer.stored].find(([, value]) => String(value).startsWith('tea'))![0]
    timer.write({ change: 'delete', key: tea.replace('storage/', 'timer/') })
    expect(await timer.say('timer.list')).toBe('Your egg timer has five minutes left.')
    expect(await timer.say('timer.cancel')).toBe('Egg timer cancelled.')
    expect(timer.stored.size).toBe(1)
    expect(await timer.say('timer.cancel_all')).toBe('There is no timer running.')
    expect(timer.stored.size).toBe(0)
  })

  it('of an earlier version, named by number, still ring', async () => {
    timer.stored.set('storage/t7', 'tea\n60\nkitchen\ns')
    timer.stored.set('timer/t7', { due_wall: SATURDAY_AFTERNOON + 60_000, delay_ms: 60_000 })
    timer.boot()
    await timer.advance(60 * second_ms)
    expect(timer.announced).toMatchObject([{ speech: 'Your tea timer is done.', room: 'kitchen' }])
    expect(timer.stored.size).toBe(0)
  })
})
