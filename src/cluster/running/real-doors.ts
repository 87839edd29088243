/**
 * The ways out onto the real network. The libraries behind them cost most of a second of processor time to load, so they are
 * loaded when the cluster opens, not when this file is.
 */
import { type Host, InvalidInputError, type Listener, LoqaError } from '../../host/index.ts'
import type { Self } from '../household/state.ts'
import type { Place } from '../transport/mesh.ts'
import type { ClusterDoors } from './face.ts'

export interface RealDoorsOptions {
  readonly host: Host
  readonly self: Self
  /** TCP; 0 takes a free one. */
  readonly port: number
  readonly enrolment_port: number
  readonly discovery: boolean
}

/** Both families; without IPv6, all of IPv4. Errors: `port-in-use`. */
async function listenEverywhere(
  { network }: Host,
  port: number,
  accept: Parameters<ClusterDoors['enrolment']>[0],
): Promise<Listener> {
  try {
    return await network.listen({ host: '::', port }, accept)
  } catch (thrown) {
    if (!(thrown instanceof LoqaError) || thrown.code !== 'listen-failed') throw thrown
    return network.listen({ host: '0.0.0.0', port }, accept)
  }
}

export function realDoors({ host, self, port, enrolment_port, discovery }: RealDoorsOptions): ClusterDoors {
  return {
    mesh: async (keys) => {
      const { openMesh } = await import('../transport/libp2p-mesh.ts')
      return openMesh({ host, identity: self.identity, keys, port })
    },
    enrolment: (accept) => listenEverywhere(host, enrolment_port, accept),
    dialStranger: (place, timeout_ms) => host.network.dial(place, timeout_ms),
    discovery: async (options) => {
      const { openDiscovery } = await import('../discovery/discovery.ts')
      return openDiscovery(discovery ? options : { ...options, multicast: false })
    },
  }
}

/**
 * `192.168.1.20`, `attic.lan:7421`, `[fe80::1%eth0]:7421`. Errors: `InvalidInputError`.
 */
export function placeIn(text: string, default_port: number): Place {
  const found =
    /^\[([0-9A-Za-z:.%_-]+)\](?::(\d{1,5}))?$/.exec(text) ??
    /^([0-9A-Za-z._-]+)(?::(\d{1,5}))?$/.exec(text) ??
    /^([0-9A-Fa-f:.]+(?:%[0-9A-Za-z._-]+)?)$/.exec(text)
  const port = found?.[2] === undefined ? default_port : Number(found[2])
  if (found === null || port < 1 || port > 65_535) {
    throw new InvalidInputError(
      `${JSON.stringify(text.slice(0, 80))} is no address of a node`,
      'Write it as 192.168.1.20, attic.lan:7421 or [fe80::1%eth0]:7421.',
    )
  }
  return { host: found[1]!, port }
}
