/** The skills that ship with the node, in their real sandbox: each sentence of theirs is understood as theirs, and what it says is so. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { nodeId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import type { Change, SkillCall } from '../../src/skills/call.ts'
import type { Device } from '../../src/skills/host-ports.ts'
import { compileGrammar, type Grammar, loadSkills, read, type Skills } from '../../src/skills/index.ts'
import { inLanguage } from '../../src/skills/intents/index.ts'
import { callSkill, SKILLS_FOLDER, silentLog } from './house-skills.ts'

const ROOT = new URL('../../', import.meta.url)
const yaml = (file: string): { file: string; content: Record<string, unknown> } => ({
  file,
  content: parse(readFileSync(new URL(file, ROOT), 'utf8')) as Record<string, unknown>,
})

let skills: Skills
let grammar: Grammar
beforeAll(async () => {
  // What stands in the call is replaced by what the node itself knows.
  const devices = { list: () => HOUSE, command: async () => undefined }
  const roots = [SKILLS_FOLDER]
  const node = nodeId('stage')
  skills = await loadSkills({
    host: realHost(),
    log: silentLog,
    node,
    roots,
    zone: 'UTC',
    ports: { devices },
  })
  skills.start()
  const house = ['lexicon', 'session', 'house'].map((name) => yaml(`config/intents/${name}.yaml`))
  grammar = compileGrammar([
    ...house,
    ...skills.intentSources.map(({ file, source }) => ({ file, content: source })),
  ])
})
afterAll(() => skills.stop())

/** Thursday, 26 November 2026, 18:00. */
const NOW = Date.UTC(2026, 10, 26, 18)

/** A skill with what it keeps: sentences in, speech and changes out. */
class Talk {
  storage: Record<string, string> = {}
  timers: Record<string, number> = {}
  changes: readonly Change[] = []
  wall_ms = NOW
  readonly skill: string

  constructor(skill: string) {
    this.skill = skill
  }

  async say(text: string, more: { confirmed?: boolean; room?: string } = {}): Promise<string> {
    const { intent, score } = read(grammar, text)
    expect([text, score]).toEqual([text, 1])
    return this.call('handle', {
      ...{ intent: intent.name, slots: intent.slots, room: more.room ?? 'kitchen', session: 's' },
      confirmed: more.confirmed ?? false,
    })
  }

  async call(entry: SkillCall['entry'], input: object): Promise<string> {
    const call: SkillCall = {
      ...{ entry, input: JSON.stringify(input), storage: this.storage, timers: this.timers, seed: 7 },
      time: { wall_ms: this.wall_ms, offset_min: 0 },
    }
    const outcome = await callSkill(skills, this.skill, call, 15_000)
    if (!outcome.ok) throw new Error(outcome.error.message)
    this.changes = outcome.result.changes
    for (const change of this.changes) {
      if (change.change === 'put') this.storage[change.key] = change.value
      else if (change.change === 'delete') delete this.storage[change.key]
      else if (change.change === 'timer-set') this.timers[change.timer] = change.delay_ms
      else if (change.change === 'timer-cancel') delete this.timers[change.timer]
    }
    return outcome.result.answer.speech
  }
}

describe('every skill that ships', () => {
  it('is there, and its sentences are nobody else’s', () => {
    expect(skills.list().map(({ name, state }) => `${name} ${state}`)).toEqual(
      ['announce', 'calc', 'clock', 'home', 'list', 'notes', 'reminders', 'routines', 'timer', 'todo'].map(
        (name) => `${name} ready`,
      ),
    )
    expect(grammar.conflicts).toEqual([])
  })
  it('understands the examples in its manifest as it says', () => {
    const wrong = skills.catalogue.skills.flatMap(({ manifest }) =>
      Object.entries(manifest.intents).flatMap(([intent, { examples }]) =>
        inLanguage<readonly string[]>(examples, 'en').filter(
          (example) => read(grammar, example).intent.name !== intent,
        ),
      ),
    )
    expect(wrong).toEqual([])
  })
  it('carries out only what the house asks for', () => {
    const handled = skills.catalogue.skills.flatMap(({ manifest }) => manifest.handles ?? [])
    expect(handled.filter((intent) => !grammar.intents.has(intent))).toEqual([])
    expect(new Set(handled).size).toBe(handled.length)
  })
})

