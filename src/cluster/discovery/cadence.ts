/**
 * When one socket announces this node and asks for others (RFC 6762): a burst at the start and whenever something changed,
 * then every ANNOUNCE_MS; questions further and further apart; answers a little later, never twice within a second.
 */
import { type Monotonic, monotonic, type Random } from '../../host/index.ts'
import { ANNOUNCE_MS, ANSWER_DELAY_MS, ANSWER_GAP_MS, BURST_MS, MAX_ASK_MS } from './bounds.ts'

export interface Cadence {
  readonly began: Monotonic
  readonly say_at: Monotonic
  /** Nothing was said yet: minus infinity. */
  readonly said: Monotonic
  readonly ask_at: Monotonic
  readonly ask_pause_ms: number
}

export interface Due {
  readonly cadence: Cadence
  readonly say: boolean
  readonly ask: boolean
}

const FIRST_ASK_PAUSE_MS = 1_000

export const begin = (now: Monotonic): Cadence => ({
  began: now,
  say_at: now,
  said: monotonic(Number.NEGATIVE_INFINITY),
  ask_at: now,
  ask_pause_ms: FIRST_ASK_PAUSE_MS,
})

/** What we say changed, or somebody may have come while we slept: as at the start. */
export const again = ({ said }: Cadence, now: Monotonic): Cadence => ({ ...begin(now), said })

/** Somebody asks. An announcement that is due anyway answers it. */
export function asked(cadence: Cadence, now: Monotonic, random: Random): Cadence {
  const [least, most] = ANSWER_DELAY_MS
  const soon = now + least + random.float() * (most - least)
  const answer = Math.max(soon, cadence.said + ANSWER_GAP_MS)
  return answer < cadence.say_at ? { ...cadence, say_at: monotonic(answer) } : cadence
}

export const nextDue = ({ say_at, ask_at }: Cadence): Monotonic => monotonic(Math.min(say_at, ask_at))

export function due(cadence: Cadence, now: Monotonic, random: Random): Due {
  const say = cadence.say_at <= now
  const ask = cadence.ask_at <= now
  let next = cadence
  if (say) {
    const planned = BURST_MS.find((at) => cadence.began + at > now)
    const pause = planned === undefined ? spread(ANNOUNCE_MS, random) : cadence.began + planned - now
    next = { ...next, said: now, say_at: monotonic(now + pause) }
  }
  if (ask) {
    const pause = spread(cadence.ask_pause_ms, random)
    next = {
      ...next,
      ask_at: monotonic(now + pause),
      ask_pause_ms: Math.min(cadence.ask_pause_ms * 2, MAX_ASK_MS),
    }
  }
  return { cadence: next, say, ask }
}

/** Up to a tenth sooner, so that nodes that started together drift apart. */
const spread = (ms: number, random: Random): number => ms * (0.9 + 0.1 * random.float())
