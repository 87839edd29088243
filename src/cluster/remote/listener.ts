/** Remote actors as one of those who hear of links and verdicts. */
import type { NodeId } from '../../host/index.ts'
import type { ClusterListener } from '../running/face.ts'
import type { LinkEvents, Remote } from './face.ts'

export function remoteListener(remote: Remote): ClusterListener {
  const events = new Map<NodeId, LinkEvents>()
  return {
    linked(link) {
      events.set(link.peer, remote.linked(link))
    },
    unlinked(peer) {
      events.get(peer)?.lost()
      events.delete(peer)
    },
    frame(peer, streamClass, frame) {
      if (streamClass === 'data') events.get(peer)?.frame(frame)
    },
    drained(peer, streamClass) {
      if (streamClass === 'data') events.get(peer)?.drained()
    },
    // A new life says so itself, when it is linked.
    member({ id, status }) {
      if (status === 'dead' || status === 'left') remote.dead(id)
    },
  }
}
