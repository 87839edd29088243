/** The public shapes of the devices of the house and where they come from. */
import { z } from 'zod'

export const devicesShape = z.object({
  sources: z
    .array(
      z.object({
        source: z.string().describe('Address, without user and password.'),
        state: z.enum(['connecting', 'connected', 'away']),
        reason: z.string().nullable().describe('Why it is away.'),
        devices: z.int().min(0),
        problems: z.array(z.string()).readonly().describe('What was announced and cannot be used, and why.'),
      }),
    )
    .readonly()
    .describe('Empty where the configuration names none.'),
  devices: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        room: z.string(),
        kind: z.enum(['light', 'switch', 'cover', 'climate', 'lock', 'scene', 'sensor']),
        state: z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
          .describe('`available` is false while it is known to be out of reach.'),
      }),
    )
    .readonly(),
})
export type DevicesView = z.infer<typeof devicesShape>
