/** What the node keeps in its data directory, opened in the order in which one part needs the other: key, store, red button, what is signed of the audit log. */
import type { Cluster } from '../cluster/index.ts'
import type { Config } from '../config.ts'
import type { Host, NodeId } from '../host/index.ts'
import type { Audit, Log, Metrics } from '../observe/index.ts'
import { finishWiping, type HouseholdStore, type Keys, openStore } from '../store/index.ts'
import { Auditing } from './auditing.ts'
import type { Identity } from './identity.ts'
import { openStoreKeys } from './store-keys.ts'
import { Wiping } from './wiping.ts'

export interface KeepingParts {
  readonly host: Host
  readonly config: Config
  readonly identity: Identity
  readonly log: Log
  readonly metrics: Metrics
  readonly audit: Audit
  /** A copy of the store to go back to first. */
  readonly restore: string | undefined
  /** Undefined until it is open. */
  readonly cluster: () => Cluster | undefined
  /** To be done when the node stops, the last named first. */
  readonly later: (step: () => unknown) => void
}

export interface Kept {
  readonly auditing: Auditing
  readonly keys: Keys
  readonly store: HouseholdStore
  readonly wiping: Wiping
}

/** Errors: `store-*`, `config-invalid` for the passphrase's file, `DiskError`. */
export async function openKept({
  host,
  config,
  identity,
  log,
  metrics,
  audit,
  restore,
  cluster,
  later,
}: KeepingParts): Promise<Kept> {
  const directory = config.node.data_dir
  const { id: node } = identity
  const seed = identity.keyring.self.identity.expose()
  const { era, wiped } = await finishWiping(host, directory, node)
  if (wiped) log.info('What was kept is gone; the node begins anew')
  const keys = await openStoreKeys(host, config)
  /** Best effort: without a link, or over one that is full, it is lost, and what matters of it is said again. */
  const send = (to: NodeId, frame: Uint8Array): void => {
    cluster()?.linkTo(to)?.send('bulk', frame)
  }
  const store = await openStore({
    ...{ host, directory, restore, send },
    key: keys.for('replica'),
    writer: { node, seed },
    onHealth: (health) => log.warn('The store changed its state', { state: health.state }),
    onNotice: (message, values) => log.warn(message, values),
    onCaughtUp: (ms) => metrics.observe('loqa_sync_lag_ms', ms),
  })
  later(() => store.close())
  const wiping = new Wiping({
    ...{ host, directory, era, keys, seed, send, cluster, log },
    self: node,
    links: store.links,
    audit: (outcome, object) =>
      audit.append({ actor: 'node', who: '-', what: 'household.wiped', object, outcome }),
  })
  const auditing = await Auditing.open({
    ...{ host, directory, identity, audit, store, log },
    keep_years: config.observe.audit_keep_years,
  })
  // Signs the last words of all that stops before it.
  later(() => auditing.stop())
  return { auditing, keys, store, wiping }
}
