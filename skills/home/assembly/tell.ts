/** What to say where nothing, too much, or nothing within reach was found. */
import { ask, devices, joinWords, say, sentence } from '../../../sdk/assemblyscript'
import { called, names, reachable } from './find'

/** Names read out when a person has to choose: nobody remembers more. */
const MOST_NAMES: i32 = 5

export function unknown(what: string, room: string): i32 {
  return say('I know of no ' + what + (room.length == 0 ? '.' : ' in the ' + room + '.'))
}

export function outOfReach(found: devices.Device[]): i32 {
  if (found.length == 1) return say(sentence(called(found[0])) + ' does not answer at the moment.')
  return say('They do not answer at the moment.')
}

export function which(slot: string, found: devices.Device[]): i32 {
  return ask(slot, 'Which one: ' + joinWords(names(found.slice(0, MOST_NAMES)), 'or') + '?')
}

/** Tells each a command without a value, and how many of them are within reach. */
export function tellAll(found: devices.Device[], command: string): i32 {
  const there = reachable(found)
  for (let i = 0; i < there.length; i++) devices.command(there[i].id, command)
  return there.length
}

export function inRoom(room: string): string {
  return room.length == 0 ? '' : ' in the ' + room
}

/** One device of these, or an answer that ends the call. */
export class Choice {
  device: devices.Device | null = null
  ended: i32 = 0
}

export function one(found: devices.Device[], slot: string, what: string, room: string): Choice {
  const choice = new Choice()
  if (found.length == 0) choice.ended = unknown(what, room)
  else if (found.length > 1) choice.ended = which(slot, found)
  else if (reachable(found).length == 0) choice.ended = outOfReach(found)
  else choice.device = found[0]
  return choice
}
