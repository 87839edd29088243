/** Warmth: what it is, what it should be. */
import { devices, Invocation, numberWords, say, sentence } from '../../../sdk/assemblyscript'
import { called, House, reachable } from './find'
import { inRoom, outOfReach, unknown } from './tell'

/** One step warmer or colder, in degrees. */
const STEP: f64 = 1

/** The thermostats that are meant: of the room that was said, of the one it was said in, else all. */
function thermostats(house: House, invocation: Invocation): devices.Device[] {
  const room = invocation.text('room')
  if (room.length > 0) return house.ofKind('climate', room)
  const here = house.ofKind('climate', invocation.room)
  return here.length > 0 && invocation.room.length > 0 ? here : house.ofKind('climate', '')
}

export function setDegrees(house: House, invocation: Invocation): i32 {
  const degrees = invocation.number('degrees', -1_000)
  const found = thermostats(house, invocation)
  if (found.length == 0) return unknown('thermostat', invocation.text('room'))
  const there = reachable(found)
  if (there.length == 0) return outOfReach(found)
  for (let i = 0; i < there.length; i++) {
    const least = there[i].number('min', 5)
    const most = there[i].number('max', 35)
    if (degrees < least || degrees > most) {
      return say(sentence(called(there[i])) + ' goes from ' + degreesWords(least) + ' to ' + degreesWords(most) + ' degrees.')
    }
  }
  for (let i = 0; i < there.length; i++) devices.commandNumber(there[i].id, 'set_temperature', degrees)
  return say('I set ' + whose(there, invocation) + ' to ' + degreesWords(degrees) + ' degrees.')
}

export function shift(house: House, invocation: Invocation, up: bool): i32 {
  const found = thermostats(house, invocation)
  if (found.length == 0) return unknown('thermostat', invocation.text('room'))
  const there = reachable(found)
  if (there.length == 0) return outOfReach(found)
  let last: f64 = 0
  let moved = 0
  for (let i = 0; i < there.length; i++) {
    if (!there[i].has('target')) continue
    last = max(there[i].number('min', 5), min(there[i].number('max', 35), there[i].number('target') + (up ? STEP : -STEP)))
    devices.commandNumber(there[i].id, 'set_temperature', last)
    moved++
  }
  if (moved == 0) return say('I do not know what ' + whose(there, invocation) + ' is set to.')
  return say(moved == 1 ? 'I set it to ' + degreesWords(last) + ' degrees.' : up ? 'Warmer.' : 'Colder.')
}

export function tell(house: House, invocation: Invocation): i32 {
  const found = thermostats(house, invocation)
  for (let i = 0; i < found.length; i++) {
    if (found[i].has('current')) return say(measured(found[i].number('current'), found[i].room))
  }
  const room = invocation.text('room').length > 0 ? invocation.text('room') : house.knows(invocation.room) ? invocation.room : ''
  const sensors = house.ofKind('sensor', room)
  for (let i = 0; i < sensors.length; i++) {
    if (sensors[i].text('device_class') == 'temperature' && sensors[i].has('value')) {
      return say(measured(sensors[i].number('value'), sensors[i].room))
    }
  }
  return say('Nothing' + inRoom(invocation.text('room')) + ' tells me how warm it is.')
}

function measured(degrees: f64, room: string): string {
  return 'It is ' + degreesWords(degrees) + ' degrees' + inRoom(room) + '.'
}

function whose(found: devices.Device[], invocation: Invocation): string {
  const room = invocation.text('room')
  if (found.length == 1 && room.length == 0) return called(found[0])
  return 'the heating' + inRoom(room)
}

/** "twenty one", "twenty one point five", "minus three". */
export function degreesWords(degrees: f64): string {
  const tenths = i32(Math.round(Math.abs(degrees) * 10))
  const whole = numberWords(tenths / 10)
  const rest = tenths % 10 == 0 ? '' : ' point ' + numberWords(tenths % 10)
  return (degrees < 0 && tenths > 0 ? 'minus ' : '') + whole + rest
}
