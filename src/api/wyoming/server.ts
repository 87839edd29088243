/** The sockets of Wyoming: `dialogue.ts` decides, the node's view hears, speaks and answers. */
import {
  type Cancel,
  type Clock,
  type Connection,
  errorShape,
  type Listener,
  LoqaError,
  type Network,
} from '../../host/index.ts'
import type { StatusView } from '../status-shapes.ts'
import type { NodeView } from '../view.ts'
import type { Dictation, WakeWordWatch } from '../voice-shapes.ts'
import { type DialogueEffect, type DialogueInput, dialogue, newDialogue, type Trouble } from './dialogue.ts'
import { describeNode, type Offer, onlyOffering, wakeName } from './info.ts'
import { roomOf, roomsBy } from './places.ts'
import { EventCutter, encodeEvent, type WireFault, type WyomingEvent } from './wire.ts'

/** The part of the node a Wyoming client sees. */
export type WyomingView = Pick<NodeView, 'ask' | 'dictate' | 'say' | 'wakeWords' | 'watchWakeWord'> & {
  status(): StatusView
}

export interface WyomingParts {
  readonly network: Network
  readonly clock: Clock
  readonly host: string
  readonly port: number
  readonly view: WyomingView
  /** Tell of this alone; absent: of all there is. */
  readonly offer?: Offer
  /** Rooms of clients by address (`places.ts`). */
  readonly rooms?: readonly string[]
}

/** Each may hold a recogniser stream of about 3 MB. */
const MAX_CONNECTIONS = 32
/** Home Assistant keeps a connection for one request; a satellite's sends sound all the time. */
const IDLE_MS = 300_000
/** A minute of sound in pieces of 20 ms may come at once from a file; live sound is 50 a second. */
const BURST_EVENTS = 4_000
const EVENTS_PER_MS = 1
/** A turn by text: what `loqa ask` waits. */
const TURN_MS = 20_000

export interface RunningWyoming {
  readonly port: number
  stop(): Promise<void>
}

/** Errors: `port-in-use`, `listen-failed`. */
export async function startWyoming(parts: WyomingParts): Promise<RunningWyoming> {
  const open = new Set<WyomingConnection>()
  const accept = (connection: Connection): void => {
    if (open.size >= MAX_CONNECTIONS) {
      const message = `This node has ${MAX_CONNECTIONS} connections already`
      connection.send(encodeEvent(errorEvent({ code: 'overloaded', message })))
      connection.close()
      return
    }
    const client = new WyomingConnection(connection, parts, () => open.delete(client))
    open.add(client)
  }
  const listener: Listener = await parts.network.listen({ host: parts.host, port: parts.port }, accept)
  return {
    port: listener.port,
    stop: async () => {
      for (const client of open) client.end()
      await listener.close()
    },
  }
}

class WyomingConnection {
  readonly #connection: Connection
  readonly #parts: WyomingParts
  readonly #cutter = new EventCutter()
  readonly #gone = new AbortController()
  #state = newDialogue
  #dictation: Dictation | undefined
  #watch: WakeWordWatch | undefined
  #drained: (() => void) | undefined
  #budget = BURST_EVENTS
  #budget_at: number
  #idle: Cancel = () => undefined

  constructor(connection: Connection, parts: WyomingParts, ended: () => void) {
    this.#connection = connection
    this.#parts = parts
    this.#budget_at = parts.clock.monotonic()
    connection.onData((bytes) => this.#read(bytes))
    connection.onDrain(() => this.#flow())
    connection.onClose(() => {
      this.#idle()
      this.#gone.abort()
      this.#dictation?.cancel()
      this.#watch?.close()
      this.#flow()
      ended()
    })
    this.#alive()
  }

  end(): void {
    this.#connection.abort()
  }

  #alive(): void {
    this.#idle()
    this.#idle = this.#parts.clock.after(IDLE_MS, () => this.#connection.close())
  }

  #read(bytes: Uint8Array): void {
    if (this.#gone.signal.aborted) return
    this.#alive()
    for (const read of this.#cutter.push(bytes)) {
      if (typeof read === 'string') this.#hangUp(FAULTS[read])
      else if (this.#mayRead()) this.#input({ type: 'event', event: read })
      else this.#hangUp({ code: 'overloaded', message: 'Too many events at once' })
    }
  }

  #described(): WyomingEvent {
    const { view, offer } = this.#parts
    const all = describeNode(view.status(), view.wakeWords())
    return offer === undefined ? all : onlyOffering(offer, all)
  }

  #mayRead(): boolean {
    const now = this.#parts.clock.monotonic()
    this.#budget = Math.min(BURST_EVENTS, this.#budget + (now - this.#budget_at) * EVENTS_PER_MS) - 1
    this.#budget_at = now
    return this.#budget >= 0
  }

