/** From the bytes of a package to a skill that may run, at each load: what it is, who vouches for it, what it was granted. */
import { type Skill, skillOf } from '../catalogue.ts'
import { fileOf, readPackage, type SkillPackage } from '../package/index.ts'
import { asksOf, judge, TrustError, type Trusted, type Verdict } from '../trust/index.ts'
import type { SkillRecord } from './records.ts'

export interface Loaded {
  readonly content: SkillPackage
  readonly verdict: Verdict
  readonly skill: Skill
}

/**
 * Of a package this record is about. `place`: where it lies, for people. Errors: `PackageError`, `ManifestError`, `TrustError`,
 * `SkillError` for its module.
 */
export async function load(
  name: string,
  record: SkillRecord,
  bytes: Uint8Array,
  trusted: Trusted,
  place: string,
): Promise<Loaded> {
  const content = await readPackage(bytes)
  if (content.digest !== record.digest || content.manifest.name !== name)
    throw new TrustError('skill-tampered', `The package of ${name} here is not the one that was added`)
  const verdict = judged(record, content, trusted)
  return { content, verdict, skill: skillFrom(content, verdict, place) }
}

/** The same question again, when what is trusted has changed. Errors: `TrustError`. */
export function judged(record: SkillRecord, content: SkillPackage, trusted: Trusted): Verdict {
  const verdict = judge(content, trusted, record.at.slice(0, 10))
  const more = asksOf(content.manifest).filter((ask) => !record.granted.includes(ask))
  if (more.length > 0)
    throw new TrustError('skill-ungranted', `${content.manifest.name} was not granted ${more.join(', ')}`)
  return verdict
}

/** Its zone is the one trust gives it. Errors: `SkillError` for its module. */
export function skillFrom(content: SkillPackage, { zone }: Pick<Verdict, 'zone'>, place: string): Skill {
  const { manifest, source } = content
  const module = fileOf(content, manifest.module) ?? new Uint8Array()
  return skillOf({ manifest: { ...manifest, zone }, source, module, folder: place })
}
