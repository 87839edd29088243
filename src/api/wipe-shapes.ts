/** The public shape of the red button's plan. */
import { z } from 'zod'

export const wipePlan = z.object({
  nodes: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        connected: z.boolean().describe('Wipes at once; others when they are connected again.'),
      }),
    )
    .readonly()
    .describe('The other members.'),
})
export type WipePlan = z.infer<typeof wipePlan>
