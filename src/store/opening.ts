/**
 * Opens the replica of a data directory, whatever state it was left in: damaged files are put aside and the household's other nodes fill the new
 * ones; after a reset the node's entries go on under its new identity; an earlier version's plain store is taken over once.
 */
import { join } from 'node:path'
import type { EntryChange } from '../actors/index.ts'
import { type Host, LoqaError, type NodeId } from '../host/index.ts'
import { openReplica, type Replica, type ReplicaOptions, restore, WriterChanged } from './crdt/index.ts'
import { PageFile } from './crdt/page-file.ts'
import { readEngineCode, realFiles } from './crdt/real-files.ts'
import { gcmSealers } from './crdt/seal.ts'
import { MAX_CHANGES, statementsOf } from './entries.ts'
import { FORMER_FILE, readFormerEntries } from './former.ts'
import { type Aside, REPLICA_FILE } from './layout.ts'

/** A directory that is begun anew takes one of so many lives: what it wrote before under another, if anything, stays another's log. */
const LIVES = 256
/** Bytes of one transaction when entries are taken over: well below what one may have. */
const TAKEN_BYTES = 96 * 1024

export type Opening = Pick<ReplicaOptions, 'key' | 'writer' | 'thread' | 'onLost' | 'onOwnLog'> & {
  readonly host: Pick<Host, 'clock' | 'disk' | 'random'>
  readonly directory: string
  /** A copy to go back to (`HouseholdStore.backup`), first of all; what is there is put aside. */
  readonly restore?: string | undefined
  /** What a person should know of how it went. */
  readonly notice: (message: string, values: Readonly<Record<string, unknown>>) => void
}

/** Errors: `store-key-wrong`, `store-too-new`, `store-full`, `store-io`, `data-directory-busy`. */
export async function openHousehold(opening: Opening): Promise<Replica> {
  if (opening.restore !== undefined) await restored(opening, opening.restore)
  const replica = await openedSomehow(opening)
  try {
    await takeOverFormer(opening, replica)
    return replica
  } catch (thrown) {
    await replica.close()
    throw thrown
  }
}

/** Errors: `invalid-input` when there is no copy; `store-key-wrong`, `store-damaged`, `store-full`, `store-io`. */
async function restored(opening: Opening, backup: string): Promise<void> {
  const { host, directory, key, notice } = opening
  const at = (path: string) => ({
    files: realFiles,
    path,
    random: host.random,
    sealersOf: gcmSealers(key, host.random),
  })
  const from = at(join(backup, REPLICA_FILE))
  if (!PageFile.exists(from)) {
    throw new LoqaError('invalid-input', `There is no copy of a store in ${backup}`, {
      hint: 'loqa store backup prints the directory it makes.',
    })
  }
  // A copy that cannot be opened takes nothing away.
  PageFile.open(from).close()
  const aside = await putAside(opening, 'replaced')
  const target = at(join(directory, REPLICA_FILE))
  await restore({ backup: from, target, random: host.random, code: readEngineCode() })
  notice('What the household remembers is that of the copy; what other nodes know since comes back', {
    backup,
    aside,
  })
}

async function openedSomehow(opening: Opening): Promise<Replica> {
  try {
    return await open(opening)
  } catch (thrown) {
    if (thrown instanceof WriterChanged) return carryOver(opening, thrown.writer)
    if (!(thrown instanceof LoqaError) || thrown.code !== 'store-damaged') throw thrown
    const aside = await putAside(opening, 'damaged')
    opening.notice('What the household remembers was damaged on this node and was put aside', {
      reason: thrown.message,
      aside,
      next: 'What other nodes hold of it comes back by itself.',
    })
    return open(opening, freshLife(opening))
  }
}

const open = (
  { host: _host, notice: _notice, restore: _restore, directory, ...options }: Opening,
  more: Partial<ReplicaOptions> = {},
): Promise<Replica> => openReplica({ path: join(directory, REPLICA_FILE), ...options, ...more })

const freshLife = ({ host }: Opening): { life: number } => ({ life: 1 + (host.random.uint32() % LIVES) })

/** The node was given a new identity: what it kept goes on as its own. Logs of others stay behind, they are of another household. */
async function carryOver(opening: Opening, former: NodeId): Promise<Replica> {
  const before = await open({ ...opening, writer: { ...opening.writer, node: former } })
  const rows = await before.read({
    sql: 'SELECT collection, key, value FROM entries WHERE value IS NOT NULL',
  })
  await before.close()
  await putAside(opening, 'former')
  const replica = await open(opening, freshLife(opening))
  await takeOver(
    replica,
    rows.map(([collection, key, value]) => ({
      collection: String(collection),
      key: String(key),
      value: String(value),
    })),
  )
  await removeAside(opening, 'former')
  return replica
}

interface Kept {
  readonly collection: string
  readonly key: string
  /** JSON. */
  readonly value: string
}

async function takeOver(replica: Replica, kept: readonly Kept[]): Promise<void> {
  for (const [collection, entries] of Map.groupBy(kept, (entry) => entry.collection)) {
    let changes: EntryChange[] = []
    let bytes = 0
    for (const { key, value } of entries) {
      if (changes.length === MAX_CHANGES || bytes + value.length * 3 > TAKEN_BYTES) {
        if (changes.length > 0) await replica.write(statementsOf(collection, changes))
        changes = []
        bytes = 0
      }
      changes.push({ change: 'put', key, value: JSON.parse(value) as unknown })
      bytes += (key.length + value.length) * 3
    }
    if (changes.length > 0) await replica.write(statementsOf(collection, changes))
  }
}

async function takeOverFormer({ host, directory, notice }: Opening, replica: Replica): Promise<void> {
  const path = join(directory, FORMER_FILE)
  if ((await host.disk.info(path)) === undefined) return
  const entries = formerEntries(path, notice)
  if (entries === undefined) return
  await takeOver(replica, entries)
  for (const suffix of ['', '-wal', '-shm']) await host.disk.remove(path + suffix)
  notice('What an earlier version had kept was taken over', { entries: entries.length })
}

function formerEntries(path: string, notice: Opening['notice']): readonly Kept[] | undefined {
  try {
    return readFormerEntries(path)
  } catch (thrown) {
    notice('What an earlier version had kept cannot be read and stays where it is', {
      path,
      reason: String(thrown),
    })
    return undefined
  }
}

const isReplicaFile = (name: string): boolean =>
  name === REPLICA_FILE || (name.startsWith(`${REPLICA_FILE}-`) && name !== `${REPLICA_FILE}-lock`)

/** Under names that begin with `<why>-`, so that nothing is lost before somebody has looked at it. */
async function putAside({ host, directory }: Opening, why: Aside): Promise<string> {
  const prefix = `${why}-${Math.floor(host.clock.wall() / 1_000)}-`
  for (const name of (await host.disk.list(directory)).filter(isReplicaFile))
    await host.disk.rename(join(directory, name), join(directory, prefix + name))
  await host.disk.sync(directory)
  return join(directory, `${prefix}${REPLICA_FILE}`)
}

async function removeAside({ host, directory }: Opening, why: Aside): Promise<void> {
  for (const name of await host.disk.list(directory))
    if (name.startsWith(`${why}-`) && name.includes(REPLICA_FILE))
      await host.disk.remove(join(directory, name))
}
