/** What the timelines and their thread say to each other. Events travel as JSON text. */
import type { ErrorShape } from '../../host/index.ts'
import type { Erased, KeptTimeline, Selection, TimelineHead } from './events.ts'

/** One event, and whose it is. */
export interface Appended {
  readonly head: TimelineHead
  readonly at: number
  readonly text: string
}

export type TimelineAsk =
  | { readonly op: 'append'; readonly events: readonly Appended[] }
  | { readonly op: 'list' }
  | { readonly op: 'read'; readonly session: string }
  /** The conversation ended; its timeline stays. */
  | { readonly op: 'end'; readonly session: string; readonly at: number }
  /** `living`: only the one whose conversation goes on. `erasure`: remember that this order was carried out. */
  | {
      readonly op: 'erase'
      readonly which: Selection
      readonly living?: boolean
      readonly erasure?: string
    }
  /** Ended before `ended`: whole timelines. Noted before `noted`: single events. Milliseconds since 1970. */
  | { readonly op: 'prune'; readonly ended: number; readonly noted: number }
  | { readonly op: 'close' }

export type TimelineRequest = TimelineAsk & { readonly id: number }

export interface TimelineResult {
  readonly list?: readonly KeptTimeline[]
  readonly texts?: readonly string[]
  readonly erased?: Erased
}

export type TimelineReply =
  /** The first word of the thread. `erasures`: orders to erase that were carried out here. */
  | { readonly reply: 'opened'; readonly erasures: readonly string[] }
  | { readonly reply: 'not-opened'; readonly error: ErrorShape }
  | { readonly reply: 'done'; readonly id: number; readonly result: TimelineResult }
  | { readonly reply: 'failed'; readonly id: number; readonly error: ErrorShape }

export interface TimelineThreadData {
  readonly file: string
  /** 32 bytes, for this purpose. */
  readonly key: Uint8Array
  /** How tests fill the disk: most pages (4 KiB). */
  readonly max_pages: number | undefined
}
