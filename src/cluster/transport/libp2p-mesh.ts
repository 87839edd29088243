/**
 * The mesh over libp2p: TCP, the household key in front of noise (`encrypter.ts`), yamux, and per peer one long-lived stream
 * for each class. Nothing else of libp2p runs: it neither discovers, nor identifies, nor pings, nor closes a connection by
 * its own judgement, because all that is decided elsewhere here.
 */
import { yamux } from '@chainsafe/libp2p-yamux'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { assert, type Host, LoqaError, NODE_ID_PATTERN, type NodeId, nodeId } from '../../host/index.ts'
import { signingPublicKey, unhex } from '../household/crypto.ts'
import type { Secret } from '../household/secret.ts'
import {
  DIAL_MS,
  HELLO_MS,
  MAX_CONNECTIONS_PER_SOURCE,
  MAX_KEYS,
  MAX_LINKS,
  MAX_UNPROVED,
  MAX_UNREAD_BYTES,
  RATES,
  SOCKET_BYTES,
  WINDOW_BYTES,
} from './bounds.ts'
import type { Rate } from './bucket.ts'
import { ANSWERED, protocolsOf } from './classes.ts'
import { householdNoise } from './encrypter.ts'
import { DialError, dialError, named } from './errors.ts'
import { freePlaces } from './listening.ts'
import { type Link, type Mesh, type Place, STREAM_CLASSES, type StreamClass } from './mesh.ts'
import { addressOf, placeOf } from './places.ts'
import { StreamLink } from './stream-link.ts'

export interface MeshOptions {
  readonly host: Pick<Host, 'clock' | 'random' | 'network'>
  /** The node's Ed25519 seed: whoever links up with us is told the id of this key, proved. */
  readonly identity: Secret
  /** As in `Mesh.rekey`. */
  readonly keys: readonly Secret[]
  /** TCP, the same on all addresses; 0 takes a free one. */
  readonly port: number
  /** IP addresses to listen on; all of both families unless given. */
  readonly hosts?: readonly string[]
  readonly rates?: Readonly<Record<StreamClass, Rate>>
  /** Connections of one address in one second; many nodes on one machine need more. */
  readonly connections_per_source?: number
}

interface Greeting {
  readonly streams: Partial<Record<StreamClass, Stream>>
  /** No longer waited for: it is whole, or over. */
  readonly settled: () => void
}

/** libp2p hands them to Node, whose name for it is not among its types. */
const socketOptions = { noDelay: true, highWaterMark: SOCKET_BYTES }

/** Never on its own: Node takes no infinity, and who is silent is membership's to judge. */
const NO_TIMEOUT_MS = 2 ** 31 - 1

/** Errors: `port-in-use`, `listen-failed`. */
export async function openMesh(options: MeshOptions): Promise<Mesh> {
  const places = await freePlaces(options.host.network, options.hosts ?? ['0.0.0.0', '::'], options.port)
  const mesh = new Libp2pMesh(options, places)
  await mesh.open(options)
  return mesh
}

class Libp2pMesh implements Mesh {
  readonly places: readonly Place[]
  readonly #host: MeshOptions['host']
  readonly #rates: Readonly<Record<StreamClass, Rate>>
  readonly #links = new Set<Link>()
  /** Streams of connections that do not have all three yet, by the connection's id. */
  readonly #hellos = new Map<string, Greeting>()
  /** libp2p joins dials of the same address into one connection; here each dial is a link, so they take turns. */
  readonly #dialling = new Map<string, Promise<unknown>>()
  #libp2p!: Libp2p
  #keys: readonly Secret[]
  #accept: ((link: Link) => void) | undefined
  #closed = false

  constructor(options: MeshOptions, places: readonly Place[]) {
    this.places = places
    this.#host = options.host
    this.#rates = options.rates ?? RATES
    this.#keys = checked(options.keys)
  }

