/** What somebody said to one conversation, for another that takes it over; it may live on another node. */
import { z } from 'zod'
import { limits, type Monotonic } from '../host/index.ts'

/** Partial texts of a turn: one for each frame of the longest utterance. */
export const MOST_PARTIALS = 1_500

export interface Transcribed {
  readonly transcript: string
  readonly partials: readonly string[]
  /** When, by the clock of the node where it was said. */
  readonly marks: { readonly spoken?: Monotonic; readonly endpoint?: Monotonic; readonly text?: Monotonic }
}

const text = z.string().max(limits.MAX_TURN_TEXT)
const at = z.number().min(0).max(1e12)

/** Of `Transcribed`: by the clock of the node where it was said, to which the session comes. */
export const transcribedSchema = z.strictObject({
  transcript: text.min(1),
  partials: z.array(text).max(MOST_PARTIALS),
  marks: z.strictObject({
    spoken: at.exactOptional(),
    endpoint: at.exactOptional(),
    text: at.exactOptional(),
  }),
})
