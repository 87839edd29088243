/**
 * Who answers when several microphones heard the same word. Pure.
 *
 * Every node claims the word for its microphone and tells the others; one hop later each knows the same claims and computes the same
 * winner: a total order, so that no two are ever equal. Constants are in ms after a node's own claim, on its own clock: clocks of
 * machines are never compared.
 *
 * W1 Of those whose claims reached one another in time, exactly one wins. W2 A claim that came too late for one of two winners is seen by
 * both afterwards, and the one it beats yields before anything was said. W3 Who joins late stays silent: the others have decided. W4 Who is
 * cut off from all of several others stays silent: they answer. W5 A node that is alone answers at once.
 */
import { z } from 'zod'
import { assert } from '../../host/index.ts'

/** A word heard so long after another node's claim is told of no more: that claim's round closes before it could arrive. */
export const JOIN_MS = 45
/** The round closes: 35 ms for the hop of the last who may join; timers are up to 10 ms late, and 100 ms is what nobody notices. */
export const DECIDE_MS = 80
/** Claims this near are of the same word; nobody says it twice in less. Until then a winner yields to a better one. */
export const ROUND_MS = 1_000
/** Microphones of a house that may hear one word: two of each of 32 nodes. */
export const MOST_CLAIMS = 64
assert(JOIN_MS < DECIDE_MS && DECIDE_MS < ROUND_MS, 'who joins is heard before the round closes')

export const claimSchema = z.strictObject({
  /** `<node>/<number>`, different for every claim of the household. */
  id: z.string().min(3).max(128),
  node: z.string().min(1).max(80),
  room: z.string().min(1).max(64),
  snr_db: z.number().min(0).max(200),
  energy_db: z.number().min(-200).max(10),
})
export type Claim = Readonly<z.infer<typeof claimSchema>>

/** Steps in which nearness is told apart: within one the louder wins, since noise is measured that badly. */
const SNR_STEP_DB = 3
/** A room cannot be quieter to a microphone than this below a voice: what is above says nothing. */
const MOST_SNR_DB = 36

/** Negative when `a` answers rather than `b`. A total order: 0 only for the same claim. */
export function compareClaims(a: Claim, b: Claim): number {
  return nearness(b) - nearness(a) || b.energy_db - a.energy_db || (a.id < b.id ? -1 : Number(a.id > b.id))
}

const nearness = ({ snr_db }: Claim): number => Math.round(Math.min(snr_db, MOST_SNR_DB) / SNR_STEP_DB)

/** The best of them. @throws on an empty list. */
export function winnerOf(claims: readonly Claim[]): Claim {
  const [best] = claims.toSorted(compareClaims)
  if (best === undefined) throw new Error('nobody claims the word')
  return best
}

export type Verdict = 'won' | 'lost' | 'aside'

/** What a round comes to for one of its claims. `asked` peers were told of it, `answered` of them have said anything since. */
export function verdictOn(
  claim: Claim,
  others: readonly Claim[],
  reach: { readonly asked: number; readonly answered: number },
): Verdict {
  if (winnerOf([claim, ...others]).id !== claim.id) return 'lost'
  return reach.asked >= 2 && reach.answered === 0 ? 'aside' : 'won'
}
