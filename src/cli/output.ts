/** The file a command is to write: found out before the work is done, not after. */
import { dirname, resolve } from 'node:path'
import { InvalidInputError } from '../host/errors.ts'
import type { World } from './world.ts'

/** `name` as given by `-o`, absolute. Errors: `InvalidInputError` when it has no folder to lie in. */
export async function outputFile({ disk, directory }: World, name: string): Promise<string> {
  const path = resolve(directory, name)
  const folder = await disk.info(dirname(path))
  if (folder?.kind === 'directory') return path
  throw new InvalidInputError(
    `${name} cannot be written: there is no folder ${dirname(path)}`,
    'Make it first, or choose another file.',
  )
}
