/** Lights by room, and what goes on and off by name. */
import { ask, devices, Invocation, numberWords, say, sentence } from '../../../sdk/assemblyscript'
import { called, House, reachable } from './find'
import { inRoom, one, outOfReach, tellAll, unknown, which } from './tell'

/** A step that is seen: a quarter of the range. */
const STEP: f64 = 25
const SWITCHED: string[] = ['light', 'switch', 'climate']

/** The lights that are meant: of the room that was said, of the one it was said in, of the house. */
function lights(house: House, invocation: Invocation): devices.Device[] {
  const room = placeOf(house, invocation)
  return house.ofKind('light', room)
}

/** A room that was said counts as it is; the one it was said in only where something stands in it. */
function placeOf(house: House, invocation: Invocation): string {
  const said = invocation.text('room')
  if (said.length > 0) return said
  if (invocation.text('scope').length > 0) return ''
  return house.knows(invocation.room) ? invocation.room : ''
}

export function switchLights(house: House, invocation: Invocation, on: bool): i32 {
  const found = lights(house, invocation)
  const room = placeOf(house, invocation)
  if (found.length == 0) return unknown('light', room)
  if (tellAll(found, on ? 'on' : 'off') == 0) return outOfReach(found)
  return say((found.length == 1 ? 'The light' : 'The lights') + inRoom(room) + (found.length == 1 ? ' is ' : ' are ') + (on ? 'on.' : 'off.'))
}

export function setLights(house: House, invocation: Invocation): i32 {
  const level = invocation.number('level', -1)
  if (level < 0 || level > 100) return say('A brightness goes from zero to one hundred percent.')
  const room = placeOf(house, invocation)
  return dimTo(lights(house, invocation), room, level)
}

function dimTo(found: devices.Device[], room: string, level: f64): i32 {
  if (found.length == 0) return unknown('light', room)
  const there = reachable(found)
  if (there.length == 0) return outOfReach(found)
  let dimmed = 0
  for (let i = 0; i < there.length; i++) {
    if (!there[i].is('can_dim')) continue
    devices.commandNumber(there[i].id, 'set_brightness', level)
    dimmed++
  }
  if (dimmed == 0) return say('The lights' + inRoom(room) + ' cannot be dimmed.')
  return say('The lights' + inRoom(room) + ' are at ' + numberWords(i32(level)) + ' percent.')
}

/** A step up or down from where each of them is. */
export function shiftLights(house: House, invocation: Invocation, up: bool): i32 {
  const room = placeOf(house, invocation)
  const found = lights(house, invocation)
  if (found.length == 0) return unknown('light', room)
  const there = reachable(found)
  if (there.length == 0) return outOfReach(found)
  let dimmed = 0
  for (let i = 0; i < there.length; i++) {
    if (!there[i].is('can_dim')) continue
    const lit = there[i].is('on')
    // A light that is off is not made darker, and brighter begins at a step.
    if (!lit && !up) continue
    const now = lit ? there[i].number('brightness', 50) : 0
    devices.commandNumber(there[i].id, 'set_brightness', max(5, min(100, now + (up ? STEP : -STEP))))
    dimmed++
  }
  if (dimmed == 0) return say('No light' + inRoom(room) + ' can be made ' + (up ? 'brighter.' : 'darker.'))
  return say(up ? 'Brighter.' : 'Darker.')
}

export function white(house: House, invocation: Invocation): i32 {
  const said = invocation.text('white')
  const kelvin: f64 = said == 'warm' ? 2_700 : said == 'cool' ? 5_500 : 4_000
  const room = placeOf(house, invocation)
  const found = lights(house, invocation)
  if (found.length == 0) return unknown('light', room)
  const there = reachable(found)
  if (there.length == 0) return outOfReach(found)
  let tuned = 0
  for (let i = 0; i < there.length; i++) {
    if (!there[i].is('can_tune')) continue
    devices.commandNumber(there[i].id, 'set_kelvin', kelvin)
    tuned++
  }
  if (tuned == 0) return say('The white of the lights' + inRoom(room) + ' cannot be changed.')
  return say('The lights' + inRoom(room) + ' are ' + (said.length == 0 ? 'neutral' : said) + ' white.')
}

/** By name: a lamp, a fan, a socket, a heater. */
export function switchDevice(house: House, invocation: Invocation, on: bool): i32 {
  const name = invocation.text('device')
  const room = invocation.text('room')
  if (name.length == 0) return on ? ask('device', 'What should I turn on?') : everythingOff(house, room)
  const found = house.named(name, SWITCHED, room, invocation.room)
  if (found.length > 1) return which('device', found)
  const choice = one(found, 'device', name, room)
  const device = choice.device
  if (device === null) return choice.ended
  if (device.kind == 'climate') devices.commandText(device.id, 'set_mode', on ? 'heat' : 'off')
  else devices.command(device.id, on ? 'on' : 'off')
  return say(sentence(called(device)) + (on ? ' is on.' : ' is off.'))
}

function everythingOff(house: House, room: string): i32 {
  const found = house.ofKind('light', room).concat(house.ofKind('switch', room))
  if (found.length == 0) return unknown('device that goes off', room)
  if (tellAll(found, 'off') == 0) return outOfReach(found)
  return say('Everything' + inRoom(room) + ' is off.')
}

export function dimDevice(house: House, invocation: Invocation): i32 {
  const level = invocation.number('level', -1)
  if (level < 0 || level > 100) return say('A brightness goes from zero to one hundred percent.')
  const name = invocation.text('device')
  const room = invocation.text('room')
  const choice = one(house.named(name, ['light'], room, invocation.room), 'device', name, room)
  const device = choice.device
  if (device === null) return choice.ended
  if (!device.is('can_dim')) return say(sentence(called(device)) + ' cannot be dimmed.')
  devices.commandNumber(device.id, 'set_brightness', level)
  return say(sentence(called(device)) + ' is at ' + numberWords(i32(level)) + ' percent.')
}
