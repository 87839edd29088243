/** What HTTP offers of timelines and persons: to see, to take along, and to erase. */
import { z } from 'zod'
import {
  erased,
  eraseRequest,
  personErased,
  personExport,
  personName,
  personRow,
  replayVerdict,
  sessionParams,
  timeline,
  timelineRow,
} from './memory-shapes.ts'
import type { Operation } from './operation.ts'
import { label } from './words.ts'

const json = { contentType: 'application/json' } as const
type Session = z.output<typeof sessionParams>
type Erase = z.output<typeof eraseRequest>

const addRequest = z.strictObject({ name: label('What the person is called in this house.') })
const consentRequest = z.strictObject({
  person: personName,
  given: z.boolean().describe('False withdraws it: what was kept with it is erased on every node.'),
})
const personRequest = z.strictObject({ person: personName })
const erasePersonRequest = z.strictObject({ person: personName, dry_run: eraseRequest.shape.dry_run })

const timelines: readonly Operation[] = [
  {
    ...json,
    id: 'timelines',
    method: 'GET',
    path: '/api/v1/timelines',
    summary: 'The conversations whose steps this node keeps.',
    response: z.array(timelineRow),
    errors: [503],
    run: async ({ view }) => ({ body: await view.memory.timelines() }),
  },
  {
    ...json,
    id: 'timelines-erase',
    method: 'POST',
    path: '/api/v1/timelines/erase',
    summary: 'Erases the steps of every conversation this node keeps.',
    request: eraseRequest,
    response: erased,
    errors: [400, 503],
    run: async ({ view, body }) => ({
      body: await view.memory.erase({ all: true }, (body as Erase).dry_run === true),
    }),
  },
  {
    ...json,
    id: 'session-timeline',
    method: 'GET',
    path: '/api/v1/sessions/:id/timeline',
    params: sessionParams,
    summary:
      'Each step of a conversation: what was heard, what it was taken for, who was asked, what was said.',
    response: timeline,
    errors: [400, 404, 503],
    run: async ({ view, params }) => ({ body: await view.memory.timeline((params as Session).id) }),
  },
  {
    ...json,
    id: 'session-replay',
    method: 'GET',
    path: '/api/v1/sessions/:id/replay',
    params: sessionParams,
    summary: 'Decides on its turns again, from its steps and without audio, and compares.',
    response: replayVerdict,
    errors: [400, 404, 503],
    run: async ({ view, params }) => ({ body: await view.memory.replay((params as Session).id) }),
  },
  {
    ...json,
    id: 'session-erase',
    method: 'POST',
    path: '/api/v1/sessions/:id/erase',
    params: sessionParams,
    summary: 'Erases the steps of a conversation and their key.',
    request: eraseRequest,
    response: erased,
    errors: [400, 404, 503],
    run: async ({ view, params, body }) => ({
      body: await view.memory.erase({ session: (params as Session).id }, (body as Erase).dry_run === true),
    }),
  },
]

const persons: readonly Operation[] = [
  {
    ...json,
    id: 'persons',
    method: 'GET',
    path: '/api/v1/persons',
    summary: 'The persons of the household, and what they consented to.',
    response: z.array(personRow),
    errors: [503],
    run: async ({ view }) => ({ body: await view.memory.persons() }),
  },
  {
    ...json,
    id: 'persons-add',
    method: 'POST',
    path: '/api/v1/persons/add',
    summary: 'Makes a person known to the household.',
    request: addRequest,
    response: personRow,
    errors: [400, 409, 503],
    run: async ({ view, body }) => ({
      body: await view.memory.addPerson((body as z.output<typeof addRequest>).name),
    }),
  },
  {
    ...json,
    id: 'persons-consent',
    method: 'POST',
    path: '/api/v1/persons/consent',
    summary:
      'Records that a person gives or withdraws their consent to keep the steps of their conversations.',
    request: consentRequest,
    response: personRow,
    errors: [400, 404, 409, 503],
    run: async ({ view, body }) => {
      const { person, given } = body as z.output<typeof consentRequest>
      return { body: await view.memory.consent(person, given) }
    },
  },
  {
    ...json,
    id: 'persons-export',
    method: 'POST',
    path: '/api/v1/persons/export',
    summary: 'All this node keeps of a person.',
    request: personRequest,
    response: personExport,
    errors: [400, 404, 409, 503],
    run: async ({ view, body }) => ({
      body: await view.memory.exportPerson((body as z.output<typeof personRequest>).person),
    }),
  },
  {
    ...json,
    id: 'persons-erase',
    method: 'POST',
    path: '/api/v1/persons/erase',
    summary: 'Erases a person on every node: here at once, on others when they hear of it.',
    request: erasePersonRequest,
    response: personErased,
    errors: [400, 404, 409, 503],
    run: async ({ view, body }) => {
      const { person, dry_run } = body as z.output<typeof erasePersonRequest>
      return { body: await view.memory.erasePerson(person, dry_run === true) }
    },
  },
]

export const memoryOperations: readonly Operation[] = [...timelines, ...persons]
