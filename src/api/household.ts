/** What HTTP offers of the household: who is in it, who waits, and what a person may do about it. */
import { z } from 'zod'
import { type HouseholdChange, householdShape, nodeName } from './household-shapes.ts'
import type { Operation } from './operation.ts'

const nothing = z.strictObject({})
const aNode = z.strictObject({ node: nodeName })
const requests = {
  open: z.strictObject({
    minutes: z.int().min(1).max(60).optional().describe('How long; ten minutes when absent.'),
  }),
  lock: nothing,
  approve: z.strictObject({
    code: z
      .string()
      .regex(/^\d{3}[ -]?\d{3}$/, 'must be the six digits both sides show')
      .describe('The six digits both sides show.'),
  }),
  revoke: aNode,
  dismiss: aNode,
  join: aNode,
  reset: nothing,
} as const

const summaries: Readonly<Record<keyof typeof requests, string>> = {
  open: 'Lets nodes nearby join by themselves for a while.',
  lock: 'Ends that: who comes from now on waits for a person.',
  approve: 'Lets in the node that waits and shows these six digits; or confirms them on the node that asks.',
  revoke: 'Removes a member for ever and changes the household key.',
  dismiss: 'Sends away a node that waits.',
  join: 'Asks the household of that node to take this one in.',
  reset: 'Gives this node a new identity in a household of its own; it starts anew. Its data stays.',
}

const json = { contentType: 'application/json', response: householdShape } as const

export const householdOperations: readonly Operation[] = [
  {
    ...json,
    id: 'household',
    method: 'GET',
    path: '/api/v1/household',
    summary: 'Members, who was removed, who waits, and until when it is open.',
    errors: [503],
    run: ({ view }) => ({ body: view.household() }),
  },
  ...Object.entries(requests).map(
    ([action, request]): Operation => ({
      ...json,
      id: `household-${action}`,
      method: 'POST',
      path: `/api/v1/household/${action}`,
      summary: summaries[action as keyof typeof requests],
      request,
      errors: [400, 403, 404, 409, 429, 503],
      run: async ({ view, body }) => ({
        body: await view.changeHousehold({ action, ...(body as object) } as HouseholdChange),
      }),
    }),
  ),
]
