/** One process per data directory. */
import { join } from 'node:path'
import { type Disk, DiskError, LoqaError } from '../host/index.ts'
import { DataDirectoryBusy } from './errors.ts'
import { holdLock } from './sqlite.ts'

export interface Ownership {
  release(): void
}

/**
 * Takes the data directory for this process, creating it if need be. The system frees it however the process ends.
 * Errors: `DataDirectoryBusy` with the owner's pid, `config-invalid`, `DiskError`.
 */
export async function ownDirectory(disk: Disk, directory: string, pid: number): Promise<Ownership> {
  await makeDataDirectory(disk, directory)
  const lock = join(directory, 'owner.lock')
  const note = join(directory, 'owner.pid')
  // Appending nothing creates the file for its owner alone, and leaves one that is there, and held, untouched.
  await disk.append(lock, new Uint8Array())
  const held = holdLock(lock)
  if (held === undefined) throw new DataDirectoryBusy(directory, await readPid(disk, note))
  try {
    await disk.write(note, new TextEncoder().encode(`${pid}\n`), { mode: 0o600 })
  } catch (thrown) {
    // The number is for people; a full disk is no reason not to start.
    if (!(thrown instanceof DiskError)) throw thrown
  }
  return held
}

/** Errors: `config-invalid` when the path can never be a directory; `DiskError` for what passes or can be granted. */
async function makeDataDirectory(disk: Disk, directory: string): Promise<void> {
  try {
    await disk.makeDirectory(directory, { mode: 0o700 })
  } catch (thrown) {
    if (!(thrown instanceof DiskError) || (thrown.reason !== 'exists' && thrown.reason !== 'missing'))
      throw thrown
    const why = thrown.reason === 'exists' ? 'it is a file' : 'no directory can be made there'
    throw new LoqaError('config-invalid', `${directory} cannot be the data directory: ${why}`, {
      hint: 'Choose another with --data.',
      cause: thrown,
    })
  }
}

async function readPid(disk: Disk, note: string): Promise<number | undefined> {
  try {
    const pid = Number.parseInt(new TextDecoder().decode(await disk.readAt(note, 0, 16)), 10)
    return pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}
