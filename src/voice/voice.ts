/** Voice as the node uses it: behaviours and ports for the runtime, satellites in, texts in, sessions shown. */
import type {
  Address,
  Behaviors,
  Message,
  Outside,
  OutsideEffect,
  RestartKind,
  Runtime,
  Target,
} from '../actors/index.ts'
import {
  type Clock,
  InvalidInputError,
  LoqaError,
  limits,
  newSessionId,
  OverloadedError,
  type PrivacyScope,
  type Random,
  requestId,
  type SessionId,
  sessionId,
  type Wall,
} from '../host/index.ts'
import type { Service } from '../inference/index.ts'
import { isAskFromAfar, isGivenFromAfar, MOST_SESSIONS, turnFromAfar } from './afar.ts'
import { announcer } from './announcer.ts'
import type { Carried } from './carried-shape.ts'
import { Channels, type VoiceChannel } from './channels.ts'
import type { EndpointTimes } from './endpointing.ts'
import { herald } from './herald.ts'
import type { Heard, SessionPhase, SessionWanting, TurnAnswer, TurnView } from './messages.ts'
import { FIXED_PHRASES } from './phrases.ts'
import type { VoiceListener } from './player.ts'
import { isListing, registrar } from './registrar.ts'
import { type RecordedStep, type ReplayVerdict, replayTurns } from './replay.ts'
import { type PlayPort, Satellites } from './satellites.ts'
import { ANNOUNCER, type SessionArgs, sessionAddress, sessionBehavior } from './session.ts'
import { SESSION_NAME } from './session-name.ts'
import { type InferPort, SpeechPort } from './speech.ts'
import { type TurnOptions, WAITS, type Waits } from './turn-state.ts'
import type { Understanding } from './understanding.ts'
import type { VoiceDetector } from './vad.ts'

/** The part of the actor runtime used here. */
export type VoiceRuntime = Pick<Runtime, 'spawn' | 'find' | 'tell' | 'ask' | 'subscribe' | 'publish'>

export interface VoiceOptions {
  readonly clock: Clock
  readonly random: Random
  readonly understanding: Understanding
  /** The engines' own port; `ports.infer` is put around it. */
  readonly engines: InferPort
  readonly capabilities: { readonly stt: string; readonly llm: string; readonly tts: string }
  readonly detectors: () => VoiceDetector
  readonly voice: string | undefined
  /** Where a satellite that does not say so is. */
  readonly room: string
  readonly endpointing: EndpointTimes
  readonly waits?: Partial<Waits>
  /** Which engines to use now, and how much to say. Absent: always all. */
  readonly service?: () => Service
  readonly play_ahead_ms: number
  readonly reply_cache_bytes: number
  readonly session_idle_ms: number
  /** Frames of a satellite were lost because it sends faster than it can be heard. */
  readonly dropped: (frames: number) => void
  /** Absent: this node is the only one. */
  readonly household?: Household
  /** What a conversation gets of what was asked for. Absent: the scope `session` at most, and nobody's. */
  readonly privacy?: (wanted: PrivacyWanted) => Privacy
}

/** What whoever begins a conversation says about its privacy. */
export interface PrivacyWanted {
  readonly scope?: PrivacyScope
  /** Name or id of the person who speaks. */
  readonly person?: string
}

export interface Privacy {
  readonly scope: PrivacyScope
  /** Id of the person. */
  readonly person?: string
  /** Why it is not what was asked for, one sentence. */
  readonly notice?: string
}

/** Who asks, and where. */
interface Asking extends PrivacyWanted {
  readonly room?: string
  readonly session?: string
}

/** Conversations beyond this node. */
export interface Household {
  /** Tells this node's own conversation by text in a room from another node's. */
  readonly mark: string
  /** One was begun here: the others are to find it. */
  begun(address: Address): void
  /** Whether one lives on another node that can be asked. */
  isElsewhere(address: Address): boolean
  /** The copy here is about to end, for another node's counts. */
  isYielding?(address: Address): boolean
  /** What is known of a conversation whose node is gone. */
  head?(session: SessionId): Carried | undefined
  /** Has one that lives on another node come here, if that can be. */
  fetch?(session: SessionId): Promise<void>
  /** Addresses at which other nodes serve satellites, the best first. */
  others?(): readonly string[]
}

export interface SessionRow {
  readonly id: string
  readonly room: string
  readonly phase: string
  readonly started_at: Wall
  readonly privacy: Privacy
}

