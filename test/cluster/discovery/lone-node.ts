/**
 * A process with discovery and, in place of a mesh, bare connections that say who they are and that they live: started by
 * tests inside network namespaces. Prints a JSON line for whatever happens, with the wall clock, which all processes share.
 *
 *   node lone-node.ts SEED_OF_ITS_ID PORT     (the household key is the same for all)
 */
import { openDiscovery } from '../../../src/cluster/discovery/discovery.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import { type Connection, LoqaError, type NodeId, nodeIdOf } from '../../../src/host/index.ts'
import { realHost } from '../../../src/host/real.ts'

const [seed, port] = process.argv.slice(2).map(Number) as [number, number]
const self = nodeIdOf(seed.toString(16).padStart(2, '0').repeat(32))
/** A connection that says nothing for this long is cut: as a membership would notice. */
const SILENCE_MS = 700
const BEAT_MS = 100

const host = realHost()
const links = new Map<NodeId, Set<Connection>>()
const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), self, event, ...more })}\n`)
}

const discovery = openDiscovery({
  host,
  life: { node: self, incarnation: 1, boot: Buffer.from(host.random.bytes(8)).toString('hex') },
  ports: { mesh: port, enrolment: port },
  onEffect: (effect) => {
    if (effect.type === 'dial') void dial(effect.attempt, effect.place, effect.expected)
    say(effect.type, 'place' in effect ? { place: effect.place } : {})
  },
})

async function dial(
  attempt: number,
  place: { host: string; port: number },
  expected?: NodeId,
): Promise<void> {
  try {
    const connection = await host.network.dial(place, 5_000)
    connection.send(Buffer.from(`${self}\n`))
    discovery.take({ type: 'dialled', attempt, outcome: { node: expected! } })
    hold(connection, expected!, place)
  } catch (thrown) {
    const code = thrown instanceof LoqaError ? thrown.code : 'unreachable'
    discovery.take({ type: 'dialled', attempt, outcome: { error: new LoqaError(code, 'not there') } })
  }
}

function hold(connection: Connection, node: NodeId, place?: { host: string; port: number }): void {
  const held = links.get(node) ?? new Set()
  links.set(node, held.add(connection))
  if (held.size === 1) say('linked', { node, place })
  discovery.take({ type: 'linked', node, place })
  let heard = host.clock.monotonic()
  const beat = (): void => {
    if (!held.has(connection)) return
    if (host.clock.monotonic() - heard > SILENCE_MS) {
      connection.abort()
      return
    }
    connection.send(Buffer.from('.'))
    host.clock.after(BEAT_MS, beat)
  }
  connection.onData(() => {
    heard = host.clock.monotonic()
  })
  connection.onClose(() => {
    held.delete(connection)
    if (held.size > 0) return
    say('unlinked', { node })
    discovery.take({ type: 'unlinked', node, why: 'silent' })
  })
  beat()
}

await host.network.listen({ host: '0.0.0.0', port }, (connection) => {
  let greeting = ''
  let is_held = false
  connection.onData((bytes) => {
    if (is_held) return
    greeting += Buffer.from(bytes).toString()
    const [node] = greeting.split('\n')
    if (!greeting.includes('\n')) return
    is_held = true
    hold(connection, node as NodeId)
  })
})
discovery.take({ type: 'tell', standing: undefined, keys: [new Secret(Buffer.alloc(32, 7))] })
say('started')
process.on('SIGTERM', () => void discovery.stop().then(() => process.exit(0)))
