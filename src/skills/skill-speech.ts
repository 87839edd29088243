/** The messages a skill's actor sends: results to who asked, announcements to everyone. Pure. */
import type { Effect, ReplyTo } from '../actors/index.ts'
import type { ErrorShape } from '../host/index.ts'
import type { Change } from './call.ts'
import type { Announce, SkillResult } from './messages.ts'
import { apology } from './phrases.ts'

/** Whose it is, as the conversation in which it was set; and whether what names no room is for the whole house. */
interface Meant {
  readonly whose?: string | undefined
  readonly everywhere?: boolean
}

/** What the call wanted said aloud, in order. */
export const announcements = (skill: string, changes: readonly Change[], meant: Meant): Effect[] =>
  changes.flatMap((change) =>
    change.change === 'announce'
      ? [announcement(skill, change.speech, change.room, change.session, meant)]
      : [],
  )

/** Empty room and session: everywhere. */
export function announcement(
  skill: string,
  speech: string,
  room = '',
  session = '',
  { whose = '', everywhere = false }: Meant = {},
): Effect {
  const message: Announce = {
    type: 'announce',
    skill,
    speech,
    ...(room === '' ? {} : { room }),
    ...(session === '' ? {} : { session: session as NonNullable<Announce['session']> }),
    ...(whose === '' ? {} : { whose: whose as NonNullable<Announce['whose']> }),
    ...(everywhere && room === '' && session === '' ? { everywhere } : {}),
  }
  return { type: 'publish', topic: 'announce', message }
}

/** Nothing for a tell: nobody waits. */
export const replies = (to: ReplyTo | undefined, result: Omit<SkillResult, 'type'>): Effect[] =>
  to === undefined ? [] : [{ type: 'reply', to, message: { type: 'skill.result', ...result } }]

/** An apology in place of an answer. */
export const failure = (skill: string, to: ReplyTo | undefined, error: ErrorShape): Effect[] =>
  replies(to, { speech: apology(skill, error), failed: error })
