/**
 * Files as one archive: tar (ustar) in gzip (RFC 1952), in one way only. The same files give the same tar, whatever the machine, the
 * clock and the order they were found in; compressing may differ between builds of zlib, so what is signed is the tar.
 *
 * What is read is written again and must come out the same: no second file of a name, no link, no path, no hidden header, nothing
 * behind the end is left for two readers to understand differently. The only file that knows the archive library.
 */
import { promisify } from 'node:util'
import { crc32, gzip, type Inflate, type InputType, inflateRaw, type ZlibOptions } from 'node:zlib'
import { packTar, unpackTar } from 'modern-tar'
import { LoqaError } from '../../host/index.ts'
import { MAX_FILES, MAX_PACKAGE_BYTES, MAX_UNPACKED_BYTES } from './bounds.ts'

export interface PackageFile {
  /** Relative, with `/`; see `assetPath` of the manifest. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** A file that is no package, or not one of a skill. */
export class PackageError extends LoqaError {
  constructor(problem: string, cause?: unknown) {
    super('package-invalid', `This is not a skill package: ${problem}`, {
      hint: 'loqa skill build makes one of a folder with a skill.yaml.',
      cause,
    })
  }
}

/** Magic, deflate, no flags, no time, best compression, unknown system. */
const GZIP_HEADER = Buffer.from('1f8b08000000000002ff', 'hex')
/** Checksum and length. */
const GZIP_TRAILER_BYTES = 8
const BLOCK_BYTES = 512
const LEVEL = 9

const compress = promisify<InputType, ZlibOptions, Buffer>(gzip)

/** Sorted by the bytes of their names. Errors: none for files within the bounds. */
export function tarOf(files: readonly PackageFile[]): Promise<Uint8Array> {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
  return packTar(
    sorted.map(({ name, bytes }) => ({
      header: { name, size: bytes.length, type: 'file', mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 },
      body: bytes,
    })),
  )
}

export async function archive(tar: Uint8Array): Promise<Uint8Array> {
  const zipped = await compress(tar, { level: LEVEL })
  GZIP_HEADER.copy(zipped)
  return zipped
}

/** How many bytes the first file takes of a tar. */
export const spanOf = ({ bytes }: PackageFile): number =>
  BLOCK_BYTES * (1 + Math.ceil(bytes.length / BLOCK_BYTES))

export interface Unpacked {
  readonly tar: Uint8Array
  readonly files: readonly PackageFile[]
}

/** Errors: `PackageError` that says what is wrong; within the bounds whatever the bytes are. */
export async function unarchive(bytes: Uint8Array): Promise<Unpacked> {
  if (bytes.length > MAX_PACKAGE_BYTES)
    throw new PackageError(`it is larger than ${MAX_PACKAGE_BYTES / 1024} KiB`)
  const tar = await unzip(bytes)
  let entries: Awaited<ReturnType<typeof unpackTar>>
  try {
    entries = await unpackTar(tar, { strict: true })
  } catch (thrown) {
    throw new PackageError('its archive is damaged', thrown)
  }
  // One more than of its own: the signature.
  if (entries.length > MAX_FILES + 1) throw new PackageError(`it has more than ${MAX_FILES} files`)
  const files = entries.map(({ header, data }) => ({ name: header.name, bytes: data ?? new Uint8Array() }))
  if (!Buffer.from(await tarAgain(files)).equals(tar))
    throw new PackageError('its archive is not written as packages are')
  return { tar, files }
}

/** Names an archive cannot hold make it another archive. */
async function tarAgain(files: readonly PackageFile[]): Promise<Uint8Array> {
  try {
    return await tarOf(files)
  } catch {
    return new Uint8Array()
  }
}

async function unzip(bytes: Uint8Array): Promise<Uint8Array> {
  const header = GZIP_HEADER.length
  if (bytes.length < header + GZIP_TRAILER_BYTES || !GZIP_HEADER.equals(bytes.subarray(0, header)))
    throw new PackageError('it does not begin as packages do')
  const { buffer, used } = await inflate(bytes.subarray(header))
  const trailer = Buffer.from(bytes.buffer, bytes.byteOffset + header + used, bytes.length - header - used)
  const isWhole =
    trailer.length === GZIP_TRAILER_BYTES &&
    trailer.readUInt32LE(0) === crc32(buffer) &&
    trailer.readUInt32LE(4) === buffer.length
  if (!isWhole) throw new PackageError('it is damaged, or something was put behind it')
  return buffer
}

function inflate(bytes: Uint8Array): Promise<{ buffer: Buffer; used: number }> {
  return new Promise((resolve, reject) => {
    const options = { info: true, maxOutputLength: MAX_UNPACKED_BYTES }
    inflateRaw(bytes, options, (error, result) => {
      const large = (error as NodeJS.ErrnoException | null)?.code === 'ERR_BUFFER_TOO_LARGE'
      if (error !== null) {
        const problem = large ? `it unfolds to more than ${MAX_UNPACKED_BYTES / 1024} KiB` : 'it is damaged'
        reject(new PackageError(problem, error))
        return
      }
      // With `info` the result is the buffer beside the engine, which knows where the data ended.
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: Inflate }
      resolve({ buffer, used: engine.bytesWritten })
    })
  })
}
