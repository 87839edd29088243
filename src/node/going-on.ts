/** How a conversation goes on at this node that was had at another one: from there, or from its head when that is gone. */
import type { Cluster, Moving } from '../cluster/index.ts'
import type { Clock, NodeId } from '../host/index.ts'
import { type Household, sessionAddress } from '../voice/index.ts'
import type { Heads } from './heads.ts'

/** Somebody is back who spoke with it and waits for an answer: it comes by then, or goes on from its head. */
const FETCH_MS = 600
/** A way nobody measured yet is that of a poor Wi-Fi. */
const UNKNOWN_RTT_MS = 20
/** A satellite that lost as many nodes has lost its network. */
const MOST_OTHERS = 8

export interface GoingOnParts {
  readonly self: NodeId
  readonly clock: Pick<Clock, 'after'>
  readonly cluster: () => Serving | undefined
  readonly heads: () => Pick<Heads, 'latest'>
  readonly moving: () => Pick<Moving, 'move'>
}

type Serving = Pick<Cluster, 'linkTo' | 'nodes' | 'sheets' | 'rttOf'>

export const goingOn = ({
  self,
  clock,
  cluster,
  heads,
  moving,
}: GoingOnParts): Required<Pick<Household, 'head' | 'fetch' | 'others'>> => ({
  head: (session) => heads().latest(session)?.talk,
  async fetch(session) {
    const late = new Promise<void>((go) => clock.after(FETCH_MS, go))
    // Whether it came or not: what is not here after this begins here, and is claimed; its older copy ends.
    const came = moving().move(sessionAddress(session), self)
    const settled = came.then(
      () => undefined,
      () => undefined,
    )
    await Promise.race([settled, late])
  },
  others: () => servingNodes(self, cluster()).map(({ url }) => url),
})

/** Other nodes in use that serve satellites of other machines, the nearest first. */
export function servingNodes(
  self: NodeId,
  cluster: Pick<Cluster, 'linkTo' | 'nodes' | 'sheets' | 'rttOf'> | undefined,
): readonly { readonly node: NodeId; readonly url: string }[] {
  if (cluster === undefined) return []
  const found = cluster.nodes().flatMap((row) => {
    const node = row.id as NodeId
    const port = cluster.sheets().get(node)?.sheet.http
    if (node === self || row.state !== 'alive' || port === undefined || cluster.linkTo(node) === undefined) {
      return []
    }
    const host = row.addresses.map(hostIn).find((each) => each !== undefined)
    if (host === undefined) return []
    return [{ node, url: `http://${host}:${port}`, rtt_ms: cluster.rttOf(node) ?? UNKNOWN_RTT_MS }]
  })
  return found.sort((a, b) => a.rtt_ms - b.rtt_ms || (a.node < b.node ? -1 : 1)).slice(0, MOST_OTHERS)
}

/** Without its port; an address that means something on one machine only is none. */
const hostIn = (address: string): string | undefined =>
  /^((?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-fA-F:]+\]):\d+$/.exec(address)?.[1]
