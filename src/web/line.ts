/**
 * The page's line to its node: sound up, sound and events down. When it breaks it is made anew and the conversation goes on where it was:
 * `cli/heard.ts` knows what came and what must be said again. What is said meanwhile waits, as much as a node would take.
 */
import type { VoiceEvent } from '../api/index.ts'
import { HeardSoFar } from '../cli/heard.ts'
import { FRAME_MS, MAX_BACKLOG_MS } from '../host/limits.ts'
import { openSocket } from './access.ts'

export interface LineHandlers {
  event(event: VoiceEvent): void
  audio(samples: Int16Array): void
  /** `false`: it is broken, and sought again. */
  up(is_up: boolean): void
}

/** Times between attempts, the last one for ever. */
const RETRY_MS = [150, 500, 1_000, 2_000, 4_000] as const
const WAITING_FRAMES = MAX_BACKLOG_MS / FRAME_MS
/** Well within the time after which a node closes a silent line. */
const PING_MS = 30_000
/** Too many satellites: nobody is helped by asking each second. */
const OVERLOADED = 1013
const OVERLOADED_RETRY_MS = 15_000

export class Line {
  readonly #room: string
  readonly #handlers: LineHandlers
  readonly #heard = new HeardSoFar()
  #socket: WebSocket | undefined
  #session: string | undefined
  /** What came before is settled: frames go straight through. */
  #ready = false
  #waiting: Int16Array[] = []
  #finishing = false
  #attempts = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #ping = setInterval(() => this.#say({ type: 'ping' }), PING_MS)

  constructor(room: string, handlers: LineHandlers) {
    this.#room = room
    this.#handlers = handlers
    this.#open()
  }

  get session(): string | undefined {
    return this.#session
  }

  /** One frame: 16 kHz mono. */
  send(frame: Int16Array): void {
    this.#finishing = false
    if (this.#ready) {
      this.#pass(frame)
      return
    }
    this.#waiting.push(frame)
    if (this.#waiting.length > WAITING_FRAMES) this.#waiting.shift()
  }

  /** Nothing more is said for now: the node need not wait for silence. */
  finish(): void {
    this.#finishing = true
    if (this.#ready) this.#say({ type: 'finish' })
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#ping)
    clearTimeout(this.#retry)
    this.#socket?.close(1000)
  }

  #open(): void {
    const query = new URLSearchParams(this.#room === '' ? {} : { room: this.#room })
    if (this.#session !== undefined) {
      const { turn, samples } = this.#heard.request
      query.set('session', this.#session)
      query.set('heard', samples === null ? String(turn) : `${turn}:${samples}`)
    }
    const isBack = this.#session !== undefined
    const socket = openSocket(`/api/v1/voice?${query}`)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.#closed || this.#socket !== socket) return
      if (typeof data === 'string') this.#event(JSON.parse(data) as VoiceEvent, isBack)
      else this.#audio(new Int16Array(data.slice(0, data.byteLength - (data.byteLength % 2))))
    }
    socket.onclose = ({ code, reason }) => {
      if (this.#closed || this.#socket !== socket) return
      this.#ready = false
      if (this.#attempts === 0) this.#handlers.up(false)
      if (code === OVERLOADED && this.#attempts === 0)
        this.#handlers.event({ type: 'error', code: 'overloaded', message: reason })
      const wait =
        code === OVERLOADED ? OVERLOADED_RETRY_MS : RETRY_MS[Math.min(this.#attempts, RETRY_MS.length - 1)]
      this.#attempts += 1
      this.#retry = setTimeout(() => this.#open(), wait)
    }
  }

  #event(event: VoiceEvent, isBack: boolean): void {
    this.#heard.event(event)
    switch (event.type) {
      case 'ready':
        this.#attempts = 0
        if (this.#session !== undefined && this.#session !== event.session) this.#heard.anew()
        this.#session = event.session
        this.#handlers.up(true)
        if (!isBack) this.#goOn()
        break
      case 'resumed':
        if (event.turn === null) for (const frame of this.#heard.again()) this.#socket?.send(bytesOf(frame))
        this.#goOn()
        return
    }
    this.#handlers.event(event)
  }

  #audio(samples: Int16Array): void {
    const fresh = this.#heard.audio(samples)
    if (fresh.length > 0) this.#handlers.audio(fresh)
  }

  #goOn(): void {
    this.#ready = true
    for (const frame of this.#waiting.splice(0)) this.#pass(frame)
    if (this.#finishing) this.#say({ type: 'finish' })
  }

  #pass(frame: Int16Array): void {
    this.#heard.sent(frame)
    this.#socket?.send(bytesOf(frame))
  }

  #say(message: { readonly type: 'finish' | 'ping' }): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }
}

const bytesOf = (frame: Int16Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(frame.buffer as ArrayBuffer, frame.byteOffset, frame.byteLength)
