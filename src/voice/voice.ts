/** Voice as the node uses it: behaviours and ports for the runtime, satellites in, texts in, sessions shown. */
import type { Behaviors, Message, Outside, OutsideEffect, RestartKind, Target } from '../actors/index.ts'
import { LoqaError, requestId, type SessionId } from '../host/index.ts'
import { isAskFromAfar } from './afar.ts'
import { announcer } from './announcer.ts'
import { BetweenTurns, type HandingOver } from './between-turns.ts'
import { ByText } from './by-text.ts'
import { Channels, type VoiceChannel } from './channels.ts'
import { Conversations } from './conversations.ts'
import { herald, isForHerald } from './herald.ts'
import type { Heard, SessionPhase, SessionWanting, TurnView } from './messages.ts'
import { ANNOUNCER, roomOf, SESSION_NAME, sessionAddress, sessionName } from './names.ts'
import { FIXED_PHRASES } from './phrases.ts'
import type { VoiceListener } from './player.ts'
import { isListing, registrar } from './registrar.ts'
import { type RecordedStep, type ReplayVerdict, replayTurns } from './replay.ts'
import { type PlayPort, Satellites } from './satellites.ts'
import { sessionBehavior } from './session.ts'
import { type InferPort, SpeechPort } from './speech.ts'
import { Tones } from './tones.ts'
import { type TurnOptions, WAITS } from './turn-state.ts'
import type { Asking, SessionRow, VoiceOptions, VoiceRuntime } from './voice-options.ts'
import { arbiter, isWakeFromAfar } from './wake/arbiter.ts'
import { type Spotter, spotter } from './wake/listening.ts'
import { Wakefulness } from './wake/wakefulness.ts'

export class Voice {
  /** For the runtime, by kind. */
  readonly behaviors: Behaviors
  /** For the runtime's `outside`; other ports' `cancel` and `actorGone` are to be joined to these. */
  readonly outside: Required<Pick<Outside, 'infer' | 'play' | 'cancel' | 'actorGone'>>
  readonly #options: VoiceOptions
  readonly #turnOptions: TurnOptions
  readonly #speech: SpeechPort
  readonly #satellites: Satellites
  readonly #conversations: Conversations
  readonly #channels: Channels
  readonly #wakefulness: Wakefulness
  readonly #tones: Tones
  readonly #leaving: BetweenTurns
  readonly #texts: ByText
  #runtime: VoiceRuntime | undefined
  #parent: Target | undefined

