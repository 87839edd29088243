/** SHA-256 of files that may be gigabytes. */
import { createHash } from 'node:crypto'
import type { Clock, Disk } from '../host/index.ts'

const HASHED_AT_ONCE = 4 * 1024 * 1024

/** In hex, over the first `size` bytes; the event loop gets its turn every few milliseconds. Errors: `DiskError`. */
export async function hashOf(disk: Disk, clock: Clock, path: string, size: number): Promise<string> {
  const hash = createHash('sha256')
  for (let offset = 0; offset < size; offset += HASHED_AT_ONCE) {
    hash.update(await disk.readAt(path, offset, HASHED_AT_ONCE))
    await new Promise<void>((resolve) => clock.soon(resolve))
  }
  return hash.digest('hex')
}
