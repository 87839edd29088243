import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EntryChange } from '../../src/actors/index.ts'
import type { SkillCall } from '../../src/skills/call.ts'
import type { Skills } from '../../src/skills/index.ts'
import { callSkill, stageOf, startedSkills } from './house-skills.ts'
import type { SkillStage } from './stage.ts'

let skills: Skills
beforeAll(async () => {
  skills = await startedSkills()
})
afterAll(() => skills.stop())

describe('the clock', () => {
  const at = async (intent: string, wall_ms: number, offset_min = 0): Promise<string> => {
    const call: SkillCall = {
      entry: 'handle',
      input: JSON.stringify({ intent, slots: {}, room: 'kitchen', session: 's', confirmed: false }),
      storage: {},
      timers: {},
      time: { wall_ms, offset_min },
      seed: 0,
    }
    const outcome = await callSkill(skills, 'clock', call, 15_000)
    if (!outcome.ok) throw new Error(outcome.error.message)
    return outcome.result.answer.speech
  }

  it.each([
    [0, 0, 'midnight'],
    [0, 1, 'one minute past midnight'],
    [0, 30, 'half past midnight'],
    [0, 45, 'a quarter to one in the morning'],
    [7, 0, "seven o'clock in the morning"],
    [11, 58, 'two minutes to noon'],
    [12, 0, 'noon'],
    [12, 15, 'a quarter past noon'],
    [12, 40, 'twenty to one in the afternoon'],
    [16, 10, 'ten past four in the afternoon'],
    [17, 31, 'twenty nine minutes to six in the evening'],
    [21, 5, 'five past nine in the evening'],
    [22, 0, "ten o'clock at night"],
    [23, 59, 'one minute to midnight'],
  ])('at %d:%d says it is %s', async (hour, minute, words) => {
    expect(await at('clock.time', Date.UTC(2026, 10, 21, hour, minute, 59))).toBe(`It is ${words}.`)
  })

  it.each([
    [
      Date.UTC(2026, 10, 21, 12),
      'Saturday, the twenty first of November',
      'Sunday, the twenty second of November',
    ],
    [
      Date.UTC(2026, 11, 31, 23, 59),
      'Thursday, the thirty first of December',
      'Friday, the first of January',
    ],
    [
      Date.UTC(2028, 1, 28, 12),
      'Monday, the twenty eighth of February',
      'Tuesday, the twenty ninth of February',
    ],
    [Date.UTC(2100, 1, 28, 12), 'Sunday, the twenty eighth of February', 'Monday, the first of March'],
    [Date.UTC(1969, 6, 20, 20), 'Sunday, the twentieth of July', 'Monday, the twenty first of July'],
    [0, 'Thursday, the first of January', 'Friday, the second of January'],
  ])('on day %d knows the date and tomorrow', async (wall_ms, today, tomorrow) => {
    expect(await at('clock.date', wall_ms)).toBe(`Today is ${today}.`)
    expect(await at('clock.tomorrow', wall_ms)).toBe(`Tomorrow is ${tomorrow}.`)
  })

  it('agrees with the calendar of the machine on every day of forty years', async () => {
    const format = new Intl.DateTimeFormat('en-GB', {
      weekday: 'long',
      month: 'long',
      day: 'numeric',
      timeZone: 'UTC',
    })
    // Every 37th day meets all days of the month and week.
    for (let day = 0; day < 40 * 365; day += 37) {
      const wall_ms = Date.UTC(2000, 0, 1 + day, 12)
      const parts = Object.fromEntries(format.formatToParts(wall_ms).map(({ type, value }) => [type, value]))
      const said = await at('clock.date', wall_ms)
      expect(said).toMatch(new RegExp(`^Today is ${parts.weekday}, the .* of ${parts.month}\\.$`))
    }
  })

  it('tells local time, also where it is another day', async () => {
    expect(await at('clock.time', Date.UTC(2026, 10, 21, 23, 30), 330)).toBe(
      "It is five o'clock in the morning.",
    )
    expect(await at('clock.date', Date.UTC(2026, 10, 21, 23, 30), 330)).toContain('Sunday')
    expect(await at('clock.date', Date.UTC(2026, 10, 21, 1), -480)).toContain('Friday')
  })
})

