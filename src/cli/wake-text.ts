/** What a person is told of the wake word. Pure. */
import type { VoiceEvent } from '../api/index.ts'

export function wakeText({ why, after_ms, by }: Extract<VoiceEvent, { type: 'wake' }>): string {
  const decided = `(decided in ${Math.round(after_ms)} ms)`
  if (why === 'won') return `The wake word was heard here ${decided}`
  if (why === 'lost') return `The wake word was heard better in ${by.room}, which answers ${decided}`
  return `The wake word was heard, but no other node can be reached: one of them may answer ${decided}`
}
