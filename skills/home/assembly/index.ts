/**
 * Lights, scenes, heating, covers and locks of the house, by room and by name. What is said here is spoken only when the devices were
 * told; when one was not, the node says so instead.
 */
import { devices, Invocation, joinWords, say, sentence } from '../../../sdk/assemblyscript'
import { setDegrees, shift, tell } from './climate'
import { called, House, names } from './find'
import { dimDevice, setLights, shiftLights, switchDevice, switchLights, white } from './lights'
import { close, lock, open, position, stop, unlock } from './openings'
import { one } from './tell'

export function handle(): i32 {
  const invocation = Invocation.read()
  const house = new House()
  if (house.all.length == 0) return say('I know of no devices yet.')
  const intent = invocation.intent
  if (intent == 'light.on') return switchLights(house, invocation, true)
  if (intent == 'light.off') return switchLights(house, invocation, false)
  if (intent == 'light.set') return setLights(house, invocation)
  if (intent == 'light.dim') return shiftLights(house, invocation, false)
  if (intent == 'light.brighten') return shiftLights(house, invocation, true)
  if (intent == 'home.white') return white(house, invocation)
  if (intent == 'home.level') return dimDevice(house, invocation)
  if (intent == 'device.on') return switchDevice(house, invocation, true)
  if (intent == 'device.off') return switchDevice(house, invocation, false)
  if (intent == 'scene.start') return scene(house, invocation)
  if (intent == 'climate.set') return setDegrees(house, invocation)
  if (intent == 'climate.warmer') return shift(house, invocation, true)
  if (intent == 'climate.colder') return shift(house, invocation, false)
  if (intent == 'climate.get') return tell(house, invocation)
  if (intent == 'opening.open') return open(house, invocation)
  if (intent == 'opening.close') return close(house, invocation)
  if (intent == 'home.stop') return stop(house, invocation)
  if (intent == 'home.position') return position(house, invocation)
  if (intent == 'door.lock') return lock(house, invocation)
  if (intent == 'door.unlock') return unlock(house, invocation, invocation.text('door'))
  if (intent == 'home.is_on') return isOn(house, invocation)
  if (intent == 'home.is_open') return isOpen(house, invocation)
  if (intent == 'house.status') return status(house, invocation)
  return say('I cannot do that with the devices of the house.')
}

function scene(house: House, invocation: Invocation): i32 {
  const name = invocation.text('scene')
  const choice = one(house.named(name, ['scene'], '', invocation.room), 'scene', name + ' scene', '')
  const device = choice.device
  if (device === null) return choice.ended
  devices.command(device.id, 'start')
  return say('I started ' + called(device) + '.')
}

function isOn(house: House, invocation: Invocation): i32 {
  const name = invocation.text('device')
  const choice = one(house.named(name, ['light', 'switch'], invocation.text('room'), invocation.room), 'device', name, '')
  const device = choice.device
  if (device === null) return choice.ended
  if (!device.has('on')) return say('I do not know: ' + called(device) + ' has not said.')
  return say(sentence(called(device)) + (device.is('on') ? ' is on.' : ' is off.'))
}

function isOpen(house: House, invocation: Invocation): i32 {
  const name = invocation.text('opening').length > 0 ? invocation.text('opening') : invocation.text('door')
  const kinds = invocation.text('opening').length > 0 ? ['cover', 'sensor', 'lock'] : ['lock']
  const choice = one(house.named(name, kinds, invocation.text('room'), invocation.room), 'door', name, '')
  const device = choice.device
  if (device === null) return choice.ended
  if (device.kind == 'sensor' && device.has('on')) {
    return say(sentence(called(device)) + (device.is('on') ? ' is open.' : ' is closed.'))
  }
  if (!device.has('state')) return say('I do not know: ' + called(device) + ' has not said.')
  return say(sentence(called(device)) + ' is ' + device.text('state') + '.')
}

/** What is on, open or unlocked; that is what people ask before they leave. */
function status(house: House, invocation: Invocation): i32 {
  const room = invocation.text('room')
  const lit: devices.Device[] = []
  const unsafe: devices.Device[] = []
  const away: devices.Device[] = []
  const kinds = ['light', 'cover', 'lock']
  for (let k = 0; k < kinds.length; k++) {
    const found = house.ofKind(kinds[k], room)
    for (let i = 0; i < found.length; i++) {
      const device = found[i]
      const state = device.text('state')
      if (device.has('available') && !device.is('available')) away.push(device)
      else if (device.kind == 'light' && device.is('on')) lit.push(device)
      else if (device.kind == 'lock' && state != 'locked' && state.length > 0) unsafe.push(device)
      else if (device.kind == 'cover' && state == 'open') unsafe.push(device)
    }
  }
  const parts: string[] = []
  if (lit.length > 0) parts.push(joinWords(names(lit)) + (lit.length == 1 ? ' is on' : ' are on'))
  if (unsafe.length > 0) {
    const said: string[] = []
    for (let i = 0; i < unsafe.length; i++) said.push(called(unsafe[i]) + ' is ' + unsafe[i].text('state'))
    parts.push(joinWords(said))
  }
  if (away.length > 0) parts.push(joinWords(names(away)) + (away.length == 1 ? ' does' : ' do') + ' not answer')
  if (parts.length == 0) return say('All lights are off, and everything is closed and locked.')
  return say(sentence(joinWords(parts)) + '.')
}
