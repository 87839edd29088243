/**
 * Multicast DNS on every usable interface: one socket each, opened and closed as interfaces come and go. Says what it is
 * given, asks for the service, and hands on the records of answers. It knows nothing of nodes.
 *
 * Every socket hears what arrives at any interface (that is how multicast sockets of one port work), so each takes what came
 * from its own network only: nothing counts twice, and nothing from beyond the link counts at all.
 */
// biome-ignore lint/style/noRestrictedImports: multicast has no door; this file and its library are one.
import { createSocket, type Socket } from 'node:dgram'
import multicastDns from 'multicast-dns'
import { type Cancel, type Clock, type Monotonic, monotonic, type Random } from '../../host/index.ts'
import { type DnsRecord, lookAt, SERVICE } from './announcement.ts'
import { again, asked, begin, type Cadence, due, nextDue } from './cadence.ts'
import { isOnLink, type NetworkInterface, sameInterface, usable } from './interfaces.ts'
import { PacketQuota } from './quota.ts'

export const MDNS_PORT = 5353
const GROUPS = { IPv4: '224.0.0.251', IPv6: 'ff02::fb' } as const
/** A socket that cannot be opened or sent from is tried again after this: its interface may not be ready, or never will be. */
const MEND_MS = 30_000
/** The last words at a stop are not waited for longer. */
const GOODBYE_MS = 200

export interface MdnsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly port: number
  /** What it is about; our own service unless another is given. */
  readonly topic?: Topic
  /** What to say now on this interface; `ttl` 0 is a goodbye. Undefined: nothing yet. */
  readonly records: (goodbye: boolean, own: NetworkInterface) => readonly DnsRecord[] | undefined
  /** `from`: the sender's address, with its zone when link-local. */
  readonly onAnswer: (records: readonly DnsRecord[], from: string, network: string) => void
  /** A packet that was not read, and why; or a socket that failed. */
  readonly onCount: (what: string) => void
  readonly onTrouble: (network: string, code: string) => void
}

export interface Topic {
  readonly name: string
  /** Whether others are asked for it. */
  readonly asks: boolean
  /** Before a packet is taken apart: `asked` when that is all one needs to know of it, `read`, `other`, or why not. */
  readonly lookAt: (packet: Uint8Array) => 'asked' | 'read' | 'other' | (string & {})
}

const OWN: Topic = { name: SERVICE, asks: true, lookAt }

interface Speaker {
  readonly own: NetworkInterface
  readonly mdns: multicastDns.MulticastDNS
  cadence: Cadence
  ready: boolean
}

export class Mdns {
  readonly #options: MdnsOptions
  readonly #topic: Topic
  readonly #quota = new PacketQuota()
  readonly #mend = new Map<string, Monotonic>()
  #speakers: Speaker[] = []
  #cancel: Cancel = () => undefined
  #closed = false

  constructor(options: MdnsOptions) {
    this.#options = options
    this.#topic = options.topic ?? OWN
  }