/** A turn by text waits this long for its turn and its answer together. */
const ASK_MS = 15_000

/** A conversation that is to move is waited for so long: the longest turn anybody waits for. */
const BETWEEN_TURNS_MS = 10_000
const LOOK_AGAIN_MS = 20
/** A text finds a conversation that moves on while it is asked for. */
const MOST_LOOKS = 3

/** Phases of a turn that end within moments, and are better ended where they began. */
const IN_THE_MIDDLE: ReadonlySet<string> = new Set([
  'listening',
  'recovering',
  'transcribing',
  'interpreting',
  'acting',
  'moving',
])

export class Voice {
  /** For the runtime, by kind. */
  readonly behaviors: Behaviors
  /** For the runtime's `outside`; other ports' `cancel` and `actorGone` are to be joined to these. */
  readonly outside: Required<Pick<Outside, 'infer' | 'play' | 'cancel' | 'actorGone'>>
  readonly #options: VoiceOptions
  readonly #turnOptions: TurnOptions
  readonly #speech: SpeechPort
  readonly #satellites: Satellites
  readonly #sessions = new Map<string, SessionRow>()
  readonly #channels: Channels
  #runtime: VoiceRuntime | undefined
  #parent: Target | undefined

  constructor(options: VoiceOptions) {
    this.#options = options
    this.#speech = new SpeechPort(options.engines, options.reply_cache_bytes)
    this.#satellites = new Satellites(options.clock, options.play_ahead_ms)
    this.#channels = new Channels({
      mark: options.household === undefined ? '' : `${options.household.mark}-`,
      clock: options.clock,
      satellites: this.#satellites,
      detectors: options.detectors,
      dropped: options.dropped,
      others: () => options.household?.others?.() ?? [],
      tell: (session, message) => this.#tell(session, message),
    })
    this.#turnOptions = {
      understanding: options.understanding,
      endpointing: options.endpointing,
      waits: { ...WAITS, ...options.waits },
      engines: options.capabilities,
      voice: options.voice,
      ...(options.service === undefined ? {} : { service: options.service }),
    }
    const session = sessionBehavior({ ...this.#turnOptions, idle_ms: options.session_idle_ms })
    this.behaviors = {
      session: { behavior: session, from_afar: { message: isAskFromAfar } },
      announcer,
      registrar: { behavior: registrar, from_afar: { message: isListing } },
      herald: { behavior: herald, from_afar: { message: isGivenFromAfar } },
    }
    this.outside = outsideOf(this.#speech, this.#satellites)
  }

  /** Before the first channel or question. Sessions are spawned under `parent`, and so is the announcer if none runs. */
  connect(runtime: VoiceRuntime, parent?: Target): void {
    this.#runtime = runtime
    this.#parent = parent
    runtime.subscribe('session.phase', (message) => this.#phase(message as SessionPhase))
    runtime.subscribe('session.wanting', (message) => {
      const { session, room, satellite } = message as SessionWanting
      // Not in the turn of the actor that came.
      this.#options.clock.soon(() => this.#channels.take(session, room, satellite))
    })
    if (runtime.find(ANNOUNCER) === undefined) this.#spawn('announcer', 'house', undefined, 'permanent')
  }

  /** Renders what is said every day; to be called once the voice is ready. */
  async warm(more: readonly string[] = []): Promise<void> {
    const { capabilities, voice } = this.#options
    await this.#speech.warm(capabilities.tts, [...FIXED_PHRASES, ...more], voice)
  }

  #phase(message: SessionPhase): void {
    const { session, room, phase, started_at } = message
    if (phase !== 'ended' && phase !== 'moved') {
      const privacy = this.#sessions.get(session)?.privacy ?? message.privacy ?? this.#privacy({})
      this.#sessions.set(session, { id: session, room, phase, started_at, privacy })
      return
    }
    this.#sessions.delete(session)
    this.#channels.ended(session)
  }

  /** When it can be moved to another node: between two turns. Errors: `not-moved` with the reason; `timeout`, as busy as it is. */
  async movable(id: SessionId): Promise<void> {
    const refused = (why: string, hint: string): LoqaError =>
      new LoqaError('not-moved', `The conversation was not moved: ${why}`, { hint })
    for (let waited_ms = 0; waited_ms <= BETWEEN_TURNS_MS; waited_ms += LOOK_AGAIN_MS) {
      const row = this.#sessions.get(id)
      if (row === undefined || this.#connected().find(sessionAddress(id)) === undefined) {
        throw new LoqaError('not-found', 'There is no such conversation on this node', {
          hint: 'loqa sessions lists them.',
        })
      }
      if (row.privacy.scope === 'ephemeral') {
        throw refused('it is ephemeral, and leaves no node', 'Begin another one, with --scope session.')
      }
      if (row.phase === 'moving') return
      if (this.#channels.speakIn(id)) {
        throw refused('a microphone of its node speaks in it', 'Move it when that one is closed.')
      }
      if (row.phase === 'idle') return
      await new Promise<void>((go) => this.#options.clock.after(LOOK_AGAIN_MS, go))
    }
    throw refused('a turn is under way', 'Try again when it has ended.')
  }

  /** Resolves when nothing is under way in it, or it did not come to that. */
  async quiet(id: SessionId): Promise<void> {
    for (let waited_ms = 0; waited_ms <= BETWEEN_TURNS_MS; waited_ms += LOOK_AGAIN_MS) {
      // What it was told a moment ago has begun by then.
      await new Promise<void>((go) => this.#options.clock.after(LOOK_AGAIN_MS, go))
      const row = this.#sessions.get(id)
      if (row === undefined || row.phase === 'idle') return
    }
  }

  /** Whether a disk may know that there is such a conversation. */
  isKept(id: SessionId): boolean {
    return this.#sessions.get(id)?.privacy.scope !== 'ephemeral'
  }

  /** Whether a microphone or loudspeaker of this node is in it. */
  isSpokenIn(id: SessionId): boolean {
    return this.#channels.speakIn(id)
  }

  /**
   * This node goes: a conversation is moved by `move` between two turns, or while a reply is being said, which goes on there; those who
   * speak in it are told `nodes`. What has not come so far by `until` (monotonic ms) goes as it is. Errors: those of `move`.
   */
  async handOver(
    id: SessionId,
    { until, nodes, move }: { until: number; nodes: readonly string[]; move: () => Promise<unknown> },
  ): Promise<void> {
    const { clock } = this.#options
    const isBusy = (): boolean => IN_THE_MIDDLE.has(this.#sessions.get(id)?.phase ?? 'idle')
    while (isBusy() && clock.monotonic() < until) {
      await new Promise<void>((go) => clock.after(LOOK_AGAIN_MS, go))
    }
    const tell = this.#channels.handOver(id)
    try {
      await move()
    } finally {
      // Where it did not come, its head is.
      tell(nodes)
    }
  }

  /** It lives on another node now. */
  moved(id: SessionId): void {
    const row = this.#sessions.get(id)
    if (row === undefined) return
    const { room, started_at } = row
    const message: SessionPhase = { type: 'session.phase', session: id, room, phase: 'moved', started_at }
    this.#connected().publish('session.phase', message)
  }

  /** Rooms in which a satellite is connected. */
  rooms(): readonly string[] {
    return this.#channels.rooms()
  }

  sessions(): readonly SessionRow[] {
    return [...this.#sessions.values()].filter(
      ({ id }) => this.#runtime?.find(sessionAddress(sessionId(id))) !== undefined,
    )
  }

  /** Errors: `overloaded` at the limit of connections, `invalid-input` for a name that cannot be one. */
  open(request: Asking & { readonly heard?: Heard }, listener: VoiceListener): VoiceChannel {
    this.#channels.assertRoom()
    const room = roomOf(request.room ?? this.#options.room)
    const begin = (session?: string): SessionId => this.#session(session, room, request)
    const session = begin(request.session)
    const { notice } = this.#privacy(request)
    const { heard } = request
    const channel = this.#channels.open(session, { room, heard }, listener, begin)
    if (notice !== undefined) listener.event({ type: 'notice', message: notice })
    return channel
  }

  /** To be awaited before `open`: a conversation that is to go on here, and lives on another node, comes. Never rejects. */
  async bring(session: string | undefined): Promise<void> {
    if (session === undefined || !SESSION_NAME.test(session)) return
    const id = sessionName(session)
    if (this.#isElsewhere(id)) await this.#options.household?.fetch?.(id)
  }

  /** One turn by text. Without a session it continues the conversation by text of its room. */
  async ask(
    request: Asking & { readonly text: string },
    signal: AbortSignal,
  ): Promise<TurnView & { readonly notice?: string }> {
    const text = request.text.trim()
    if (text === '') throw new InvalidInputError('The text is empty', 'Say what you want.')
    if (text.length > limits.MAX_TURN_TEXT) {
      throw new InvalidInputError(
        `The text is longer than ${limits.MAX_TURN_TEXT} characters`,
        'Say it in fewer words.',
      )
    }
    const room = roomOf(request.room ?? this.#options.room)
    const wanted = request.session ?? this.#textSession(room, request)
    if (this.#isYielding(sessionName(wanted))) await this.#yielded(sessionName(wanted))
    if (this.#isElsewhere(sessionName(wanted))) {
      // A name that was not given says itself what was agreed.
      const agreed = request.session === undefined ? {} : request
      const turn = await this.#askAfar(sessionName(wanted), text, agreed, signal)
      if (turn !== undefined) return turn
    }
    const session = this.#session(wanted, room, request)
    const { notice } = this.#privacy(request)
    const { turn } = (await this.#ask(session, text, signal)) as TurnAnswer
    return notice === undefined ? turn : { ...turn, notice }
  }

  #ask(session: SessionId, text: string, signal: AbortSignal): Promise<Message> {
    const message = { type: 'turn.ask', text } as Message
    return this.#connected().ask(sessionAddress(session), message, { deadline_ms: ASK_MS, signal })
  }

  #isElsewhere(session: SessionId): boolean {
    const address = sessionAddress(session)
    if (this.#connected().find(address) !== undefined) return false
    return this.#options.household?.isElsewhere(address) === true
  }

  #isYielding(session: SessionId): boolean {
    return this.#options.household?.isYielding?.(sessionAddress(session)) === true
  }

  /** What is said from now on is for the copy that counts; the one here says its last words. */
  async #yielded(session: SessionId): Promise<void> {
    const { clock } = this.#options
    for (let waited_ms = 0; waited_ms <= BETWEEN_TURNS_MS; waited_ms += LOOK_AGAIN_MS) {
      if (!this.#isYielding(session)) return
      await new Promise<void>((go) => clock.after(LOOK_AGAIN_MS, go))
    }
  }

  /** Undefined: it does not live there any more; nobody there has heard the text. */
  async #askAfar(
    session: SessionId,
    text: string,
    { scope, person }: PrivacyWanted,
    signal: AbortSignal,
  ): Promise<TurnView | undefined> {
    if (scope !== undefined || person !== undefined) {
      throw new InvalidInputError(
        'This conversation lives on another machine, and its scope and person were chosen there',
        'Leave them out, or begin another conversation here.',
      )
    }
    let answer: Message | undefined
    for (let looked = 1; answer === undefined; looked += 1) {
      try {
        answer = await this.#ask(session, text, signal)
      } catch (thrown) {
        const code = thrown instanceof LoqaError ? thrown.code : undefined
        if (code === 'not-found') return undefined
        // It was asked where it lived a moment ago; where it lives now was told before that.
        if (code !== 'placed-elsewhere' || looked === MOST_LOOKS) throw thrown
        await this.#yielded(session)
        if (!this.#isElsewhere(session)) return undefined
      }
    }
    const turn = turnFromAfar(answer)
    if (turn === undefined) throw new LoqaError('unexpected', 'Another node answered what no session says')
    return turn
  }

  /** The conversation by text that is had on this node, without a name, in one room. */
  #textSession(room: string, asked: PrivacyWanted): string {
    const { household } = this.#options
    const mark = household === undefined ? '' : `-${household.mark}`
    if (asked.scope === undefined && asked.person === undefined) return `text-${slug(room)}${mark}`
    // What is said under another scope, or by a person, is another conversation.
    const { scope, person } = this.#privacy(asked)
    const whose = person === undefined ? '' : `-${person.slice(0, 8)}`
    return `text-${slug(room).slice(0, 24)}${mark}-${scope}${whose}`
  }

  /** Ends every connection's part in the node. */
  stop(): void {
    this.#channels.closeAll()
  }

  /** Decides on the turns of a timeline again, without keeping those waiting who talk. */
  async replay(steps: readonly RecordedStep[]): Promise<ReplayVerdict> {
    const turns = replayTurns(steps, this.#turnOptions)
    for (;;) {
      const turn = turns.next()
      if (turn.done === true) return turn.value
      await new Promise<void>((go) => this.#options.clock.soon(go))
    }
  }

  #privacy(wanted: PrivacyWanted): Privacy {
    const { privacy } = this.#options
    if (privacy !== undefined) return privacy(wanted)
    return { scope: wanted.scope === 'ephemeral' ? 'ephemeral' : 'session' }
  }

  #session(wanted: string | undefined, room: string, asked: PrivacyWanted): SessionId {
    const id = wanted === undefined ? newSessionId(this.#options.random) : sessionName(wanted)
    const address = sessionAddress(id)
    // One that was killed, or failed too often, has not said that it ended.
    const lives = this.#connected().find(address) !== undefined
    const known = this.#sessions.has(id)
    const talk = lives ? undefined : this.#options.household?.head?.(id)
    const agreed = talk === undefined ? undefined : agreedIn(talk)
    if (agreed !== undefined) this.#assertSame(agreed, asked, this.#privacy(asked))
    const privacy = agreed ?? this.#privacy(asked)
    if (lives && known) {
      this.#assertSame(this.#sessions.get(id)?.privacy, asked, privacy)
      return id
    }
    if (!known && this.#sessions.size >= MOST_SESSIONS) {
      throw new OverloadedError('Voice', `${MOST_SESSIONS} conversations`)
    }
    const { scope, person } = privacy
    const args: SessionArgs = { id, room, scope, ...(person === undefined ? {} : { person }) }
    const snapshot = talk === undefined ? {} : { snapshot: { of: talk } }
    if (!lives) this.#spawn('session', id, args, 'transient', snapshot)
    this.#options.household?.begun(address)
    this.#sessions.set(id, { id, room, phase: 'idle', started_at: this.#options.clock.wall(), privacy })
    return id
  }

  /** Errors: `invalid-input`: what was said so far was said under other conditions. */
  #assertSame(has: Privacy | undefined, asked: PrivacyWanted, { scope, person }: Privacy): void {
    if (has === undefined) return
    const other =
      (asked.scope !== undefined && has.scope !== scope) ||
      (asked.person !== undefined && has.person !== person)
    if (!other) return
    throw new InvalidInputError(
      `This conversation began with the scope ${has.scope}${has.person === undefined ? '' : ', as that of a person'}`,
      'Scope and person are chosen when a conversation begins: begin another, with another --session or none.',
    )
  }

  #spawn(
    kind: string,
    key: string,
    args: unknown,
    restart: RestartKind,
    more: { readonly snapshot?: { readonly of: unknown } } = {},
  ): void {
    const parent = this.#parent
    this.#connected().spawn({
      kind,
      key,
      args,
      restart,
      ...more,
      ...(parent === undefined ? {} : { parent }),
    })
  }

  #tell(session: SessionId, message: Message): void {
    this.#connected().tell(sessionAddress(session), message)
  }

  #connected(): VoiceRuntime {
    if (this.#runtime === undefined) {
      throw new LoqaError('starting', 'The node is still starting', { retryable: true })
    }
    return this.#runtime
  }
}

/** What was agreed on the node where it was before. */
const agreedIn = ({ scope, person }: Carried): Privacy => ({
  scope,
  ...(person === undefined ? {} : { person }),
})

function outsideOf(infer: InferPort, play: PlayPort): Voice['outside'] {
  return {
    infer: (effect, deliver, actor) => infer.request(effect as OutsideEffect<'infer'>, deliver, actor),
    play: (effect, deliver, actor) => play.request(effect as OutsideEffect<'play'>, deliver, actor),
    cancel(id, actor, port) {
      if (port === 'infer') infer.cancel(requestId(id), actor)
      if (port === 'play') play.cancel(requestId(id), actor)
    },
    actorGone(actor) {
      infer.actorGone(actor)
      play.actorGone(actor)
    },
  }
}

/** Part of an address. */
function sessionName(wanted: string): SessionId {
  if (!SESSION_NAME.test(wanted)) {
    throw new InvalidInputError(
      'This is no session name',
      'Use up to 64 letters, digits and the characters _ . : ~ -',
    )
  }
  return sessionId(wanted)
}

function roomOf(room: string): string {
  const calm = room.trim().toLowerCase()
  if (calm === '' || calm.length > 64 || /\p{Cc}/u.test(calm)) {
    throw new InvalidInputError('This is no room name', 'Use up to 64 characters, e.g. kitchen.')
  }
  return calm
}

const slug = (room: string): string => room.replace(/[^a-z0-9]+/g, '-').slice(0, 48)
