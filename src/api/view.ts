/**
 * All that HTTP, WebSocket and the command line may know of a node, and all they may ask it. The composition root
 * implements it; tests drive the API against a real node or a scripted view. JSON shapes are public: scripts rely on them.
 */
import type { PrivacyScope } from '../host/index.ts'
import type { ApprovalRow } from './approval-shapes.ts'
import type { AuditQuery, AuditRow, AuditVerification } from './audit-shapes.ts'
import type { DevicesView } from './device-shapes.ts'
import type { HouseholdChange, HouseholdView } from './household-shapes.ts'
import type {
  ErasedView,
  PersonErased,
  PersonExport,
  PersonRow,
  ReplayView,
  TimelineRow,
  TimelineView,
} from './memory-shapes.ts'
import type { Heard, NodeRow } from './shapes.ts'
import type { OnBench, SkillCallLine } from './skill-bench-shapes.ts'
import type { SkillSettingsView } from './skill-settings-shapes.ts'
import type { SkillsView } from './skills-shapes.ts'
import type { BackupView, StoreView } from './store-shapes.ts'
import type { WipePlan } from './wipe-shapes.ts'

export interface StatusView {
  readonly node: {
    readonly id: string
    readonly name: string
    readonly room: string
    readonly version: string
    readonly pid: number
    readonly uptime_s: number
  }
  readonly household: { readonly id: string; readonly members: number; readonly open_until: string | null }
  /** `ok`, or `degraded` with reasons (an engine is down, the disk is full, starter models in use is not one). */
  readonly health: {
    readonly state: 'starting' | 'ok' | 'degraded' | 'stopping'
    readonly reasons: readonly string[]
  }
  readonly capabilities: readonly CapabilityView[]
  readonly quality: QualityView
  /** Null until it was looked at, soon after the start. */
  readonly hardware: HardwareView | null
  readonly sessions: number
  readonly actors: number
  /** Things a person should know, e.g. that starter models know synthesized voices only. */
  readonly notices: readonly string[]
}

/** What the machine is, as its system describes it. */
export interface HardwareView {
  readonly board: string | null
  readonly processor: string
  readonly features: readonly string[]
  readonly cores: number
  readonly memory_mb: number
  readonly battery: { readonly percent: number; readonly charging: boolean } | null
  readonly microphones: readonly string[]
  readonly loudspeakers: readonly string[]
  /** e.g. `stt.sherpa:rt` (keeps up with speech twice over), `mic:kitchen`. */
  readonly tags: readonly string[]
}

export type QualityTier = 'fast' | 'balanced' | 'rich'

/** The quality tier this node answers in, and how it keeps its budget. */
export interface QualityView {
  readonly tier: QualityTier
  /** The best it steps up to. */
  readonly best: QualityTier
  /** It never steps. */
  readonly fixed: boolean
  /** Of a whole turn, from the end of speech to the first sound. */
  readonly budget_ms: number
  /** Of the last turns in this tier, less what people are waited for; null before there was one. */
  readonly p95_ms: number | null
  /** How many those are. */
  readonly turns: number
  /** What is asked for: a kind, or a tag. Null: nothing. */
  readonly engines: {
    readonly stt: string
    readonly llm: string | null
    readonly tts: string
    /** Says what the voice is late with. */
    readonly plain_tts: string | null
  }
  readonly last_step: {
    readonly from: QualityTier
    readonly to: QualityTier
    readonly why: 'slow-turns' | 'spike' | 'recovered'
    /** ISO 8601. */
    readonly at: string
  } | null
}

export interface CapabilityView {
  /** e.g. `stt.sherpa:starter-en:rt`. */
  readonly tag: string
  readonly model: string
  /** `resting`: out of memory because others of the household have the same; the first who asks wakes it. */
  readonly state: 'starting' | 'ready' | 'resting' | 'restarting' | 'failed'
  readonly p95_ms: number | null
  readonly real_time_factor: number | null
  readonly tokens_per_s: number | null
  readonly restarts: number
  readonly rss_mb: number | null
  /** What it computes on beside the processor. Absent: nothing. */
  readonly gpu?: { readonly backend: string; readonly free_mb: number; readonly total_mb: number }
}

