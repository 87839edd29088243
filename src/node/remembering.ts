/** What people see of the store, and the copies they make of it. */
import { join } from 'node:path'
import type { BackupView, StoreView } from '../api/index.ts'
import { BACKUPS, REPLICA_FILE } from '../store/index.ts'
import type { NodeParts } from './parts.ts'

/** Reads everything: 5 µs an entry. Errors: `store-closed`. */
export async function showStore({ store }: Pick<NodeParts, 'store'>): Promise<StoreView> {
  const { digest, rows } = await store.digest()
  const health = store.health()
  const { life = 0, lag_ms = 0, writers = [], peers = [] } = store.replication() ?? {}
  return {
    state: health.state,
    reason: health.state === 'ok' ? null : health.error.message,
    entries: rows,
    digest,
    life,
    lag_ms: Math.round(lag_ms),
    writers: writers.map(({ origin, version, bytes }) => {
      const at = origin.lastIndexOf('/')
      return { node: origin.slice(0, at), life: Number(origin.slice(at + 1)), version, bytes }
    }),
    peers,
  }
}

/** Errors: `store-full`, `store-io`, `store-closed`. */
export async function backUp({
  store,
  host,
  config,
}: Pick<NodeParts, 'store' | 'host' | 'config'>): Promise<BackupView> {
  const stamp = new Date(host.clock.wall()).toISOString().replaceAll(/[:.]/g, '-')
  const directory = join(config.node.data_dir, BACKUPS, stamp)
  await host.disk.makeDirectory(join(config.node.data_dir, BACKUPS), { mode: 0o700 })
  await host.disk.makeDirectory(directory, { mode: 0o700 })
  await store.backup(join(directory, REPLICA_FILE))
  return { directory }
}