  constructor(options: VoiceOptions) {
    const { clock, household } = options
    const runtime = (): VoiceRuntime => this.#connected()
    this.#options = options
    this.#speech = new SpeechPort(options.engines, options.reply_cache_bytes)
    this.#satellites = new Satellites(clock, options.play_ahead_ms)
    this.#conversations = new Conversations({
      ...{ options, runtime },
      spawn: (args, snapshot) =>
        this.#spawn('session', args.id, args, 'transient', snapshot === undefined ? {} : { snapshot }),
    })
    this.#wakefulness = new Wakefulness(options.random, options.wake)
    this.#channels = new Channels({
      wakefulness: this.#wakefulness,
      mark: household === undefined ? '' : `${household.mark}-`,
      clock,
      satellites: this.#satellites,
      detectors: options.detectors,
      dropped: options.dropped,
      others: () => household?.others?.() ?? [],
      tell: (session, message) => this.#tell(session, message),
    })
    this.#tones = new Tones({
      clock,
      soundsUntil: (session) => this.#channels.soundsUntil(session),
      tone: (session) => this.#channels.tone(session),
    })
    this.#leaving = new BetweenTurns(clock, this.#conversations, this.#channels)
    this.#texts = new ByText({
      ...{ clock, household, runtime },
      ...{ room: options.room, conversations: this.#conversations },
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
      arbiter: { behavior: arbiter, from_afar: { message: isWakeFromAfar } },
      registrar: { behavior: registrar, from_afar: { message: isListing } },
      herald: { behavior: herald, from_afar: { message: isForHerald } },
    }
    this.outside = outsideOf(this.#speech, this.#satellites)
  }

  /** Before the first channel or question. Sessions are spawned under `parent`, and so is the announcer if none runs. */
  connect(runtime: VoiceRuntime, parent?: Target): void {
    this.#runtime = runtime
    this.#parent = parent
    runtime.subscribe('session.phase', (message) => {
      const phase = message as SessionPhase
      this.#tones.phase(phase.session, phase.phase)
      if (this.#conversations.phase(phase)) this.#channels.phase(phase.session, phase.phase === 'idle')
      else this.#channels.ended(phase.session)
    })
    this.#wakefulness.connect(runtime)
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

  /** When it can be moved to another node: between two turns. Errors: `not-moved` with the reason; `not-found`. */
  movable(id: SessionId): Promise<void> {
    return this.#leaving.movable(id)
  }

  /** Resolves when nothing is under way in it, or it did not come to that. */
  quiet(id: SessionId): Promise<void> {
    return this.#leaving.quiet(id)
  }

  /**
   * This node goes: a conversation is moved by `move` between two turns, or while a reply is being said, which goes on there; those who
   * speak in it are told `nodes`. Errors: those of `move`.
   */
  handOver(id: SessionId, how: HandingOver): Promise<void> {
    return this.#leaving.handOver(id, how)
  }

  /** Whether a disk may know that there is such a conversation. */
  isKept(id: SessionId): boolean {
    return this.#conversations.row(id)?.privacy.scope !== 'ephemeral'
  }

  /** Whether a microphone or loudspeaker of this node is in it. */
  isSpokenIn(id: SessionId): boolean {
    return this.#channels.speakIn(id)
  }

  /** It lives on another node now. */
  moved(id: SessionId): void {
    const row = this.#conversations.row(id)
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
    return this.#runtime === undefined ? [] : this.#conversations.rows()
  }

  /** Errors: `overloaded` at the limit of connections, `invalid-input` for a name that cannot be one. */
  open(request: Asking & { readonly heard?: Heard }, listener: VoiceListener): VoiceChannel {
    this.#channels.assertRoom()
    const wake = this.#wakefulness.wanted(request.wake)
    const room = roomOf(request.room ?? this.#options.room)
    const begin = (wanted?: string): SessionId => this.#conversations.begin(wanted, room, request)
    const session = begin(request.session)
    const { notice } = this.#conversations.privacy(request)
    const { heard } = request
    const channel = this.#channels.open(session, { room, heard, wake }, listener, begin)
    if (notice !== undefined) listener.event({ type: 'notice', message: notice })
    return channel
  }

  /** Tells of the wake word in s16le mono 16 kHz, outside any conversation. Errors: `engine-unavailable`. */
  spot(word: (at_ms: number) => void): Spotter {
    const { clock, detectors, dropped, wake } = this.#options
    this.#wakefulness.wanted(true)
    return spotter(
      { clock, detector: detectors(), dropped },
      { open: wake!.open, ready: this.#wakefulness.ready() },
      word,
    )
  }

  /** To be awaited before `open`: a conversation that is to go on here, and lives on another node, comes. Never rejects. */
  async bring(session: string | undefined): Promise<void> {
    if (session === undefined || !SESSION_NAME.test(session)) return
    const id = sessionName(session)
    if (this.#texts.isElsewhere(id)) await this.#options.household?.fetch?.(id)
  }

  /** One turn by text. Without a session it continues the conversation by text of its room. */
  ask(
    request: Asking & { readonly text: string },
    signal: AbortSignal,
  ): Promise<TurnView & { readonly notice?: string }> {
    return this.#texts.ask(request, signal)
  }

  /** Ends every connection's part in the node. */
  stop(): void {
    this.#tones.stop()
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
