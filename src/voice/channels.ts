/** The satellites that are connected: each a channel, bound to the conversation it speaks in. */
import type { Message } from '../actors/index.ts'
import { type Clock, limits, OverloadedError, type SessionId } from '../host/index.ts'
import type { Heard, SessionAttach } from './messages.ts'
import { Microphone } from './microphone.ts'
import type { VoiceListener } from './player.ts'
import type { Satellites } from './satellites.ts'
import type { VoiceDetector } from './vad.ts'

/** What a satellite gets ahead when it changes its node: it is connected to the next one in a third of that on a busy machine. */
const HAND_OVER_MS = 1_500

/** One satellite: audio up; audio and events come down through its listener. */
export interface VoiceChannel {
  readonly session: string
  push(pcm: Uint8Array): void
  finish(): void
  close(): void
}

/** A channel as it is kept here. */
interface BoundChannel extends VoiceChannel {
  /** It goes on at another node: its conversation may leave. */
  handOver(): void
  readonly listener: VoiceListener
  /** Its conversation ended under it; it goes on with a new one. */
  rebind(): void
}

export interface ChannelsParts {
  readonly clock: Clock
  readonly satellites: Satellites
  readonly detectors: () => VoiceDetector
  readonly dropped: (frames: number) => void
  /** Other nodes that serve satellites, the best first. */
  readonly others: () => readonly string[]
  readonly tell: (session: SessionId, message: Message) => void
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

  /** `again` begins the next conversation of this satellite, when this one ended under it. */
  open(
    session: SessionId,
    { room, heard }: { readonly room: string; readonly heard?: Heard | undefined },
    listener: VoiceListener,
    again: () => SessionId,
  ): VoiceChannel {
    this.#satellites += 1
    const satellite = `satellite-${this.#satellites}`
    this.#parts.satellites.add(satellite, listener)
    const channel = this.#bound(session, satellite, room, listener, again)
    this.#channels.add(channel)
    this.#attach(session, satellite, room, listener, heard)
    return channel
  }

  speakIn(session: string): boolean {
    for (const channel of this.#channels) if (channel.session === session) return true
    return false
  }

  /** A conversation ended: those who spoke in it go on in new ones. */
  ended(session: string): void {
    for (const channel of this.#channels) {
      // Not in the turn of the actor that ends.
      if (channel.session === session) this.#parts.clock.soon(() => channel.rebind())
    }
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

  #attach(session: SessionId, satellite: string, room: string, listener: VoiceListener, heard?: Heard): void {
    const { tell, others } = this.#parts
    const attach: SessionAttach = {
      ...{ type: 'session.attach', satellite, room },
      ...(heard === undefined ? {} : { heard }),
    }
    tell(session, attach)
    const elsewhere = others()
    listener.event({
      ...{ type: 'ready', session, room, sample_rate: limits.SAMPLE_RATE },
      ...(elsewhere.length === 0 ? {} : { others: elsewhere }),
    })
  }

  #bound(
    first: SessionId,
    satellite: string,
    room: string,
    listener: VoiceListener,
    again: () => SessionId,
  ): BoundChannel {
    const { clock, detectors, dropped, tell, satellites } = this.#parts
    let session = first
    const microphone = new Microphone({
      clock,
      detector: detectors(),
      frame: ({ samples, voiced }) =>
        tell(session, { type: 'audio.frame', satellite, samples, voiced } as Message),
      end: () => tell(session, { type: 'audio.end', satellite } as Message),
      dropped,
    })
    const channel: BoundChannel = {
      get session() {
        return session
      },
      listener,
      push: (pcm) => microphone.push(pcm),
      finish: () => microphone.finish(),
      close: () => {
        if (!this.#channels.delete(channel)) return
        microphone.close()
        satellites.remove(satellite)
        tell(session, { type: 'session.detach', satellite } as Message)
      },
      handOver: () => {
        if (!this.#channels.delete(channel)) return
        microphone.close()
        satellites.handOver(satellite, HAND_OVER_MS)
        tell(session, { type: 'session.detach', satellite } as Message)
      },
      rebind: () => {
        if (!this.#channels.has(channel)) return
        session = again()
        this.#attach(session, satellite, room, listener)
      },
    }
    return channel
  }
}
