/**
 * What becomes of a household that was cut in two, when it is one again. While cut, both sides serve: each node asks nobody it cannot reach,
 * and waits for nobody. So both may have changed the same thing, and this is the rule by which it is one thing again.
 *
 * Of two versions the one with the higher epoch counts, of equal ones that which compares the same on all nodes; what the other one holds
 * beside it is appended, and nothing that was said is said again.
 *
 * H1  A conversation that was had on both sides is one afterwards: that of the higher epoch (`cluster/placement/placements.ts`, M2). The side
 *     that took it up during the cut claimed it under the next epoch, so it is the later one. The other copy says what it is saying, hands
 *     its steps over, and ends; they stand in the timeline of the one that counts, behind what was there, whole and once each. Texts
 *     that come meanwhile are for the one that counts. Its context (what "it" means, an open question) stays as it was there.
 * H2  Where a microphone or loudspeaker is in the copy that is to end, it is not: it takes the next epoch instead, and the other one hands over
 *     its steps. Once in KEEP_AGAIN_MS: of two that both speak the later epoch counts again, and its listeners hear the end of a sentence
 *     at worst.
 * H3  Terms differ, where one side began it anew as another person's or under another scope: then nothing is appended, for it was said under
 *     other conditions. What is `ephemeral` is handed to nobody: it ends with its copy.
 * H4  An entry of a skill (a thing on a list, a note, a timer and its words) counts its lives: it is put, changed, deleted, and the version
 *     of the later life counts, in the same life the one written more often, of equal ones the greater value (`store/entries.ts`; the CRDT's causal length is the epoch). So what both
 *     sides added is there, once each; what one side changed stands, though the other deleted it; what one side deleted and the other
 *     left alone is gone.
 * H5  A timer that both sides had rings on both when it is due while they are cut, because not at all would be worse (`skills/ringing.ts`,
 *     R3), and on neither when they are one again. One that was set, or moved, on one side rings there. What is due after the heal rings
 *     once, at the time of the version that counts: moved here and cancelled there, it rings; moved on both sides, at one of both.
 *     A node that hears of a timer long after it was due waits HEAR_AGAIN_MS for the word that it rang (`skills/skill-kept.ts`).
 *
 * Pure. What is sent and noted is the business of `joining.ts`.
 */
import { z } from 'zod'
import { limits } from '../host/index.ts'
import { recordedStep, type TimelineEvent } from '../store/index.ts'
import { SESSION_NAME } from '../voice/index.ts'

/** H2. Longer than a cable that is pulled and plugged again. */
export const KEEP_AGAIN_MS = 60_000
/** Steps that travel together: audio behind them waits for these, not for all. */
const PART_BYTES = 48 * 1024
/** Parts of one handover: of a conversation that went on all day, the last steps. */
const MAX_PARTS = 64
const MAX_STEPS = 2_048

/** One part of the steps of a conversation, to the node whose copy counts. Answered when they stand in its timeline. */
const joinSchema = z.strictObject({
  type: z.literal('steps.join'),
  session: z.string().regex(SESSION_NAME),
  /** Of this handover: drawn by its sender. */
  mark: z.int().min(0).max(0xffff_ffff),
  part: z.int().min(0).max(MAX_PARTS),
  /** All count together, once the last is there. */
  last: z.boolean(),
  /** Under which they were noted down (H3). */
  scope: z.enum(['session', 'persistent']),
  person: z.string().max(128).nullable(),
  steps: z.array(recordedStep).max(MAX_STEPS),
})
export type StepsJoin = Readonly<z.infer<typeof joinSchema>>

/** Undefined: it is no such message. Its size was bounded by the frame it came in. */
export function stepsJoin(message: unknown): StepsJoin | undefined {
  const read = joinSchema.safeParse(message)
  return read.success && read.data.steps.every(({ session_id }) => session_id === read.data.session)
    ? read.data
    : undefined
}

/** Of all that is kept under a name, the conversation that goes on: it began at `started_at` or after. */
export function livingSteps(events: readonly TimelineEvent[], started_at: number): readonly TimelineEvent[] {
  const first = events.findIndex(({ kind, at }) => kind === 'session.began' && at >= started_at)
  return first === -1 ? [] : events.slice(first)
}

/** In the order in which they were noted; the last MAX_PARTS of them. A step too large for a frame is left out. */
export function partsOf(events: readonly TimelineEvent[]): readonly (readonly TimelineEvent[])[] {
  const parts: TimelineEvent[][] = []
  let bytes = 0
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event))
    if (size > limits.MAX_FRAME_BYTES / 2) continue
    const last = parts.at(-1)
    if (last === undefined || bytes + size > PART_BYTES || last.length >= MAX_STEPS) {
      parts.push([event])
      bytes = size
    } else {
      last.push(event)
      bytes += size
    }
  }
  return parts.slice(-MAX_PARTS)
}

/** H2. `kept_at`: when it was last kept, monotonic ms; undefined: never. */
export const isKept = (spoken_in: boolean, kept_at: number | undefined, now: number): boolean =>
  spoken_in && (kept_at === undefined || now - kept_at > KEEP_AGAIN_MS)