  /** Opens sockets for interfaces that came, closes those of interfaces that went. Cheap when nothing changed. */
  use(interfaces: readonly NetworkInterface[]): void {
    if (this.#closed) return
    const wanted = usable(interfaces)
    const gone = this.#speakers.filter(({ own }) => !wanted.some((one) => sameInterface(one, own)))
    for (const speaker of gone) this.#drop(speaker)
    const now = this.#options.clock.monotonic()
    for (const own of wanted) {
      if (this.#speakers.some((speaker) => sameInterface(speaker.own, own))) continue
      if ((this.#mend.get(nameOf(own)) ?? now) > now) continue
      this.#open(own)
    }
    this.#arm()
  }

  /** What we say changed, or we slept: as if just started, on every interface. */
  again(): void {
    const now = this.#options.clock.monotonic()
    this.#mend.clear()
    for (const speaker of this.#speakers) speaker.cadence = again(speaker.cadence, now)
    this.#arm()
  }

  get networks(): readonly string[] {
    return this.#speakers.filter(({ ready }) => ready).map(({ own }) => own.name)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    const speakers = this.#speakers.filter(({ ready }) => ready)
    const said = speakers.map(({ mdns, own }) => {
      const records = this.#options.records(true, own)
      return new Promise<void>((resolve) =>
        records === undefined ? resolve() : mdns.respond(answerOf(records), () => resolve()),
      )
    })
    await Promise.race([Promise.all(said), this.#pause(GOODBYE_MS)])
    await Promise.all(this.#speakers.map(({ mdns }) => new Promise<void>((resolve) => mdns.destroy(resolve))))
    this.#speakers = []
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(ms, resolve))
  }

  #open(own: NetworkInterface): void {
    const { clock, port } = this.#options
    const type = own.family === 'IPv4' ? 'udp4' : 'udp6'
    let socket: Socket
    try {
      socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' })
    } catch {
      this.#failed(own, 'no-socket')
      return
    }
    this.#filter(socket, own, () => this.#asked(speaker))
    const mdns = multicastDns({
      socket,
      type,
      port,
      ip: GROUPS[own.family],
      interface: own.family === 'IPv4' ? own.address : `::%${own.name}`,
      // Bound to the interface's own address it would hear nothing that is sent to the group.
      bind: own.family === 'IPv4' ? '0.0.0.0' : '::',
      loopback: true,
    })
    const speaker: Speaker = { own, mdns, cadence: begin(clock.monotonic()), ready: false }
    this.#speakers.push(speaker)
    const lost = (error: NodeJS.ErrnoException): void => {
      // Emitted for packets it could not take apart as well; those have no code of the system's.
      if (error.syscall === undefined) this.#options.onCount('undecodable')
      else this.#lose(speaker, error.code ?? 'unknown')
    }
    mdns.on('error', lost)
    mdns.on('warning', lost)
    mdns.on('ready', () => {
      speaker.ready = true
      speaker.cadence = begin(clock.monotonic())
      this.#arm()
    })
    mdns.on('query', ({ questions = [] }) => {
      if (questions.some(({ name }) => name === this.#topic.name)) this.#asked(speaker)
    })
    mdns.on('response', ({ answers = [], additionals = [] }, { address }: { address: string }) => {
      if (!this.#closed)
        this.#options.onAnswer([...answers, ...additionals] as DnsRecord[], address, own.name)
    })
  }

  #asked(speaker: Speaker): void {
    const { clock, random } = this.#options
    speaker.cadence = asked(speaker.cadence, clock.monotonic(), random)
    this.#arm()
  }

  /** Stands before the library, which takes everything apart that arrives: size, subject, sender and number are judged first. */
  #filter(socket: Socket, own: NetworkInterface, asked: () => void): void {
    const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean
    socket.emit = (event: string, ...values: unknown[]): boolean => {
      if (event !== 'message') return emit(event, ...values)
      const [bytes, { address }] = values as [Buffer, { address: string }]
      const look = this.#topic.lookAt(bytes)
      if (look === 'other' || !isOnLink(own, address)) return false
      if (look !== 'read' && look !== 'asked') {
        this.#options.onCount(look)
        return false
      }
      if (!this.#quota.admit(address, this.#options.clock.monotonic())) {
        this.#options.onCount('too-many')
        return false
      }
      if (look === 'read') return emit(event, ...values)
      asked()
      return true
    }
  }

  #lose(speaker: Speaker, code: string): void {
    if (!this.#speakers.includes(speaker)) return
    this.#drop(speaker)
    this.#failed(speaker.own, code)
  }

  #failed(own: NetworkInterface, code: string): void {
    const name = nameOf(own)
    this.#mend.set(name, monotonic(this.#options.clock.monotonic() + MEND_MS))
    this.#options.onTrouble(name, code)
  }

  #drop(speaker: Speaker): void {
    this.#speakers = this.#speakers.filter((other) => other !== speaker)
    this.#mend.delete(nameOf(speaker.own))
    speaker.mdns.destroy()
  }

  #arm(): void {
    this.#cancel()
    const ready = this.#speakers.filter((speaker) => speaker.ready)
    if (this.#closed || ready.length === 0) return
    const { clock } = this.#options
    const next = Math.min(...ready.map(({ cadence }) => nextDue(cadence)))
    this.#cancel = clock.after(Math.max(0, next - clock.monotonic()), () => this.#speak())
  }

  #speak(): void {
    const { clock, random } = this.#options
    for (const speaker of this.#speakers) {
      if (!speaker.ready) continue
      const { cadence, say, ask } = due(speaker.cadence, clock.monotonic(), random)
      speaker.cadence = cadence
      const sent = (error: NodeJS.ErrnoException | null): void => {
        if (error) this.#lose(speaker, error.code ?? 'unknown')
      }
      const records = say ? this.#options.records(false, speaker.own) : undefined
      if (records !== undefined) speaker.mdns.respond(answerOf(records), sent)
      if (ask && this.#topic.asks) speaker.mdns.query([{ name: this.#topic.name, type: 'PTR' }], sent)
    }
    this.#arm()
  }
}

/** A copy: the library changes what it is given. */
const answerOf = (records: readonly DnsRecord[]): multicastDns.ResponseOutgoingPacket => ({
  answers: structuredClone(records) as multicastDns.ResponseOutgoingPacket['answers'],
})

const nameOf = ({ name, address }: NetworkInterface): string => `${name} ${address}`
