/**
 * The timers and reminders as they are remembered: one storage entry each, one timer of the node each, same name. An entry whose
 * timer is gone is none: two nodes that could not talk may have done different things to it.
 */
import { durationAdjective, random, storage, timers } from '../../../sdk/assemblyscript'

/** Timers of a household at once; reminders are counted apart. */
export const MOST: i32 = 32
export const SHORTEST_S: i64 = 1
export const LONGEST_S: i64 = 86_400

export class Alarm {
  /** Storage key and name of the node's timer: `t5w2k9a`, `r0c8xq1`; of earlier versions `t7`, `r2`. */
  id: string = ''
  /** A timer's name, empty when it has none; a reminder's task. */
  label: string = ''
  /** What it was set to. */
  seconds: i64 = 0
  room: string = ''
  session: string = ''

  /** "pasta timer", "five minute timer". */
  title(): string {
    return (this.label.length > 0 ? this.label : durationAdjective(this.seconds)) + ' timer'
  }

  /** Whole seconds until it rings, rounded up: what was just set to five minutes has five minutes left. */
  left_s(): i64 {
    const left_ms = timers.left(this.id)
    return left_ms <= 0 ? 0 : (left_ms + 999) / 1_000
  }

  /** False when there is no room for it. */
  save(ring_in_s: i64): bool {
    const fields = [oneLine(this.label), this.seconds.toString(), oneLine(this.room), oneLine(this.session)]
    return timers.set(this.id, ring_in_s * 1_000) && storage.put(this.id, fields.join('\n'))
  }

  remove(): void {
    storage.remove(this.id)
    timers.cancel(this.id)
  }
}

/** All alarms of a kind (`t` or `r`), those that ring first in front. */
export function all(kind: string): Alarm[] {
  const alarms: Alarm[] = []
  const ids = storage.keys(kind)
  for (let i = 0; i < ids.length; i++) {
    if (timers.left(ids[i]) < 0) continue
    const alarm = find(ids[i])
    if (alarm !== null) alarms.push(alarm)
  }
  alarms.sort((a, b) => {
    const difference = a.left_s() - b.left_s()
    return difference < 0 ? -1 : difference > 0 ? 1 : 0
  })
  return alarms
}

export function find(id: string): Alarm | null {
  const text = storage.get(id)
  if (text === null) return null
  const fields = text.split('\n')
  if (fields.length != 4) return null
  const alarm = new Alarm()
  alarm.id = id
  alarm.label = fields[0]
  alarm.seconds = i64(parseInt(fields[1]))
  alarm.room = fields[2]
  alarm.session = fields[3]
  return alarm
}

/** A name nobody has, not even a node this one cannot talk to. */
export function freshId(kind: string): string {
  let id = kind + random.name()
  while (storage.get(id) !== null) id = kind + random.name()
  return id
}

/** Forgets entries of a kind whose timer is gone. */
export function sweep(kind: string): void {
  const ids = storage.keys(kind)
  for (let i = 0; i < ids.length; i++) if (timers.left(ids[i]) < 0) storage.remove(ids[i])
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ')
}