describe('notes', () => {
  it('are taken, read, found, and deleted', async () => {
    const notes = new Talk('notes')
    expect(await notes.say('read my notes')).toBe('You have no notes.')
    expect(await notes.say('take a note')).toBe('What should I note?')
    expect(await notes.say('note that the key is under the mat')).toBe('Noted.')
    expect(await notes.say('write down the wine was good')).toBe('Noted.')
    expect(await notes.say('read my notes')).toBe(
      'You have two notes: The wine was good. The key is under the mat.',
    )
    expect(await notes.say('what did i note about the key')).toBe('The key is under the mat.')
    expect(await notes.say('find my note about cheese')).toBe('You have no note about cheese.')
    expect(await notes.say('delete my last note')).toBe('I deleted: the wine was good.')
    expect(await notes.say('delete all my notes')).toBe('Shall I delete all your notes?')
    expect(await notes.say('delete all my notes', { confirmed: true })).toBe('I deleted one note.')
    expect(notes.storage).toEqual({})
  })
})

describe('sums and units', () => {
  it.each([
    ['what is twelve plus thirty', 'Twelve plus thirty is forty two.'],
    ['what is eight minus fifty', 'Eight minus fifty is minus forty two.'],
    ['subtract eight from fifty', 'Fifty minus eight is forty two.'],
    ['what is 12 times 700', 'Twelve times seven hundred is eight thousand four hundred.'],
    ['divide ten by four', 'Ten divided by four is two point five.'],
    ['divide one by three', 'One divided by three is zero point three three three.'],
    ['divide one by zero', 'Nothing can be divided by zero.'],
    ['what is fifteen percent of eighty', 'Fifteen percent of eighty is twelve.'],
    ['how many grams are in a pound', 'One pound is four hundred and fifty three point five nine grams.'],
    ['convert five miles to kilometers', 'Five miles are eight point zero five kilometers.'],
    ['what is twenty celsius in fahrenheit', 'Twenty degrees celsius are sixty eight degrees fahrenheit.'],
    [
      'what is one hundred degrees fahrenheit in celsius',
      'One hundred degrees fahrenheit are thirty seven point seven eight degrees celsius.',
    ],
    ['how many inches are in a foot', 'One foot is twelve inches.'],
    ['convert two liters to meters', 'Liters cannot be converted to meters.'],
  ])('%s', async (said, reply) => {
    expect(await new Talk('calc').say(said)).toBe(reply)
  })
})

describe('the to-do list', () => {
  it('is added to, read, and gets shorter', async () => {
    const todo = new Talk('todo')
    expect(await todo.say('add call the plumber to my to do list')).toBe(
      'I added call the plumber to the to-do list.',
    )
    expect(await todo.say('add call the plumber to my to-do list')).toBe('That is on the to-do list already.')
    await todo.say('put mend the fence on the task list')
    expect(await todo.say('what is on my to do list')).toBe(
      'There are two things to do: call the plumber and mend the fence.',
    )
    expect(await todo.say('tick off the fence')).toBe('Mend the fence is done.')
    expect(await todo.say('mark call the plumber as done')).toBe('Call the plumber is done.')
    expect(await todo.say('read my to do list')).toBe('There is nothing to do.')
    await todo.say('add rest to my to do list')
    expect(await todo.say('clear the to do list', { confirmed: true })).toBe('The to-do list is empty now.')
  })
})

