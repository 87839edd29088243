/** Which devices a sentence means, by the words people use: a name or the end of one, a room, a kind. */
import { devices } from '../../../sdk/assemblyscript'

export class House {
  all: devices.Device[]

  constructor() {
    this.all = devices.list()
  }

  /** Those of a kind, in a room; an empty room is the whole house. */
  ofKind(kind: string, room: string): devices.Device[] {
    const found: devices.Device[] = []
    for (let i = 0; i < this.all.length; i++) {
      const device = this.all[i]
      if (device.kind == kind && isIn(device, room)) found.push(device)
    }
    return found
  }

  /** Whether any device stands there: a room nobody put anything in is the whole house. */
  knows(room: string): bool {
    for (let i = 0; i < this.all.length; i++) if (this.all[i].room == room.toLowerCase()) return true
    return false
  }

  /**
   * The devices of these kinds a name means, best first: named so, named so behind their room, with a name that ends so. With a room
   * only those there; without one those in the room where it was said, if there are any.
   */
  named(name: string, kinds: string[], room: string, here: string): devices.Device[] {
    const wanted = plain(name)
    for (let rank = 0; rank < 3; rank++) {
      const found: devices.Device[] = []
      for (let i = 0; i < this.all.length; i++) {
        const device = this.all[i]
        if (kinds.includes(device.kind) && isIn(device, room) && fits(device, wanted, rank)) found.push(device)
      }
      if (found.length == 0) continue
      if (room.length > 0 || found.length == 1) return found
      const near: devices.Device[] = []
      for (let i = 0; i < found.length; i++) if (isIn(found[i], here)) near.push(found[i])
      return near.length > 0 ? near : found
    }
    return []
  }
}

function isIn(device: devices.Device, room: string): bool {
  return room.length == 0 || device.room == room.toLowerCase()
}

function fits(device: devices.Device, wanted: string, rank: i32): bool {
  const name = plain(device.name)
  if (rank == 0) return name == wanted
  if (rank == 1) return inItsRoom(name, device.room) == wanted
  return name.endsWith(' ' + wanted) || (wanted.endsWith('s') && name.endsWith(' ' + wanted.substring(0, wanted.length - 1)))
}

/** "kitchen ceiling lamp" of the kitchen is its "ceiling lamp". */
function inItsRoom(name: string, room: string): string {
  return room.length > 0 && name.startsWith(room + ' ') ? name.substring(room.length + 1) : name
}

function plain(name: string): string {
  return name.trim().toLowerCase()
}

/** "the reading lamp". */
export function called(device: devices.Device): string {
  const name = plain(device.name)
  return name.startsWith('the ') ? name : 'the ' + name
}

export function names(found: devices.Device[]): string[] {
  const all: string[] = []
  for (let i = 0; i < found.length; i++) all.push(called(found[i]))
  return all
}

/** Devices that are known to be out of reach cannot be told anything. */
export function reachable(found: devices.Device[]): devices.Device[] {
  const there: devices.Device[] = []
  for (let i = 0; i < found.length; i++) {
    if (!found[i].has('available') || found[i].is('available')) there.push(found[i])
  }
  return there
}
