/** Wyoming as the configuration asks for it: one port for everything, the usual ones beside it, and an announcement where they are. */
import { type RunningWyoming, startWyoming, type WyomingOffer, type WyomingParts } from '../api/index.ts'
import { announceService } from '../cluster/index.ts'
import type { Config } from '../config.ts'
import { errorShape, type Host, type NodeId } from '../host/index.ts'
import type { Log } from '../observe/index.ts'

export interface WyomingOptions {
  readonly host: Host
  readonly config: Config
  readonly self: NodeId
  readonly view: WyomingParts['view']
  readonly log: Log
  /** Others in tests. */
  readonly usual?: readonly (readonly [WyomingOffer, number])[]
}

export interface OpenWyoming {
  /** Null: it is switched off. */
  readonly port: number | null
  readonly more_ports: readonly number[]
  stop(): Promise<void>
}

const SERVICE = '_wyoming._tcp.local'
/** Where Home Assistant's own programs of this kind listen. */
const USUAL = [
  ['asr', 10_300],
  ['tts', 10_200],
  ['wake', 10_400],
] as const

/** Errors: `port-in-use` and `listen-failed`, of the port that was configured. */
export async function openWyoming(options: WyomingOptions): Promise<OpenWyoming> {
  const { host, config, self, view, log } = options
  const { enabled, host: listens_on, port: wanted, usual_ports, announce, rooms } = config.wyoming
  if (!enabled) return { port: null, more_ports: [], stop: async () => undefined }
  const parts = { network: host.network, clock: host.clock, host: listens_on, view, rooms }
  const main = await startWyoming({ ...parts, port: wanted })
  const more: RunningWyoming[] = []
  for (const [offer, port] of usual_ports ? (options.usual ?? USUAL) : []) {
    try {
      if (port !== main.port) more.push(await startWyoming({ ...parts, port, offer }))
    } catch (thrown) {
      log.warn('A usual port of Wyoming is taken; all is served at the other one', {
        ...{ port, other: main.port, why: errorShape(thrown).code },
      })
    }
  }
  const announced = announce
    ? await announceService({
        ...{ host, service: SERVICE, listens_on, port: main.port },
        // Enough of the id to tell nodes of a house apart; no name of a person or a room.
        name: `loqa-${self.slice(-8)}`,
        trouble: (network, code) => log.debug('Wyoming is not announced on a network', { network, code }),
      })
    : undefined
  return {
    port: main.port,
    more_ports: more.map(({ port }) => port),
    async stop() {
      await announced?.stop()
      await Promise.all([main, ...more].map((server) => server.stop()))
    },
  }
}
