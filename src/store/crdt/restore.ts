/**
 * Puts a backup in the place of a database that is gone. The copy writes under a new site id from its first moment (`site.ts`): the original
 * may have written on after the backup, and may still.
 */
import { InvalidInputError } from '../../host/index.ts'
import { PageFile } from './page-file.ts'
import type { PageFileOptions } from './page-layout.ts'
import { ReplicaDatabase } from './replica-database.ts'

export interface RestoreOptions {
  /** Where the backup is, and the key it was made with. It is only read, save that a log left behind is cleaned up. */
  readonly backup: PageFileOptions
  /** Where nothing is yet, and the node's key. */
  readonly target: PageFileOptions
  /** The name to write under, 16 bytes, used by nobody before. */
  readonly site: Uint8Array
  /** The engine's code (`ENGINE_CODE`). */
  readonly code: Uint8Array
}

/**
 * Errors: `invalid-input` when there is no backup, something is at the target, or the site id is known there already;
 * `store-damaged`, `store-key-wrong`, `store-full`, `store-io` of either place.
 */
export async function restore({ backup, target, site, code }: RestoreOptions): Promise<void> {
  if (!PageFile.exists(backup)) throw new InvalidInputError('There is no backup at that place')
  const from = PageFile.open(backup)
  try {
    from.copyTo(target)
  } finally {
    from.close()
  }
  const pages = PageFile.open(target)
  try {
    // The schema is left to whoever opens it next.
    const database = await ReplicaDatabase.open({ pages, code, migrations: undefined, site })
    database.close()
  } finally {
    pages.close()
  }
}
