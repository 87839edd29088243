/** What HTTP offers of what the household remembers: how far its nodes are in step, and a copy of it. */
import { z } from 'zod'
import type { Operation } from './operation.ts'
import { backupShape, storeShape } from './store-shapes.ts'

export const storeOperations: readonly Operation[] = [
  {
    id: 'store',
    method: 'GET',
    path: '/api/v1/store',
    summary: 'How many entries there are, who wrote them, and how far the connected nodes are in step.',
    response: storeShape,
    contentType: 'application/json',
    errors: [503],
    run: async ({ view }) => ({ body: await view.store() }),
  },
  {
    id: 'store-backup',
    method: 'POST',
    path: '/api/v1/store/backup',
    summary: 'Makes a sealed copy of all that is durable now, while the node runs.',
    request: z.strictObject({}),
    response: backupShape,
    contentType: 'application/json',
    errors: [503, 507],
    run: async ({ view }) => ({ body: await view.backup() }),
  },
]
