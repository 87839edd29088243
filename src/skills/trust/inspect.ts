/** What a package is and may do, in plain words, without a node and without believing it. */
import type { SkillManifest } from '../manifest/index.ts'
import { readPackage, type SkillPackage } from '../package/index.ts'
import { type PlainAsk, plainAsks } from './asks.ts'
import { type Delegation, decodeSignature, isDelegated, isSigned } from './statements.ts'

export interface Inspected {
  readonly manifest: SkillManifest
  readonly digest: string
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  readonly asks: readonly PlainAsk[]
  readonly signature:
    | { readonly state: 'none' }
    /** It does not fit the files. */
    | { readonly state: 'broken' }
    /** The key signed these files; whether it is trusted is each household's decision. */
    | { readonly state: 'whole'; readonly key: string; readonly delegation: Delegation | undefined }
}

/** Errors: `PackageError`, `ManifestError`. */
export async function inspectPackage(bytes: Uint8Array): Promise<Inspected> {
  const content = await readPackage(bytes)
  const { manifest, digest, files } = content
  return {
    manifest,
    digest,
    files: files.map(({ name, bytes: { length } }) => ({ name, bytes: length })),
    asks: plainAsks(manifest),
    signature: signatureIn(content),
  }
}

function signatureIn({ manifest, digest, signature: bytes }: SkillPackage): Inspected['signature'] {
  if (bytes === undefined) return { state: 'none' }
  const signature = decodeSignature(bytes)
  const { name, version, publisher } = manifest
  if (signature === undefined || !isSigned({ name, version, publisher, digest }, signature))
    return { state: 'broken' }
  const { key, delegation } = signature
  const isWhole =
    delegation === undefined ||
    (delegation.key === key && delegation.publisher === publisher && isDelegated(delegation))
  return isWhole ? { state: 'whole', key, delegation } : { state: 'broken' }
}
