/** The satellites that are connected: each a channel, bound to the conversation it speaks in. */
import type { Message } from '../actors/index.ts'
import { type Clock, limits, OverloadedError, type SessionId } from '../host/index.ts'
import type { Heard, SessionAttach } from './messages.ts'
import { type HeardFrame, Microphone } from './microphone.ts'
import type { VoiceListener } from './player.ts'
import type { Satellites } from './satellites.ts'
import type { VoiceDetector } from './vad.ts'
import type { Wakefulness } from './wake/wakefulness.ts'

/** What a satellite gets ahead when it changes its node: it is connected to the next one in a third of that on a busy machine. */
const HAND_OVER_MS = 1_500

/** One satellite: audio up; audio and events come down through its listener. */
export interface VoiceChannel {
  readonly session: string
  push(pcm: Uint8Array): void
  finish(): void
  close(): void
}

/** What a satellite asks for when it connects. */
interface Opening {
  readonly room: string
  readonly heard?: Heard | undefined
  /** Only what follows the wake word is heard. */
  readonly wake?: boolean
}

interface Bound {
  readonly satellite: string
  readonly room: string
  readonly wake: boolean
  /** It was here before. */
  readonly back: boolean
}

/** A channel as it is kept here. */
interface BoundChannel extends VoiceChannel {
  readonly satellite: string
  readonly room: string
  /** When somebody last spoke there, on the monotonic clock. */
  readonly heard_at: number
  readonly listener: VoiceListener
  /** It goes on at another node: its conversation may leave. */
  handOver(): void
  /** Its conversation ended under it, or left; it goes on with a new one, or with that one. */
  rebind(session?: SessionId): void
  /** Its conversation is idle, or busy. */
  phase(idle: boolean): void
}

export interface ChannelsParts {
  /** Tells this node's satellites from those of others. */
  readonly mark: string
  readonly clock: Clock
  readonly satellites: Satellites
  readonly detectors: () => VoiceDetector
  readonly dropped: (frames: number) => void
  /** Other nodes that serve satellites, the best first. */
  readonly others: () => readonly string[]
  readonly tell: (session: SessionId, message: Message) => void
  readonly wakefulness: Wakefulness
}

export class Channels {
  readonly #parts: ChannelsParts
  readonly #channels = new Set<BoundChannel>()
  #satellites = 0

  constructor(parts: ChannelsParts) {
    this.#parts = parts
  }

  /** Errors: `overloaded` at the limit of connections. */
  assertRoom(): void {
    if (this.#channels.size >= limits.MAX_VOICE_CHANNELS) {
      throw new OverloadedError('Voice', `${limits.MAX_VOICE_CHANNELS} connections`)
    }
  }

  /**
   * `again` begins the next conversation of this satellite, when this one ended under it. `wake`: only what follows the wake word is
   * heard, and only if no other microphone answers.
   */
  open(
    session: SessionId,
    { room, heard, wake = false }: Opening,
    listener: VoiceListener,
    again: () => SessionId,
  ): VoiceChannel {
    this.#satellites += 1
    const satellite = `satellite-${this.#parts.mark}${this.#satellites}`
    this.#parts.satellites.add(satellite, listener)
    const channel = this.#bound(
      session,
      { satellite, room, wake, back: heard !== undefined },
      listener,
      again,
    )
    this.#channels.add(channel)
    this.#attach(session, satellite, room, heard)
    const ready = (): void => {
      if (this.#channels.has(channel)) this.#sayReady(channel.session, room, listener)
    }
    if (wake) this.#parts.wakefulness.ready().then(ready, ready)
    else ready()
    return channel
  }