export interface ActorView {
  readonly address: string
  readonly node: string
  readonly kind: string
  readonly state: 'starting' | 'running' | 'passive' | 'restarting' | 'stopping'
  /** Messages waiting. */
  readonly mailbox: number
  readonly restarts: number
}

export interface SessionView {
  readonly id: string
  readonly room: string
  readonly node: string
  readonly phase: string
  /** ISO 8601. */
  readonly started_at: string
}

export interface SessionMoved {
  readonly session: string
  /** Ids of nodes. */
  readonly from: string
  readonly to: string
  /** Where it speaks now, when it went to a room. */
  readonly room?: string
  /** How long it handled nothing. */
  readonly away_ms: number
}

/** Milliseconds each hop took; null when the turn did not pass it. `total` runs on the client's honest clock when it has one. */
export interface Latency {
  readonly endpoint: number | null
  readonly stt: number | null
  readonly nlu: number | null
  readonly skill: number | null
  readonly tts: number | null
  readonly total: number | null
}

export interface TurnView {
  readonly session: string
  readonly room: string
  readonly transcript: string
  readonly partials: readonly string[]
  readonly intent: string
  readonly slots: Readonly<Record<string, unknown>>
  readonly reply: string
  readonly latency_ms: Latency
  /** The turn was ended although the person went on speaking. */
  readonly cut_off: boolean
  readonly reply_wav: string | null
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
  /** Something the person should know, e.g. why the scope is another. */
  readonly notice?: string
}

/** Events of a voice channel, sent as JSON beside the binary audio. */
export type VoiceEvent =
  | {
      readonly type: 'ready'
      readonly session: string
      readonly room: string
      readonly sample_rate: 16000
      /** Other nodes that serve satellites, e.g. `http://192.168.1.20:7420`: where to go on when this one is lost. */
      readonly others?: readonly string[]
    }
  /** The wake word was heard; `answers`: this microphone listens now, otherwise another one does. */
  | {
      readonly type: 'wake'
      readonly answers: boolean
      readonly why: 'won' | 'lost' | 'aside'
      readonly after_ms: number
      readonly by: { readonly node: string; readonly room: string }
    }
  /** This microphone waits for the wake word again. */
  | { readonly type: 'sleep' }
  | { readonly type: 'speech-started' }
  | { readonly type: 'partial'; readonly text: string }
  | { readonly type: 'final'; readonly text: string }
  | { readonly type: 'turn'; readonly turn: TurnView }
  /** Throw away what is queued for playing: the person is speaking. */
  | { readonly type: 'stop-playback'; readonly at?: number }
  | { readonly type: 'reply-end' }
  /**
   * A reply begins, or goes on: the next sample is this one of it. Turns of a conversation are counted up. `text`: all that is said, where
   * that is known already.
   */
  | { readonly type: 'reply'; readonly turn: number; readonly from: number; readonly text?: string }
  /** To a request with `heard`: the turn that goes on by itself; null: what was said and not answered is to be sent again. */
  | { readonly type: 'resumed'; readonly turn: number | null }
  /** This node is about to go: connect to one of these. */
  | { readonly type: 'rebind'; readonly nodes: readonly string[] }
  /** The answer takes longer than anybody waits in silence: make a short sound. It is no part of a reply. */
  | { readonly type: 'tone' }
  | { readonly type: 'announce'; readonly text: string }
  | { readonly type: 'card'; readonly card: Readonly<Record<string, unknown>> }
  /** Something the person should know before they speak. */
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly hint?: string }

/** One satellite: audio up, audio and events down. */
export interface VoiceChannel {
  readonly session: string
  /** s16le mono 16 kHz, any number of whole samples; over the limit the oldest is dropped and counted. */
  push(pcm: Uint8Array): void
  /** The person will say no more in this recording: the turn may end without waiting for silence. */
  finish(): void
  close(): void
}

/** A recording being read. */
export interface Dictation {
  /** s16le mono, any number of whole samples. */
  push(pcm: Uint8Array): void
  /** It is whole: its words are wanted. */
  finish(): void
  cancel(): void
}

