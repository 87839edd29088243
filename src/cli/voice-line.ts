/**
 * A satellite's line to the household: a connection to one node, and to another one when that is lost or about to go. Whoever listens and
 * speaks notices nothing but a pause; what is said meanwhile is kept.
 *
 * The node that was in use is tried first, for a broken connection is more often than a dead node; then the others it had named, in its
 * order. One at a time: two nodes must not both take the conversation for theirs.
 */
import type { VoiceEvent, VoiceRequest } from '../api/index.ts'
import { LoqaError } from '../host/errors.ts'
import type { Cancel, Clock } from '../host/host.ts'
import { FRAME_MS, MAX_BACKLOG_MS } from '../host/limits.ts'
import type { Whereabouts } from './find-node.ts'
import { HeardSoFar } from './heard.ts'
import { connectVoice, type VoiceConnection, type VoiceHandlers } from './voice-connection.ts'

/** A node that is there answers in milliseconds; one that is not must not cost the silence of three seconds. */
const CONNECT_MS = 700
/** Without a sign of life for so long it is taken for gone: three signs lost, and a busy machine. */
const SILENT_MS = 1_500
const PING_MS = 500
/** All were tried: again after this, and for so long in all. */
const ROUND_MS = 150
const GIVE_UP_MS = 15_000
/** A node without others may be starting again. */
const ALONE_MS = 3_000
/** Sound that waits for a connection; the oldest is lost first. */
const WAITING_FRAMES = MAX_BACKLOG_MS / FRAME_MS

export interface VoiceLine {
  /** 16 kHz mono s16. */
  send(samples: Int16Array): void
  finish(): void
  close(): void
}

export interface VoiceLineHandlers extends Pick<VoiceHandlers, 'event' | 'audio' | 'closed'> {
  /** It goes on at that node; `null`: the line is down, and another node is sought. */
  moved?(url: string | null): void
}

/** Errors: those of `connectVoice`, of the first connection. */
export async function openLine(
  where: Whereabouts,
  request: VoiceRequest,
  handlers: VoiceLineHandlers,
  clock: Clock,
): Promise<VoiceLine> {
  const line = new Line(where, request, handlers, clock)
  await line.open()
  return line
}

class Line implements VoiceLine {
  readonly #token: string | undefined
  readonly #request: VoiceRequest
  readonly #handlers: VoiceLineHandlers
  readonly #clock: Clock
  readonly #heard = new HeardSoFar()
  #url: string
  #session: string | undefined
  #others: readonly string[] = []
  #connection: VoiceConnection | undefined
  /** Said while there was no connection, or before the node said what it needs again. */
  #waiting: Int16Array[] = []
  /** The node was asked to go on, and has not said with what. */
  #resuming = false
  #resumed: number | null | undefined
  #finished = false
  #heard_at = 0
  #watch: Cancel = () => undefined
  #closed = false

  constructor({ url, token }: Whereabouts, request: VoiceRequest, handlers: VoiceLineHandlers, clock: Clock) {
    this.#url = url
    this.#token = token
    this.#request = request
    this.#handlers = handlers
    this.#clock = clock
  }

  async open(): Promise<void> {
    this.#connection = await this.#connect(this.#url, this.#request)
    this.#watchOver()
  }

