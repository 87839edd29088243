/** What a conversation tells of where it was heard: once for each utterance that had words, and never under the scope `ephemeral`. */
import { z } from 'zod'
import type { Effect, Message } from '../../actors/index.ts'
import { turnOf } from '../ending.ts'
import { SESSION_NAME } from '../names.ts'
import type { SessionState } from '../session-state.ts'

const told = z.strictObject({
  type: z.literal('presence.told'),
  session: z.string().regex(SESSION_NAME),
  room: z.string().min(1).max(64),
  person: z.string().min(1).max(128).exactOptional(),
  level_db: z.number().min(-200).max(0),
})

/** front desk of another node → herald → subscribers of the topic of the same name: somebody was heard there a moment ago. */
export type PresenceTold = Message & Readonly<z.infer<typeof told>>

/** session → subscribers of the topic of the same name: somebody was heard here. */
export interface PresenceHeard extends Omit<PresenceTold, 'type'> {
  readonly type: 'presence.heard'
  /** Whether more may be kept of it than that: the person agreed. */
  readonly kept: boolean
}

export const isPresenceTold = (message: unknown): message is PresenceTold => told.safeParse(message).success

/** Phases in which its words are not final. */
const HEARING: ReadonlySet<string> = new Set(['listening', 'recovering', 'transcribing'])
/** The last two seconds of what was said. */
const FRAMES = 100
/** What is louder than most of them is the voice. */
const VOICE_SHARE = 0.5
const FLOOR_DB = -90

/** Undefined: nobody was heard in this step. */
export function heardIn(before: SessionState, after: SessionState): Effect | undefined {
  const { phase } = before.turn
  if (phase.name !== 'listening' && phase.name !== 'transcribing') return undefined
  const now = after.turn.phase
  const running = turnOf(now)
  if (running?.number !== phase.turn.number || running.transcript === '' || HEARING.has(now.name))
    return undefined
  if (after.scope === 'ephemeral') return undefined
  const message: PresenceHeard = {
    type: 'presence.heard',
    session: before.turn.session,
    room: before.turn.conversation.room,
    ...(after.person === undefined ? {} : { person: after.person }),
    level_db: levelOf(phase.utterance.frames),
    kept: after.scope === 'persistent',
  }
  return { type: 'publish', topic: 'presence.heard', message }
}

/** dB below full scale of the louder half of the last frames. */
export function levelOf(frames: readonly Int16Array[]): number {
  const powers = frames
    .slice(-FRAMES)
    .map(powerOf)
    .sort((a, b) => b - a)
  const loud = powers.slice(0, Math.max(1, Math.round(powers.length * VOICE_SHARE)))
  const mean = loud.reduce((sum, power) => sum + power, 0) / loud.length
  return Math.max(FLOOR_DB, Math.min(0, 10 * Math.log10(mean || 0)))
}

function powerOf(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += (sample / 32_768) ** 2
  return sum / Math.max(1, samples.length)
}