describe('announcements', () => {
  it('go to every room, or to one', async () => {
    const talk = new Talk('announce')
    expect(await talk.say('tell everyone that dinner is ready')).toBe('I said it everywhere.')
    expect(talk.changes).toEqual([{ change: 'announce', speech: 'Dinner is ready.', room: '', session: '' }])
    expect(await talk.say('tell the office that dinner is ready')).toBe('I said it in the office.')
    expect(talk.changes).toMatchObject([{ speech: 'Dinner is ready.', room: 'office' }])
    expect(await talk.say('make an announcement')).toBe('What should I say?')
  })
})

describe('reminders', () => {
  let reminders: Talk
  beforeEach(() => {
    reminders = new Talk('reminders')
  })
  const HOUR = 3_600_000
  it.each([
    ['remind me to water the roses tomorrow at eight', 'tomorrow at eight in the morning', 14 * HOUR],
    ['remind me to water the roses tomorrow at eight pm', 'tomorrow at eight in the evening', 26 * HOUR],
    ['remind me at seven to water the roses', 'today at seven in the evening', HOUR],
    ['remind me to water the roses at half past five', 'tomorrow at five thirty in the morning', 11.5 * HOUR],
    ['remind me tonight to water the roses', 'today at eight in the evening', 2 * HOUR],
    ['remind me on monday evening to water the roses', 'on Monday at seven in the evening', 97 * HOUR],
    ['remind me to water the roses next thursday at noon', 'on Thursday at noon', 162 * HOUR],
    [
      'remind me to water the roses on thursday at seven pm',
      'on Thursday at seven in the evening',
      undefined,
    ],
    ['set a reminder for tomorrow to water the roses', 'tomorrow at nine in the morning', 15 * HOUR],
    ['remind me to water the roses in twenty minutes', 'in twenty minutes', HOUR / 3],
  ])('%s', async (said, when, delay) => {
    const reply = await reminders.say(said)
    if (delay === undefined) {
      // Today at that time: it is Thursday.
      expect(reply).toBe('I will remind you today at seven in the evening to water the roses.')
      return
    }
    expect(reply).toBe(`I will remind you ${when} to water the roses.`)
    expect(Object.values(reminders.timers)).toEqual([delay])
  })
  it('ask when, ring once, are listed and forgotten', async () => {
    expect(await reminders.say('remind me to water the roses')).toBe('When?')
    await reminders.say('remind me to water the roses tomorrow at eight')
    expect(await reminders.say('what will you remind me of')).toBe('You have one reminder: water the roses.')
    const timer = Object.keys(reminders.timers)[0]!
    await reminders.call('due', { timer, late_ms: 0, missed: false })
    expect(reminders.changes.find(({ change }) => change === 'announce')).toMatchObject({
      speech: 'You wanted to be reminded: water the roses.',
    })
    expect(await reminders.say('read my reminders')).toBe('There is nothing to remind you of.')
    reminders.timers = {}
    await reminders.say('remind me to water the roses tomorrow at eight')
    expect(await reminders.say('cancel the reminder to water the roses')).toBe(
      'I will not remind you to water the roses.',
    )
    expect(reminders.timers).toEqual({})
    expect(await reminders.say('remind me to eat today at five pm')).toBe(
      'That has passed, or is more than a week away.',
    )
  })
})

