/**
 * Carries an order to wipe out on this node's disk, in steps that a crash may come between: the order is noted, the key written over, the files
 * removed, the order noted as done. Whoever starts in between goes on.
 */
import { join } from 'node:path'
import type { Disk, Host, NodeId } from '../host/index.ts'
import { type Era, type KeptOrder, readKeptOrder, type WipeOrder } from './era.ts'
import { SEALED_FILES } from './key-file.ts'
import { wipeKeyFile } from './keys.ts'
import { ASIDE, BACKUPS } from './layout.ts'

const ORDER_FILE = 'wiped.json'
/** Beginnings of the names of all copies. */
const COPIES = [BACKUPS, ...ASIDE.map((why) => `${why}-`)]

async function keptOrder(disk: Disk, directory: string): Promise<KeptOrder | undefined> {
  const path = join(directory, ORDER_FILE)
  if ((await disk.info(path)) === undefined) return undefined
  return readKeptOrder(Buffer.from(await disk.read(path)).toString('utf8'))
}

const note = (disk: Disk, directory: string, kept: KeptOrder): Promise<void> =>
  disk.write(join(directory, ORDER_FILE), Buffer.from(`${JSON.stringify(kept)}\n`), { mode: 0o600 })

/** From here on what was kept is gone at the latest when the node has started again. Returns when that is durable. */
export const noteOrder = (disk: Disk, directory: string, node: NodeId, order: WipeOrder): Promise<void> =>
  note(disk, directory, { order, node, done: false })

/** The era goes on without anything being wiped: the order does not bind this node. */
export const takeOver = (disk: Disk, directory: string, node: NodeId, order: WipeOrder): Promise<void> =>
  note(disk, directory, { order, node, done: true })

export interface Finished {
  readonly era: Era
  /** An order was carried out just now. */
  readonly wiped: boolean
}

/** First of all at a start, before anything that is kept is opened. Errors: `DiskError`; then it is tried again at the next start. */
export async function finishWiping(
  { disk, random }: Pick<Host, 'disk' | 'random'>,
  directory: string,
  self: NodeId,
): Promise<Finished> {
  const kept = await keptOrder(disk, directory)
  const era = kept?.node === self ? kept.order : undefined
  if (kept === undefined || kept.done) return { era, wiped: false }
  await wipeKeyFile({ disk, random, directory })
  for (const name of await disk.list(directory)) {
    if ([...SEALED_FILES, ...COPIES].some((beginning) => name.startsWith(beginning)))
      await removeAll(disk, join(directory, name))
  }
  await disk.sync(directory)
  await note(disk, directory, { ...kept, done: true })
  return { era, wiped: true }
}

async function removeAll(disk: Disk, path: string): Promise<void> {
  const found = await disk.info(path)
  if (found?.kind === 'directory')
    for (const name of await disk.list(path)) await removeAll(disk, join(path, name))
  // An empty directory says nothing.
  else await disk.remove(path)
}
