/** The satellites that are connected: each a channel, bound to the conversation it speaks in. */
import type { Message } from '../actors/index.ts'
import { type Clock, limits, OverloadedError, type SessionId } from '../host/index.ts'
import { type HeardFrame, Microphone } from './microphone.ts'
import type { VoiceListener } from './player.ts'
import type { Satellites } from './satellites.ts'
import type { VoiceDetector } from './vad.ts'
import type { Wakefulness } from './wake/wakefulness.ts'

/** One satellite: audio up; audio and events come down through its listener. */
export interface VoiceChannel {
  readonly session: string
  push(pcm: Uint8Array): void
  finish(): void
  close(): void
}

/** A channel as it is kept here. */
interface BoundChannel extends VoiceChannel {
  /** Its conversation ended under it; it goes on with a new one. */
  rebind(): void
  /** Its conversation is idle, or busy. */
  phase(idle: boolean): void
}

export interface ChannelsParts {
  readonly clock: Clock
  readonly satellites: Satellites
  readonly detectors: () => VoiceDetector
  readonly dropped: (frames: number) => void
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
    room: string,
    listener: VoiceListener,
    again: () => SessionId,
    wake = false,
  ): VoiceChannel {
    this.#satellites += 1
    const satellite = `satellite-${this.#satellites}`
    this.#parts.satellites.add(satellite, listener)
    const channel = this.#bound(session, satellite, room, listener, again, wake)
    this.#channels.add(channel)
    this.#tellAttached(session, satellite, room)
    const ready = (): void => {
      if (this.#channels.has(channel)) this.#sayReady(channel.session, room, listener)
    }
    if (wake) this.#parts.wakefulness.ready().then(ready, ready)
    else ready()
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

  phase(session: string, idle: boolean): void {
    for (const channel of this.#channels) if (channel.session === session) channel.phase(idle)
  }

  closeAll(): void {
    for (const channel of [...this.#channels]) channel.close()
  }

  #tellAttached(session: SessionId, satellite: string, room: string): void {
    this.#parts.tell(session, { type: 'session.attach', satellite, room } as Message)
  }

  #sayReady(session: string, room: string, listener: VoiceListener): void {
    listener.event({ type: 'ready', session, room, sample_rate: limits.SAMPLE_RATE })
  }

  #bound(
    first: SessionId,
    satellite: string,
    room: string,
    listener: VoiceListener,
    again: () => SessionId,
    wake: boolean,
  ): BoundChannel {
    const { clock, detectors, dropped, tell, satellites, wakefulness } = this.#parts
    let session = first
    const hear = ({ samples, voiced }: HeardFrame): void =>
      tell(session, { type: 'audio.frame', satellite, samples, voiced } as Message)
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
    })
    const channel: BoundChannel = {
      get session() {
        return session
      },
      push: (pcm) => microphone.push(pcm),
      finish: () => microphone.finish(),
      close: () => {
        if (!this.#channels.delete(channel)) return
        microphone.close()
        waiting?.close()
        satellites.remove(satellite)
        tell(session, { type: 'session.detach', satellite } as Message)
      },
      rebind: () => {
        if (!this.#channels.has(channel)) return
        session = again()
        this.#tellAttached(session, satellite, room)
        this.#sayReady(session, room, listener)
      },
      phase: (idle) => waiting?.phase(idle),
    }
    return channel
  }
}
