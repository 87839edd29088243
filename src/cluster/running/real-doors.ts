/**
 * The ways out onto the real network. The libraries behind them cost most of a second of processor time to load, so they are
 * loaded when the cluster opens, not when this file is.
 */
import { type Host, InvalidInputError } from '../../host/index.ts'
import type { Self } from '../household/state.ts'
import type { Mesh, Place } from '../transport/mesh.ts'
import type { ClusterDoors } from './face.ts'

export interface RealDoorsOptions {
  readonly host: Host
  readonly self: Self
  /** TCP; 0 takes a free one. */
  readonly port: number
  readonly enrolment_port: number
  readonly discovery: boolean
}

const MESH = '../transport/libp2p-mesh.ts'

/** Both families; without IPv6, all of IPv4. */
const EVERYWHERE = '::'

export function realDoors({ host, self, port, enrolment_port, discovery }: RealDoorsOptions): ClusterDoors {
  return {
    mesh: async (keys) => {
      const { openMesh } = (await import(MESH)) as { openMesh: (options: object) => Promise<Mesh> }
      return openMesh({ host, self, keys, port })
    },
    enrolment: (accept) => host.network.listen({ host: EVERYWHERE, port: enrolment_port }, accept),
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
