/**
 * What a node lets run, as its policy file says. Two come with the program (`config/policies/`): `home`, and `medical` for places where
 * nothing may run that the makers of loqa did not sign, and nothing leaves the house.
 */
import { z } from 'zod'
import { InvalidInputError } from '../../host/index.ts'
import { locateYaml } from '../manifest/located.ts'
import { keyShape, LEVELS } from './statements.ts'

const roots = z.array(keyShape).max(16).default([])

export const policySchema = z.strictObject({
  name: z.string().min(1).max(64),
  /** Whose skills may run. Those that ship with the node always may: they are part of the program. */
  allow: z.array(z.enum(LEVELS)).max(LEVELS.length),
  /** Whether a person may add what nobody signed, as their own work. */
  unsigned: z.enum(['ask', 'never']),
  /** Permissions no skill that was added gets here. */
  forbid: z.array(z.string().min(1).max(32)).max(64).default([]),
  /** Whose word makes a publisher official or vetted: public keys, 64 hex digits. */
  roots: z.strictObject({ official: roots, vetted: roots }).default({ official: [], vetted: [] }),
  /** Publishers whose native adapters may run, in a process the system isolates. */
  native: z.array(z.string().max(32)).max(32).default([]),
})
export type Policy = z.infer<typeof policySchema>

/** A policy file is a screen long. */
export const MAX_POLICY_BYTES = 64 * 1024

/** Errors: `invalid-input` naming the file, the line and the key. */
export function readPolicy(text: string, file: string): Policy {
  const yaml = locateYaml(text, file)
  const read = policySchema.safeParse(yaml.value)
  if (read.success) return read.data
  const issue = read.error.issues[0]!
  const path = issue.path as (string | number)[]
  const { line, column } = yaml.place(path)
  throw new InvalidInputError(
    `${file}:${line}:${column}: ${path.join('.') || 'the policy'}: ${issue.message}`,
  )
}