  #hangUp(trouble: Trouble): void {
    if (this.#gone.signal.aborted) return
    this.#connection.send(encodeEvent(errorEvent(trouble)))
    this.#connection.close()
    this.#gone.abort()
  }

  #input(input: DialogueInput): void {
    if (this.#gone.signal.aborted) return
    const { state, effects } = dialogue(this.#state, input)
    this.#state = state
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: DialogueEffect): void {
    switch (effect.type) {
      case 'send':
        this.#connection.send(encodeEvent(effect.event))
        break
      case 'describe':
        this.#connection.send(encodeEvent(this.#described()))
        break
      case 'record':
        this.#dictation = this.#parts.view.dictate(effect.sample_rate, {
          final: (text) => this.#input({ type: 'read', text }),
          failed: (error) => this.#input({ type: 'unread', trouble: error }),
        })
        break
      case 'watch':
        this.#listen(effect.sample_rate, effect.names)
        break
      case 'end-watch':
        this.#watch?.finish(() => {
          this.#dropWatch()
          this.#input({ type: 'watched' })
        })
        break
      case 'drop-watch':
        this.#dropWatch()
        break
      case 'audio':
        if (this.#watch === undefined) this.#dictation?.push(effect.pcm)
        else this.#watch.push(effect.pcm)
        break
      case 'read':
        this.#dictation?.finish()
        break
      case 'drop-recording':
        this.#dictation?.cancel()
        break
      case 'speak':
        void this.#speak(effect.text, effect.voice)
        break
      case 'handle':
        void this.#handle(effect.text, effect.session)
        break
    }
  }

  #dropWatch(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  /** For the words of these names; for all when there is none. */
  #listen(sample_rate: number, names: readonly string[]): void {
    const { view } = this.#parts
    const word = view.wakeWords().find((each) => names.length === 0 || names.includes(wakeName(each)))
    try {
      if (word === undefined) throw new LoqaError('not-found', 'This node knows no wake word of that name')
      const name = wakeName(word)
      this.#watch = view.watchWakeWord(sample_rate, (at_ms) => this.#input({ type: 'detected', name, at_ms }))
    } catch (thrown) {
      this.#input({ type: 'unwatched', trouble: troubleOf(thrown) })
    }
  }

  async #speak(text: string, voice: string | undefined): Promise<void> {
    try {
      const wish = voice === undefined ? { text } : { text, voice }
      for await (const { pcm, sample_rate } of this.#parts.view.say(wish, this.#gone.signal)) {
        this.#input({ type: 'speech', pcm, sample_rate })
        await this.#flowing()
      }
      this.#input({ type: 'speech-ended' })
    } catch (thrown) {
      this.#input({ type: 'speech-ended', trouble: troubleOf(thrown) })
    }
  }

  async #handle(text: string, session: string | undefined): Promise<void> {
    const late = new AbortController()
    const cancel = this.#parts.clock.after(TURN_MS, () => late.abort())
    try {
      const { view, rooms = [] } = this.#parts
      const room = roomOf(roomsBy(rooms), this.#connection.remote)
      const request = {
        text,
        ...(session === undefined ? {} : { session }),
        ...(room === undefined ? {} : { room }),
      }
      const turn = await view.ask(request, AbortSignal.any([late.signal, this.#gone.signal]))
      const understood = turn.error === undefined && turn.intent !== 'none'
      this.#input({ type: 'handled', text: turn.reply, session: turn.session, understood })
    } catch (thrown) {
      this.#input({ type: 'unhandled', trouble: troubleOf(thrown) })
    } finally {
      cancel()
    }
  }

  /** Speech is made faster than it is played: it waits for a client that does not read. */
  async #flowing(): Promise<void> {
    if (this.#gone.signal.aborted || this.#connection.send(NOTHING)) return
    await new Promise<void>((resolve) => {
      this.#drained = resolve
    })
  }

  #flow(): void {
    this.#drained?.()
    this.#drained = undefined
  }
}

const NOTHING = new Uint8Array(0)

const FAULTS: Readonly<Record<WireFault, Trouble>> = {
  garbled: { code: 'invalid-input', message: 'This is not a Wyoming event' },
  oversized: { code: 'too-large', message: 'This event is larger than any that is needed' },
}

const errorEvent = ({ code, message }: Trouble): WyomingEvent => ({
  type: 'error',
  data: { text: message, code },
  payload: NOTHING,
})

const troubleOf = (thrown: unknown): Trouble => {
  const { code, message } = thrown instanceof LoqaError ? thrown : errorShape(thrown)
  return { code, message }
}