  /** Rooms in which there is one. */
  rooms(): readonly string[] {
    return [...new Set([...this.#channels].map(({ room }) => room))]
  }

  /**
   * A conversation that came goes on through this satellite, or through that of the room in which somebody was heard last. Those it had
   * before go on in new ones. False: there is none.
   */
  take(session: SessionId, room: string, satellite: string | undefined): boolean {
    const fitting = [...this.#channels].filter((one) =>
      satellite === undefined ? one.room === room : one.satellite === satellite,
    )
    const [best] = fitting.sort((a, b) => b.heard_at - a.heard_at)
    if (best === undefined) return false
    for (const other of this.#channels) if (other !== best && other.session === session) other.rebind()
    best.rebind(session)
    return true
  }

  speakIn(session: string): boolean {
    for (const channel of this.#channels) if (channel.session === session) return true
    return false
  }

  /** Until when a loudspeaker of a conversation has something to play, monotonic ms. */
  soundsUntil(session: string): number {
    const those = [...this.#channels].filter((channel) => channel.session === session)
    return Math.max(0, ...those.map(({ satellite }) => this.#parts.satellites.soundsUntil(satellite)))
  }

  /** Those who speak in it wait for an answer. */
  tone(session: string): void {
    for (const { session: each, listener } of this.#channels)
      if (each === session) listener.event({ type: 'tone' })
  }

  /** A conversation ended: those who spoke in it go on in new ones. */
  ended(session: string): void {
    for (const channel of this.#channels) {
      // Not in the turn of the actor that ends.
      if (channel.session === session) this.#parts.clock.soon(() => channel.rebind())
    }
  }

  phase(session: string, idle: boolean): void {
    for (const channel of this.#channels) if (channel.session === session) channel.phase(idle)
  }

  /** Lets go of those that speak in it. Returns how to tell them where to go. */
  handOver(session: string): (nodes: readonly string[]) => void {
    const those = [...this.#channels].filter((channel) => channel.session === session)
    for (const channel of those) channel.handOver()
    return (nodes) => {
      for (const { listener } of those) listener.event({ type: 'rebind', nodes })
    }
  }

  closeAll(): void {
    for (const channel of [...this.#channels]) channel.close()
  }

  #attach(session: SessionId, satellite: string, room: string, heard?: Heard): void {
    const attach: SessionAttach = {
      ...{ type: 'session.attach', satellite, room },
      ...(heard === undefined ? {} : { heard }),
    }
    this.#parts.tell(session, attach)
  }

  #sayReady(session: string, room: string, listener: VoiceListener): void {
    const elsewhere = this.#parts.others()
    listener.event({
      ...{ type: 'ready', session, room, sample_rate: limits.SAMPLE_RATE },
      ...(elsewhere.length === 0 ? {} : { others: elsewhere }),
    })
  }

  #bound(
    first: SessionId,
    { satellite, room, wake, back }: Bound,
    listener: VoiceListener,
    again: () => SessionId,
  ): BoundChannel {
    const { clock, detectors, dropped, tell, satellites, wakefulness } = this.#parts
    let session = first
    let heard_at = 0
    const hear = ({ samples, voiced }: HeardFrame): void => {
      if (voiced) heard_at = clock.monotonic()
      tell(session, { type: 'audio.frame', satellite, samples, voiced } as Message)
    }
    const waiting = wake ? wakefulness.listen(room, hear, listener) : undefined
    const microphone = new Microphone({
      clock,
      detector: detectors(),
      frame: (frame) => (waiting === undefined ? hear(frame) : waiting.frame(frame)),
      end: () => {
        if (waiting?.isAwake !== false) tell(session, { type: 'audio.end', satellite } as Message)
        else listener.event({ type: 'sleep' })
      },
      dropped,
      back,
    })
    const channel: BoundChannel = {
      ...{ satellite, room },
      get heard_at() {
        return heard_at
      },
      get session() {
        return session
      },
      listener,
      push: (pcm) => microphone.push(pcm),
      finish: () => microphone.finish(),
      close: () => {
        if (!this.#channels.delete(channel)) return
        microphone.close()
        waiting?.close()
        satellites.remove(satellite)
        tell(session, { type: 'session.detach', satellite } as Message)
      },
      handOver: () => {
        if (!this.#channels.delete(channel)) return
        microphone.close()
        satellites.handOver(satellite, HAND_OVER_MS)
        tell(session, { type: 'session.detach', satellite } as Message)
      },
      rebind: (next) => {
        if (!this.#channels.has(channel)) return
        if (next !== undefined && next !== session) {
          tell(session, { type: 'session.detach', satellite, replaced: true } as Message)
        }
        session = next ?? again()
        this.#attach(session, satellite, room)
        this.#sayReady(session, room, listener)
      },
      phase: (idle) => waiting?.phase(idle),
    }
    return channel
  }
}
