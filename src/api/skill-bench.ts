/** What HTTP offers to whoever develops a skill: bring a version, watch it work, put things back. */
import { z } from 'zod'
import type { Operation } from './operation.ts'
import { ended, MAX_SKILL_BODY_BYTES, onBench, skillFiles, skillParams } from './skill-bench-shapes.ts'

export const skillBenchOperations: readonly Operation[] = [
  {
    id: 'skill-dev',
    method: 'POST',
    path: '/api/v1/skills/dev',
    summary:
      'Takes a version of a skill into use until its development ends; one that is broken is refused, and the one before answers on.',
    request: skillFiles,
    most_bytes: MAX_SKILL_BODY_BYTES,
    response: onBench,
    contentType: 'application/json',
    errors: [400, 413, 503],
    run: async ({ view, body }) => {
      const { manifest, module, folder } = body as z.output<typeof skillFiles>
      return { body: await view.bench.put({ manifest, folder, module: Buffer.from(module, 'base64') }) }
    },
  },
  {
    id: 'skill-dev-end',
    method: 'POST',
    path: '/api/v1/skills/dev/:name/end',
    params: skillParams,
    summary: 'Ends the development of a skill: what was installed under its name is used again.',
    request: z.strictObject({}),
    response: ended,
    contentType: 'application/json',
    errors: [400, 404],
    run: async ({ view, params }) => {
      const { name } = params as z.output<typeof skillParams>
      await view.bench.end(name)
      return { body: { name } }
    },
  },
  {
    id: 'skill-dev-log',
    method: 'GET',
    path: '/api/v1/skills/dev/:name/log',
    params: skillParams,
    summary:
      'Every call of a skill under development from now on, a line of JSON each, until the caller goes.',
    response: z.string(),
    contentType: 'application/x-ndjson',
    errors: [404],
    run: ({ view, params }) => ({
      body: lines(view.bench.watch((params as z.output<typeof skillParams>).name)),
    }),
  },
]

/** The first line comes at once, so that the caller knows that it is heard. */
async function* lines(records: AsyncIterable<object>): AsyncGenerator<string> {
  yield '{}\n'
  for await (const record of records) yield `${JSON.stringify(record)}\n`
}
