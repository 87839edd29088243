/**
 * What the rest of the node is told of a member. Each fall from alive and each restart adds a penalty that halves every half-life.
 * From `damp_at` on the member is unsteady, which is said once; then its rises and suspicions are kept to ourselves until the
 * penalty is down to `calm_at`. A death, a departure and a restart are always told: what ran there is gone.
 */
import type { MembershipConfig } from './config.ts'
import type { Awake, ChangeCause, Member, MemberChange, Repute } from './state.ts'

export const newRepute = (told: Repute['told'], now: Awake): Repute => ({
  told,
  steady: true,
  penalty: 0,
  penalty_at: now,
})

interface Judgement {
  readonly repute: Repute
  readonly change: MemberChange | undefined
}

interface Clocked {
  readonly now: Awake
  readonly config: MembershipConfig
}

export const penaltyNow = ({ now, config }: Clocked, { penalty, penalty_at }: Repute): number =>
  penalty * 0.5 ** ((now - penalty_at) / config.half_life_ms)

/** Called for every change of standing or life. */
export function judge(
  clocked: Clocked,
  before: Member | undefined,
  member: Member,
  cause: ChangeCause,
  restarted: boolean,
): Judgement {
  const { status } = member.standing
  if (before === undefined) {
    return { repute: newRepute(status, clocked.now), change: changeOf(member, undefined, true, false, cause) }
  }
  const fell = before.standing.status === 'alive' && (status === 'suspect' || status === 'dead')
  const repute = fell || restarted ? penalised(clocked, member.repute) : member.repute
  const quiet = !repute.steady && (status === 'alive' || status === 'suspect')
  const becameUnsteady = member.repute.steady && !repute.steady
  const news = restarted || becameUnsteady || (status !== repute.told && !quiet)
  if (!news) return { repute, change: undefined }
  const change = changeOf(member, repute.told, repute.steady, restarted, cause)
  return { repute: { ...repute, told: status }, change }
}

function penalised(clocked: Clocked, repute: Repute): Repute {
  const { now, config } = clocked
  const penalty = Math.min(config.penalty_most, penaltyNow(clocked, repute) + 1)
  return { ...repute, penalty, penalty_at: now, steady: repute.steady && penalty < config.damp_at }
}

export const changeOf = (
  { id, life, standing }: Member,
  previous: MemberChange['previous'],
  steady: boolean,
  restarted: boolean,
  cause: ChangeCause,
): MemberChange => ({ id, status: standing.status, previous, ...life, steady, restarted, cause })