  send(samples: Int16Array): void {
    this.#finished = false
    if (this.#connection !== undefined && !this.#resuming) {
      this.#say(samples)
      return
    }
    this.#waiting.push(samples)
    if (this.#waiting.length > WAITING_FRAMES) this.#waiting.shift()
  }

  finish(): void {
    this.#finished = true
    if (!this.#resuming) this.#connection?.finish()
  }

  close(): void {
    this.#closed = true
    this.#watch()
    this.#connection?.close()
  }

  #say(samples: Int16Array): void {
    this.#heard.sent(samples)
    this.#connection?.send(samples)
  }

  #connect(url: string, request: VoiceRequest, connect_ms?: number): Promise<VoiceConnection> {
    // What an older connection still says is said to nobody.
    let current: VoiceConnection | undefined
    const isOld = (): boolean => this.#closed || (current !== undefined && this.#connection !== current)
    const opening = connectVoice(
      { url, token: this.#token },
      request,
      {
        event: (event) => !isOld() && this.#event(event),
        audio: (samples) => {
          if (isOld()) return
          const fresh = this.#heard.audio(samples)
          if (fresh.length > 0) this.#handlers.audio(fresh)
        },
        alive: () => {
          this.#heard_at = this.#clock.monotonic()
        },
        closed: (error) => {
          if (isOld()) return
          if (error.code === 'connection-lost') void this.#seek([this.#url, ...this.#others], error)
          else this.#handlers.closed(error)
        },
      },
      connect_ms,
    )
    return opening.then((connection) => {
      current = connection
      return connection
    })
  }

  #event(event: VoiceEvent): void {
    this.#heard.event(event)
    switch (event.type) {
      case 'ready':
        if (this.#session !== undefined && this.#session !== event.session) this.#heard.anew()
        this.#session = event.session
        this.#others = event.others ?? []
        break
      case 'resumed':
        this.#resumed = event.turn
        this.#goOn()
        return
      case 'reply':
        return
      case 'rebind':
        void this.#seek([...event.nodes, ...this.#others, this.#url])
        return
    }
    this.#handlers.event(event)
  }

  #goOn(): void {
    const turn = this.#resumed
    if (turn === undefined || this.#connection === undefined) return
    this.#resuming = false
    if (turn === null) for (const samples of this.#heard.again()) this.#connection?.send(samples)
    for (const samples of this.#waiting.splice(0)) this.#say(samples)
    if (this.#finished) this.#connection?.finish()
  }

  /** Until one of these takes the conversation on. */
  async #seek(urls: readonly string[], lost?: Parameters<VoiceHandlers['closed']>[0]): Promise<void> {
    const former = this.#connection
    this.#connection = undefined
    this.#resuming = true
    this.#resumed = undefined
    this.#watch()
    if (former !== undefined) this.#handlers.moved?.(null)
    const until = this.#clock.monotonic() + (new Set(urls).size > 1 ? GIVE_UP_MS : ALONE_MS)
    for (;;) {
      for (const url of new Set(urls)) {
        if (this.#closed) return
        if (await this.#goTo(url)) {
          former?.close()
          return
        }
      }
      if (this.#clock.monotonic() > until && !this.#closed) {
        this.#closed = true
        this.#handlers.closed(lost ?? lostContact())
        return
      }
      await new Promise<void>((go) => this.#clock.after(ROUND_MS, go))
    }
  }

  async #goTo(url: string): Promise<boolean> {
    const session = this.#session
    try {
      const connection = await this.#connect(
        url,
        { ...this.#request, ...(session === undefined ? {} : { session, heard: this.#heard.request }) },
        CONNECT_MS,
      )
      if (this.#closed) {
        connection.close()
        return true
      }
      this.#connection = connection
      this.#url = url
      this.#handlers.moved?.(url)
      this.#watchOver()
      this.#goOn()
      return true
    } catch {
      return false
    }
  }

  /** A machine without power says no goodbye. */
  #watchOver(): void {
    this.#heard_at = this.#clock.monotonic()
    const look = (): void => {
      if (this.#clock.monotonic() - this.#heard_at > SILENT_MS) {
        this.#connection?.drop()
        void this.#seek([this.#url, ...this.#others], lostContact())
        return
      }
      this.#connection?.ping()
      this.#watch = this.#clock.after(PING_MS, look)
    }
    this.#watch = this.#clock.after(PING_MS, look)
  }
}

const lostContact = (): LoqaError => new LoqaError('connection-lost', 'The node said nothing any more')
