/**
 * Puts a backup in the place of a database that is gone. The copy writes in a later life (`writer.ts`) from its first moment: the original
 * may have written on after the backup, and may still.
 */
import { InvalidInputError, type Random } from '../../host/index.ts'
import { PageFile } from './page-file.ts'
import type { PageFileOptions } from './page-layout.ts'
import { ReplicaDatabase } from './replica-database.ts'
import { skipLives } from './writer.ts'

/** Of one backup restored twice, without the first copy being heard of, the lives differ nearly always. */
const SKIPPED_LIVES = 256

export interface RestoreOptions {
  /** Where the backup is, and the key it was made with. It is only read, save that a log left behind is cleaned up. */
  readonly backup: PageFileOptions
  /** Where nothing is yet, and the node's key. */
  readonly target: PageFileOptions
  readonly random: Random
  /** The engine's code (`ENGINE_CODE`). */
  readonly code: Uint8Array
}

/**
 * Errors: `invalid-input` when there is no backup or something is at the target; `store-damaged`, `store-key-wrong`, `store-full`,
 * `store-io` of either place.
 */
export async function restore({ backup, target, random, code }: RestoreOptions): Promise<void> {
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
    const database = await ReplicaDatabase.open({ pages, code, migrations: undefined })
    skipLives(database, 1 + (random.uint32() % SKIPPED_LIVES))
    database.close()
  } finally {
    pages.close()
  }
}
