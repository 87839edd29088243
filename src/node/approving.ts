/** The desk of approvals (`skills/approvals`), for those who show it and decide for a person. */
import type { Runtime } from '../actors/index.ts'
import type { ApprovalRow } from '../api/index.ts'
import { LoqaError, NotFoundError } from '../host/index.ts'
import {
  APPROVALS_DESK,
  type Approval,
  type ApprovalsAnswer,
  type ApprovalsMessage,
} from '../skills/index.ts'

/** The desk is an actor of this node and does nothing that takes time. */
const DESK_MS = 2_000

type Asking = Pick<Runtime, 'ask'>

export async function listApprovals(runtime: Asking): Promise<readonly ApprovalRow[]> {
  const answer = await asked(runtime, { type: 'approvals.asked' })
  return answer.type === 'approvals.list' ? answer.rows.map(shown) : []
}

/** Errors: `not-found`, `approval-over` when it was decided before or its time is over. */
export async function decideApproval(
  runtime: Asking,
  id: string,
  allowed: boolean,
  by: string,
): Promise<ApprovalRow> {
  const answer = await asked(runtime, { type: 'approval.decide', id, allowed, by })
  if (answer.type !== 'approval.row' || answer.row === undefined) {
    throw new NotFoundError(`The approval ${id}`, 'loqa approvals ls shows what waits.')
  }
  const { row, late } = answer
  if (!late) return shown(row)
  const how =
    row.state === 'waiting' || row.state === 'expired'
      ? 'its time is over'
      : `it was ${row.state} by ${row.by}`
  throw new LoqaError('approval-over', `Nothing waits for that any more: ${how}`, {
    hint: 'Ask for it again; it then waits for a minute.',
  })
}

const asked = async ({ ask }: Asking, message: ApprovalsMessage): Promise<ApprovalsAnswer> =>
  (await ask(APPROVALS_DESK, message, { deadline_ms: DESK_MS })) as ApprovalsAnswer

const shown = ({ words, by, asked_wall, until_wall, ...row }: Approval): ApprovalRow => ({
  ...{ id: row.id, skill: row.skill, wants: words, risk: row.risk, room: row.room, node: row.node },
  ...{ state: row.state, by: by === '' ? null : by },
  asked_at: new Date(asked_wall).toISOString(),
  until: new Date(until_wall).toISOString(),
})
