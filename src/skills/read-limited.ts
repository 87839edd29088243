/** Files of skills: size first, bytes afterwards. */
import { type Disk, DiskError, InvalidInputError } from '../host/index.ts'

/** `most`: bytes. Errors: `InvalidInputError` for a larger file, `DiskError`. */
export async function readLimited(disk: Disk, path: string, most: number): Promise<Uint8Array> {
  const info = await disk.info(path)
  if (info === undefined) throw new DiskError('missing', path)
  if (info.size > most) throw new InvalidInputError(`${path} is larger than ${most / 1024} KiB`)
  return disk.read(path)
}
