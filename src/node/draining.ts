/**
 * A node that was asked to end: it takes on nothing more, its conversations go on elsewhere, those who speak in them are told where, and
 * what it does for other nodes is done to its end. Within `DRAIN_MS`; what is not gone by then goes on from its head, or is lost with
 * its link, as if the node had died.
 */
import type { Cluster, Moving } from '../cluster/index.ts'
import { type Clock, errorShape, type NodeId, sessionId } from '../host/index.ts'
import type { Capability } from '../inference/index.ts'
import type { Log } from '../observe/index.ts'
import { sessionAddress, type Voice } from '../voice/index.ts'
import type { Clustering } from './clustering.ts'
import { servingNodes } from './going-on.ts'

/** Of the five seconds in which a node ends. */
const DRAIN_MS = 2_000
const LOOK_AGAIN_MS = 20
/** One that does not get away in this time goes on from its head. */
const MOVE_MS = 700

export interface DrainingParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly voice: Pick<Voice, 'sessions' | 'handOver'>
  readonly moving: Pick<Moving, 'move'>
  readonly clustering: Pick<Clustering, 'leaves'> & { readonly cluster: Cluster | undefined }
  readonly capabilities: () => readonly Capability[]
  readonly log: Pick<Log, 'info'>
}

/** Never rejects. At once where no other node is in use. */
export async function drain({
  self,
  clock,
  voice,
  moving,
  clustering,
  capabilities,
  log,
}: DrainingParts): Promise<void> {
  const { cluster } = clustering
  const until = clock.monotonic() + DRAIN_MS
  const serving = servingNodes(self, cluster)
  const others = (cluster?.members() ?? [])
    .filter(({ id, standing }) => standing.status === 'alive' && cluster?.linkTo(id) !== undefined)
    .map(({ id }) => id)
  const to = serving[0]?.node ?? others[0]
  if (to === undefined) return
  clustering.leaves()
  const nodes = serving.map(({ url }) => url)
  const within = (ms: number): Promise<never> =>
    new Promise((_, late) => clock.after(ms, () => late(new Error('not in time'))))
  const gone = await Promise.all(
    voice.sessions().map(async ({ id }) => {
      const session = sessionId(id)
      const move = () => Promise.race([moving.move(sessionAddress(session), to), within(MOVE_MS)])
      try {
        await voice.handOver(session, { until, nodes, move })
        return true
      } catch (thrown) {
        log.info('A conversation was left behind', { session: id, why: errorShape(thrown).message })
        return false
      }
    }),
  )
  const isAtWork = (): boolean => capabilities().some(({ load }) => load > 0)
  while (isAtWork() && clock.monotonic() < until) {
    await new Promise<void>((go) => clock.after(LOOK_AGAIN_MS, go))
  }
  if (gone.length > 0) {
    log.info('Conversations went to another node', { node: to, moved: gone.filter(Boolean).length })
  }
}
