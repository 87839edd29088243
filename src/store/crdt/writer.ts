/**
 * Who writes in this database: a node, in one life of its data directory. Noted beside the tables, so that a copy of the files says whose
 * it is; the site id of the rows follows from it.
 */
import type { NodeId } from '../../host/index.ts'
import { type Origin, originOf, siteOf } from '../sync/origin.ts'
import type { Connection } from './connection.ts'
import { WriterChanged } from './errors.ts'
import type { JournalContents } from './journal.ts'
import type { ReplicaDatabase } from './replica-database.ts'
import { sha256 } from './signatures.ts'

const writerOf = (connection: Connection): Origin | undefined => {
  const [row] = connection.all('SELECT node, life FROM writer')
  return row === undefined ? undefined : { node: String(row[0]) as NodeId, life: Number(row[1]) }
}

const note = (connection: Connection, { node, life }: Origin): void => {
  connection.all('DELETE FROM writer')
  connection.all('INSERT INTO writer VALUES (?, ?)', [node, life])
}

/** Who writes here: whoever did, or `fresh` where nobody has yet. Errors: `store-of-another-node`. */
export async function openWriter(database: ReplicaDatabase, path: string, fresh: Origin): Promise<Origin> {
  const found = database.with(writerOf)
  if (found !== undefined && found.node !== fresh.node) throw new WriterChanged(path, found.node)
  const self = found ?? fresh
  if (found === undefined) database.transaction((connection) => note(connection, self))
  await database.adopt(siteOf(self, { hash: sha256 }))
  database.flush()
  return self
}

/** Later than every life that is known of; durable before it returns. */
export async function nextLife(database: ReplicaDatabase, { self, held }: JournalContents): Promise<Origin> {
  const lives = [...held.keys()].map(originOf).filter(({ node }) => node === self.node)
  const next = { node: self.node, life: Math.max(self.life, ...lives.map(({ life }) => life)) + 1 }
  database.transaction((connection) => note(connection, next))
  await database.adopt(siteOf(next, { hash: sha256 }))
  database.flush()
  return next
}

/** In a copy of the files: `by` lives later, so that what the original writes on and what the copy writes are two writers' logs. */
export function skipLives(database: ReplicaDatabase, by: number): void {
  database.transaction((connection) => {
    const found = writerOf(connection)
    if (found !== undefined) note(connection, { ...found, life: found.life + by })
  })
  database.flush()
}
