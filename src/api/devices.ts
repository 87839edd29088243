/** What HTTP offers of the devices of the house. */
import { devicesShape } from './device-shapes.ts'
import type { Operation } from './operation.ts'

export const deviceOperations: readonly Operation[] = [
  {
    id: 'devices',
    method: 'GET',
    path: '/api/v1/devices',
    summary: 'The devices this node knows, what they say of themselves, and where they come from.',
    response: devicesShape,
    contentType: 'application/json',
    errors: [],
    run: ({ view }) => ({ body: view.devices() }),
  },
]