describe('the shopping list', () => {
  let list: SkillStage
  beforeEach(() => {
    list = stageOf(skills, 'list')
  })

  it('adds, reads and removes', async () => {
    expect(await list.say('list.read')).toBe('The shopping list is empty.')
    expect(await list.say('list.add', { item: ['milk'] })).toBe('I added milk to the shopping list.')
    expect(await list.say('list.read')).toBe('There is one thing on the list: milk.')
    expect(await list.say('list.add', { item: ['eggs', 'bread'] })).toBe(
      'I added eggs and bread to the shopping list.',
    )
    expect(await list.say('list.read')).toBe('There are three things on the list: milk, eggs and bread.')
    expect(await list.say('list.remove', { item: ['milk', 'bread'] })).toBe(
      'I took milk and bread off the list.',
    )
    expect(await list.say('list.read')).toBe('There is one thing on the list: eggs.')
  })

  it('adds nothing twice', async () => {
    await list.say('list.add', { item: ['milk'] })
    expect(await list.say('list.add', { item: ['milk'] })).toBe('Milk is already on the list.')
    expect(await list.say('list.add', { item: ['eggs', 'milk', 'eggs'] })).toBe(
      'I added eggs. Milk is already on the list.',
    )
    expect(await list.say('list.add', { item: ['eggs', 'milk'] })).toBe(
      'Eggs and milk are already on the list.',
    )
  })

  it('says what is not there', async () => {
    await list.say('list.add', { item: ['milk'] })
    expect(await list.say('list.remove', { item: ['soap'] })).toBe('Soap is not on the list.')
    expect(await list.say('list.remove', { item: ['milk', 'soap'] })).toBe(
      'I took milk off the list. Soap is not on it.',
    )
  })

  it('tells whether something is on it', async () => {
    await list.say('list.add', { item: ['eggs'] })
    expect(await list.say('list.has', { item: ['eggs'] })).toBe('Yes, eggs are on the list.')
    expect(await list.say('list.has', { item: 'milk' })).toBe('No, milk is not on the list.')
  })

  it('asks before it is cleared', async () => {
    await list.say('list.add', { item: ['eggs'] })
    expect(await list.ask('list.clear')).toMatchObject({
      speech: 'Shall I clear the shopping list?',
      follow_up: { confirm: true },
    })
    expect(await list.say('list.has', { item: 'eggs' })).toBe('Yes, eggs are on the list.')
    expect(await list.say('list.clear', {}, true)).toBe('The shopping list is empty now.')
    expect(await list.say('list.clear', {}, true)).toBe('The shopping list is already empty.')
    expect(list.stored.size).toBe(0)
  })

  it('asks what to add', async () => {
    expect(await list.ask('list.add')).toMatchObject({
      speech: 'What should I add?',
      follow_up: { slot: 'item' },
    })
    expect(await list.ask('list.remove', { item: [] })).toMatchObject({ follow_up: { slot: 'item' } })
  })

  it('is full at some point and says so', async () => {
    for (let index = 0; index < 20; index += 1) {
      await list.ask('list.add', { item: Array.from({ length: 10 }, (_, item) => `thing ${index} ${item}`) })
    }
    expect(await list.say('list.add', { item: ['one more'] })).toBe('The shopping list is full.')
    expect(await list.say('list.read')).toMatch(
      /^There are two hundred things on the list. The first are: thing 0 0, .* and thing 1 9\.$/,
    )
  })

  it('survives a restart', async () => {
    await list.say('list.add', { item: ['milk', 'cat food'] })
    list.boot(1_000)
    expect(await list.say('list.read')).toBe('There are two things on the list: milk and cat food.')
  })

  it('takes odd names as they are', async () => {
    const odd = ['  Crème Fraîche ', 'a "quoted" \\ thing', 'two\nlines', '😀', 'x'.repeat(500)]
    await list.say('list.add', { item: odd })
    const said = await list.say('list.read')
    expect(said).toContain('crème fraîche, a "quoted" \\ thing, two lines, 😀 and xxx')
    expect(said.length).toBeLessThan(300)
    await list.ask('list.add', { item: `${'y'.repeat(59)}😀` })
    expect(await list.say('list.read')).toContain(` and ${'y'.repeat(59)}.`)
  })

  it('keeps an entry for each thing, in the order in which they were added', async () => {
    await list.ask('list.add', { item: ['milk', 'bread'] })
    await list.ask('list.add', { item: ['apples'] })
    expect(list.stored).toEqual(
      new Map([
        ['storage/item/milk', '1'],
        ['storage/item/bread', '2'],
        ['storage/item/apples', '3'],
      ]),
    )
    await list.ask('list.remove', { item: ['bread'] })
    await list.ask('list.add', { item: ['bread'] })
    expect(await list.say('list.read')).toBe('There are three things on the list: milk, apples and bread.')
  })

  it('holds what two nodes added and took off while they could not talk, in the same order on both', async () => {
    const other = stageOf(skills, 'list')
    await list.ask('list.add', { item: ['milk', 'eggs'] })
    await other.settle()
    other.write(...entriesOf(list))
    const apart = [new Map(list.stored), new Map(other.stored)]
    await list.ask('list.add', { item: ['soap'] })
    await list.ask('list.remove', { item: ['milk'] })
    await other.ask('list.add', { item: ['bread', 'soap'] })
    const here = changesSince(apart[0]!, list)
    const there = changesSince(apart[1]!, other)
    // Soap was added on both; whichever of the two writes is the later one counts on both.
    list.write(...there)
    other.write(...here.filter(({ key }) => key !== 'storage/item/soap'))
    const said = 'There are three things on the list: eggs, bread and soap.'
    expect(await list.say('list.read')).toBe(said)
    expect(await other.say('list.read')).toBe(said)
  })

  it('when cleared, keeps what another node added meanwhile', async () => {
    const other = stageOf(skills, 'list')
    await list.ask('list.add', { item: ['milk', 'eggs'] })
    await other.settle()
    other.write(...entriesOf(list))
    const before = new Map(other.stored)
    await other.ask('list.clear', {}, true)
    await list.ask('list.add', { item: ['bread'] })
    list.write(...changesSince(before, other))
    expect(await list.say('list.read')).toBe('There is one thing on the list: bread.')
  })

  it('of an earlier version is read, and carried over with the next change', async () => {
    list.stored.set('storage/items', 'milk\neggs\ncat food')
    list.boot()
    expect(await list.say('list.has', { item: 'eggs' })).toBe('Yes, eggs are on the list.')
    expect(list.stored.size).toBe(1)
    expect(await list.say('list.remove', { item: ['eggs'] })).toBe('I took eggs off the list.')
    await list.ask('list.add', { item: ['bread'] })
    expect([...list.stored.keys()].sort()).toEqual([
      'storage/item/bread',
      'storage/item/cat food',
      'storage/item/milk',
    ])
    expect(await list.say('list.read')).toBe('There are three things on the list: milk, cat food and bread.')
  })

  it('of an earlier version is carried over whole when it is full, and cleared whole', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `thing ${index} ${'x'.repeat(50)}`.slice(0, 60))
    list.stored.set('storage/items', names.join('\n'))
    list.boot()
    expect(await list.say('list.add', { item: ['one more'] })).toBe('The shopping list is full.')
    await list.ask('list.remove', { item: [names[0]!] })
    expect(list.stored.size).toBe(199)
    list.stored.set('storage/items', names.join('\n'))
    list.boot()
    expect(await list.say('list.clear', {}, true)).toBe('The shopping list is empty now.')
    expect(list.stored.size).toBe(0)
  })
})

const entriesOf = ({ stored }: SkillStage): EntryChange[] =>
  [...stored].map(([key, value]) => ({ change: 'put', key, value }))

/** What one node did since then, as another one hears of it. */
const changesSince = (before: ReadonlyMap<string, unknown>, stage: SkillStage): EntryChange[] => [
  ...entriesOf(stage).filter(({ key }) => !before.has(key)),
  ...[...before.keys()]
    .filter((key) => !stage.stored.has(key))
    .map((key): EntryChange => ({ change: 'delete', key })),
]
