/**
 * A skill as one file, `.loqa`: its manifest, its module and its assets, nothing else, and possibly a signature. Reading one believes
 * nothing: whether anybody vouches for it is decided in `trust/`.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Disk, InvalidInputError } from '../../host/index.ts'
import { MAX_MANIFEST_BYTES, readManifest, type SkillManifest } from '../manifest/index.ts'
import { readLimited } from '../read-limited.ts'
import { MAX_MODULE_BYTES } from '../wasm.ts'
import { archive, PackageError, type PackageFile, spanOf, tarOf, unarchive } from './archive.ts'
import { MAX_SIGNATURE_BYTES, MAX_UNPACKED_BYTES } from './bounds.ts'

export const MANIFEST_FILE = 'skill.yaml'
/** No name a manifest can give to a file; first in every order. */
const SIGNATURE_FILE = '.signature'

export interface SkillPackage {
  readonly manifest: SkillManifest
  /** The parsed `skill.yaml`: a source for the intent grammar. */
  readonly source: unknown
  /** All but the signature, sorted by name. */
  readonly files: readonly PackageFile[]
  /** Hex sha-256 of the tar of these files: what is signed. The same files have the same digest everywhere. */
  readonly digest: string
  /** As it lies in the package, not checked. */
  readonly signature: Uint8Array | undefined
}

/** An unsigned package. The files may have been found in any order. Errors: `ManifestError`, `PackageError`. */
export async function packSkill(files: readonly PackageFile[]): Promise<Uint8Array> {
  return write(await contentOf(files), undefined)
}

/** The same package with this signature instead of the one it may have. */
export function withSignature(content: SkillPackage, signature: Uint8Array): Promise<Uint8Array> {
  return write(content, signature)
}

async function write({ files }: SkillPackage, signature: Uint8Array | undefined): Promise<Uint8Array> {
  const signed = signature === undefined ? [] : [{ name: SIGNATURE_FILE, bytes: signature }]
  return archive(await tarOf([...signed, ...files]))
}

/** Errors: `PackageError`, and `ManifestError` for its `skill.yaml`. Nothing else, whatever the bytes are. */
export async function readPackage(bytes: Uint8Array): Promise<SkillPackage> {
  const { tar, files } = await unarchive(bytes)
  const [first, ...others] = files
  const signature = first?.name === SIGNATURE_FILE ? first : undefined
  if (signature !== undefined && signature.bytes.length > MAX_SIGNATURE_BYTES)
    throw new PackageError(`its signature is larger than ${MAX_SIGNATURE_BYTES / 1024} KiB`)
  const unsigned = signature === undefined ? tar : tar.subarray(spanOf(signature))
  const content = describe(signature === undefined ? files : others)
  return { ...content, digest: digestOf(unsigned), signature: signature?.bytes }
}

/** The files of a folder that its manifest names; others in it are no part of the skill. Errors: `ManifestError`, `DiskError`. */
export async function readFolder(disk: Disk, folder: string): Promise<readonly PackageFile[]> {
  const file = join(folder, MANIFEST_FILE)
  const manifest = await readLimited(disk, file, MAX_MANIFEST_BYTES)
  const names = namesIn(readManifest(textOf(manifest, file), file).manifest)
  const read = async (name: string): Promise<PackageFile> => ({
    name,
    bytes: await readLimited(disk, join(folder, name), MAX_MODULE_BYTES),
  })
  const others = await Promise.all(names.filter((name) => name !== MANIFEST_FILE).map(read))
  return [{ name: MANIFEST_FILE, bytes: manifest }, ...others]
}

export const fileOf = ({ files }: Pick<SkillPackage, 'files'>, name: string): Uint8Array | undefined =>
  files.find((file) => file.name === name)?.bytes

async function contentOf(files: readonly PackageFile[]): Promise<SkillPackage> {
  const content = describe([...files].sort((a, b) => (a.name < b.name ? -1 : 1)))
  const tar = await tarOf(content.files)
  if (tar.length > MAX_UNPACKED_BYTES)
    throw new PackageError(`it unfolds to more than ${MAX_UNPACKED_BYTES / 1024} KiB`)
  return { ...content, digest: digestOf(tar), signature: undefined }
}

/** Exactly the files the manifest names, or it is none. */
function describe(files: readonly PackageFile[]): Pick<SkillPackage, 'manifest' | 'source' | 'files'> {
  const manifest = fileOf({ files }, MANIFEST_FILE)
  if (manifest === undefined) throw new PackageError(`it has no ${MANIFEST_FILE}`)
  if (manifest.length > MAX_MANIFEST_BYTES)
    throw new PackageError(`its ${MANIFEST_FILE} is larger than ${MAX_MANIFEST_BYTES / 1024} KiB`)
  const read = readManifest(textOf(manifest, MANIFEST_FILE), MANIFEST_FILE)
  const named = new Set(namesIn(read.manifest))
  const stranger = files.find(({ name }) => !named.has(name))
  if (stranger !== undefined)
    throw new PackageError(
      `it has the file ${JSON.stringify(stranger.name.slice(0, 60))}, which its manifest does not name`,
    )
  if (new Set(files.map(({ name }) => name)).size < files.length)
    throw new PackageError('it has two files of one name')
  const missing = [...named].find((name) => fileOf({ files }, name) === undefined)
  if (missing !== undefined) throw new PackageError(`it lacks the file ${missing}, which its manifest names`)
  return { ...read, files }
}

const namesIn = ({ module, assets = [] }: SkillManifest): readonly string[] => [
  ...new Set([MANIFEST_FILE, ...(module === '' ? [] : [module]), ...assets]),
]

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InvalidInputError(`${file} is not text in UTF-8`)
  }
}

const digestOf = (tar: Uint8Array): string => createHash('sha256').update(tar).digest('hex')
