/** What HTTP offers of the audit log: to read it, to check it, to take it away; never to change it. */
import { z } from 'zod'
import { type AuditQuery, auditQuery, auditRow, auditVerification } from './audit-shapes.ts'
import type { Operation } from './operation.ts'

const json = { contentType: 'application/json' } as const

export const auditOperations: readonly Operation[] = [
  {
    ...json,
    id: 'audit',
    method: 'GET',
    path: '/api/v1/audit',
    summary: 'The newest records of what was done on this node, the oldest of them first.',
    query: auditQuery,
    response: z.array(auditRow),
    errors: [400, 503],
    run: async ({ view, query }) => ({ body: await view.audit.list(query as AuditQuery) }),
  },
  {
    ...json,
    id: 'audit-verify',
    method: 'GET',
    path: '/api/v1/audit/verify',
    summary: 'Reads the whole audit log and says whether it is what the node wrote; names every fault.',
    response: auditVerification,
    errors: [503],
    run: async ({ view }) => ({ body: await view.audit.verify() }),
  },
  {
    ...json,
    id: 'audit-acknowledge',
    method: 'POST',
    path: '/api/v1/audit/acknowledge',
    summary: 'A person has seen the faults there are now: they are no longer shown as a trouble of the node.',
    request: z.strictObject({}),
    response: auditVerification,
    errors: [400, 409, 503],
    run: async ({ view }) => ({ body: await view.audit.acknowledge() }),
  },
  {
    id: 'audit-export',
    method: 'GET',
    path: '/api/v1/audit/export',
    summary: 'The whole audit log as lines of JSON, then the checkpoints it is held against.',
    response: z.string(),
    contentType: 'application/x-ndjson',
    errors: [503],
    run: ({ view }) => ({ body: view.audit.export() }),
  },
]
