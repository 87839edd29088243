/** What HTTP offers of the settings and secrets of skills. A secret is given, never shown. */
import { z } from 'zod'
import type { Operation } from './operation.ts'
import { settingValue, skillSettings } from './skill-settings-shapes.ts'
import { label } from './words.ts'

const params = z.strictObject({ id: label('Name of a skill.') })
const configRequest = z.strictObject({
  key: label('A setting of its manifest.'),
  value: settingValue.nullable().describe('Null goes back to the default.'),
})
const secretRequest = z.strictObject({
  key: label('A secret its manifest names.'),
  value: z.string().max(1_000).nullable().describe('Null takes it back.'),
})

const common = { params, response: skillSettings, contentType: 'application/json' } as const

export const skillSettingsOperations: readonly Operation[] = [
  {
    ...common,
    id: 'skill-settings',
    method: 'GET',
    path: '/api/v1/skills/:id/settings',
    summary: 'The settings of a skill, and which of its secrets were given.',
    errors: [400, 404],
    run: ({ view, params: given }) => ({
      body: view.skillSettings.show((given as z.output<typeof params>).id),
    }),
  },
  {
    ...common,
    id: 'skill-settings-choose',
    method: 'POST',
    path: '/api/v1/skills/:id/settings',
    summary: 'Chooses a setting of a skill, for the whole household.',
    request: configRequest,
    errors: [400, 404, 503],
    run: async ({ view, params: given, body }) => {
      const { key, value: chosen } = body as z.output<typeof configRequest>
      const { id } = given as z.output<typeof params>
      return { body: await view.skillSettings.choose(id, key, chosen ?? undefined) }
    },
  },
  {
    ...common,
    id: 'skill-secret',
    method: 'POST',
    path: '/api/v1/skills/:id/secrets',
    summary: 'Gives a skill a secret, for the whole household. It is put into its requests and never shown.',
    request: secretRequest,
    errors: [400, 404, 503],
    run: async ({ view, params: given, body }) => {
      const { key, value: secret } = body as z.output<typeof secretRequest>
      const { id } = given as z.output<typeof params>
      return { body: await view.skillSettings.give(id, key, secret ?? undefined) }
    },
  },
]
