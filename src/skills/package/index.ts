/**
 * A skill as one file: the `.loqa` package.
 *
 * Promises: the same files give the same digest everywhere; a package has exactly the files its manifest names; reading one takes
 * bounded time and memory whatever its bytes are, writes nothing to disk, and ends in a `SkillPackage` or an error that says what is wrong.
 *
 * Read `package.ts` first, then `archive.ts`.
 */
export { PackageError, type PackageFile } from './archive.ts'
export { MAX_PACKAGE_BYTES, MAX_SIGNATURE_BYTES, MAX_UNPACKED_BYTES } from './bounds.ts'
export {
  fileOf,
  MANIFEST_FILE,
  packSkill,
  readFolder,
  readPackage,
  type SkillPackage,
  withSignature,
} from './package.ts'
