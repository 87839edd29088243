/** What HTTP offers of approvals: to see what waits, and to decide. */
import { z } from 'zod'
import { approvalParams, approvalRow, decideRequest } from './approval-shapes.ts'
import type { Operation } from './operation.ts'

export const approvalOperations: readonly Operation[] = [
  {
    id: 'approvals',
    method: 'GET',
    path: '/api/v1/approvals',
    summary: 'What skills of the household want to do and may not without a person; the newest first.',
    response: z.array(approvalRow).readonly(),
    contentType: 'application/json',
    errors: [503],
    run: async ({ view }) => ({ body: await view.approvals() }),
  },
  {
    id: 'approvals-decide',
    method: 'POST',
    path: '/api/v1/approvals/:id',
    params: approvalParams,
    summary: 'Allows or denies what waits. It is done, or not, by the node whose skill waits.',
    request: decideRequest,
    response: approvalRow,
    contentType: 'application/json',
    errors: [400, 404, 409, 503],
    run: async ({ view, params, body }) => {
      const { id } = params as z.output<typeof approvalParams>
      const { allow, by = 'http' } = body as z.output<typeof decideRequest>
      return { body: await view.decideApproval(id, allow, by) }
    },
  },
]
