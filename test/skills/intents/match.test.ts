import { describe, expect, it } from 'vitest'
import { read, readAll } from '../../../src/skills/intents/index.ts'
import { house } from './house.ts'

/** "timer.set duration=300 name=egg": an intent on one line. */
function line(text: string): string {
  const { intent } = read(house, text)
  const slots = Object.entries(intent.slots).map(([name, value]) => `${name}=${[value].flat().join('+')}`)
  return [intent.name, ...slots].join(' ')
}

describe('sentences as the templates have them', () => {
  it.each([
    ['set a timer for five minutes', 'timer.set duration=300'],
    ['start another timer for an hour and a half', 'timer.set duration=5400'],
    ['set a ten minute timer', 'timer.set duration=600'],
    ['make a pasta timer for eight minutes', 'timer.set name=pasta duration=480'],
    ['wake me up in half an hour', 'timer.set duration=1800'],
    ['tell me when two minutes are over', 'timer.set duration=120'],
    ['cancel the egg timer', 'timer.cancel name=egg'],
    ['cancel the eggs timer', 'timer.cancel name=egg'],
    ['stop all my timers', 'timer.cancel_all'],
    ['how long is left on the pasta timer', 'timer.left name=pasta'],
    ['add five minutes to the timer', 'timer.extend duration=300'],
    [
      'remind me to take out the trash in twenty minutes',
      'timer.remind task=take out the trash duration=1200',
    ],
    ['which timers do i have', 'timer.list'],
    ['what time is it', 'clock.time'],
    ["what's the date today", 'clock.date'],
    ["what's the date tomorrow", 'clock.tomorrow'],
    ['add milk to the shopping list', 'list.add item=milk'],
    ['put dog food and paper towels on the list', 'list.add item=dog food+paper towels'],
    ['take milk off the list', 'list.remove item=milk'],
    ['what is on my shopping list', 'list.read'],
    ['is butter on the list', 'list.has item=butter'],
    ['clear the shopping list', 'list.clear'],
    ['turn on the lights', 'light.on'],
    ['switch the living room lights off', 'light.off room=living room'],
    ['kitchen lights on', 'light.on room=kitchen'],
    ['dim the bedroom lights to twenty percent', 'light.set room=bedroom level=20'],
    ['dim the lights to 20%', 'light.set level=20'],
    ['turn on the fan in the office', 'device.on device=fan room=office'],
    ['turn off everything', 'device.off'],
    ['set the temperature to twenty one degrees', 'climate.set degrees=21'],
    ['open the garage door', 'opening.open opening=garage door'],
    ['lock the front door', 'door.lock door=front door'],
    ['unlock the front door', 'door.unlock door=front door'],
    ['volume thirty', 'volume.set level=30'],
    ['play some jazz in the kitchen', 'media.play genre=jazz room=kitchen'],
    ['good night', 'scene.night'],
    ['stop', 'session.stop'],
    ['yes please', 'session.yes'],
    ['no thanks', 'session.no'],
    ['thank you', 'session.thanks'],
    ['continue in the living room', 'session.move room=living room'],
    ['five minutes', 'session.answer duration=300'],
    ['and in the kitchen', 'session.also room=kitchen'],
    ['hey can you please turn on the lights now thank you', 'light.on'],
    ['okay please stop', 'session.stop'],
  ])('%s', (text, expected) => {
    expect(line(text)).toBe(expected)
    expect(read(house, text)).toMatchObject({ score: 1, complete: true })
  })
})

describe('sentences as recognisers and hasty typists have them', () => {
  it.each([
    ['um set uh a timer for to minutes', 'timer.set duration=120'],
    ['set timer five minutes', 'timer.set duration=300'],
    ['set a time for five minutes', 'timer.set duration=300'],
    ['set a timer four five minutes', 'timer.set duration=300'],
    ['set the the timer for for ten minuets', 'timer.set duration=600'],
    ['turn of the kitchen lights', 'light.off room=kitchen'],
    ['turn own the lights', 'light.on'],
    ['trun on the lihgts in the kichen', 'light.on room=kitchen'],
    ['ad milk too the shoping list', 'list.add item=milk'],
    ['by milk and bred', 'list.add item=milk+bread'],
    ['what time it is', 'clock.time'],
    ['whats the tiem', 'clock.time'],
    ['remind me please to feed the dog in an our', 'timer.remind task=feed the dog duration=3600'],
    ['<unk> set a timer for five minutes', 'timer.set duration=300'],
  ])('%s', (text, expected) => {
    expect(line(text)).toBe(expected)
    expect(read(house, text).score).toBeLessThan(1)
  })
})

