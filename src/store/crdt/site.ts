/**
 * Whose changes these are. The site id names the writer in every change row; `crsql_site_id` maps the ids to the short numbers the
 * clock tables hold, 0 for the writer itself.
 *
 * Two databases must never write under one id: their transactions would have the same numbers with different contents, and whoever
 * has seen one of them never asks for the other's. So a copy (a restored backup) writes under a new one; what was written before
 * stays the old one's.
 */
import { InvalidInputError } from '../../host/index.ts'
import { SITE_BYTES } from '../sync/bounds.ts'
import { dbVersion } from './changes.ts'
import type { Connection } from './connection.ts'
import { replicatedTables } from './migrate.ts'

export const siteOf = (connection: Connection): Uint8Array =>
  connection.one('SELECT crsql_site_id()') as Uint8Array

/** Every site whose writes are here, the own one first. */
export const sitesOf = (connection: Connection): Uint8Array[] =>
  connection.all('SELECT site_id FROM crsql_site_id ORDER BY ordinal').map(([site]) => site as Uint8Array)

/** Writes under `site` from now on. Returns whether that is a change; the connection must be opened anew then. */
export function adoptSite(connection: Connection, site: Uint8Array): boolean {
  if (site.length !== SITE_BYTES) throw new InvalidInputError(`A site id has ${SITE_BYTES} bytes`)
  const own = siteOf(connection)
  if (Buffer.compare(own, site) === 0) return false
  if (connection.one('SELECT ordinal FROM crsql_site_id WHERE site_id = ?', [site]) !== undefined)
    throw new InvalidInputError('This site id is in use by another writer')
  connection.transaction(() => {
    connection.all('UPDATE crsql_site_id SET site_id = ? WHERE ordinal = 0', [site])
    if (dbVersion(connection) === 0) return
    const former = connection.one('INSERT INTO crsql_site_id (site_id) VALUES (?) RETURNING ordinal', [own])!
    for (const table of replicatedTables(connection))
      connection.all(`UPDATE "${table}__crsql_clock" SET site_id = ? WHERE site_id = 0`, [former])
  })
  return true
}