  async open({ host, identity, connections_per_source }: MeshOptions): Promise<void> {
    const raw = Buffer.concat([identity.expose(), unhex(signingPublicKey(identity))])
    const encrypter = householdNoise({ keys: () => this.#keys }, host.random)
    this.#libp2p = await createLibp2p({
      start: false,
      privateKey: privateKeyFromRaw(raw),
      addresses: { listen: this.places.map((place) => addressOf(place).toString()) },
      transports: [
        tcp({
          inboundSocketInactivityTimeout: NO_TIMEOUT_MS,
          outboundSocketInactivityTimeout: NO_TIMEOUT_MS,
          backlog: MAX_UNPROVED,
          dialOpts: socketOptions,
          listenOpts: socketOptions,
        }),
      ],
      connectionEncrypters: [encrypter],
      streamMuxers: [
        yamux({
          maxInboundStreams: STREAM_CLASSES.length,
          maxOutboundStreams: STREAM_CLASSES.length,
          streamOptions: { maxStreamWindowSize: WINDOW_BYTES, maxReadBufferLength: MAX_UNREAD_BYTES },
        }),
      ],
      connectionManager: {
        // Above it libp2p closes what it thinks least of; links are counted here.
        maxConnections: 4 * MAX_LINKS,
        maxIncomingPendingConnections: MAX_UNPROVED,
        inboundConnectionThreshold: connections_per_source ?? MAX_CONNECTIONS_PER_SOURCE,
        inboundUpgradeTimeout: HELLO_MS,
        dialTimeout: DIAL_MS,
        addressDialTimeout: DIAL_MS,
      },
      // By default libp2p refuses private addresses, which is where households live.
      connectionGater: { denyDialMultiaddr: () => false },
      // It aborts healthy connections while the event loop is busy.
      connectionMonitor: { enabled: false },
    })
    for (const { protocol, streamClass } of ANSWERED) {
      await this.#libp2p.handle(
        protocol,
        (stream, connection) => this.#greeted(streamClass, stream, connection),
        {
          maxInboundStreams: 1,
          maxOutboundStreams: 1,
        },
      )
    }
    try {
      await this.#libp2p.start()
    } catch (cause) {
      await this.#libp2p.stop()
      throw new LoqaError('listen-failed', `Cannot listen on ${this.places.map(named).join(', ')}`, { cause })
    }
  }

  async dial(place: Place, expected: NodeId | undefined): Promise<Link> {
    const key = named(place)
    const before = this.#dialling.get(key)
    const link = (before ?? Promise.resolve()).then(() => this.#dial(place, expected))
    const settled = link.catch(() => {})
    this.#dialling.set(key, settled)
    try {
      return await link
    } finally {
      if (this.#dialling.get(key) === settled) this.#dialling.delete(key)
    }
  }

  onLink(accept: (link: Link) => void): void {
    this.#accept = accept
  }

  async rekey(keys: readonly Secret[]): Promise<void> {
    this.#keys = checked(keys)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const link of [...this.#links]) link.abort('this node is closing')
    await this.#libp2p.stop()
  }

  async #dial(place: Place, expected: NodeId | undefined): Promise<Link> {
    if (this.#closed) throw new DialError('unreachable', 'This node is closing')
    const expiry = new AbortController()
    const cancel = this.#host.clock.after(DIAL_MS, () => expiry.abort())
    let connection: Connection | undefined
    try {
      connection = await this.#libp2p.dial(addressOf(place), { signal: expiry.signal, force: true })
      const peer = connection.remotePeer.toString()
      if (!isExpected(peer, expected)) {
        throw new DialError('wrong-peer', `${named(place)} is ${peer}, not ${expected ?? 'a node'}`)
      }
      const streams = await this.#openStreams(connection, expiry.signal)
      return this.#linked(connection, streams, { peer: nodeId(peer), place, dialled: true })
    } catch (thrown) {
      connection?.abort(new Error('the dial failed'))
      throw dialError(place, thrown, expiry.signal.aborted)
    } finally {
      cancel()
    }
  }

  async #openStreams(connection: Connection, signal: AbortSignal): Promise<Record<StreamClass, Stream>> {
    const [control, data, bulk] = await Promise.all(
      STREAM_CLASSES.map((streamClass) => connection.newStream(protocolsOf(streamClass), { signal })),
    )
    return { control: control!, data: data!, bulk: bulk! }
  }

  /** Another node opened one of the streams of a link. */
  #greeted(streamClass: StreamClass, stream: Stream, connection: Connection): void {
    const { id } = connection
    let hello = this.#hellos.get(id)
    if (hello === undefined) {
      const cancel = this.#host.clock.after(HELLO_MS, () => abort(connection, 'streams are missing'))
      const settled = (): void => {
        cancel()
        this.#hellos.delete(id)
      }
      hello = { streams: {}, settled }
      this.#hellos.set(id, hello)
      connection.addEventListener('close', settled)
      stream.addEventListener('close', settled)
    }
    if (hello.streams[streamClass] !== undefined) {
      abort(connection, 'a class was opened twice')
      return
    }
    // Nobody reads it before the link is whole.
    stream.pause()
    hello.streams[streamClass] = stream
    const { control, data, bulk } = hello.streams
    if (control === undefined || data === undefined || bulk === undefined) return
    hello.settled()
    this.#welcome(connection, { control, data, bulk })
  }

  #welcome(connection: Connection, streams: Record<StreamClass, Stream>): void {
    const peer = connection.remotePeer.toString()
    const accept = this.#accept
    if (
      accept === undefined ||
      this.#closed ||
      this.#links.size >= MAX_LINKS ||
      !isExpected(peer, undefined)
    ) {
      abort(connection, 'refused')
      return
    }
    accept(
      this.#linked(connection, streams, {
        peer: nodeId(peer),
        place: placeOf(connection.remoteAddr),
        dialled: false,
      }),
    )
  }

  #linked(
    connection: Connection,
    streams: Record<StreamClass, Stream>,
    who: Pick<Link, 'peer' | 'place' | 'dialled'>,
  ): Link {
    const link = new StreamLink({ ...who, connection, streams, clock: this.#host.clock, rates: this.#rates })
    this.#links.add(link)
    link.onClose(() => this.#links.delete(link))
    return link
  }
}

function checked(keys: readonly Secret[]): readonly Secret[] {
  assert(keys.length <= MAX_KEYS, 'a household has at most MAX_KEYS keys that open links')
  return [...keys]
}

/** libp2p tries to say goodbye, and throws where there is nobody left to say it to. */
function abort(connection: Connection, why: string): void {
  try {
    connection.abort(new Error(why))
  } catch {
    // It is closed already.
  }
}

/** Ids of other kinds of keys cannot be in a certificate. */
const isExpected = (peer: string, expected: NodeId | undefined): boolean =>
  expected === undefined ? NODE_ID_PATTERN.test(peer) : peer === expected
