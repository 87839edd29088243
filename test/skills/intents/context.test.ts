import { describe, expect, it } from 'vitest'
import { type Intent, type ReadingContext, read } from '../../../src/skills/intents/index.ts'
import { house } from './house.ts'

const timer: ReadingContext = {
  expecting: { intent: { name: 'timer.set', slots: { name: 'egg' } }, slot: 'duration' },
}
const task: ReadingContext = { expecting: { intent: { name: 'timer.remind', slots: {} }, slot: 'task' } }
const item: ReadingContext = { expecting: { intent: { name: 'list.add', slots: {} }, slot: 'item' } }
const which: ReadingContext = { expecting: { intent: { name: 'timer.cancel', slots: {} }, slot: 'name' } }
const named: ReadingContext = {
  expecting: { intent: { name: 'timer.extend', slots: { duration: 60 } }, slot: 'name' },
}
const undeclared: ReadingContext = { expecting: { intent: { name: 'timer.list', slots: {} }, slot: 'room' } }

describe('the answer to a question', () => {
  it.each<[string, ReadingContext, Intent]>([
    ['five minutes', timer, { name: 'timer.set', slots: { name: 'egg', duration: 300 } }],
    ['for five minutes please', timer, { name: 'timer.set', slots: { name: 'egg', duration: 300 } }],
    ['um make it an hour and a half', timer, { name: 'timer.set', slots: { name: 'egg', duration: 5400 } }],
    ['feed the dog', task, { name: 'timer.remind', slots: { task: 'feed the dog' } }],
    ['close the window', task, { name: 'timer.remind', slots: { task: 'close the window' } }],
    ['call mom in ten minutes', task, { name: 'timer.remind', slots: { task: 'call mom', duration: 600 } }],
    ['the five minute one', which, { name: 'timer.cancel', slots: { duration: 300 } }],
    ['the pasta timer', which, { name: 'timer.cancel', slots: { name: 'pasta' } }],
    ['the pasta one please', named, { name: 'timer.extend', slots: { duration: 60, name: 'pasta' } }],
    ['the kitchen', undeclared, { name: 'timer.list', slots: { room: 'kitchen' } }],
    ['milk', item, { name: 'list.add', slots: { item: ['milk'] } }],
    ['milk and bread', item, { name: 'list.add', slots: { item: ['milk', 'bread'] } }],
    ['milk bread and dog food', item, { name: 'list.add', slots: { item: ['milk', 'bread', 'dog food'] } }],
  ])('%s', (text, context, intent) => {
    expect(read(house, text, context)).toMatchObject({ intent, score: 1, complete: true })
  })

  it('is repaired like any other sentence', () => {
    const intent = { name: 'timer.set', slots: { name: 'egg', duration: 300 } }
    expect(read(house, 'five minuets', timer)).toMatchObject({ intent, complete: true })
    expect(read(house, 'five minuets', timer).score).toBeLessThan(1)
    expect(read(house, 'choclate', item).intent.slots).toEqual({ item: ['chocolate'] })
  })

  it('still lacks what was not said', () => {
    expect(read(house, 'feed the dog', task).missing).toEqual(['duration'])
    expect(read(house, 'call mom in ten minutes', task).missing).toEqual([])
  })

  it('is given time while it is unfinished', () => {
    expect(read(house, 'five', timer)).toMatchObject({ complete: false, extendable: 'likely' })
    expect(read(house, 'for', timer)).toMatchObject({ complete: false, extendable: 'likely' })
    expect(read(house, 'milk and', item)).toMatchObject({ complete: false, extendable: 'likely' })
    expect(read(house, 'call mom', task)).toMatchObject({ complete: true, extendable: 'possible' })
    expect(read(house, 'five minutes', timer)).toMatchObject({ complete: true, extendable: 'possible' })
    expect(read(house, 'ten seconds', timer)).toMatchObject({ complete: true, extendable: 'no' })
  })

  it.each([
    ['cancel', 'session.cancel'],
    ['no', 'session.no'],
    ['what time is it', 'clock.time'],
    ['turn on the kitchen lights', 'light.on'],
    ['what can i say', 'session.help'],
  ])('may as well be another command: %s', (text, name) => {
    expect(read(house, text, timer).intent.name).toBe(name)
  })
})

describe('a repetition with one thing changed', () => {
  const lights: Intent = { name: 'light.on', slots: { room: 'kitchen' } }
  const list: Intent = { name: 'list.add', slots: { item: ['milk'] } }

  it.each<[string, Intent, Intent]>([
    ['and in the bedroom', lights, { name: 'light.on', slots: { room: 'bedroom' } }],
    ['what about the living room', lights, { name: 'light.on', slots: { room: 'living room' } }],
    ['and bread', list, { name: 'list.add', slots: { item: ['bread'] } }],
  ])('%s', (text, last, intent) => expect(read(house, text, { last }).intent).toEqual(intent))

  it('stays a question when the last intent has no place for it', () => {
    expect(read(house, 'and in the kitchen', { last: list }).intent.name).toBe('session.also')
    expect(read(house, 'and in the kitchen').intent.name).toBe('session.also')
  })
})
