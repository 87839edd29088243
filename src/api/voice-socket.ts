/**
 * One satellite's WebSocket: sound up, sound and events down.
 *
 * V1 A message it cannot read never ends the node, and ends the connection only after many. V2 A satellite that sends
 * faster than `MAX_SPEED` times real time is slowed by back-pressure, not by loss. V3 One that does not read is
 * closed before what waits for it grows beyond `MAX_UNREAD_BYTES`. V4 Every close carries a code and a reason.
 */
import { z } from 'zod'
import type { Cancel, Clock } from '../host/index.ts'
import { errorShape, limits } from '../host/index.ts'
import { noCarry, wholeSamples } from './pcm.ts'
import type { NodeView } from './view.ts'
import type { TurnView, VoiceChannel, VoiceEvent, VoiceRequest } from './voice-shapes.ts'

/** The part of a WebSocket used here; `ws` has it. */
export interface Socket {
  readonly bufferedAmount: number
  send(data: string | Uint8Array): void
  close(code: number, reason: string): void
  terminate(): void
  ping(): void
  pause(): void
  resume(): void
  on(event: 'message', listener: (data: unknown, binary: boolean) => void): unknown
  on(event: 'close' | 'pong', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface VoiceSocketOptions {
  readonly view: NodeView
  readonly clock: Clock
  readonly request: VoiceRequest
  readonly idle_timeout_ms: number
  readonly told: (turn: TurnView) => void
}

export const CLOSE = { stopping: 1001, unreadable: 1008, overloaded: 1013, failed: 1011, idle: 4408 } as const

const BYTES_PER_MS = (limits.SAMPLE_RATE * 2) / 1000
/** A file may be sent faster than it was spoken, to fill a backlog; more is of no use to a live conversation. */
const MAX_SPEED = 20
/** What may come at once before the speed counts: the longest backlog the node keeps. */
const BURST_BYTES = limits.MAX_BACKLOG_MS * BYTES_PER_MS
/** Half a minute of sound nobody reads: the satellite is stuck. */
const MAX_UNREAD_BYTES = 1024 * 1024
const MAX_UNREADABLE = 20
/** Two missed answers in a row mean the network is gone. */
const PING_INTERVAL_MS = 20_000

const upstream = z.discriminatedUnion('type', [
  /** The recording is over: end the turn without waiting for silence. */
  z.strictObject({ type: z.literal('finish') }),
  /** Still here although silent, e.g. a loudspeaker without microphone. */
  z.strictObject({ type: z.literal('ping') }),
])

export class VoiceSocket {
  readonly #socket: Socket
  readonly #options: VoiceSocketOptions
  #channel: VoiceChannel | undefined
  #carry = noCarry
  #unreadable = 0
  #unanswered = 0
  #budget = BURST_BYTES
  #budget_at: number
  #idle: Cancel = () => undefined
  #ping: Cancel = () => undefined
  #resume: Cancel = () => undefined
  #open = true

  constructor(socket: Socket, options: VoiceSocketOptions) {
    this.#socket = socket
    this.#options = options
    this.#budget_at = options.clock.monotonic()
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.#closed())
    socket.on('message', (data, binary) => this.#message(data, binary))
    socket.on('pong', () => {
      this.#unanswered = 0
    })
    try {
      this.#channel = options.view.openVoice(options.request, {
        audio: (pcm) => this.#send(pcm),
        event: (event) => this.#event(event),
      })
    } catch (thrown) {
      const { code, message, hint } = errorShape(thrown)
      this.#event({ type: 'error', code, message, ...(hint === undefined ? {} : { hint }) })
      this.close(code === 'overloaded' ? CLOSE.overloaded : CLOSE.failed, message)
      return
    }
    this.#alive()
    this.#keepPinging()
  }

  /** `reason` is cut to what a close frame can carry (123 bytes). */
  close(code: number, reason: string): void {
    this.#socket.close(code, Buffer.from(reason).subarray(0, 123).toString())
  }

  #message(data: unknown, binary: boolean): void {
    if (!this.#open || this.#channel === undefined) return
    const bytes = asBytes(data)
    if (!binary) {
      this.#text(new TextDecoder().decode(bytes))
      return
    }
    this.#alive()
    this.#slowDown(bytes.length)
    const { samples, carry } = wholeSamples(this.#carry, bytes)
    this.#carry = carry
    if (samples.length > 0) this.#channel.push(samples)
  }

  #text(text: string): void {
    const read = upstream.safeParse(parseJson(text))
    if (!read.success) {
      this.#unreadable += 1
      this.#event({
        type: 'error',
        code: 'invalid-input',
        message: 'This message is not understood',
        hint: 'Send {"type":"finish"}, {"type":"ping"} or binary sound; see /api/docs.',
      })
      if (this.#unreadable >= MAX_UNREADABLE)
        this.close(CLOSE.unreadable, 'Too many messages that are not understood')
      return
    }
    this.#alive()
    if (read.data.type === 'finish') this.#channel?.finish()
  }

  /** Stops reading for as long as the sender is ahead of its allowance. */
  #slowDown(bytes: number): void {
    const { clock } = this.#options
    const now = clock.monotonic()
    const rate = BYTES_PER_MS * MAX_SPEED
    this.#budget = Math.min(BURST_BYTES, this.#budget + (now - this.#budget_at) * rate) - bytes
    this.#budget_at = now
    if (this.#budget >= 0) return
    this.#socket.pause()
    this.#resume()
    this.#resume = clock.after(-this.#budget / rate, () => this.#socket.resume())
  }

  #event(event: VoiceEvent): void {
    if (event.type === 'turn') this.#options.told(event.turn)
    this.#send(JSON.stringify(event))
  }

  #send(data: string | Uint8Array): void {
    if (!this.#open) return
    if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) {
      this.close(CLOSE.overloaded, 'The connection does not read what is sent to it')
      this.#socket.terminate()
      return
    }
    this.#socket.send(data)
  }

  #alive(): void {
    this.#idle()
    this.#idle = this.#options.clock.after(this.#options.idle_timeout_ms, () => {
      const seconds = Math.round(this.#options.idle_timeout_ms / 1000)
      this.close(CLOSE.idle, `No sound came for ${seconds} s; connect again when there is some`)
    })
  }

  #keepPinging(): void {
    this.#ping = this.#options.clock.after(PING_INTERVAL_MS, () => {
      if (this.#unanswered >= 2) {
        this.#socket.terminate()
        return
      }
      this.#unanswered += 1
      this.#socket.ping()
      this.#keepPinging()
    })
  }

  #closed(): void {
    this.#open = false
    this.#idle()
    this.#ping()
    this.#resume()
    this.#channel?.close()
    this.#channel = undefined
  }
}

function asBytes(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  return Array.isArray(data) ? Buffer.concat(data.filter((part) => part instanceof Uint8Array)) : noCarry
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
