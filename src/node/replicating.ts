/** How frames of the store reach another node. */
import type { Cluster } from '../cluster/index.ts'
import type { NodeId } from '../host/index.ts'

/** Over the bulk stream, best effort: without a link, or over one that is full, it is lost, and what matters of it is said again. */
export const sendOver =
  (cluster: () => Pick<Cluster, 'linkTo'> | undefined) =>
  (to: NodeId, frame: Uint8Array): void => {
    cluster()?.linkTo(to)?.send('bulk', frame)
  }
