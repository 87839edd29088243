/** The messages a skill's actor sends: results to who asked, announcements to everyone. Pure. */
import type { Effect, ReplyTo } from '../actors/index.ts'
import type { ErrorShape } from '../host/index.ts'
import type { Change } from './call.ts'
import type { Announce, SkillResult } from './messages.ts'
import { apology } from './phrases.ts'

/** What the call wanted said aloud, in order. `whose`: the conversation of who set what is due. */
export const announcements = (skill: string, changes: readonly Change[], whose = ''): Effect[] =>
  changes.flatMap((change) =>
    change.change === 'announce'
      ? [announcement(skill, change.speech, change.room, change.session, whose)]
      : [],
  )

/** Empty room and session: everywhere. */
export function announcement(skill: string, speech: string, room = '', session = '', whose = ''): Effect {
  const message: Announce = {
    type: 'announce',
    skill,
    speech,
    ...(room === '' ? {} : { room }),
    ...(session === '' ? {} : { session: session as NonNullable<Announce['session']> }),
    ...(whose === '' ? {} : { whose: whose as NonNullable<Announce['whose']> }),
  }
  return { type: 'publish', topic: 'announce', message }
}

/** Nothing for a tell: nobody waits. */
export const replies = (to: ReplyTo | undefined, result: Omit<SkillResult, 'type'>): Effect[] =>
  to === undefined ? [] : [{ type: 'reply', to, message: { type: 'skill.result', ...result } }]

/** An apology in place of an answer. */
export const failure = (skill: string, to: ReplyTo | undefined, error: ErrorShape): Effect[] =>
  replies(to, { speech: apology(skill, error), failed: error })
