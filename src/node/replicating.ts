/** What links and the household mean to the store: its frames ride the bulk stream, and it believes who is or was a member. */
import type { Cluster, ClusterListener } from '../cluster/index.ts'
import type { NodeId } from '../host/index.ts'
import type { StoreLinks } from '../store/index.ts'

export function storeListener(store: StoreLinks): ClusterListener {
  return {
    // A link that replaces another one carries on from the beginning: what was on its way may be lost.
    linked: ({ peer }) => store.linked(peer),
    unlinked: (peer) => store.unlinked(peer),
    frame(peer, streamClass, frame) {
      if (streamClass === 'bulk') store.frame(peer, frame)
    },
    belonged: (members) => store.believe(members),
  }
}

/** Best effort: without a link, or over one that is full, it is lost, and what matters of it is said again. */
export const sendOver =
  (cluster: () => Pick<Cluster, 'linkTo'> | undefined) =>
  (to: NodeId, frame: Uint8Array): void => {
    cluster()?.linkTo(to)?.send('bulk', frame)
  }
