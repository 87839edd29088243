/** What HTTP offers of skills: those there are, and what a person may do with them. */
import { z } from 'zod'
import type { Operation } from './operation.ts'
import {
  MAX_ADD_BYTES,
  revokedRow,
  type SkillRequest,
  type SkillsView,
  skillDetail,
  skillRequests,
  skillReview,
  skillRow,
  trustedRow,
} from './skills-shapes.ts'

const json = { contentType: 'application/json', errors: [400, 403, 404, 409, 413, 503] } as const

const changing = <K extends keyof typeof skillRequests>(
  action: K,
  summary: string,
  response: z.ZodType,
  run: (skills: SkillsView, request: SkillRequest<K>) => unknown,
): Operation => ({
  ...json,
  id: `skills-${action}`,
  method: 'POST',
  path: `/api/v1/skills/${action}`,
  summary,
  request: skillRequests[action],
  response,
  run: async ({ view, body }) => ({ body: await run(view.skills, body as SkillRequest<K>) }),
})

const params = z.object({ skill: z.string().min(1).max(32) })

export const skillOperations: readonly Operation[] = [
  {
    ...json,
    id: 'skills',
    method: 'GET',
    path: '/api/v1/skills',
    summary: 'The skills of this node, with who vouches for each and what is wrong with it.',
    response: z.array(skillRow),
    run: ({ view }) => ({ body: view.skills.list() }),
  },
  {
    ...json,
    id: 'skill',
    method: 'GET',
    path: '/api/v1/skills/:skill',
    params,
    summary: 'One skill: who signed it, what it may do, in plain words.',
    response: skillDetail,
    run: ({ view, params: given }) => ({ body: view.skills.show((given as z.output<typeof params>).skill) }),
  },
  {
    ...json,
    id: 'skills-revoked',
    method: 'GET',
    path: '/api/v1/skill-revocations',
    summary: 'What was revoked, with the reason.',
    response: z.array(revokedRow),
    run: async ({ view }) => ({ body: await view.skills.revoked() }),
  },
  {
    ...json,
    id: 'skills-publishers',
    method: 'GET',
    path: '/api/v1/skill-publishers',
    summary: 'The publishers this household vouches for.',
    response: z.array(trustedRow),
    run: async ({ view }) => ({ body: await view.skills.trusted() }),
  },
  {
    ...changing(
      'add',
      'Adds a skill, or a new version of one, on every node; a dry run says what that would mean.',
      skillReview,
      (skills, { package: bytes, ...rest }) =>
        skills.add({ ...rest, package: new Uint8Array(Buffer.from(bytes, 'base64')) }),
    ),
    most_bytes: MAX_ADD_BYTES,
  },
  changing(
    'rm',
    'Removes a skill that was added, on every node. What it kept stays.',
    skillDetail,
    (skills, one) => skills.rm(one),
  ),
  changing('pin', 'Keeps a skill at its version, or lets it change again.', skillDetail, (skills, one) =>
    skills.pin(one),
  ),
  changing(
    'grant',
    'Takes the version into use that waits because it asks for more; a dry run says for what.',
    skillReview,
    (skills, one) => skills.grant(one),
  ),
  changing(
    'enable',
    'Switches on again a skill that failed too often, on this node.',
    skillDetail,
    (skills, one) => skills.enable(one),
  ),
  changing(
    'revoke',
    'Stops a package, all of a publisher, or all that a key signed, on every node, and keeps it from being added again.',
    z.array(revokedRow),
    (skills, one) => skills.revoke(one),
  ),
  changing(
    'trust',
    'Vouches for a publisher’s key, for this household; its skills run in zone 3.',
    z.array(trustedRow),
    (skills, one) => skills.trust(one),
  ),
]
