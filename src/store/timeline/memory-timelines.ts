/** Timelines of conversations whose steps may be in no file: bounded, and gone with their conversation or this process. */
import {
  type Erased,
  isSelected,
  type KeptTimeline,
  type Selection,
  type TimelineEvent,
  type TimelineHead,
} from './events.ts'

/** Of one conversation, as text; beyond, the oldest go. Some hundred turns: 512 conversations could not take more than 128 MB. */
const MAX_BYTES = 256 * 1024

interface Remembered {
  readonly head: TimelineHead
  events: { readonly event: TimelineEvent; readonly bytes: number }[]
  bytes: number
}

export class MemoryTimelines {
  readonly #timelines = new Map<string, Remembered>()

  begin(head: TimelineHead): void {
    this.#timelines.set(head.session, { head, events: [], bytes: 0 })
  }

  append(event: TimelineEvent, bytes: number): void {
    const timeline = this.#timelines.get(event.session_id)
    if (timeline === undefined) return
    timeline.events.push({ event, bytes })
    timeline.bytes += bytes
    while (timeline.bytes > MAX_BYTES) timeline.bytes -= timeline.events.shift()!.bytes
  }

  end(session: string): void {
    this.#timelines.delete(session)
  }

  list(): readonly KeptTimeline[] {
    return [...this.#timelines.values()].map(({ head, events, bytes }) => ({
      ...head,
      ended_at: undefined,
      events: events.length,
      bytes,
    }))
  }

  read(session: string): readonly TimelineEvent[] {
    return (this.#timelines.get(session)?.events ?? []).map(({ event }) => event)
  }

  erase(which: Selection): Erased {
    const chosen = [...this.#timelines.values()].filter(({ head }) => isSelected(head, which))
    const events = chosen.reduce((sum, timeline) => sum + timeline.events.length, 0)
    for (const timeline of chosen) {
      timeline.events = []
      timeline.bytes = 0
    }
    return { timelines: chosen.length, events }
  }
}
