/** Signs whole packages. */
import { readPackage, type SkillPackage, withSignature } from '../package/index.ts'
import type { Signer } from './keys.ts'
import { type Delegation, encodeSignature, signStatement } from './statements.ts'

/**
 * The same package, signed: name, version, publisher and every byte of its files. A signature it has is replaced.
 * Errors: `PackageError`, `ManifestError`.
 */
export async function signPackage(
  bytes: Uint8Array,
  signer: Signer,
  delegation?: Delegation,
): Promise<Uint8Array> {
  return signContent(await readPackage(bytes), signer, delegation)
}

export function signContent(
  content: SkillPackage,
  signer: Signer,
  delegation?: Delegation,
): Promise<Uint8Array> {
  const { name, version, publisher } = content.manifest
  const signed = { name, version, publisher, digest: content.digest }
  return withSignature(content, encodeSignature(signStatement(signed, signer, delegation)))
}
