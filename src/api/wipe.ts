/** The red button: what is kept goes, on every node of the household. */
import { z } from 'zod'
import { InvalidInputError } from '../host/index.ts'
import type { Operation } from './operation.ts'
import { wipePlan } from './wipe-shapes.ts'

const CONFIRMATION = 'wipe'

const request = z.strictObject({
  dry_run: z.boolean().default(false).describe('Only say what would happen.'),
  confirm: z.string().max(64).optional().describe(`Must be "${CONFIRMATION}", unless it is a dry run.`),
})

export const wipeOperations: readonly Operation[] = [
  {
    id: 'wipe',
    method: 'POST',
    path: '/api/v1/wipe',
    summary:
      'Destroys all that is kept, and its key, on every node; nodes that are away do so when they return.',
    request,
    response: wipePlan,
    contentType: 'application/json',
    errors: [400, 503],
    run: async ({ view, body }) => {
      const { dry_run, confirm } = body as z.output<typeof request>
      if (!dry_run && confirm !== CONFIRMATION)
        throw new InvalidInputError(`To wipe everything, confirm has to be "${CONFIRMATION}"`)
      return { body: await view.wipe(dry_run) }
    },
  },
]