export interface DictationListener {
  final(text: string): void
  failed(error: { readonly code: string; readonly message: string }): void
}

/** An engine that work may be sent to by its tag. */
export interface EngineRow {
  /** e.g. `llm.llama:intent-starter`. */
  readonly tag: string
  readonly kind: 'stt' | 'llm' | 'tts'
  readonly model: string
}

export interface WriteRequest {
  readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[]
  /** JSON schema the answer obeys, unless it is cut off. */
  readonly schema?: Readonly<Record<string, unknown>>
  readonly max_tokens?: number
  readonly temperature?: number
  readonly top_p?: number
  readonly seed?: number
  /** The answer ends before the first of these. */
  readonly stop?: readonly string[]
  /** The tag of an engine; any language model by default. */
  readonly engine?: string
}

export type Written =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'end'
      readonly reason: 'stop' | 'length'
      readonly input_tokens: number
      readonly output_tokens: number
    }

export interface EmbeddedText {
  /** Of unit length. */
  readonly vector: Float32Array
  readonly tokens: number
}

export interface VoiceListener {
  /** s16le mono 16 kHz, at most 200 ms ahead of real time. */
  audio(pcm: Uint8Array): void
  event(event: VoiceEvent): void
}

/** What was done on this node. */
export interface AuditView {
  /** The newest that fit, oldest of them first. */
  list(query: AuditQuery): Promise<readonly AuditRow[]>
  /** Reads the whole log, in pieces. */
  verify(): Promise<AuditVerification>
  /** Errors: `audit-unbroken` when there is nothing to acknowledge. */
  acknowledge(): Promise<AuditVerification>
  /** Lines of JSON, in pieces of whole lines. */
  export(): AsyncIterable<string>
}

/** How a conversation is to begin, or which is to go on. */
export interface VoiceRequest {
  readonly room?: string
  readonly session?: string
  readonly scope?: PrivacyScope
  readonly person?: string
  /** The satellite had this conversation before, up to here. */
  readonly heard?: Heard
  /** Only what follows the wake word is heard; absent: as `voice.wake` says. */
  readonly wake?: boolean
}

/** Told of the wake word, as often as it is said: `at_ms` of the sound that was pushed. */
export type WakeWordListener = (at_ms: number) => void

export interface WakeWordWatch {
  /** s16le mono, any number of whole samples. */
  push(pcm: Uint8Array): void
  /** Nothing follows; `done` when the last word that could be told was told. Not after `close`. */
  finish(done: () => void): void
  close(): void
}

/** What is remembered of conversations and persons. Errors: `not-found`, `ambiguous`, `not-ready`, `store-*`. */
export interface MemoryView {
  timelines(): Promise<readonly TimelineRow[]>
  timeline(session: string): Promise<TimelineView>
  replay(session: string): Promise<ReplayView>
  erase(which: { session: string } | { all: true }, dry_run: boolean): Promise<ErasedView>
  persons(): Promise<readonly PersonRow[]>
  addPerson(name: string): Promise<PersonRow>
  consent(person: string, given: boolean): Promise<PersonRow>
  exportPerson(person: string): Promise<PersonExport>
  erasePerson(person: string, dry_run: boolean): Promise<PersonErased>
}

/** Skills under development. */
export interface SkillBenchView {
  /** Errors: whatever is wrong with it; the one before answers on. */
  put(files: { manifest: string; module: Uint8Array; folder: string }): Promise<OnBench>
  /** Errors: `not-found`. */
  end(name: string): Promise<void>
  /** Errors: `not-found`. */
  watch(name: string): AsyncIterable<SkillCallLine>
}

/** What the household chose for its skills. */
export interface SettingsView {
  /** Errors: `not-found`. */
  show(skill: string): SkillSettingsView
  /** Undefined goes back to the default. Errors: `not-found`, `invalid-input`, `store-*`. */
  choose(skill: string, key: string, value: string | number | boolean | undefined): Promise<SkillSettingsView>
  /** Undefined takes it back. Errors: `not-found`, `invalid-input`, `store-*`. */
  give(skill: string, key: string, secret: string | undefined): Promise<SkillSettingsView>
}

