/**
 * Whether a package may run here, and how far. Pure: a package, what is trusted, a day; out comes a verdict or the reason.
 *
 * J1 A package runs only if a key signed all of it, and that key is a root, a node of this household, or one for which such a key
 *    vouches. The manifest's own words count for nothing in this, but its publisher must be the one the key stands for.
 * J2 What was revoked does not run, whenever it was signed: the package, the key, the publisher, or the root above.
 * J3 The zone is what the level allows, or worse if the manifest asks for worse: 2 for official and vetted, 3 for the household's own.
 *    Zone 1, the node's own sandbox, is for what ships with the node.
 * J4 A policy is looked at last: it only takes away.
 * J5 A native adapter runs only if the key of a publisher whom the policy names signed it; a node of the household signs none.
 */
import type { SkillManifest } from '../manifest/index.ts'
import type { SkillPackage } from '../package/index.ts'
import { TrustError } from './errors.ts'
import type { Policy } from './policy.ts'
import { type Delegation, decodeSignature, isDelegated, isSigned, type Level } from './statements.ts'

/** What was revoked, as written: `package:<digest>`, `key:<hex>`, `publisher:<name>`. */
export type Revocations = ReadonlyMap<string, { readonly why: string }>

export interface Trusted {
  readonly policy: Policy
  /** Keys of the nodes that belong to the household now. */
  readonly members: ReadonlySet<string>
  /** Publishers this household vouches for; those a package brings along count as well. */
  readonly publishers: readonly Delegation[]
  readonly revoked: Revocations
}

export interface Verdict {
  readonly level: Level
  /** A name for people. */
  readonly publisher: string
  /** That signed it. */
  readonly key: string
  /** That vouches for it: the same for a node's own work. */
  readonly root: string
  readonly zone: 2 | 3
  /** Until when the publisher is vouched for; undefined for a node of the household. */
  readonly until: string | undefined
}

/** `day`: of the installation, e.g. 2026-01-31. Errors: `TrustError`. */
export function judge(content: SkillPackage, trusted: Trusted, day: string): Verdict {
  const { manifest, digest } = content
  if (content.signature === undefined)
    throw new TrustError('skill-unsigned', `Nobody signed the skill ${manifest.name}`, UNSIGNED_HINT)
  const signature = decodeSignature(content.signature)
  const { name, version, publisher } = manifest
  if (signature === undefined || !isSigned({ name, version, publisher, digest }, signature))
    throw new TrustError(
      'skill-tampered',
      `The skill ${name} is not what its publisher signed`,
      'Get it again from where it comes from; tell its publisher if it stays so.',
    )
  const { key, delegation } = signature
  refuseRevoked(trusted.revoked, [
    ['package', digest],
    ['key', key],
    ['publisher', publisher],
  ])
  const found = vouched(trusted, publisher, key, delegation, day)
  refuseRevoked(trusted.revoked, [['key', found.root]])
  refuseForbidden(manifest, found.level, trusted.policy)
  if (trusted.members.has(key)) refuseNative(manifest, trusted.policy)
  return { ...found, publisher, key, zone: zoneOf(found.level, manifest.zone) }
}

const UNSIGNED_HINT = 'Add it as your own work if you know it to be harmless: loqa skill add … --unsigned'

type Vouched = Pick<Verdict, 'level' | 'root' | 'until'>

function vouched(
  { policy, members, publishers }: Trusted,
  publisher: string,
  key: string,
  brought: Delegation | undefined,
  day: string,
): Vouched {
  if (members.has(key)) return { level: 'own', root: key, until: undefined }
  for (const level of ['official', 'vetted'] as const) {
    if (policy.roots[level].includes(key)) return { level, root: key, until: undefined }
  }
  const isRoot = ({ level, by }: Delegation): boolean =>
    level === 'own' ? members.has(by) : policy.roots[level].includes(by)
  const known = [...(brought === undefined ? [] : [brought]), ...publishers].filter(
    (one) => one.key === key && one.publisher === publisher && isRoot(one) && isDelegated(one),
  )
  if (known.length === 0)
    throw new TrustError(
      'skill-untrusted',
      `Nobody whom this household trusts vouches for ${publisher} with the key ${key}`,
      `If you got this key from ${publisher}: loqa skill trust ${publisher} ${key}`,
    )
  const current = known.find(({ from, until }) => from <= day && day <= until)
  if (current === undefined) {
    const { from, until } = known[0]!
    throw new TrustError(
      'skill-expired',
      `${publisher} is vouched for from ${from} until ${until} only`,
      'Ask for a package that was signed anew.',
    )
  }
  return { level: current.level, root: current.by, until: current.until }
}

/** Errors: `TrustError` `skill-revoked`. */
export function refuseRevoked(revoked: Revocations, what: readonly (readonly [string, string])[]): void {
  for (const [kind, id] of what) {
    const found = revoked.get(`${kind}:${id}`)
    if (found === undefined) continue
    const why = found.why === '' ? '' : `: ${found.why}`
    throw new TrustError(
      'skill-revoked',
      `This ${kind} was revoked${why}`,
      'loqa skill revoke shows all of them.',
    )
  }
}

/** J4 alone, for what nobody signed and a person runs all the same. Errors: `TrustError` `skill-forbidden`. */
export function refuseUnsigned(manifest: SkillManifest, policy: Policy): void {
  if (policy.unsigned === 'never')
    throw new TrustError(
      'skill-forbidden',
      `The policy ${policy.name} of this node takes nothing nobody signed`,
    )
  refuseForbidden(manifest, 'own', policy)
  refuseNative(manifest, policy)
}

/** Of what no publisher's key signed: whose it is called is anybody's word. */
function refuseNative({ runtime, publisher }: SkillManifest, policy: Policy): void {
  if (runtime !== 'native') return
  throw new TrustError(
    'skill-forbidden',
    `The policy ${policy.name} of this node lets native adapters run only if their publisher signed them`,
    `If you have the key of ${publisher}: loqa skill trust ${publisher} KEY; then add the signed package.`,
  )
}

function refuseForbidden(manifest: SkillManifest, level: Level, policy: Policy): void {
  const { name, publisher, permissions, runtime } = manifest
  const refuse = (why: string): never => {
    throw new TrustError('skill-forbidden', `The policy ${policy.name} of this node ${why}`)
  }
  if (!policy.allow.includes(level)) refuse(`lets no ${level} skill run`)
  const forbidden = permissions.find(({ use }) => policy.forbid.includes(use))
  if (forbidden !== undefined) refuse(`grants no skill ${forbidden.use}, which ${name} asks for`)
  if (runtime === 'native' && !policy.native.includes(publisher))
    refuse(`lets no native adapter of ${publisher} run`)
}

const zoneOf = (level: Level, wished: 1 | 2 | 3): 2 | 3 => (level === 'own' || wished === 3 ? 3 : 2)
