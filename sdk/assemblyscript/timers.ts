/** Calls the skill's `due` function later, also after a restart of the node. */
import { timer_cancel, timer_left, timer_list, timer_set } from './imports'
import { give, takeLines } from './text'

/** Sets or moves a timer. False: too many timers, or a delay over a week; nothing changed. */
export function set(timer: string, delay_ms: i64): bool {
  return timer_set(give(timer), delay_ms) == 0
}

export function cancel(timer: string): void {
  timer_cancel(give(timer))
}

/** Milliseconds until the timer rings; −1 when there is none. */
export function left(timer: string): i64 {
  return timer_left(give(timer))
}

/** Names of all pending timers, sorted. */
export function list(): string[] {
  return takeLines(timer_list())
}
