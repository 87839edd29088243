/** What other nodes may say to a skill: to carry out an intent, nothing else. Sizes were bounded by the frame it came in. */
import { z } from 'zod'
import type { Message } from '../actors/index.ts'
import { limits } from '../host/index.ts'

/** Slots of an intent, and things named in one of them. */
const MOST_SLOTS = 64

const text = z.string().max(limits.MAX_TURN_TEXT)
const name = z.string().max(128)
const slot = z.union([text, z.number(), z.array(text).max(MOST_SLOTS)])

const invokeSchema = z.strictObject({
  type: z.literal('skill.invoke'),
  intent: z.strictObject({
    name,
    slots: z.record(name, slot).refine((slots) => Object.keys(slots).length <= MOST_SLOTS),
  }),
  session: name,
  room: name,
  confirmed: z.boolean(),
  person: name.exactOptional(),
})

/** Timers, the household and what the store tells are the business of the skill's own node. */
export const isInvokeFromAfar = (message: Message): boolean => invokeSchema.safeParse(message).success
