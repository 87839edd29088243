/**
 * Libraries that do not come with the program: a person adds them with `loqa engines add`, each into a folder of its own with its
 * own packages. In a clone they may be among the packages of the program as well.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { LoqaError } from '../../host/errors.ts'
import type { ModelFiles } from '../engine.ts'

/** Resolves packages as the library itself would. Errors: `LoqaError` `engine-unavailable` that says how to add it. */
export function addedLibrary({ engine, engines_dir }: ModelFiles, name: string): NodeJS.Require {
  const added = engines_dir === undefined ? undefined : join(engines_dir, engine, 'package.json')
  const require = createRequire(added !== undefined && existsSync(added) ? added : import.meta.url)
  try {
    return createRequire(require.resolve(name))
  } catch (cause) {
    throw new LoqaError('engine-unavailable', `The engine ${engine} is not on this machine`, {
      hint: `Add it: loqa engines add ${engine}`,
      cause,
    })
  }
}
