/**
 * The red button on a running node: gives an order to wipe, hears those of others, and lets the store talk to a peer only once both are of one
 * era (`store/era.ts`). Whoever has to wipe notes the order, writes over its key, and starts anew; the rest is done before anything is opened.
 */
import type { WipePlan } from '../api/index.ts'
import type { Cluster, ClusterListener } from '../cluster/index.ts'
import type { Host, NodeId } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import {
  binds,
  compareEras,
  decodeEra,
  type Era,
  encodeEra,
  giveOrder,
  isGenuine,
  type Keys,
  noteOrder,
  type StoreLinks,
  signaturesWith,
  takeOver,
  type WipeOrder,
} from '../store/index.ts'

/** Until the order is on its way to the others, ms: then this node ends its links. */
const TELL_MS = 300

export interface WipingParts {
  readonly host: Pick<Host, 'clock' | 'disk' | 'random'>
  readonly self: NodeId
  /** The private half of the node's key. */
  readonly seed: Uint8Array
  readonly directory: string
  /** Of the last order carried out here. */
  readonly era: Era
  readonly keys: Pick<Keys, 'destroy'>
  readonly links: StoreLinks
  readonly send: (to: NodeId, frame: Uint8Array) => void
  readonly cluster: () => Pick<Cluster, 'household' | 'linkTo'> | undefined
  readonly log: Log
  readonly audit: (outcome: string, object: string) => unknown
}

export class Wiping {
  readonly #parts: WipingParts
  readonly #signatures
  #era: Era
  #members: ReadonlySet<NodeId>
  readonly #linked = new Set<NodeId>()
  /** Peers of this era: the store talks to them. */
  readonly #alike = new Set<NodeId>()
  readonly #again = Promise.withResolvers<void>()
  #obeying = false

  constructor(parts: WipingParts) {
    this.#parts = parts
    this.#signatures = signaturesWith(parts.seed)
    this.#era = parts.era
    this.#members = new Set([parts.self])
  }

  /** Resolves when the node is to start anew, with nothing left of what was kept. */
  get again(): Promise<void> {
    return this.#again.promise
  }

  get era(): Era {
    return this.#era
  }

  readonly listener: ClusterListener = {
    linked: ({ peer }) => {
      this.#linked.add(peer)
      this.#leave(peer)
      this.#show(peer)
    },
    unlinked: (peer) => {
      this.#linked.delete(peer)
      this.#leave(peer)
    },
    frame: (peer, streamClass, frame) => {
      if (streamClass !== 'bulk') return
      const shown = decodeEra(frame)
      if (shown !== undefined) this.#shown(peer, shown.era)
      else if (this.#alike.has(peer)) this.#parts.links.frame(peer, frame)
    },
    belonged: (members) => {
      this.#members = new Set([...members, this.#parts.self])
      this.#parts.links.believe(members)
    },
  }

  /** What `wipe` would do. */
  plan(): WipePlan {
    const { cluster, self } = this.#parts
    const members = cluster()?.household.show().members ?? []
    return {
      nodes: members
        .filter(({ id }) => id !== self)
        .map(({ id, name }) => ({ id, name, connected: cluster()?.linkTo(id) !== undefined })),
    }
  }

  /** Returns when the order is noted here and on its way. Errors: `DiskError`; nothing was wiped then. */
  async wipe(): Promise<WipePlan> {
    const { host, self, audit } = this.#parts
    const order = giveOrder(
      this.#era,
      {
        id: Buffer.from(host.random.bytes(8)).toString('hex'),
        by: self,
        at: Math.floor(host.clock.wall()),
        members: [...this.#members],
      },
      this.#signatures,
    )
    const plan = this.plan()
    await audit('given', order.id)
    await this.#obey(order)
    return plan
  }

  #leave(peer: NodeId): void {
    if (this.#alike.delete(peer)) this.#parts.links.unlinked(peer)
  }

  #show(peer: NodeId): void {
    this.#parts.send(peer, encodeEra(this.#parts.self, this.#era))
  }

  #shown(peer: NodeId, theirs: Era): void {
    const ahead = compareEras(theirs, this.#era)
    // Until it begins anew, a node that was wiped still holds what the order is about: it exchanges nothing with anybody.
    if (ahead === 0 && !this.#alike.has(peer) && !this.#obeying) {
      this.#alike.add(peer)
      this.#parts.links.linked(peer)
    }
    if (ahead <= 0 || theirs === undefined) return
    if (!isGenuine(theirs, this.#signatures, (node) => this.#members.has(node))) {
      this.#parts.log.warn('An order to wipe was not signed by a member, and was not carried out', { peer })
      return
    }
    this.#obey(theirs).catch((error: unknown) =>
      this.#parts.log.error('An order to wipe could not be noted', { error }),
    )
  }

  async #obey(order: WipeOrder): Promise<void> {
    if (this.#obeying) return
    const { host, directory, self, keys, log, audit } = this.#parts
    this.#obeying = true
    try {
      if (binds(order, self)) await noteOrder(host.disk, directory, self, order)
      else await takeOver(host.disk, directory, self, order)
    } catch (thrown) {
      this.#obeying = false
      throw thrown
    }
    this.#era = order
    for (const peer of this.#linked) {
      this.#leave(peer)
      this.#show(peer)
    }
    if (!binds(order, self)) {
      this.#obeying = false
      return
    }
    log.warn('Everything that was kept is wiped, by order of a member', { by: order.by, order: order.id })
    await audit('carried-out', order.id)
    await keys.destroy()
    host.clock.after(TELL_MS, this.#again.resolve)
  }
}
