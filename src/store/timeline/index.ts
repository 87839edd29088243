/**
 * What conversations noted down of themselves: append-only events in `<data>/timeline.db`, each sealed with a key of its conversation.
 *
 * Promises: a conversation never waits for its timeline; what was acknowledged survives the death of the process; what is deleted is gone with
 * its key, in the file and in its log; of scope `ephemeral` nothing is in the file, of scope `session` nothing is left when the conversation
 * ended or its process died; everything is bounded.
 *
 * Not promised: a disk or a copy of it may keep the bytes of a key that was deleted (see `../keys.ts`); and events of the last 50 ms before a
 * kill may be lost: they were not acknowledged.
 *
 * Read `events.ts` first, then `timeline.ts` (what the node calls), `timeline-file.ts` (the file).
 */
export {
  type Erased,
  type KeptTimeline,
  recordedStep,
  type Selection,
  type TimelineEvent,
  type TimelineHead,
} from './events.ts'
export { type Keep, openTimeline, Timeline, type TimelineOptions } from './timeline.ts'
