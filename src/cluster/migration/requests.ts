/** What one node asks another: that an actor living there be moved. Pure. */
import { z } from 'zod'
import type { Address, Message } from '../../actors/index.ts'
import { nodeSchema } from './bundle.ts'

const request = z.strictObject({
  type: z.literal('actor.move'),
  address: z
    .string()
    .max(270)
    .regex(/^loqa:\/[A-Za-z0-9_.:~-]{1,128}\/[A-Za-z0-9_.:~-]{1,128}$/)
    .transform((address) => address as Address),
  to: nodeSchema,
})
export type MoveRequest = Readonly<z.infer<typeof request>>

export const isMoveRequest = (message: Message): message is MoveRequest => request.safeParse(message).success
