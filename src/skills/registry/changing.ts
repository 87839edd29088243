/**
 * What a person may do with the household's skills. Pure: the record there is, what is wanted, who wants it; out comes the next record.
 *
 * R1 A name belongs to who brought it: another publisher cannot put a version of its own under it.
 * R2 Nothing older replaces what is here, and no other package the same version; a household's own work may change under one version,
 *    since whoever writes it builds it many times.
 * R3 A pinned skill keeps its version.
 * R4 A version that asks for more than was granted waits; the old one goes on meanwhile.
 */

import type { SkillPackage } from '../package/index.ts'
import { asksOf, TrustError, type Verdict } from '../trust/index.ts'
import type { SkillRecord } from './records.ts'

export interface Who {
  /** The node a person sits at. */
  readonly by: string
  /** ISO 8601. */
  readonly at: string
}

export interface Incoming {
  readonly content: Pick<SkillPackage, 'manifest' | 'digest'>
  readonly verdict: Pick<Verdict, 'level' | 'publisher'>
  /** Of the package. */
  readonly bytes: number
}

export interface Added {
  readonly record: SkillRecord
  readonly outcome: 'installed' | 'updated' | 'unchanged' | 'waiting'
  /** What it asks for beyond what was granted; all of it for a new one. */
  readonly more: readonly string[]
}

/** `granted`: a person read what it asks for and agreed. Errors: `TrustError`. */
export function added(
  before: SkillRecord | undefined,
  { content, verdict, bytes }: Incoming,
  granted: boolean,
  who: Who,
): Added {
  const { name, version } = content.manifest
  const asks = asksOf(content.manifest)
  const owner = verdict.level === 'own' ? 'own' : `${verdict.level}:${verdict.publisher}`
  const next = { version, digest: content.digest, bytes, ...who }
  const current = before?.state === 'installed' ? before : undefined
  if (current === undefined) {
    if (!granted && asks.length > 0) throw ungranted(name, asks)
    const record: SkillRecord = { ...next, state: 'installed', owner, granted: [...asks], pinned: false }
    return { record, outcome: 'installed', more: asks }
  }
  refuseOthers(name, current, owner)
  refuseOlder(name, current, { version, digest: content.digest, own: owner === 'own' })
  const more = asks.filter((ask) => !current.granted.includes(ask))
  if (current.digest === content.digest) return { record: current, outcome: 'unchanged', more: [] }
  if (more.length > 0 && !granted) return { record: { ...current, waiting: next }, outcome: 'waiting', more }
  const { waiting: _, ...kept } = current
  return { record: { ...kept, ...next, granted: [...asks] }, outcome: 'updated', more }
}

/** The version that waits is used from now on, with all it asks for. Errors: `TrustError` when none waits. */
export function grantedTo(name: string, record: SkillRecord, asks: readonly string[], who: Who): SkillRecord {
  const { waiting, ...kept } = record
  if (record.state !== 'installed' || waiting === undefined)
    throw new TrustError('skill-ungranted', `No version of ${name} waits to be granted anything`)
  return { ...kept, ...waiting, ...who, granted: [...asks] }
}

export const pinned = (record: SkillRecord, on: boolean): SkillRecord => ({ ...record, pinned: on })

/** Stays as a word that it is gone: a node that was away must not take it for one it never heard of. */
export function removed(record: SkillRecord, who: Who): SkillRecord {
  const { waiting: _, ...kept } = record
  return { ...kept, ...who, state: 'removed', granted: [], pinned: false }
}

const ungranted = (name: string, asks: readonly string[]): TrustError =>
  new TrustError(
    'skill-ungranted',
    `${name} asks for what nobody granted: ${asks.join(', ')}`,
    'loqa skill add shows what each of it means and asks you.',
  )

function refuseOthers(name: string, current: SkillRecord, owner: string): void {
  if (current.owner === owner) return
  throw new TrustError(
    'skill-untrusted',
    `The skill ${name} here is of ${current.owner}, this one of ${owner}`,
    `If you want this one instead: loqa skill rm ${name}, then add it.`,
  )
}

function refuseOlder(
  name: string,
  current: SkillRecord,
  next: { readonly version: string; readonly digest: string; readonly own: boolean },
): void {
  const order = compareVersions(next.version, current.version)
  if (current.pinned && order !== 0)
    throw new TrustError(
      'skill-pinned',
      `The household keeps ${name} at ${current.version}`,
      `To let it change: loqa skill pin ${name} --off`,
    )
  if (order < 0)
    throw new TrustError(
      'skill-downgrade',
      `${name} ${next.version} is older than ${current.version}, which is here`,
      `If you want the older one: loqa skill rm ${name}, then add it.`,
    )
  if (order === 0 && next.digest !== current.digest && !next.own)
    throw new TrustError(
      'skill-downgrade',
      `Another package of ${name} ${next.version} is here already: a version is published once`,
    )
}

/** As numbers, part by part. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (const [index, part] of left.entries()) {
    const difference = part - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