const light = (id: string, room: string, state: Device['state'] = { on: false, can_dim: true }): Device => ({
  id,
  name: id,
  room,
  kind: 'light',
  state,
})
const HOUSE: readonly Device[] = [
  light('kitchen lamp', 'kitchen'),
  light('lamp', 'bedroom', { on: true, brightness: 50, can_dim: true }),
  light('desk lamp', 'office', { on: false, available: false }),
  { id: 'fan one', name: 'Fan', room: 'office', kind: 'switch', state: { on: true } },
  { id: 'fan two', name: 'Fan', room: 'bedroom', kind: 'switch', state: {} },
  { id: 'door', name: 'Front door', room: 'hallway', kind: 'lock', state: { state: 'locked' } },
  {
    id: 'blinds',
    name: 'Blinds',
    room: 'office',
    kind: 'cover',
    state: { state: 'open', can_position: true },
  },
  {
    id: 'gate',
    name: 'Garage door',
    room: 'garage',
    kind: 'cover',
    state: { state: 'closed', device_class: 'garage' },
  },
  {
    id: 'valve',
    name: 'Heating',
    room: 'bedroom',
    kind: 'climate',
    state: { target: 20, current: 19.5, min: 5, max: 28 },
  },
]
/** `device command value` of each. */
const told = ({ changes }: Talk): string[] =>
  changes.flatMap((change) =>
    change.change === 'device'
      ? [`${change.device}: ${change.command}${change.value === undefined ? '' : ` ${change.value}`}`]
      : [],
  )

describe('the house', () => {
  let home: Talk
  beforeEach(() => {
    home = new Talk('home')
  })
  it.each<[string, string, readonly string[], RegExp]>([
    ['turn on the lights', 'kitchen', ['kitchen lamp: on'], /^The light in the kitchen is on/],
    ['turn on the lights', 'attic', ['kitchen lamp: on', 'lamp: on'], /^The lights are on/],
    ['turn off all the lights', 'kitchen', ['kitchen lamp: off', 'lamp: off'], /off/],
    ['turn on the office lights', 'kitchen', [], /does not answer/],
    ['turn on the garden lights', 'kitchen', [], /no light in the garden/],
    ['dim the bedroom lights', 'kitchen', ['lamp: set_brightness 25'], /Darker/],
    ['set the kitchen lights to two hundred percent', 'kitchen', [], /zero to one hundred/],
    ['turn off the fan', 'office', ['fan one: off'], /the fan is off/i],
    ['turn off the fan', 'kitchen', [], /Which one/],
    ['turn off the fan in the bedroom', 'kitchen', ['fan two: off'], /off/],
    ['turn on the television', 'kitchen', [], /no television/],
    ['unlock the front door', 'kitchen', ['door: unlock'], /unlocking/],
    ['open the front door', 'kitchen', ['door: unlock'], /unlocking/],
    ['open the blinds to fifty percent', 'kitchen', ['blinds: set_position 50'], /fifty percent/],
    ['set the temperature to thirty degrees', 'kitchen', [], /from five to twenty eight/],
    ['make it colder', 'kitchen', ['valve: set_temperature 19'], /nineteen/],
    ['how warm is it in the bedroom', 'kitchen', [], /nineteen point five/],
    [
      'how is the house',
      'kitchen',
      [],
      /^The lamp is on, the blinds is open and the desk lamp does not answer\.$/,
    ],
  ])('%s, said in the %s', async (said, room, commands, reply) => {
    expect(await home.say(said, { room })).toMatch(reply)
    expect(told(home)).toEqual(commands)
  })
})

describe('routines', () => {
  it('do several things at one word, and let nobody in', async () => {
    const routines = new Talk('routines')
    expect(await routines.say('good night')).toBe(
      'Good night. The lights are off, everything else is off, the doors are locked, the covers are closing and the heating is set to seventeen degrees.',
    )
    expect(told(routines)).toEqual([
      'kitchen lamp: off',
      'lamp: off',
      'fan one: off',
      'fan two: off',
      'door: lock',
      'blinds: close',
      'gate: close',
      'valve: set_temperature 17',
    ])
    await routines.say('good morning')
    expect(told(routines)).toEqual(['valve: set_temperature 20', 'blinds: open'])
    await routines.say('i am home', { room: 'bedroom' })
    expect(told(routines)).toEqual(['lamp: on', 'valve: set_temperature 20'])
    expect(await routines.say('what happens at good night')).toMatch(/lights off.*lock doors/i)
  })
})
