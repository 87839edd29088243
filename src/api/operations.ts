/**
 * Every HTTP operation as data: what it is called, what it takes, what it gives. Routes, OpenAPI and the route tests are all
 * made from this table. Speech (`/api/v1/say`), the metrics text and the audit log's export have their own content types.
 */
import { z } from 'zod'
import { LoqaError } from '../host/index.ts'
import { approvalOperations } from './approvals.ts'
import { auditOperations } from './audit.ts'
import { deviceOperations } from './devices.ts'
import { householdOperations } from './household.ts'
import { nodeName } from './household-shapes.ts'
import { memoryOperations } from './memory.ts'
import { sessionParams } from './memory-shapes.ts'
import type { Operation } from './operation.ts'
import {
  actorRow,
  askRequest,
  configRow,
  doctorRow,
  nodeRow,
  readiness,
  sayRequest,
  sessionMoved,
  sessionRow,
  status,
  turn,
} from './shapes.ts'
import { skillBenchOperations } from './skill-bench.ts'
import { skillSettingsOperations } from './skill-settings.ts'
import { skillOperations } from './skills.ts'
import { storeOperations } from './store.ts'
import { wipeOperations } from './wipe.ts'
import { label } from './words.ts'

const json = { contentType: 'application/json', errors: [] } as const

export const operations: readonly Operation[] = [
  {
    ...json,
    id: 'healthz',
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process is alive. Says nothing else to anybody.',
    response: z.object({ ok: z.boolean() }),
    errors: [503],
    run: ({ view }) => {
      const ok = view.status().health.state !== 'stopping'
      return { status: ok ? 200 : 503, body: { ok } }
    },
  },
  {
    ...json,
    id: 'readyz',
    method: 'GET',
    path: '/readyz',
    summary: 'Whether a spoken command would be answered now; reasons only for callers with a token.',
    response: readiness,
    errors: [503],
    run: ({ view, trusted }) => {
      const { ready, reasons } = view.ready()
      return { status: ready ? 200 : 503, body: { ready, reasons: trusted ? reasons : [] } }
    },
  },
  {
    ...json,
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Numbers in Prometheus text format.',
    response: z.string(),
    contentType: 'text/plain',
    run: async ({ view }) => ({ body: await view.metrics() }),
  },
  {
    ...json,
    id: 'status',
    method: 'GET',
    path: '/api/v1/status',
    summary: 'The node, its health and what it can do.',
    response: status,
    run: ({ view }) => ({ body: view.status() }),
  },
  {
    ...json,
    id: 'nodes',
    method: 'GET',
    path: '/api/v1/nodes',
    summary: 'The nodes of the household and all others that were seen, each with why it is not connected.',
    response: z.array(nodeRow),
    run: ({ view }) => ({ body: view.nodes() }),
  },
  {
    ...json,
    id: 'actors',
    method: 'GET',
    path: '/api/v1/actors',
    summary: 'Every actor of this node.',
    response: z.array(actorRow),
    run: ({ view }) => ({ body: view.actors() }),
  },
  {
    ...json,
    id: 'sessions',
    method: 'GET',
    path: '/api/v1/sessions',
    summary:
      'The conversations of the household, each with its node. A node that does not answer at once is left out.',
    response: z.array(sessionRow),
    run: async ({ view }) => ({ body: await view.sessions() }),
  },
  {
    ...json,
    id: 'session-move',
    method: 'POST',
    path: '/api/v1/sessions/:id/move',
    params: sessionParams,
    summary:
      'Moves a conversation to another room, or node, of the household; it goes on there where it was, with what it was saying too.',
    request: z.union([
      z.strictObject({ node: nodeName }),
      z.strictObject({ room: label('A room with a satellite.') }),
    ]),
    response: sessionMoved,
    errors: [400, 404, 409, 503, 504],
    run: async ({ view, params, body }) => ({
      body: await view.moveSession(
        (params as z.output<typeof sessionParams>).id,
        body as { readonly node: string } | { readonly room: string },
      ),
    }),
  },
  {
    ...json,
    id: 'ask',
    method: 'POST',
    path: '/api/v1/ask',
    summary: 'One turn by text: what it was taken for, and the reply.',
    request: askRequest,
    response: turn,
    errors: [400, 413, 503, 504],
    run: async ({ view, body, signal, told }) => {
      const asked = body as z.output<typeof askRequest>
      const answer = await view.ask(given(asked), signal)
      told(answer)
      return { body: answer }
    },
  },
  {
    ...json,
    id: 'say',
    method: 'POST',
    path: '/api/v1/say',
    summary: 'Speech for a text, streamed while it is made.',
    request: sayRequest,
    response: z.string().describe('WAV, 16 bit mono; the sizes in its header are unknown (0xFFFFFFFF).'),
    contentType: 'audio/wav',
    errors: [400, 413, 503, 504],
    run: ({ view, body, signal }) => {
      const { text, voice } = body as z.output<typeof sayRequest>
      return { body: view.say({ text, ...(voice === undefined ? {} : { voice }) }, signal) }
    },
  },
  {
    ...json,
    id: 'config',
    method: 'GET',
    path: '/api/v1/config',
    summary: 'Every setting in force, with its origin.',
    response: z.array(configRow),
    run: ({ view }) => ({ body: view.config() }),
  },
  {
    ...json,
    id: 'doctor',
    method: 'GET',
    path: '/api/v1/doctor',
    summary: 'Checks of the machine and the node, each with a fix.',
    response: z.array(doctorRow),
    run: async ({ view }) => ({ body: await view.doctor() }),
  },
  ...householdOperations,
  ...deviceOperations,
  ...approvalOperations,
  ...skillSettingsOperations,
  ...storeOperations,
  ...skillBenchOperations,
  ...wipeOperations,
  ...auditOperations,
  ...memoryOperations,
  ...skillOperations,
]

/** Without what was not said. */
export const given = <T extends object>(request: T): Given<T> =>
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as Given<T>
type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** The path exists, but not with this method. */
export const methodNotAllowed = (path: string): LoqaError | undefined => {
  const parts = path.split('/')
  const methods = operations
    .filter((operation) => {
      const own = operation.path.split('/')
      return own.length === parts.length && own.every((part, i) => part.startsWith(':') || part === parts[i])
    })
    .map(({ method }) => method)
  return methods.length === 0
    ? undefined
    : new LoqaError('method-not-allowed', `${path} takes ${methods.join(' or ')} only`)
}
