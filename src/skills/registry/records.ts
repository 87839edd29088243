/**
 * What the household keeps of its skills, as entries of replicated collections, so that every node has the same:
 *
 *   skills.installed    name → which package, who added it, what it was granted; a removed one stays as a word that it is gone
 *   skills.packages     digest/number → a piece of the package
 *   skills.publishers   publisher/key → a publisher this household vouches for
 *   skills.revoked      kind:id → why and by whom; every node stops what it touches when it hears of it, also one that was away
 *
 * Any member can write these, as it can write timers; a package itself is believed for its signature alone (`trust/`). What another
 * version wrote and this one does not understand is left alone.
 */
import { z } from 'zod'
import type { Entry } from '../../actors/index.ts'
import { skillName, skillVersion } from '../manifest/index.ts'
import { MAX_PACKAGE_BYTES } from '../package/index.ts'
import { type Delegation, delegationSchema, digestShape, type Revocations } from '../trust/index.ts'

export const INSTALLED = 'skills.installed'
export const PACKAGES = 'skills.packages'
export const PUBLISHERS = 'skills.publishers'
export const REVOKED = 'skills.revoked'

/** One thing asked for, as `asksOf` writes it. */
const ask = z.string().min(1).max(300)
const moment = z.iso.datetime()

const versionSchema = z.object({
  version: skillVersion,
  digest: digestShape,
  /** Of the package. */
  bytes: z.int().min(1).max(MAX_PACKAGE_BYTES),
  at: moment,
  /** The node a person sat at. */
  by: z.string().min(1).max(128),
})
export type AddedVersion = z.infer<typeof versionSchema>

export const recordSchema = versionSchema.extend({
  state: z.enum(['installed', 'removed']),
  /** Who may bring its next version. */
  owner: z.string().min(1).max(64),
  granted: z.array(ask).max(256),
  pinned: z.boolean(),
  /** A newer version that asks for more than was granted: it waits for a person. */
  waiting: versionSchema.optional(),
})
export type SkillRecord = z.infer<typeof recordSchema>

const revocationSchema = z.object({ why: z.string().max(200), at: moment, by: z.string().max(128) })
export type Revocation = z.infer<typeof revocationSchema>

export type Records = ReadonlyMap<string, SkillRecord>

export function recordsIn(entries: readonly Entry[]): Records {
  const known = entries.filter(({ key }) => skillName.safeParse(key).success)
  return new Map(understood(known, recordSchema))
}

export const revocationsIn = (entries: readonly Entry[]): ReadonlyMap<string, Revocation> & Revocations =>
  new Map(understood(entries, revocationSchema))

export const publishersIn = (entries: readonly Entry[]): readonly Delegation[] =>
  understood(entries, delegationSchema).map(([, delegation]) => delegation)

export const publisherKey = ({ publisher, key }: Delegation): string => `${publisher}/${key}`

function understood<T>(entries: readonly Entry[], schema: z.ZodType<T>): readonly (readonly [string, T])[] {
  return entries.flatMap(({ key, value }) => {
    const read = schema.safeParse(value)
    return read.success ? [[key, read.data] as const] : []
  })
}
