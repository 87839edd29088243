/** Texts a request may carry, as schemas. */
import { z } from 'zod'
import { limits } from '../host/index.ts'

/** C0 and C1 controls except tab, line feed and carriage return, which are taken as spaces. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/

export const spoken = (about: string) =>
  z
    .string()
    .max(limits.MAX_TURN_TEXT, `must have at most ${limits.MAX_TURN_TEXT} characters`)
    .refine((text) => !CONTROLS.test(text), 'must not contain control characters')
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .transform((text) => text.normalize('NFC').replaceAll(/\s+/g, ' ').trim())
    .refine((text) => text !== '', 'must not be empty')
    .describe(about)

export const label = (about: string) =>
  z
    .string()
    .min(1)
    .max(64)
    .refine((text) => !CONTROLS.test(text) && text.trim() !== '', 'must be readable text')
    .describe(about)

/** The characters an actor address may have: a session is one. */
export const sessionId = z
  .string()
  .regex(/^[A-Za-z0-9_.~-]{1,64}$/, 'must be 1 to 64 letters, digits or . _ ~ -')
  .describe('Conversation to go on with; a new one when absent.')