export interface NodeView {
  readonly skillSettings: SettingsView
  readonly memory: MemoryView
  readonly skills: SkillsView
  status(): StatusView
  /** This node, the members of its household, and everybody else who was seen. */
  nodes(): readonly NodeRow[]
  household(): HouseholdView
  /** Returns what the household is then. Errors: `LoqaError`, e.g. `code-wrong`, `not-found`, `not-entitled`. */
  changeHousehold(change: HouseholdChange): Promise<HouseholdView>
  actors(): readonly ActorView[]
  devices(): DevicesView
  /** What skills of the household may not do without a person, decided ones too; the newest first. */
  approvals(): Promise<readonly ApprovalRow[]>
  /** Errors: `not-found`, `approval-over` when it was decided before or its time is over. */
  decideApproval(id: string, allow: boolean, by: string): Promise<ApprovalRow>
  /** Of the whole household, as far as its nodes answer. */
  sessions(): Promise<readonly SessionView[]>
  /**
   * To a room it speaks there from now on, and goes on with what it is saying; to a node only where nobody speaks in it. `node`: its id, the
   * end of one, or a name. Errors: `not-found`, `ambiguous`, `already-there`, `unreachable`, `not-moved`.
   */
  moveSession(id: string, to: { readonly node: string } | { readonly room: string }): Promise<SessionMoved>
  /** Errors: `LoqaError` with a stable code. */
  ask(request: VoiceRequest & { readonly text: string }, signal: AbortSignal): Promise<TurnView>
  /** Speech for a text: s16le mono chunks at `sample_rate`. `speed` 0.5 to 2. */
  say(
    request: { text: string; voice?: string; speed?: number; engine?: string },
    signal: AbortSignal,
  ): AsyncIterable<{ pcm: Uint8Array; sample_rate: number }>
  /** Has a conversation come to this node, where it can; to be awaited before `openVoice` with `heard`. Never rejects. */
  bring(session: string): Promise<void>
  openVoice(request: VoiceRequest, listener: VoiceListener): VoiceChannel
  /** Words of a recording, at 4 to 384 kHz, outside any conversation. Exactly one of `final` and `failed` follows, unless cancelled. */
  dictate(sample_rate: number, listener: DictationListener, engine?: string): Dictation
  /** Those of the household that would be used now, each tag once. */
  engines(): readonly EngineRow[]
  /** An answer of the language model, outside any conversation of the house. The last item is `end`. Errors: `LoqaError`. */
  write(request: WriteRequest, signal: AbortSignal): AsyncIterable<Written>
  /** What a text means as a vector. Errors: `LoqaError`, `invalid-input` from an engine that gives none. */
  embed(request: { text: string; engine?: string }, signal: AbortSignal): Promise<EmbeddedText>
  /** The wake words that can be listened for: their model and what is said. */
  wakeWords(): readonly { readonly model: string; readonly phrase: string }[]
  /** Listens for them in a sound at 4 to 384 kHz. Errors: `engine-unavailable`. */
  watchWakeWord(sample_rate: number, listener: WakeWordListener): WakeWordWatch
  /** Prometheus text format. */
  metrics(): Promise<string>
  /** True when a spoken command would be answered now; otherwise the reasons. */
  ready(): { readonly ready: boolean; readonly reasons: readonly string[] }
  /** What `loqa doctor` prints: each check with its result and a fix. */
  doctor(): Promise<
    readonly {
      readonly check: string
      readonly ok: boolean
      readonly detail: string
      readonly fix?: string
    }[]
  >
  /** Errors: `LoqaError`, e.g. `store-closed`. */
  store(): Promise<StoreView>
  /** Destroys what is kept, here and on every other node; a dry run only says where. */
  wipe(dry_run: boolean): Promise<WipePlan>
  /** Makes a copy of what is kept. Errors: `store-full`, `store-io`. */
  backup(): Promise<BackupView>
  readonly audit: AuditView
  readonly bench: SkillBenchView
  /** Every key, its value and where it came from. Secrets are masked. */
  config(): readonly {
    readonly key: string
    readonly value: unknown
    readonly origin: string
    readonly about: string
  }[]
}
