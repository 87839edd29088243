/** Names actors that keep the thread for too long. */
import type { Observe } from './observation.ts'
import { type SlowStretch, TIMED_MESSAGES } from './ready-queue.ts'
import type { Turns } from './turn.ts'

/** When one message made the stretch, its actor and type are certain; otherwise all are suspects and timed one by one. */
export function slowStretch(observe: Observe, turns: Turns): SlowStretch {
  return (cells, handled, took_ms) => {
    const distinct = [...new Set(cells)]
    const certain = handled === 1 && distinct.length === 1
    for (const cell of distinct) {
      cell.suspicion = certain ? 0 : TIMED_MESSAGES
      const message = certain ? turns.last?.type : undefined
      const words = certain ? 'An actor kept the thread' : 'One of several actors kept the thread'
      observe.log('warn', words, { took_ms: Math.round(took_ms), kind: cell.kind, message }, cell.ref)
    }
    observe.metric({ name: 'loqa_actor_slow_total', add: 1 })
  }
}