describe('what is not a command of this house', () => {
  it.each([
    '',
    'call a taxi',
    'the weather was nice when we went to the beach',
    'do not turn on the lights',
    "don't set a timer for five minutes",
    'turn on everything except the lights',
    'turn the lights',
    'turn on the kitchen',
    'set the living room to twenty',
    'set the <unk> for five <unk>',
    '<unk> <unk> <unk>',
    'turn off the <unk> lights',
    'stop smoking',
    'how old are you',
    'translate good morning',
    'do we need flour',
    'once upon a time there was a kitchen',
    'set a timer for five hundred million years',
  ])('%j', (text) =>
    expect(read(house, text)).toMatchObject({ intent: { name: 'none' }, score: 0, complete: false }),
  )

  it('counts the words nobody taught it', () => {
    expect(read(house, 'call <unk> a taxi')).toMatchObject({ words: 4, unknown: 2 })
  })

  it('never guesses a risky command', () => {
    for (const text of [
      'unlok the front door',
      'um unlock the front door',
      'unlock front door',
      'unlock the the front door',
      'unlock the front dor',
      'clear shopping list',
      'cleer the shopping list',
    ]) {
      expect(line(text), text).toBe('none')
    }
  })

  it('takes a negative example for nothing', () => {
    expect(line('how long is a timer')).toBe('none')
  })
})

describe('unfinished sentences', () => {
  it.each([
    ['what time is it', true, 'no'],
    ['set a timer', true, 'likely'],
    ['set a timer for', false, 'likely'],
    ['set a timer for five', false, 'likely'],
    ['set a timer for five minutes', true, 'possible'],
    ['set a timer for five minutes and', false, 'likely'],
    ['set a timer for five minutes and ten seconds', true, 'no'],
    ['set a timer for five minutes please', true, 'no'],
    ['set', false, 'likely'],
    ['can', false, 'likely'],
    ['can you please', false, 'likely'],
    ['turn on', false, 'likely'],
    ['turn on the kitchen', false, 'likely'],
    ['turn on the kitchen lights', true, 'no'],
    ['turn on the lights', true, 'possible'],
    ['turn on the lights in the living', false, 'likely'],
    ['turn on the lights in the living room', true, 'no'],
    ['volume twenty', true, 'possible'],
    ['pause', true, 'no'],
    ['add milk to the shopping list', true, 'no'],
    ['add milk', true, 'possible'],
    ['add milk and', false, 'likely'],
    ['remind me to call mom', true, 'likely'],
    ['um set a timer', true, 'likely'],
    ['um set a timer for', false, 'likely'],
    ['um what time is it', true, 'no'],
    ['the weather was', false, 'no'],
  ])('%j: complete %s, more is %s', (text, complete, extendable) => {
    expect(read(house, text)).toMatchObject({ complete, extendable })
  })

  it.each([
    ['what time is it', undefined],
    ['turn on the kitchen lights', undefined],
    ['turn on the kitchen lights please', undefined],
    ['turn on the kitchen lights thank', 'ending'],
    ['turn on the kitchen lights thank you', undefined],
    ['turn on the lights', 'phrase'],
    ['turn on the lights thank', 'ending'],
    ['add milk', 'phrase'],
    ['add milk and bread', 'same'],
    ['add milk and bread to the list', undefined],
    ['pause', 'same'],
    ['set a timer for five minutes', 'value'],
  ])('%j grows by %s', (text, growth) => {
    expect(read(house, text).growth).toBe(growth)
  })

  it('names what is missing in the order to ask for it', () => {
    expect(read(house, 'set a timer').missing).toEqual(['duration'])
    expect(read(house, 'remind me to call mom').missing).toEqual(['duration'])
    expect(read(house, 'add something to the list').missing).toEqual(['item'])
    expect(read(house, 'what time is it').missing).toEqual([])
  })
})

describe('all readings', () => {
  it('come best first, each meaning once', () => {
    const readings = readAll(house, 'eggs')
    const names = readings.map((reading) => reading.intent.name)
    expect(
      new Set(names.map((name, index) => name + JSON.stringify(readings[index]!.intent.slots))).size,
    ).toBe(names.length)
    expect([...readings].sort((a, b) => b.score - a.score)).toEqual(readings)
  })
})
