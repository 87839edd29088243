/** The words devices bring: their names and rooms are understood from then on, and take nothing from the house's own. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Device } from '../../src/devices/index.ts'
import { withDeviceWords } from '../../src/node/device-words.ts'
import { handlerWith } from '../../src/node/devices.ts'
import { compileGrammar, type GrammarSource, read } from '../../src/skills/index.ts'

const house: readonly GrammarSource[] = ['lexicon', 'session', 'house'].map((name) => ({
  file: `${name}.yaml`,
  content: parse(
    readFileSync(new URL(`../../config/intents/${name}.yaml`, import.meta.url), 'utf8'),
  ) as unknown,
}))
const device = (name: string, kind: Device['kind'] = 'light', room = ''): Device => ({
  id: `${kind}.${name}`,
  name,
  room,
  kind,
  state: {},
})
const heard = (devices: readonly Device[], text: string) => {
  const { intent, score } = read(compileGrammar(withDeviceWords(house, devices)), text)
  return score === 1 ? [intent.name, intent.slots] : ['not understood']
}

describe('names of devices', () => {
  it.each<[Device, string, string, object]>([
    [device('Reading Lamp'), 'turn on the reading lamp', 'device.on', { device: 'reading lamp' }],
    [
      device('Kitchen Ceiling Lamp', 'light', 'kitchen'),
      'turn on the ceiling lamp',
      'device.on',
      { device: 'ceiling lamp' },
    ],
    [device('Lamp 2'), 'turn off lamp two', 'not understood', {}],
    [device('Lamp 2'), 'turn off the lamp two', 'device.off', { device: 'lamp 2' }],
    [device('Colour strip'), 'turn on the color strip', 'device.on', { device: 'colour strip' }],
    [
      device('Roller shutter', 'cover'),
      'open the roller shutter',
      'opening.open',
      { opening: 'roller shutter' },
    ],
    [device('Shed', 'lock'), 'unlock the shed', 'door.unlock', { door: 'shed' }],
    [device('Star gazing', 'scene'), 'start the star gazing scene', 'scene.start', { scene: 'star gazing' }],
    [device('Lamp', 'light', 'attic'), 'turn on the attic lights', 'light.on', { room: 'attic' }],
  ])('%o: "%s" is %s', (one, text, intent, slots) => {
    expect(heard([], text)).toEqual(['not understood'])
    expect(heard([one], text)).toEqual(intent === 'not understood' ? [intent] : [intent, slots])
  })

  it('that are words of the house already, no words at all, or twice, change nothing', () => {
    const odd = [
      device('Fan', 'switch'),
      device('TV', 'switch'),
      device('!!!'),
      device('lamp'),
      device('Lamp'),
      device('x'.repeat(90)),
      device('__proto__'),
    ]
    expect(heard(odd, 'turn on the fan')).toEqual(['device.on', { device: 'fan' }])
    expect(heard(odd, 'turn on the television')).toEqual(['device.on', { device: 'television' }])
    expect(heard(odd, 'turn on the lamp')).toEqual(['device.on', { device: 'lamp' }])
  })

  it('are as many as a large house has, and the house understands its own sentences as before', () => {
    const many = Array.from({ length: 256 }, (_, index) =>
      device(`thing number ${index}`, 'switch', `room ${index % 40}`),
    )
    expect(heard(many, 'turn on the thing number two hundred')).toEqual([
      'device.on',
      { device: 'thing number 200' },
    ])
    expect(heard(many, 'turn on the kitchen lights')).toEqual(['light.on', { room: 'kitchen' }])
  })
})

describe('who carries out what the house asks for', () => {
  const skill = { manifest: { name: 'home' }, permissions: ['devices'] } as never
  const skills = { handlerOf: (intent: string) => (intent === 'light.on' ? skill : undefined) }
  it('is a skill that wants devices only where there are any', () => {
    expect(handlerWith(skills, { list: () => [] })('light.on')).toBeUndefined()
    expect(handlerWith(skills, { list: () => [device('Lamp')] })('light.on')).toBe('home')
    expect(handlerWith(skills, { list: () => [device('Lamp')] })('media.play')).toBeUndefined()
  })
})
