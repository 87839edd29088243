/**
 * What opens and closes. Who may come into the house is nothing to be guessed: the node itself asks back before a lock is unlocked or a
 * door, gate or garage opened, whatever this skill says.
 */
import { ask, devices, Invocation, joinWords, numberWords, say, sentence } from '../../../sdk/assemblyscript'
import { called, House, names, reachable } from './find'
import { one, outOfReach, unknown } from './tell'

export function open(house: House, invocation: Invocation): i32 {
  const name = invocation.text('opening')
  const room = invocation.text('room')
  const found = house.named(name, ['cover'], room, invocation.room)
  // "Open the front door" where only its lock is known means to unlock it.
  if (found.length == 0 && house.named(name, ['lock'], room, invocation.room).length > 0) {
    return unlock(house, invocation, name)
  }
  const covers = found.length > 1 && manySaid(name) ? found : []
  if (covers.length > 0) return moveAll(covers, 'open', 'opening')
  const choice = one(found, 'opening', name, room)
  const device = choice.device
  if (device === null) return choice.ended
  devices.command(device.id, 'open')
  return say('I am opening ' + called(device) + '.')
}

export function close(house: House, invocation: Invocation): i32 {
  const name = invocation.text('opening')
  const room = invocation.text('room')
  const found = house.named(name, ['cover'], room, invocation.room)
  if (found.length == 0 && house.named(name, ['lock'], room, invocation.room).length > 0) {
    return say('I can lock ' + called(house.named(name, ['lock'], room, invocation.room)[0]) + ', but not close it.')
  }
  if (found.length > 1 && manySaid(name)) return moveAll(found, 'close', 'closing')
  const choice = one(found, 'opening', name, room)
  const device = choice.device
  if (device === null) return choice.ended
  devices.command(device.id, 'close')
  return say('I am closing ' + called(device) + '.')
}

/** "The blinds" are all of them. */
function manySaid(name: string): bool {
  return name.endsWith('s')
}

function moveAll(found: devices.Device[], command: string, doing: string): i32 {
  const there = reachable(found)
  if (there.length == 0) return outOfReach(found)
  for (let i = 0; i < there.length; i++) devices.command(there[i].id, command)
  return say('I am ' + doing + ' ' + joinWords(names(there)) + '.')
}

export function stop(house: House, invocation: Invocation): i32 {
  const found = house.named(invocation.text('opening'), ['cover'], invocation.text('room'), invocation.room)
  if (found.length == 0) return unknown(invocation.text('opening'), invocation.text('room'))
  const there = reachable(found)
  for (let i = 0; i < there.length; i++) devices.command(there[i].id, 'stop')
  return there.length == 0 ? outOfReach(found) : say('Stopped.')
}

export function position(house: House, invocation: Invocation): i32 {
  const level = invocation.number('level', 50)
  if (level < 0 || level > 100) return say('A position goes from zero to one hundred percent.')
  const name = invocation.text('opening')
  const room = invocation.text('room')
  const choice = one(house.named(name, ['cover'], room, invocation.room), 'opening', name, room)
  const device = choice.device
  if (device === null) return choice.ended
  if (!device.is('can_position')) return say(sentence(called(device)) + ' can only be opened and closed as a whole.')
  devices.commandNumber(device.id, 'set_position', level)
  return say('I am moving ' + called(device) + ' to ' + numberWords(i32(level)) + ' percent.')
}

export function lock(house: House, invocation: Invocation): i32 {
  const name = invocation.text('door')
  const found = name.length == 0 ? house.ofKind('lock', '') : house.named(name, ['lock'], '', invocation.room)
  if (found.length == 0) return unknown('lock' + (name.length == 0 ? '' : ' of the ' + name), '')
  const there = reachable(found)
  if (there.length == 0) return outOfReach(found)
  for (let i = 0; i < there.length; i++) devices.command(there[i].id, 'lock')
  const said = 'I am locking ' + joinWords(names(there)) + '.'
  if (there.length == found.length) return say(said)
  return say(said + ' The others do not answer.')
}

export function unlock(house: House, invocation: Invocation, name: string): i32 {
  if (name.length == 0) return ask('door', 'Which door?')
  const choice = one(house.named(name, ['lock'], '', invocation.room), 'door', name, '')
  const device = choice.device
  if (device === null) return choice.ended
  devices.command(device.id, 'unlock')
  return say('I am unlocking ' + called(device) + '.')
}
