/**
 * What is on the list: one storage entry for each thing, so that what is added on two nodes that cannot talk is all there when they
 * can, and what one of them takes off does not take along what the other one added. Its value is a number that grows as things are
 * added; where two nodes gave the same one, the names decide.
 *
 * Earlier versions kept all things in one entry, one per line. They are read as the first ones, and become entries of their own with
 * the next change.
 */
import { storage } from '../../../sdk/assemblyscript'

const PREFIX = 'item/'
const EARLIER = 'items'

class Item {
  name: string = ''
  place: i32 = 0
}

export class Items {
  /** In the order in which they were added. */
  names: string[] = []
  private last: i32 = 0
  /** Those that are no entries of their own yet. */
  private earlier: string[] = []

  static load(): Items {
    const items = new Items()
    const found: Item[] = []
    const keys = storage.keys(PREFIX)
    for (let i = 0; i < keys.length; i++) {
      const place = storage.get(keys[i])
      if (place !== null) found.push(itemAt(keys[i].substring(PREFIX.length), placeOf(place)))
    }
    const text = storage.get(EARLIER)
    if (text !== null && text.length > 0) {
      const lines = text.split('\n')
      for (let i = 0; i < lines.length; i++) {
        if (!keys.includes(PREFIX + lines[i])) items.earlier.push(lines[i])
      }
    }
    for (let i = 0; i < items.earlier.length; i++) found.push(itemAt(items.earlier[i], items.earlierPlace(i)))
    found.sort((a, b) => {
      if (a.place != b.place) return a.place - b.place
      return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
    })
    for (let i = 0; i < found.length; i++) {
      items.names.push(found[i].name)
      items.last = max(items.last, found[i].place)
    }
    return items
  }

  has(name: string): bool {
    return this.names.includes(name)
  }

  /** False when there is no room for it. */
  add(name: string): bool {
    if (!this.split() || !storage.put(PREFIX + name, (this.last + 1).toString())) return false
    this.last++
    this.names.push(name)
    return true
  }

  remove(name: string): void {
    this.split()
    storage.remove(PREFIX + name)
    this.names.splice(this.names.indexOf(name), 1)
    const at = this.earlier.indexOf(name)
    if (at < 0) return
    this.earlier.splice(at, 1)
    storage.put(EARLIER, this.earlier.join('\n'))
  }

  /** Takes off all that is seen here; what others add meanwhile stays. */
  clear(): void {
    for (let i = 0; i < this.names.length; i++) storage.remove(PREFIX + this.names[i])
    storage.remove(EARLIER)
    this.names = []
    this.earlier = []
  }

  /** Makes entries of what an earlier version kept. False when there is no room: it stays as it is. */
  private split(): bool {
    if (this.earlier.length == 0) return true
    // Both at once may be more than there is room for.
    storage.remove(EARLIER)
    for (let i = 0; i < this.earlier.length; i++) {
      if (storage.put(PREFIX + this.earlier[i], this.earlierPlace(i).toString())) continue
      for (let j = 0; j < i; j++) storage.remove(PREFIX + this.earlier[j])
      storage.put(EARLIER, this.earlier.join('\n'))
      return false
    }
    this.earlier = []
    return true
  }

  /** Before all that has an entry. */
  private earlierPlace(index: i32): i32 {
    return index - this.earlier.length
  }
}

function itemAt(name: string, place: i32): Item {
  const item = new Item()
  item.name = name
  item.place = place
  return item
}

function placeOf(text: string): i32 {
  const place = parseInt(text)
  return isNaN(place) ? 0 : i32(place)
}
